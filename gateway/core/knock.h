/*
 * Connects over TCP without blocking: the addresses of a name are tried one after the other, each
 * with its share of the time, so that a dead one (IPv6 in a network that only promises it) leaves
 * time for those behind it. On one loop's thread.
 */
#ifndef SLUICE_CORE_KNOCK_H
#define SLUICE_CORE_KNOCK_H

#include <stdint.h>

#include "core/clock.h"
#include "core/loop.h"

struct addrinfo;
struct knock; /* one attempt */

struct knock_given {
    struct loop *loop; /* this, clock and addresses outlive the attempt */
    const struct clock *clock;
    const struct addrinfo *addresses; /* NULL: none, which fails with EADDRNOTAVAIL */
    int64_t deadline_ns;              /* monotonic, for all of them together */
    int64_t least_ns;                 /* that an address gets, if the deadline permits */
    /* Prepares a socket before it connects: 0, or the errno of why there is none. */
    int (*tune)(void *context, int fd);
    /*
     * Called once; the attempt is gone by then. With 0 the descriptor is connected, non-blocking
     * and close-on-exec, and the receiver's from now on. Otherwise it is -1, and `failure` is the
     * errno of the address that was tried last; ETIMEDOUT where its time was over.
     */
    void (*done)(void *context, int failure, int fd);
    void *context; /* of both */
};

/* The share of the time until `until_ns` for the first of these addresses, at least one. */
int64_t knock_share_ns(const struct addrinfo *addresses, int64_t now_ns, int64_t until_ns);

/* Starts; `done` may be called before it returns, and *knock is set before that. 0 or ERR_NOMEM
 * (then it is not called). */
int knock_start(struct knock **knock, const struct knock_given *given);

/* Gives up: `done` is not called. NULL is fine. */
void knock_stop(struct knock *knock);

#endif
