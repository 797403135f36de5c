#include "config/textmap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/fingerprint.h"
#include "core/error.h"

struct textmap_slot {
    const char *text;
    const void *value; /* NULL: free */
};

static struct textmap_slot *slot_of(const struct textmap *map, const char *text)
{
    uint64_t hash = FINGERPRINT_BEGIN;
    fingerprint_text(&hash, text);
    size_t at = (size_t)(hash ^ hash >> 32) & (map->room - 1);
    while (map->slots[at].value && strcmp(map->slots[at].text, text) != 0)
        at = (at + 1) & (map->room - 1);
    return &map->slots[at];
}

const void *textmap_find(const struct textmap *map, const char *text)
{
    return map->room > 0 ? slot_of(map, text)->value : NULL;
}

static int grow(struct textmap *map)
{
    struct textmap larger = {.room = map->room > 0 ? map->room * 2 : 16, .used = map->used};
    larger.slots = calloc(larger.room, sizeof(*larger.slots));
    if (!larger.slots)
        return ERR_NOMEM;
    for (size_t i = 0; i < map->room; i++)
        if (map->slots[i].value)
            *slot_of(&larger, map->slots[i].text) = map->slots[i];
    free(map->slots);
    *map = larger;
    return 0;
}

int textmap_put(struct textmap *map, const char *text, const void *value)
{
    if (map->used * 2 >= map->room && grow(map) != 0)
        return ERR_NOMEM;
    *slot_of(map, text) = (struct textmap_slot){text, value};
    map->used++;
    return 0;
}

void textmap_clear(struct textmap *map)
{
    free(map->slots);
    *map = (struct textmap){0};
}
