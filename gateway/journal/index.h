/*
 * Which segments there are, in order of n. A few dozen bytes for each, whatever they hold.
 * Thread-safe: the writer changes it, readers copy from it.
 */
#ifndef SLUICE_JOURNAL_INDEX_H
#define SLUICE_JOURNAL_INDEX_H

#include "journal/segment.h"

#include <pthread.h>

struct index {
    pthread_mutex_t mutex;
    struct segment *segments; /* by (first n, sequence) */
    size_t count, room;
};

void index_init(struct index *index);
void index_clear(struct index *index);

/* Adds a segment in its place. 0 or ERR_NOMEM. */
int index_add(struct index *index, const struct segment *segment);
void index_remove(struct index *index, uint64_t generation);

/* Its durable end has moved. */
void index_set_end(struct index *index, uint64_t generation, int64_t end);

/* Its file was cut off. */
void index_set_size(struct index *index, uint64_t generation, int64_t size);

/*
 * The segment that holds n: the last one that begins at or before it. *limit is the first n of the
 * next one, or UINT64_MAX. Where all begin behind n it is the first of all, and where there is
 * none, ERR_NOT_FOUND.
 */
int index_find(const struct index *index, uint64_t n, struct segment *segment, uint64_t *limit);

/* Number `at` in order, as a copy. ERR_NOT_FOUND behind the last. */
int index_get(const struct index *index, size_t at, struct segment *segment);

bool index_has(const struct index *index, uint64_t generation);
size_t index_count(const struct index *index);
int64_t index_bytes(const struct index *index);

#endif
