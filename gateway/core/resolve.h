/*
 * A host's addresses, looked up by a thread of its own: a name server that does not answer holds a
 * look-up for half a minute, and whoever waits for it must be able to leave.
 */
#ifndef SLUICE_CORE_RESOLVE_H
#define SLUICE_CORE_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

struct addrinfo;
struct resolve; /* one look-up under way */

/* Whether `host` is an address as it stands: then resolve_start needs no thread. */
bool resolve_is_numeric(const char *host);

/*
 * Starts to look up the addresses of `host` for TCP to `port`. A numeric address is known at once,
 * without a thread. 0, ERR_NOMEM (also for want of a thread), ERR_FULL (of a descriptor).
 */
int resolve_start(struct resolve **resolve, const char *host, uint16_t port);

/* Readable when resolve_take has the answer. */
int resolve_fd(const struct resolve *resolve);

/*
 * The answer, once resolve_fd is readable: 0 and the addresses, the caller's from now on
 * (freeaddrinfo); or ERR_NAME, ERR_NOMEM. Ends the look-up.
 */
int resolve_take(struct resolve *resolve, struct addrinfo **addresses);

/* Ends a look-up whose answer is not wanted: its thread frees it when the name server has answered,
 * or been given up. Never waits; NULL is fine. */
void resolve_abandon(struct resolve *resolve);

#endif
