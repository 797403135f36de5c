/*
 * Makes a journal with a backlog, as an outage of the broker leaves it: `EVENTS` readings of a
 * hundred points of gateway plant7.
 *
 *   bench_backlog FOLDER EVENTS
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/error.h"
#include "store.h"

int main(int argc, char **argv)
{
    struct store store;
    uint64_t events;

    if (argc != 3) {
        fprintf(stderr, "usage: bench_backlog FOLDER EVENTS\n");
        return 2;
    }
    events = strtoull(argv[2], NULL, 10);
    if (events == 0 || events % STORE_POINTS != 0) {
        fprintf(stderr, "EVENTS is a multiple of %d\n", STORE_POINTS);
        return 2;
    }
    store_open(&store, argv[1], 0, 0);
    store_append(&store, events);
    store_close(&store);
    return 0;
}
