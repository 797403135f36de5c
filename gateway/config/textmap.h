/* A map from texts to pointers: which id stands where, which text is there already. One thread at a
 * time. */
#ifndef SLUICE_CONFIG_TEXTMAP_H
#define SLUICE_CONFIG_TEXTMAP_H

#include <stddef.h>

/* Zero is an empty map. */
struct textmap {
    struct textmap_slot *slots; /* open addressing, at most half full */
    size_t room, used;
};

/* What is kept under `text`, NULL for nothing. */
const void *textmap_find(const struct textmap *map, const char *text);

/* Keeps `value` (not NULL) under `text`, which is not copied and is not in the map yet. 0 or
 * ERR_NOMEM. */
int textmap_put(struct textmap *map, const char *text, const void *value);

void textmap_clear(struct textmap *map);

#endif
