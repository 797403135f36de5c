/*
 * The end of a client's connection whose broker is gone: the client sees the end of the stream, and
 * what it still writes is read and discarded until it closes. Closing at once would make its writes
 * fail, which Paho does not survive.
 */
#ifndef SLUICE_TLS_DRAIN_H
#define SLUICE_TLS_DRAIN_H

#include "core/loop.h"

struct drain {
    struct loop *loop;
    int fd; /* -1: none */
    struct loop_watch *watch;
};

/* Takes over the descriptor; on the loop's thread, as drain_end. One that was drained before is
 * closed. */
void drain_begin(struct drain *drain, int fd);

/* Closes what is left. */
void drain_end(struct drain *drain);

#endif
