/*
 * What time it is, and who says so. The system's clock is used as it is; this knows how far to
 * trust it: a clock that is behind what was seen before was lost, and events that are stored under
 * it are dated anew once it is right. It is set by a time server (which the system follows by
 * itself), by a person, or by a receiver of satellites. docs/time.md.
 */
#ifndef SLUICE_DAEMON_TIMEKEEPER_H
#define SLUICE_DAEMON_TIMEKEEPER_H

#include <stdbool.h>

#include "core/clock.h"

struct timekeeper;

/* By whom the clock is right, as far as is known. Stored in a file: names are fixed. */
enum time_source {
    TIME_NOBODY,   /* it is not known to be right */
    TIME_MACHINE,  /* it was when the gateway came up, and nothing speaks against it */
    TIME_SERVER,   /* the system follows a time server */
    TIME_PERSON,   /* somebody has set it */
    TIME_RECEIVER, /* a point of the configuration gives it */
};

struct timekeeper_options {
    const struct clock *system; /* clock_system; lives as long */
    const char *state_path;     /* where the time is kept over a power cut; outlives it */
    const char *boot_id;        /* "" where it is not known; outlives it */
    bool keeps_time;            /* the machine has a clock that runs on without power, or it cannot
                                   be told that it has none */
    /* Sets the system's clock; may wait for some seconds. 0, ERR_DENIED, ERR_UNSUPPORTED. */
    int (*set)(void *context, int64_t wall_ns);
    /* The same, but only where the system is made for it; NULL: not at a start. */
    int (*restore)(void *context, int64_t wall_ns);
    void *context;
};

/* What is told of it. */
struct timekeeper_look {
    enum time_source source;
    bool behind;      /* it was earlier at the start than what was seen before */
    int64_t floor_ns; /* the latest that was seen before the start; 0: nothing */
    char why[200];    /* why it is not trusted, and what to do; "" where it is */
};

/* Reads what is kept. A clock that is behind it is set to it (`restore`), so that it never goes
 * backwards over a restart; it is not trusted for that. ERR_NOMEM. */
int timekeeper_open(struct timekeeper **keeper, const struct timekeeper_options *options);

/* Keeps the time. NULL is fine. */
void timekeeper_close(struct timekeeper *keeper);

/* The system's clock with this trust; lives as long as the keeper. Any thread. */
const struct clock *timekeeper_clock(struct timekeeper *keeper);

/* The newest event that is stored was read at that wall time: the clock must not be before it. */
void timekeeper_stored(struct timekeeper *keeper, int64_t wall_ns);

/* Every few seconds, on one thread: notices that somebody has set the clock, and keeps the time
 * now and then. */
void timekeeper_step(struct timekeeper *keeper);

/* Sets the clock. May wait. 0; ERR_BUSY: the system follows a time server; or as options.set. Any
 * thread. */
int timekeeper_set(struct timekeeper *keeper, int64_t wall_ns, enum time_source source);

/* A receiver says that it was `wall_ns` at `mono_ns`. Where the clock is off by more than two
 * seconds it is set, by a thread of its own. On the thread of timekeeper_step. */
void timekeeper_receive(struct timekeeper *keeper, int64_t wall_ns, int64_t mono_ns);

/* Any thread. */
void timekeeper_look(struct timekeeper *keeper, struct timekeeper_look *look);

const char *time_source_name(enum time_source source); /* "server" */

#endif
