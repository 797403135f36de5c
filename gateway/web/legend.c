#include "web/legend.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"

struct entry {
    uint32_t stream;
    int64_t value;
    char *text;
};

struct legend {
    struct entry *entries;
    size_t count, room;
};

int legend_open(struct legend **legend)
{
    *legend = calloc(1, sizeof **legend);
    return *legend ? 0 : ERR_NOMEM;
}

void legend_close(struct legend *legend)
{
    for (size_t i = 0; legend && i < legend->count; i++)
        free(legend->entries[i].text);
    if (legend)
        free(legend->entries);
    free(legend);
}

static bool make_room(struct legend *legend, size_t more)
{
    size_t room = legend->room ? legend->room : 64;
    struct entry *grown;

    while (room < legend->count + more)
        room *= 2;
    if (room == legend->room)
        return true;
    grown = realloc(legend->entries, room * sizeof *grown);
    if (!grown)
        return false;
    legend->entries = grown;
    legend->room = room;
    return true;
}

void legend_add(struct legend *legend, uint32_t stream, const struct site_enum *enums, size_t count)
{
    if (!make_room(legend, count))
        return;
    for (size_t i = 0; i < count; i++) {
        struct entry entry = {stream, enums[i].value, strdup(enums[i].text)};

        if (entry.text)
            legend->entries[legend->count++] = entry;
    }
}

static int compare(const void *one, const void *two)
{
    const struct entry *a = one, *b = two;

    if (a->stream != b->stream)
        return a->stream < b->stream ? -1 : 1;
    return (a->value > b->value) - (a->value < b->value);
}

void legend_finish(struct legend *legend)
{
    if (legend->count > 0)
        qsort(legend->entries, legend->count, sizeof *legend->entries, compare);
}

const char *legend_text(const struct legend *legend, uint32_t stream, const struct value *value)
{
    struct entry wanted = {.stream = stream};
    const struct entry *found;

    if (value->type == VALUE_I64)
        wanted.value = value->i;
    else if (value->type == VALUE_U64 && value->u <= INT64_MAX)
        wanted.value = (int64_t)value->u;
    else
        return NULL;
    found = legend->count ? bsearch(&wanted, legend->entries, legend->count, sizeof wanted, compare)
                          : NULL;
    return found ? found->text : NULL;
}
