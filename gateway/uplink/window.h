/*
 * What is on its way: units (a message, or a few that stand for one range of events) in the order
 * of their events. Answers may come in any order; a unit is done when all before it are.
 */
#ifndef SLUICE_UPLINK_WINDOW_H
#define SLUICE_UPLINK_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct unit {
    uint64_t first, last; /* n of the events that it covers */
    uint64_t last_event;  /* n of the last event published in it; 0: none */
    uint32_t events;      /* published in it */
    uint32_t bytes;       /* of payload */
    uint16_t waiting;     /* answers not yet come */
    uint16_t drop;        /* enum gap_reason: the range was lost, not delivered; 0: delivered */
    int refused;          /* the first answer that was no acceptance; 0: none */
    bool closed;          /* all its messages were handed over */
};

struct window {
    struct unit *units;
    uint32_t capacity;   /* a power of two, at most 32768 */
    uint32_t head, tail; /* rise for ever */
    uint16_t generation;
    uint32_t messages; /* of this generation, not yet answered */
    uint64_t bytes;    /* of units not yet done */
};

/* ERR_NOMEM. `capacity` is rounded up. */
int window_open(struct window *window, uint32_t capacity);
void window_close(struct window *window);

/* Begins the next unit; NULL when there is no room. It is not done before window_finish. */
struct unit *window_begin(struct window *window, uint64_t first);

/* The unit that was begun last. There must be one. */
struct unit *window_newest(struct window *window);

/* One message of the newest unit is handed over: returns the token for its answer. */
uint32_t window_send(struct window *window, uint32_t bytes);

/* One more answer than acknowledgements is needed for the newest unit (an echo): as window_send. */
uint32_t window_expect(struct window *window);

/* A message of the newest unit could not be handed over after all. */
void window_unsend(struct window *window, uint32_t bytes);

/* The newest unit is complete. */
void window_finish(struct window *window, uint64_t last, uint32_t events);

/* The newest unit is taken back: nothing of it was handed over. */
void window_abort(struct window *window);

/* An answer: `reason` below 0x80 accepts. Returns the unit, or NULL for one of an earlier
 * generation. */
struct unit *window_answer(struct window *window, uint32_t token, int reason);

/* Takes the oldest unit when it is done and accepted. Returns whether there was one. */
bool window_take(struct window *window, struct unit *unit);

/* The oldest unit; NULL when empty. */
struct unit *window_head(const struct window *window);

/* The oldest unit that was refused; NULL when there is none. */
struct unit *window_refused(const struct window *window);

static inline uint32_t window_count(const struct window *window)
{
    return window->tail - window->head;
}

/* Forgets all units: answers to them are answers of an earlier generation from now on. */
void window_reset(struct window *window);

/* Set in the tokens of messages that belong to no unit. */
#define WINDOW_TOKEN_OTHER UINT32_C(0x80000000)

#endif
