/*
 * The way to the broker below TLS: TCP to the first of its addresses that answers, or to those of
 * an HTTP proxy, which is then asked to let it through. On one loop's thread.
 */
#ifndef SLUICE_TLS_REACH_H
#define SLUICE_TLS_REACH_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/loop.h"
#include "tls/tunnel.h"

struct reach; /* one attempt */

/* What is reached: the broker, or the proxy that leads to it. */
struct reach_place {
    const char *host; /* of the options */
    uint16_t port;
    bool proxy;
};

struct reach_place reach_place(const struct tunnel_options *options);

struct reach_given {
    struct loop *loop;
    const struct tunnel_options *options; /* outlive the attempt */
    struct addrinfo *addresses;           /* of the place; taken */
    char *proxy_login;                    /* taken, as prepare.h gives it; NULL: none */
    int64_t deadline_ns;                  /* monotonic */
    int64_t timeout_ns;                   /* as it is told */
};

/*
 * The end of an attempt, which is forgotten by then. With 0 the descriptor is the receiver's from
 * now on; otherwise it is -1 and `sentence`, valid during the call, tells what to do:
 * ERR_UNREACHABLE, ERR_REFUSED (the proxy wants another login), ERR_TIMEOUT, ERR_CLOSED,
 * ERR_DENIED, ERR_DESCRIPTORS or ERR_NOMEM.
 */
typedef void reach_done_fn(void *context, int error, int fd, const char *sentence);

/*
 * Starts it; `done` is called once, at the earliest before this returns, unless reach_stop came
 * first. *reach is set before that. Returns 0 or ERR_NOMEM (then `done` is not called); what is
 * taken is taken in any case.
 */
int reach_start(struct reach **reach, const struct reach_given *given, reach_done_fn *done,
                void *context);

/* Forgets it; not after `done` was called. NULL is fine. */
void reach_stop(struct reach *reach);

#endif
