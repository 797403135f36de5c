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
    int64_t anew_ns;   /* monotonic: when it was described otherwise last; 0: not yet */
    bool sent;         /* something was taken since the daemon started: */
    uint64_t owed;     /* the ledger's `produced` once all that was taken is stored or refused */
    uint64_t taken;    /* readings, since the daemon started */
    /* The readings of the stream behind `base_n` are those that were taken behind the first
     * `base_taken`, in their order, as long as the ledger counts no other as refused. */
    uint64_t base_n, base_taken, base_refused;
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
    size_t declared; /* stream numbers that went to devices of programs */
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

/* Whether the device is one of a program. */
bool produce_is_marked(const struct producers *producers, const char *device);

/* Declares the device as one of a program, where that is news; then the point. 0, or an error with
 * `reply` filled in. */
int produce_declare(struct producers *producers, struct stream *stream, const char *account,
                    struct http_reply *reply);

/*
 * Each description takes one of the journal's numbers for good: a program that puts what changes
 * into it, the time or a batch, would use them up. True when it comes too early to describe the
 * point otherwise, with `reply` filled in.
 */
bool produce_refuse_anew(const struct produced *point, int64_t now_ns, struct http_reply *reply);

#endif
