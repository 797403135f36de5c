/*
 * The ring behind a lane: events as records of a multiple of 32 bytes, with texts in line. One
 * producer, one taker, no locks.
 *
 * What comes when the taker has nothing left goes to the ring's beginning, so that a ring touches
 * no more of its pages than what ever waited at a time: there may be a thousand of them, each with
 * room for seconds.
 */
#ifndef SLUICE_JOURNAL_RING_H
#define SLUICE_JOURNAL_RING_H

#include "core/event.h"

#include <stdatomic.h>

#define RING_SIZE_MIN (16 * 1024)
/* What goes unused at the end is told in 16 bits of units of 32 bytes. */
#define RING_SIZE_MAX (2 * 1024 * 1024)

struct ring {
    uint8_t *data;
    size_t size; /* a power of two */
    /* The producer's: positions rise for ever and are taken modulo size. Where they have 32 bits
     * they wrap around: what is compared is how far they are apart, never which is larger. */
    _Alignas(64) _Atomic size_t head;
    size_t next;          /* behind what was put, published as head by ring_publish */
    size_t tail_seen;     /* as far as the producer knows */
    _Atomic size_t begun; /* where it began anew last: what is between that and the record before
                             it was never put; stored before the head that is behind it */
    /* The taker's. */
    _Alignas(64) _Atomic size_t tail;
    size_t taken; /* behind what was taken, published as tail by ring_release */
    size_t limit; /* the head as of the current round */
};

/* Rounded up to a power of two, at most RING_SIZE_MAX. 0 or ERR_NOMEM. */
int ring_init(struct ring *ring, size_t size);
void ring_clear(struct ring *ring);

/* Whether the event is one that can be stored at all. */
bool ring_fits(const struct event *event);

/* Copies an event in; false when there is no room. It is seen when published. */
bool ring_put(struct ring *ring, const struct event *event);

/* Shows what was put to the taker. Returns how many bytes wait: exactly where those are `many`,
 * else it may tell more than there are. */
size_t ring_publish(struct ring *ring, size_t many);

/* The next event below the limit; false for none. Its data lies in the ring until ring_release. */
bool ring_peek(struct ring *ring, struct event *event);

/* Goes behind the event that ring_peek told. */
void ring_pop(struct ring *ring);

/* Gives the room of what was popped back to the producer. */
void ring_release(struct ring *ring);

/* Sets the limit to what is published now. */
void ring_limit(struct ring *ring);

/* Bytes that wait. Any thread. */
size_t ring_waiting(const struct ring *ring);

#endif
