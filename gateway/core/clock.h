/*
 * Wall and monotonic time behind one replaceable interface. Everything that measures an interval or
 * keeps a deadline uses monotonic time; wall time only labels events.
 */
#ifndef SLUICE_CORE_CLOCK_H
#define SLUICE_CORE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

/* 2026-01-01: no clock that was set is behind it. */
#define CLOCK_RELEASED_NS (INT64_C(1767225600) * NS_PER_S)

/* How far the wall clock can be believed. Stored in the journal: values are fixed. */
enum clock_trust {
    CLOCK_UNSET = 0,        /* before the release's own date: the clock was never set */
    CLOCK_FREE_RUNNING = 1, /* plausible, not synchronised by the kernel's measure */
    CLOCK_SYNCHRONISED = 2, /* the kernel says so (adjtimex without STA_UNSYNC), or where it may not
                               be asked, systemd-timesyncd */
};

struct clock {
    int64_t (*wall_ns)(void *context); /* ns since 1970-01-01 UTC */
    int64_t (*mono_ns)(
        void *context); /* ns since an arbitrary moment of this boot, never backwards */
    enum clock_trust (*trust)(void *context);
    void *context;
};

/* The system's clocks (CLOCK_REALTIME, CLOCK_MONOTONIC). Thread-safe, lives for ever. */
extern const struct clock clock_system;

/* Whether clock_system can tell that a time server is followed. Where it cannot, nothing follows
 * from its saying so. */
bool clock_is_watched(void);

/* Whether the file that a time service touches at each success says, at that wall time, that it
 * still follows its server: one that is absent, older than two hours, or of a time to come does
 * not. Thread-safe. */
bool clock_sign_holds(const char *path, int64_t wall_ns);

static inline int64_t clock_wall(const struct clock *clock)
{
    return clock->wall_ns(clock->context);
}

static inline int64_t clock_mono(const struct clock *clock)
{
    return clock->mono_ns(clock->context);
}

static inline enum clock_trust clock_trust(const struct clock *clock)
{
    return clock->trust(clock->context);
}

/* "unset", "free-running", "synchronised". */
const char *clock_trust_name(enum clock_trust trust);

/* ISO 8601 in UTC with milliseconds, "2026-11-23T16:20:01.123Z". `out` holds at least 32 bytes. */
void clock_format(int64_t wall_ns, char out[32]);

/*
 * Reads "now", "-15m" (before `now_ns`), "2026-11-23", "2026-11-23T16:20", with optional seconds,
 * fraction and "Z" or "+02:00" (without either: UTC), "07:50" (the last moment up to `now_ns` at
 * which local time, as zone.h has it, was that), or milliseconds since 1970 as an integer. Returns
 * 0 or ERR_INVALID.
 */
int clock_parse(const char *text, int64_t now_ns, int64_t *wall_ns);

#endif
