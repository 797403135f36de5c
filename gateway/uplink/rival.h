/*
 * Whether another client has this uplink's client id. A broker ends the older of two connections
 * with one id (MQTT 5 and 3.1.1, 3.1.4), so the two take turns for ever, and each looks like a
 * network that fails. A broker of MQTT 5 may tell why it ends a connection (mosquitto 2.0.11 does
 * not); one of 3.1.1 cannot. So connections that end soon, one after another, and for no reason
 * that is known, are taken for it, too.
 *
 * Pure: it is told what happened and says what is to be told.
 */
#ifndef SLUICE_UPLINK_RIVAL_H
#define SLUICE_UPLINK_RIVAL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"

#define RIVAL_HINT    2 /* sudden ends in a row that are worth a word in the log */
#define RIVAL_STRIKES 4 /* sudden ends in a row; more than a suspected message needs */
#define RIVAL_SOON_NS (60 * NS_PER_S) /* a connection that held for longer did not end suddenly */
#define RIVAL_QUIET_NS                                                                             \
    (120 * NS_PER_S) /* a connection that holds so long has no rival any more                      \
                      */

struct rival {
    uint32_t strikes;
    bool told; /* that there is one, and not yet that there is none any more */
};

enum rival_end {
    RIVAL_TAKEN_OVER, /* the broker said that another client took the session over */
    RIVAL_SUDDEN,     /* it ended without a word, and nothing is known that explains it */
    RIVAL_EXPLAINED,  /* any other end, and an attempt that found no broker, or was refused */
};

enum rival_news {
    RIVAL_NO_NEWS,
    RIVAL_MAYBE, /* a hint for the log, once for each series of sudden ends */
    RIVAL_FOUND, /* a rival is to be told of by an alarm: once until rival_over */
};

/* A connection ended after `held_ns`, or an attempt did. */
enum rival_news rival_ended(struct rival *rival, enum rival_end end, int64_t held_ns);

/* How long a connection must hold until the rival is gone: twice the longest wait between two
 * attempts that a twin of this gateway makes, and at least RIVAL_QUIET_NS. */
int64_t rival_quiet(int64_t retry_max_ns);

/* The connection holds since `held_ns`. Returns true once when what was told is over. */
bool rival_over(struct rival *rival, int64_t held_ns, int64_t quiet_ns);

#endif
