/*
 * Other programs as producers: POST /api/v1/events stores what they measured as readings of devices
 * that no driver polls, and answers when that is durable. Each (device, point) is declared with its
 * first events and is published like any other; which devices are of programs is kept in the
 * journal as streams of the devices "producer:ID".
 */
#ifndef SLUICE_WEB_PRODUCERS_H
#define SLUICE_WEB_PRODUCERS_H

#include "core/stream.h"
#include "journal/journal.h"
#include "web/route.h"

#define PRODUCERS_POINTS_MAX 1024  /* of all programs together */
#define PRODUCERS_EVENTS_MAX 1000  /* of one request */
#define PRODUCERS_RATE       2000  /* events a second of one account, */
#define PRODUCERS_BURST      10000 /* and so many at once after a rest */
#define PRODUCERS_ANEW_S     60    /* between two descriptions of one point */

/* How many declarations devices of programs and their points may take, for the journal's life. */
#define PRODUCERS_STREAMS_MAX (JOURNAL_STREAMS_MAX / 2)

struct producers;

struct producers_source {
    /* Whether the configuration has a device of that id: it is not for programs then. On a worker's
     * thread. */
    bool (*configured)(void *context, const char *device);
    void *context;
};

/* Finds what programs produced before. ERR_NOMEM. */
int producers_open(struct producers **producers, struct journal *journal,
                   const struct producers_source *source);

/* Once the server is closed, before the journal is. NULL is fine. */
void producers_close(struct producers *producers);

struct routes producers_routes(struct producers *producers);

/* Calls `each` with the stream of every point (newest declaration). Any thread. */
void producers_each(struct producers *producers,
                    void (*each)(void *context, const struct stream *stream), void *context);

/* Whether a request waits for the journal, and is to be asked again as time passes. Any thread. */
bool producers_waiting(const struct producers *producers);

#endif
