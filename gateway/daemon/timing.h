/* The timekeeper (timekeeper.h) as the daemon has it: how the clock is set here, the receiver of
 * the configuration, and the alarm while the clock is not trusted. */
#ifndef SLUICE_DAEMON_TIMING_H
#define SLUICE_DAEMON_TIMING_H

#include "daemon/follow.h"
#include "daemon/running.h"
#include "daemon/timekeeper.h"

struct timing {
    uint64_t seen_n;         /* the newest event of the receiver that was looked at */
    int64_t doubted_mono_ns; /* since when the clock is not trusted; 0: it is */
    bool alarmed;
};

/* `state_path`, `boot_id` and `wish_path` (daemon/wish.h) outlive it. As timekeeper_open. Behind
 * the keeper, `follow` is to be closed, which is NULL where the daemon sees by itself what the
 * clock follows. */
int timing_open(struct timekeeper **keeper, struct follow **follow, const char *state_path,
                const char *boot_id, const char *wish_path);

/* A journal is open: what it holds tells the time, too. */
void timing_begin(struct timing *timing, struct running *running);

/* Every few seconds, on the loop's thread, while a configuration runs. */
void timing_look(struct timing *timing, struct running *running);

#endif
