/*
 * A life of a journal, packed into a few hundred steps: several lanes, streams of every type, long
 * texts that make segments roll, acknowledgements in and out of order, retention, clocks that are
 * set, an orderly restart. Everything comes from a seed.
 */
#ifndef SLUICE_TESTS_WORKLOAD_H
#define SLUICE_TESTS_WORKLOAD_H

#include "faults/fake_clock.h"
#include "faults/history.h"
#include "journal/journal.h"

#define WORKLOAD_GATEWAY "plant7"

struct workload_options {
    uint64_t seed;
    uint32_t steps;
    uint32_t sector_bytes; /* as in struct journal_options */
    int64_t segment_bytes;
    int64_t keep_bytes;
    bool busy;     /* syncs take a while, and others have the writer go on meanwhile */
    bool lockstep; /* commits at a flush only, so that the same seed makes the same files */
};

/* The options of the journal that the workload runs on. */
struct journal_options workload_journal(const struct workload_options *options, const struct io *io,
                                        const struct fake_clock *clock);

/* Runs on an empty medium, and fills in the history. A failure ends the program. */
void workload_record(const struct workload_options *options, struct medium *medium,
                     struct fake_clock *clock, struct history *history);

/* One event of the kind and size that `random` says, for a declared stream of each type. `text`
 * backs its value. */
#define WORKLOAD_STREAMS       6
#define WORKLOAD_TEXT_SIZE_MAX 2048
void workload_event(struct event *event, const uint32_t streams[WORKLOAD_STREAMS], uint64_t random,
                    uint64_t counter, int64_t mono_ns, char text[WORKLOAD_TEXT_SIZE_MAX]);

/* Declares those streams. Returns the journal's error. */
int workload_declare(struct journal *journal, uint32_t streams[WORKLOAD_STREAMS]);

/* Never gives the same number twice in a process: for epochs and generations. */
uint32_t workload_random(void);

/* The next of a repeatable series. */
uint64_t workload_next(uint64_t *state);

#endif
