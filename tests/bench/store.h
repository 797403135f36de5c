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
    uint32_t streams[STORE_POINTS];
    char ids[STORE_POINTS][8];
    struct sink_item items[STORE_POINTS];
    uint32_t random;
    uint64_t waiting_max; /* events that wait to be durable, so that the lane never refuses one */
    int watch;
};

/*
 * Opens the journal in `folder`, where a commit begins when `commit_bytes` wait; ends the program
 * with a sentence when it cannot. 0 takes the defaults.
 */
void store_open(struct store *store, const char *folder, int64_t keep_bytes, int64_t commit_bytes);
void store_close(struct store *store);

/* Reads all points again and again until `events` were put, a multiple of STORE_POINTS, and waits
 * until they are durable. */
void store_append(struct store *store, uint64_t events);

/* Ends the program: `what` could not be done because of the error of core/error.h. */
void store_die(const char *what, int error) __attribute__((noreturn));

double store_seconds(void);

#endif
