/*
 * Where the wall clock was stepped, forward while the machine ran or back in whatever way. Between
 * two such places the times of the stored events rise with their numbers and are of one clock,
 * which is what whoever looks for a moment goes by. Thread-safe: the writer adds, readers look.
 */
#ifndef SLUICE_JOURNAL_STEPS_H
#define SLUICE_JOURNAL_STEPS_H

#include <pthread.h>
#include <stdint.h>

#include "journal/pack.h"

#define STEPS_MAX 64
#define STEP_MIN_NS                                                                                \
    INT64_C(1000000000) /* the events of several buses are further apart than that */

struct step {
    uint64_t n; /* of the first event behind it */
    int64_t from_ns, to_ns;
};

struct steps {
    pthread_mutex_t mutex;
    uint32_t count;
    struct step table[STEPS_MAX]; /* by n */
    /* The writer's alone: the latest time since the last of them, and the time base that it is of.
     */
    int64_t high_ns, offset_ns;
    uint32_t boot;
};

/* The events between two steps; of before the first and behind the last. */
struct stretch {
    uint64_t first_n, last_n; /* 0 and UINT64_MAX at the ends */
    int64_t low_ns, high_ns;  /* INT64_MIN and INT64_MAX there */
};

void steps_init(struct steps *steps);
void steps_clear(struct steps *steps);

/* A commit that begins with event n was made at that time, by a clock that was set and is that far
 * ahead of the monotonic one of its boot. Where there are too many steps the smallest is forgotten.
 */
void steps_see(struct steps *steps, uint64_t n, int64_t mono_ns, int64_t offset_ns, uint32_t boot);

/* Whether there is any. */
bool steps_any(const struct steps *steps);

/* All of them as the body of a record, and back (in place of what there was). ERR_CORRUPT. */
void steps_pack(const struct steps *steps, struct packer *packer);
int steps_apply(struct steps *steps, struct unpacker *body);

/* The first stretch that has events of that time or later. */
struct stretch steps_first(const struct steps *steps, int64_t wall_ns);

/* The last that has any of that time or earlier: behind it there are none. */
struct stretch steps_last(const struct steps *steps, int64_t wall_ns);

/* The one that the time was in, the last of several. The last of all ends now; what is later than
 * that by a clock that was set back is in one before, or in none, and then the last counts. In the
 * hole that a step forward left, the one that ended before it does. */
struct stretch steps_at(const struct steps *steps, int64_t wall_ns, int64_t now_ns);

#endif
