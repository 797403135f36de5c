/*
 * The JSON of events, written by hand and streaming: see docs/mqtt.md. Pure, and the data path: no
 * allocation but one per stream.
 */
#ifndef SLUICE_UPLINK_PAYLOAD_H
#define SLUICE_UPLINK_PAYLOAD_H

#include "core/event.h"
#include "core/text.h"
#include "journal/journal.h"

#define PAYLOAD_SIZE_MAX   (64 * 1024)
#define PAYLOAD_EVENT_SIZE (6 * EVENT_VALUE_SIZE_MAX + 512) /* of one event, every byte escaped */
#define PAYLOAD_HEAD_SIZE  320

/* What is written of a stream, made once. */
struct label {
    int8_t decimals;
    uint16_t size; /* of `text` */
    char text[];   /* "d":"boiler","p":"flow", with a comma behind it; empty for the gateway */
};

/* The labels by stream number. */
struct labels {
    const struct journal *journal;
    struct label **items;
    uint32_t count;
};

void labels_close(struct labels *labels);

/* NULL when out of memory; a stream that the journal does not know (damage) is the gateway's. */
const struct label *labels_find(struct labels *labels, uint32_t number);

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
