/*
 * Pieces of memory in an arena of which each is kept once: a thousand devices of one model have
 * their points described in the same bytes. What a piece points to has to be kept once before it,
 * so that equal pieces have equal pointers. One thread at a time.
 */
#ifndef SLUICE_CORE_POOL_H
#define SLUICE_CORE_POOL_H

#include <stddef.h>

#include "core/arena.h"

/* But for the arena, zero is an empty pool. */
struct pool {
    struct arena *arena;
    struct pool_slot *slots; /* open addressing, at most half full */
    size_t room, used;
};

/*
 * The one copy of `size` bytes, aligned for any number or pointer, which lives as long as the
 * arena. Bytes between the fields of a struct count: they should be zero. NULL when out of memory,
 * which arena_failed remembers, and for a size of 0.
 */
const void *pool_keep(struct pool *pool, const void *bytes, size_t size);

/* Forgets what is in it; the pieces stay. */
void pool_clear(struct pool *pool);

#endif
