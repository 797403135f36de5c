/*
 * Other programs as durable consumers: each has a cursor of its own in the journal
 * ("consumer/NAME"), reads from there, and moves it when it has done its work. Routes below
 * /api/v1/consumers.
 */
#ifndef SLUICE_WEB_CONSUMERS_H
#define SLUICE_WEB_CONSUMERS_H

#include "journal/journal.h"
#include "web/feed.h"
#include "web/route.h"

#define CONSUMERS_MAX 16

struct consumers;

struct consumers_source {
    feed_was_fn *was; /* NULL: no earlier names are known */
    void *was_context;
};

/* ERR_NOMEM. */
int consumers_open(struct consumers **consumers, struct journal *journal,
                   const struct consumers_source *source);

/* Once the server is closed. NULL is fine. */
void consumers_close(struct consumers *consumers);

struct routes consumers_routes(struct consumers *consumers);

/* Whether a request waits for events, and is to be asked again as time passes. Any thread. */
bool consumers_waiting(const struct consumers *consumers);

#endif
