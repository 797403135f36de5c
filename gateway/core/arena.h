/*
 * Memory that is given out piece by piece and returned all at once. It comes from the kernel in
 * whole mappings, so that what a large file needed while it was read goes back to the system, and
 * none of it stays behind as holes in the heap.
 */
#ifndef SLUICE_CORE_ARENA_H
#define SLUICE_CORE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

/* ERR_NOMEM. arena_close(NULL) is fine. One thread at a time uses an arena. */
int arena_open(struct arena **arena);
void arena_close(struct arena *arena);

/* `size` zero bytes, aligned for any number or pointer; NULL when out of memory, which arena_failed
 * remembers. */
void *arena_alloc(struct arena *arena, size_t size);

/* The same for `count` items of `size` bytes; a product that overflows is out of memory. */
void *arena_array(struct arena *arena, size_t count, size_t size);

/* A terminated copy of `size` bytes of text (zeros where `bytes` is NULL), packed without
 * alignment; NULL as above. */
char *arena_text(struct arena *arena, const char *bytes, size_t size);

/* Whether any request was refused, so that a caller may check once at its end. */
bool arena_failed(const struct arena *arena);

/* Bytes given out so far, padding included. */
size_t arena_used(const struct arena *arena);

#endif
