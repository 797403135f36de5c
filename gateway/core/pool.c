#include "core/pool.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/crc32c.h"

struct pool_slot {
    const void *bytes; /* NULL: free */
    size_t size;
    uint32_t hash;
};

static struct pool_slot *slot_of(const struct pool *pool, const void *bytes, size_t size,
                                 uint32_t hash)
{
    size_t at = hash & (pool->room - 1);

    for (;; at = (at + 1) & (pool->room - 1)) {
        struct pool_slot *slot = &pool->slots[at];

        if (!slot->bytes ||
            (slot->hash == hash && slot->size == size && memcmp(slot->bytes, bytes, size) == 0))
            return slot;
    }
}

/* False without memory: then what comes is kept twice, no more. */
static bool has_room(struct pool *pool)
{
    struct pool larger = {.room = pool->room ? pool->room * 2 : 64};

    if (pool->used * 2 < pool->room)
        return true;
    larger.slots = calloc(larger.room, sizeof *larger.slots);
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < pool->room; i++) {
        const struct pool_slot *slot = &pool->slots[i];

        if (slot->bytes)
            *slot_of(&larger, slot->bytes, slot->size, slot->hash) = *slot;
    }
    free(pool->slots);
    pool->slots = larger.slots;
    pool->room = larger.room;
    return true;
}

const void *pool_keep(struct pool *pool, const void *bytes, size_t size)
{
    uint32_t hash = crc32c(0, bytes, size);
    struct pool_slot *slot = NULL;
    void *kept;

    if (size == 0)
        return NULL;
    if (has_room(pool)) {
        slot = slot_of(pool, bytes, size, hash);
        if (slot->bytes)
            return slot->bytes;
    }
    kept = arena_alloc(pool->arena, size);
    if (!kept)
        return NULL;
    memcpy(kept, bytes, size);
    if (slot) {
        *slot = (struct pool_slot){kept, size, hash};
        pool->used++;
    }
    return kept;
}

void pool_clear(struct pool *pool)
{
    free(pool->slots);
    pool->slots = NULL;
    pool->room = pool->used = 0;
}
