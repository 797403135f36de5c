#include "journal/index.h"

#include "core/error.h"

#include <stdlib.h>
#include <string.h>

static void lock(const struct index *index)
{
    pthread_mutex_lock((pthread_mutex_t *)&index->mutex);
}

static void unlock(const struct index *index)
{
    pthread_mutex_unlock((pthread_mutex_t *)&index->mutex);
}

void index_init(struct index *index)
{
    memset(index, 0, sizeof(*index));
    pthread_mutex_init(&index->mutex, NULL);
}

void index_clear(struct index *index)
{
    free(index->segments);
    pthread_mutex_destroy(&index->mutex);
}

static bool before(const struct segment *a, const struct segment *b)
{
    return a->first_n != b->first_n ? a->first_n < b->first_n : a->sequence < b->sequence;
}

int index_add(struct index *index, const struct segment *segment)
{
    int error = 0;
    lock(index);
    if (index->count == index->room) {
        size_t room = index->room ? 2 * index->room : 16;
        struct segment *grown = realloc(index->segments, room * sizeof(*grown));
        if (!grown) {
            error = ERR_NOMEM;
            goto out;
        }
        index->segments = grown;
        index->room = room;
    }
    size_t at = index->count++;
    for (; at > 0 && before(segment, &index->segments[at - 1]); at--)
        index->segments[at] = index->segments[at - 1];
    index->segments[at] = *segment;
out:
    unlock(index);
    return error;
}

/* Segments of interest are mostly the newest: looks from the end. */
static struct segment *find_generation(const struct index *index, uint64_t generation)
{
    for (size_t at = index->count; at-- > 0;)
        if (index->segments[at].generation == generation)
            return &index->segments[at];
    return NULL;
}

void index_remove(struct index *index, uint64_t generation)
{
    lock(index);
    struct segment *found = find_generation(index, generation);
    if (found) {
        size_t behind = index->count - (size_t)(found - index->segments) - 1;
        memmove(found, found + 1, behind * sizeof(*found));
        index->count--;
    }
    unlock(index);
}

void index_set_end(struct index *index, uint64_t generation, int64_t end)
{
    lock(index);
    struct segment *found = find_generation(index, generation);
    if (found)
        found->end = end;
    unlock(index);
}

void index_set_size(struct index *index, uint64_t generation, int64_t size)
{
    lock(index);
    struct segment *found = find_generation(index, generation);
    if (found)
        found->size = size;
    unlock(index);
}

int index_find(const struct index *index, uint64_t n, struct segment *segment, uint64_t *limit)
{
    int error = ERR_NOT_FOUND;
    lock(index);
    if (index->count > 0) {
        size_t low = 0, high = index->count; /* segments below low begin at or before n */
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (index->segments[middle].first_n <= n)
                low = middle + 1;
            else
                high = middle;
        }
        size_t at = low > 0 ? low - 1 : 0;
        *segment = index->segments[at];
        *limit = at + 1 < index->count ? index->segments[at + 1].first_n : UINT64_MAX;
        error = 0;
    }
    unlock(index);
    return error;
}

int index_get(const struct index *index, size_t at, struct segment *segment)
{
    lock(index);
    int error = at < index->count ? 0 : ERR_NOT_FOUND;
    if (error == 0)
        *segment = index->segments[at];
    unlock(index);
    return error;
}

bool index_has(const struct index *index, uint64_t generation)
{
    lock(index);
    bool has = find_generation(index, generation) != NULL;
    unlock(index);
    return has;
}

size_t index_count(const struct index *index)
{
    lock(index);
    size_t count = index->count;
    unlock(index);
    return count;
}

int64_t index_bytes(const struct index *index)
{
    int64_t bytes = 0;
    lock(index);
    for (size_t at = 0; at < index->count; at++)
        bytes += index->segments[at].size;
    unlock(index);
    return bytes;
}
