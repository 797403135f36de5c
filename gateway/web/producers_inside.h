/* What the files of the producers share. */
#ifndef SLUICE_WEB_PRODUCERS_INSIDE_H
#define SLUICE_WEB_PRODUCERS_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "journal/lane.h"
#include "web/body.h"
#include "web/producers.h"

#define PRODUCERS_ACCOUNTS_MAX 32

/* One point of a program. */
struct produced {
    struct stream stream;
    uint64_t before_n; /* the last number of its earlier declarations */
    bool sent;         /* something was taken since the daemon started: */
    uint64_t owed;     /* the ledger's `produced` once all that was taken is stored or refused */
    /* When nothing was owed for the last time: the readings of the stream behind `base_n` are those
     * that were taken since, in their order, as long as the ledger counts no other as refused. */
    uint64_t base_n, base_refused, since_base;
};

/* What an account may still send: a bucket that fills with PRODUCERS_RATE. */
struct producer_credit {
    char account[CALLER_NAME_SIZE];
    double events;
    int64_t filled_ns;
};

struct producers {
    struct journal *journal;
    struct producers_source source;
    pthread_mutex_t lock; /* the lane, too: one puts at a time */
    struct lane *lane;
    struct produced *points;
    size_t count, room;
    struct producer_credit credits[PRODUCERS_ACCOUNTS_MAX];
    atomic_uint waiting;
};

/* What a request says. The texts and events live as long as its body. */
struct produce {
    struct stream stream; /* without its number */
    bool has_after;
    uint64_t after;
    struct event *events; /* freed by the caller */
    size_t count;
};

/* Reads the body into `produce`. 0, or an error with `reply` filled in; `produce->events` may be
 * there then, too. */
int produce_parse(struct produce *produce, const struct body *body, struct http_reply *reply);

#endif
