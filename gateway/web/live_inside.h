/* What the files of the live view share. Everything but what is said otherwise is under the lock.
 */
#ifndef SLUICE_WEB_LIVE_INSIDE_H
#define SLUICE_WEB_LIVE_INSIDE_H

#include <pthread.h>

#include "core/clock.h"
#include "web/live.h"
#include "web/live_ring.h"
#include "web/live_table.h"

#define LIVE_CHUNK_SIZE (24 * 1024)

struct live {
    struct journal *journal;
    struct live_source source;
    void (*wake)(void *context);
    void *wake_context;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* `loaded` or `stopping` */
    pthread_t thread;
    int wake_fd; /* tells the thread that somebody came, or that it is to stop */
    bool stopping;
    unsigned viewers, status_viewers;
    int64_t wanted_until_ns; /* by somebody who is no viewer */

    bool loaded;              /* what follows is there */
    struct live_table *table; /* changed by the thread alone */
    uint32_t generation;      /* of the table: a new one has other numbers */
    struct live_ring ring;    /* the newest events that are no readings */
    uint64_t place;           /* what viewers may show of the table */
    uint64_t read_n;          /* every event up to this one is in the table and the ring */
    char *status;             /* the newest status object; NULL: none yet */
    size_t status_size;
    uint64_t status_version;
    /* What was written last for a viewer: most others want the same. */
    struct {
        char names[128];
        uint32_t generation;
        uint64_t from, until, to;
        bool more;
        size_t size;
        char *text; /* LIVE_CHUNK_SIZE */
    } chunk;
};

/* Makes the thread load and keep what it shows. With the lock held. */
void live_want(struct live *live);

/* Opens the stream of GET /api/v1/live. */
void live_view_open(void *context, const struct route_request *request, struct http_reply *reply);

/* GET /api/v1/points. */
void live_points(void *context, const struct route_request *request, struct http_reply *reply);

/* GET /api/v1/log. */
void live_log(void *context, const struct route_request *request, struct http_reply *reply);

/* {"t":…,"level":…,"part":…,"words":…} */
struct log_line;
void live_log_json(struct text *text, const struct log_line *line);

#endif
