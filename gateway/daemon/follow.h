/*
 * Whether the system follows a time server, where the daemon may not ask the kernel (ProtectClock=
 * of its unit) and systemd-timesyncd, which leaves a sign, does not run: as with chrony or ntpd.
 * Then it is asked for, now and then, on a thread of its own.
 */
#ifndef SLUICE_DAEMON_FOLLOW_H
#define SLUICE_DAEMON_FOLLOW_H

#include <stdbool.h>

#include "core/clock.h"

struct follow;

struct follow_options {
    const struct clock *system; /* clock_system; lives as long */
    /* 0: it does; ERR_DENIED: it does not; else it is not known. May wait for some seconds. */
    int (*ask)(void *context);
    void *context;
    int64_t first_ns; /* until it is asked again; twice as long each time, until it does */
    int64_t every_ns; /* at most; and a "yes" holds for two of these and a half */
};

/* Asks once before it returns. ERR_NOMEM. */
int follow_open(struct follow **follow, const struct follow_options *options);

/* NULL is fine. Waits for the answer to a question that is under way. */
void follow_close(struct follow *follow);

/* Whether the first question was answered: somebody can tell. */
bool follow_is_told(const struct follow *follow);

/* The system's clock, synchronised as long as a "yes" holds; lives as long. Any thread. */
const struct clock *follow_clock(struct follow *follow);

#endif
