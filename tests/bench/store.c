#include "store.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"

/* A lane as it comes holds the events of some small commits; those of the default size need a
 * larger one where nothing is to be refused. */
#define WAITING_SMALL 8000
#define WAITING_LARGE 65536
#define LANE_LARGE    (4 << 20)

void store_die(const char *what, int error)
{
    fprintf(stderr, "%s: %s\n", what, error_text(error));
    exit(1);
}

double store_seconds(void)
{
    return (double)clock_mono(&clock_system) / 1e9;
}

static size_t put_on_lane(void *context, const struct event *events, size_t count, bool again)
{
    struct store *store = context;

    (void)again; /* there is always room */
    if (lane_put(store->lane, events, count) < count)
        store_die("the lane", ERR_FULL);
    return count;
}

static void declare(struct store *store)
{
    for (size_t i = 0; i < STORE_POINTS; i++) {
        struct stream stream = {.type = VALUE_F64, .decimals = 1, .device = "meter"};
        int error;

        snprintf(store->ids[i], sizeof store->ids[i], "p%zu", i);
        memcpy(stream.point, store->ids[i], sizeof store->ids[i]);
        error = journal_declare(store->journal, &stream);
        if (error)
            store_die("declaring a stream", error);
        store->points[i] =
            (struct site_point){.id = store->ids[i], .type = VALUE_F64, .decimals = 1};
        store->streams[i] = stream.number;
        store->items[i].point = &store->points[i];
        store->items[i].value = (struct value){.type = VALUE_F64, .decimals = 1, .f = 230.0};
    }
}

void store_open(struct store *store, const char *folder, int64_t keep_bytes, int64_t commit_bytes)
{
    struct journal_options options = {
        .io = &store->io,
        .clock = &clock_system,
        .gateway_id = "plant7",
        .identity = "bench",
        .keep_bytes = keep_bytes,
        .commit_bytes = commit_bytes,
    };
    int error;

    memset(store, 0, sizeof *store);
    store->random = 1;
    store->waiting_max = commit_bytes ? WAITING_SMALL : WAITING_LARGE;
    error = io_posix_open(&store->io, folder);
    if (error)
        store_die(folder, error);
    error = journal_open(&store->journal, &options);
    if (error)
        store_die("opening the journal", error);
    error = lane_open(&store->lane, store->journal, commit_bytes ? 0 : LANE_LARGE);
    if (error)
        store_die("opening a lane", error);
    declare(store);
    store->device = (struct site_device){.id = "meter",
                                         .points = store->points,
                                         .streams = store->streams,
                                         .point_count = STORE_POINTS};
    store->bus = (struct site_bus){.id = "bus", .devices = &store->device, .device_count = 1};
    error = sink_open(&store->sink, &store->bus, &clock_system, put_on_lane, store);
    if (error)
        store_die("opening the sink", error);
    store->watch = journal_watch(store->journal);
    error = journal_flush(store->journal, 10 * NS_PER_S);
    if (error)
        store_die("the first commit", error);
}

void store_close(struct store *store)
{
    journal_unwatch(store->journal, store->watch);
    sink_close(store->sink);
    lane_close(store->lane);
    journal_close(store->journal);
    io_posix_close(&store->io);
}

/* Values move as a meter's do: by a few tenths. */
static void read_points(struct store *store)
{
    for (size_t i = 0; i < STORE_POINTS; i++) {
        struct value *value = &store->items[i].value;
        int tenths = (int)(value->f * 10 + 0.5);

        store->random = store->random * 1664525 + 1013904223;
        tenths += (int)(store->random >> 28) - 7 - (tenths - 2300) / 64;
        value->f = tenths / 10.0;
    }
    sink_readings(store->sink, &store->device, clock_mono(&clock_system), store->items,
                  STORE_POINTS);
}

/* Waits for commits until at most `count` of the events that were put are not durable. */
static void wait_for_disk(struct store *store, uint64_t count)
{
    struct pollfd fd = {.fd = store->watch, .events = POLLIN};

    for (;;) {
        struct journal_stats stats;
        uint64_t counter;

        journal_stats(store->journal, &stats);
        if (stats.storage_error)
            store_die("storing", stats.storage_error);
        if (stats.waiting <= count)
            return;
        if (poll(&fd, 1, 1000) == 1 && read(store->watch, &counter, sizeof counter) < 0)
            store_die("waiting for a commit", ERR_IO);
    }
}

void store_append(struct store *store, uint64_t events)
{
    for (uint64_t done = 0; done < events; done += STORE_POINTS) {
        /* Asking for the figures at each read would be what is measured. */
        if (done % (store->waiting_max / 2) < STORE_POINTS)
            wait_for_disk(store, store->waiting_max / 2 - STORE_POINTS);
        read_points(store);
    }
    if (journal_flush(store->journal, 60 * NS_PER_S) != 0)
        store_die("the last commit", ERR_TIMEOUT);
}
