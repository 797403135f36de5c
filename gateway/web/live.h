/*
 * What shows the present: the newest value of each point (GET /api/v1/points) and a stream of what
 * changes (GET /api/v1/live). One thread reads the journal for all viewers, as long as there are
 * any and some minutes longer; nothing is read, and nothing held in memory, when nobody looks.
 */
#ifndef SLUICE_WEB_LIVE_H
#define SLUICE_WEB_LIVE_H

#include "core/site.h"
#include "core/text.h"
#include "journal/journal.h"
#include "web/route.h"

struct live;

#define LIVE_VIEWERS_MAX 128

typedef void live_stream_fn(void *context, const struct stream *stream);

/* What it shows besides the journal: given by the daemon. Called on several threads. */
struct live_source {
    /* Calls `use` with the present site, which lives until it returns. */
    void (*site)(void *context, void (*use)(void *use_context, const struct site *site),
                 void *use_context);
    /* Writes the object of the `status` event: short, and the same while nothing changes. */
    void (*brief)(void *context, struct text *text);
    /* Calls `each` with every stream that other programs produce; NULL: there are none. */
    void (*produced)(void *context, live_stream_fn *each, void *each_context);
    void *produced_context;
    void *context;
};

/* `wake` makes the streams of the server go on (api_wake). ERR_NOMEM. */
int live_open(struct live **live, struct journal *journal, const struct live_source *source,
              void (*wake)(void *context), void *wake_context);

struct routes live_routes(struct live *live);

/* Ends the thread and whatever waits for it: before the server is closed. */
void live_stop(struct live *live);

/* Once the server is closed. NULL is fine. */
void live_close(struct live *live);

#endif
