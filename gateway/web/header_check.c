#include "web/header_check.h"

#include <string.h>
#include <strings.h>

static bool is_number(const char *text)
{
    return text && *text && text[strspn(text, "0123456789")] == '\0';
}

void header_check_see(struct header_check *check, const char *name, const char *value)
{
    if (strcasecmp(name, "Content-Length") == 0) {
        check->lengths++;
        check->strange |= !is_number(value);
    } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        check->encodings++;
        check->strange |= !value || strcasecmp(value, "chunked") != 0;
    } else if (strcasecmp(name, "Host") == 0) {
        check->hosts++;
    }
}

bool header_check_is_ambiguous(const struct header_check *check)
{
    return check->lengths + check->encodings > 1 || check->hosts > 1 || check->strange;
}
