/*
 * What is configured and could not be started: it is in the status with its reason, and is tried
 * again until it runs. Nothing here needs the lock but to be called with it held.
 */
#ifndef SLUICE_DAEMON_UNSTARTED_H
#define SLUICE_DAEMON_UNSTARTED_H

#include "daemon/running.h"

#define UNSTARTED_WHY_SIZE 160

struct unstarted {
    const struct config_uplink *uplink; /* of the current configuration; or NULL */
    const struct site_bus *bus;         /* the same */
    int error;
    int64_t since_wall_ns;
    struct unstarted *next;
};

/* Tells the log, and remembers it; one of both is NULL. */
void unstarted_add(struct running *running, const struct config_uplink *uplink,
                   const struct site_bus *bus, int error);

/* It failed again: told where the reason is another one. */
void unstarted_again(struct unstarted *unstarted, int error);

/* The uplink of that id; NULL where it runs, or is not configured. */
const struct unstarted *unstarted_uplink(const struct running *running, const char *id);

/* Why it does not run, and what becomes of it. */
void unstarted_why(const struct unstarted *unstarted, char *why, size_t size);

/* The figures of an uplink that does not run. */
void unstarted_stats(const struct unstarted *unstarted, struct uplink_stats *stats);

/* Forgets all of them. */
void unstarted_clear(struct running *running);

#endif
