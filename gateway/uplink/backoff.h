/*
 * How long to wait before the next attempt: doubling from one second to a minute, and at random
 * between nothing and that ("full jitter"), so that a thousand gateways which lost the same broker
 * do not come back at the same moment.
 */
#ifndef SLUICE_UPLINK_BACKOFF_H
#define SLUICE_UPLINK_BACKOFF_H

#include <stdint.h>

#include "core/clock.h"

#define BACKOFF_FIRST_NS  NS_PER_S
#define BACKOFF_MAX_NS    (60 * NS_PER_S)
#define BACKOFF_STABLE_NS (60 * NS_PER_S)
/* Some wrong logins lock an account: they are not spent within a few seconds. */
#define BACKOFF_REFUSED_NS (30 * NS_PER_S)

struct backoff {
    int64_t limit_ns;    /* never longer than this; 0: BACKOFF_MAX_NS */
    uint32_t failures;   /* in a row, */
    uint32_t refusals;   /* and how many of them were refused logins */
    int64_t up_since_ns; /* monotonic; 0: not up */
};

/* The wait after one more failure; `random` is any 32 bits. */
int64_t backoff_fail(struct backoff *backoff, uint32_t random);

/* The wait after a login was refused: doubling from half a minute up to limit_ns, and at least half
 * of that. */
int64_t backoff_refuse(struct backoff *backoff, uint32_t random);

/* It works since `now_ns`: a connection that holds for BACKOFF_STABLE_NS forgets the failures. */
void backoff_up(struct backoff *backoff, int64_t now_ns);

/* It ended at `now_ns`. */
void backoff_down(struct backoff *backoff, int64_t now_ns);

#endif
