#include "core/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/error.h"

#define CHUNK_SIZE ((size_t)256 * 1024)
#define ARENA_ALIGN                                                                                \
    sizeof(union {                                                                                 \
        int64_t i;                                                                                 \
        double f;                                                                                  \
        void *p;                                                                                   \
    })

struct chunk {
    struct chunk *next;
    size_t size; /* of the mapping, this header included */
};

struct arena {
    struct chunk *chunks;
    char *at, *end; /* what is free in the newest chunk */
    size_t used;
    bool failed;
};

int arena_open(struct arena **arena)
{
    *arena = calloc(1, sizeof(**arena));
    return *arena ? 0 : ERR_NOMEM;
}

void arena_close(struct arena *arena)
{
    if (!arena)
        return;
    while (arena->chunks) {
        struct chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        munmap(chunk, chunk->size);
    }
    free(arena);
}

static bool add_chunk(struct arena *arena, size_t room)
{
    size_t size = CHUNK_SIZE;
    if (room > SIZE_MAX - 2 * CHUNK_SIZE)
        return false;
    if (room + sizeof(struct chunk) > size)
        size = (room + sizeof(struct chunk) + CHUNK_SIZE - 1) / CHUNK_SIZE * CHUNK_SIZE;
    struct chunk *chunk =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (chunk == MAP_FAILED)
        return false;
    chunk->next = arena->chunks;
    chunk->size = size;
    arena->chunks = chunk;
    arena->at = (char *)(chunk + 1);
    arena->end = (char *)chunk + size;
    return true;
}

static void *take(struct arena *arena, size_t size, size_t align)
{
    size_t pad = (align - (uintptr_t)arena->at % align) % align;
    if (!arena->at || size > (size_t)(arena->end - arena->at) ||
        pad > (size_t)(arena->end - arena->at) - size) {
        pad = 0; /* a mapping and its header are aligned */
        if (!add_chunk(arena, size)) {
            arena->failed = true;
            return NULL;
        }
    }
    void *taken = arena->at + pad;
    arena->at += pad + size;
    arena->used += pad + size;
    return taken;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    return take(arena, size, ARENA_ALIGN);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        arena->failed = true;
        return NULL;
    }
    return arena_alloc(arena, count * size);
}

char *arena_text(struct arena *arena, const char *bytes, size_t size)
{
    char *text = size < SIZE_MAX ? take(arena, size + 1, 1) : NULL;
    if (text && bytes)
        memcpy(text, bytes, size);
    return text;
}

bool arena_failed(const struct arena *arena)
{
    return arena->failed;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}
