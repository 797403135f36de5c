/*
 * The JSON of events, written by hand and streaming: see docs/mqtt.md. Pure, and the data path:
 * nothing is allocated.
 */
#ifndef SLUICE_UPLINK_PAYLOAD_H
#define SLUICE_UPLINK_PAYLOAD_H

#include "core/event.h"
#include "core/text.h"
#include "uplink/labels.h"

#define PAYLOAD_SIZE_MAX   (64 * 1024)
#define PAYLOAD_EVENT_SIZE (6 * EVENT_VALUE_SIZE_MAX + 512) /* of one event, every byte escaped */
#define PAYLOAD_HEAD_SIZE  320

/* Whether events of that kind are published; the others are only covered. */
bool payload_publishes(enum event_kind kind);

/* One event as an object of "events". `uncertain`: its clock was never set. Cut when there is no
 * room. */
void payload_event(struct text *text, const struct event *event, const struct label *label,
                   bool uncertain);

/* A message under way: events first..last of one epoch. */
struct batch {
    char *memory;
    struct text text;     /* the events, behind PAYLOAD_HEAD_SIZE bytes */
    size_t limit;         /* of the payload */
    uint64_t first, last; /* what it covers; first is 0 while it covers nothing */
    uint64_t last_event;  /* n; 0: none */
    uint32_t epoch;
    uint32_t events;
    int64_t oldest_ns; /* monotonic, when its first event was added */
};

/* ERR_NOMEM. */
int batch_open(struct batch *batch);
void batch_close(struct batch *batch);

/* Begins anew: it covers nothing. */
void batch_clear(struct batch *batch);

/*
 * Adds an event and covers it, together with everything from `first` where the batch was empty.
 * Returns 0, or ERR_FULL: send this batch first (or, when it was empty, the event is too large for
 * the limit).
 */
int batch_add(struct batch *batch, uint64_t first, const struct event *event,
              const struct label *label, bool uncertain, int64_t now_ns);

/* Adds a gap of events that could not be read or sent, and covers it. As batch_add. */
int batch_add_lost(struct batch *batch, uint64_t first, const struct gap *gap, uint32_t epoch,
                   int64_t wall_ns, int64_t now_ns);

/* Covers an event that is not published. */
void batch_skip(struct batch *batch, uint64_t first, uint64_t n, uint32_t epoch, int64_t now_ns);

/* The whole message; valid until the batch changes. */
const char *batch_finish(struct batch *batch, const char *gateway, const char *uplink,
                         size_t *size);

#endif
