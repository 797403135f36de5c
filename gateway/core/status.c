#include "core/status.h"

#include <stddef.h>

struct row {
    uint16_t code;
    const char *why;
    const char *help;
};

static const struct row rows[] = {
#define STATUS_ROW(name, code, why, help) {code, why, help},
    STATUS_TABLE(STATUS_ROW)
#undef STATUS_ROW
};

static const struct row *find(uint16_t status)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].code == status)
            return &rows[i];
    return NULL;
}

const char *status_why(uint16_t status)
{
    const struct row *row = find(status);
    return row ? row->why : "bad";
}

const char *status_help(uint16_t status)
{
    const struct row *row = find(status);
    return row ? row->help : "";
}

bool status_ends(uint16_t status)
{
    return status == STATUS_REMOVED || status == STATUS_RENAMED;
}
