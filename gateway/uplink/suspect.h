/*
 * What a broker refuses for good must not stop the line, and what it refuses for a while must not
 * be thrown away. This says which is which: a refused message is halved until a single event is
 * left, and that one is given up when the broker said that it is the event's fault, or when it
 * takes others and then refuses this one again.
 *
 * Pure: it is told what happened and says how the uplink is to go on.
 */
#ifndef SLUICE_UPLINK_SUSPECT_H
#define SLUICE_UPLINK_SUSPECT_H

#include <stdbool.h>
#include <stdint.h>

#define SUSPECT_STRIKES                                                                            \
    3 /* unclear refusals, or disconnects, of one message before it is suspected, and of one event \
                             before it is given up */

struct suspect {
    uint64_t until;        /* events up to here are in doubt; 0: none */
    uint32_t limit;        /* events a message while in doubt */
    uint64_t strike_first; /* the message that the strikes are against */
    uint32_t strikes;
    uint64_t aside;  /* an event set aside while its neighbour is tried; 0: none */
    uint64_t poison; /* an event to be given up; 0: none */
    bool witnessed;  /* something was accepted since the doubt began */
};

enum suspect_cause {
    SUSPECT_CONTENT, /* the broker says that it is this message: too large, wrong format */
    SUSPECT_UNCLEAR, /* refused without a clear reason, or the connection ended */
};

enum suspect_advice {
    SUSPECT_AGAIN, /* send again, as suspect_limit and `aside` and `poison` say */
    SUSPECT_LATER, /* the fault is not the message's: wait, then send again */
};

/* The oldest message was refused: it begins at `first`, its last event is `last`, and it holds
 * `events`. */
enum suspect_advice suspect_refused(struct suspect *suspect, uint64_t first, uint64_t last,
                                    uint32_t events, enum suspect_cause cause);

/*
 * A message was accepted. Returns true when it is the neighbour of an event that was set aside: go
 * back and try that one again. If it is refused once more it is the event's fault.
 */
bool suspect_accepted(struct suspect *suspect, uint64_t first, uint64_t last);

/* There is no event behind the one that was set aside: start again. */
void suspect_no_neighbour(struct suspect *suspect);

/* The event in `poison` was given up and that is acknowledged. */
void suspect_buried(struct suspect *suspect);

/* Events allowed in a message that begins with event `first`; UINT32_MAX without doubt. */
uint32_t suspect_limit(const struct suspect *suspect, uint64_t first);

/* While something is in doubt only one message is sent at a time. */
bool suspect_active(const struct suspect *suspect);

#endif
