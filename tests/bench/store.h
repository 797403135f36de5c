/* What the journal's benchmarks share: a journal with a hundred points behind a sink, as a driver
 * sees it. */
#ifndef BENCH_STORE_H
#define BENCH_STORE_H

#include "field/sink.h"
#include "journal/cursor.h"
#include "journal/lane.h"
#include "journal/reader.h"

#define STORE_POINTS 100

struct store {
    struct io io;
    struct journal *journal;
    struct lane *lane;
    struct sink *sink;
    struct site_bus bus;
    struct site_device device;
    struct site_point points[STORE_POINTS];
    char ids[STORE_POINTS][8];
    struct sink_item items[STORE_POINTS];
    uint32_t random;
    bool hurry; /* the next events to be put are the last of a commit */
    int watch;
};

/* Opens the journal in `folder`; ends the program with a sentence when it cannot. `keep_bytes` 0
 * takes the default. */
void store_open(struct store *store, const char *folder, int64_t keep_bytes);
void store_close(struct store *store);

/* Reads all points once more and puts the readings; `last`: a commit begins behind them. */
void store_read(struct store *store, bool last);

/* Waits until at most `count` of the events that were put are not durable yet. */
void store_wait(struct store *store, uint64_t count);

/* Puts `events` in commits of `per_commit`, never more than two of them on their way. Both are
 * multiples of STORE_POINTS. */
void store_append(struct store *store, uint64_t events, uint64_t per_commit);

/* Ends the program: `what` could not be done because of the error of core/error.h. */
void store_die(const char *what, int error) __attribute__((noreturn));

double store_seconds(void);

#endif
