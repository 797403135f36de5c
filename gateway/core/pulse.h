/*
 * Whether the thread of a loop still takes its turns: a function is posted to it, and what counts
 * is how long that has been waiting.
 */
#ifndef SLUICE_CORE_PULSE_H
#define SLUICE_CORE_PULSE_H

#include <stdatomic.h>
#include <stdint.h>

struct loop; /* core/loop.h */

struct pulse {                /* all zero: never asked */
    _Atomic int64_t asked_ns; /* monotonic, real; 0: it has answered */
};

/*
 * How long the loop's thread has owed an answer: 0 when it has none to give, and then it is asked
 * anew. So whoever calls this every few seconds sees a thread that hangs as a number that grows.
 * One thread at a time; `pulse` lives as long as the loop.
 */
int64_t pulse_silent_ns(struct pulse *pulse, struct loop *loop);

#endif
