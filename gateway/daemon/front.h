/*
 * What the gateway shows to people and programs: the API with all that is mounted on it, over the
 * unix socket and the network. A gateway without it still does its work.
 */
#ifndef SLUICE_DAEMON_FRONT_H
#define SLUICE_DAEMON_FRONT_H

#include "daemon/configure.h"
#include "daemon/gateway.h"
#include "daemon/running.h"

struct front;
struct loop;       /* core/loop.h */
struct gatekeeper; /* web/gate.h */
struct update;     /* daemon/update.h */
struct network;    /* daemon/network.h */

/* What outlives the front and is shown there; any may be NULL. */
struct front_lasting {
    struct gatekeeper *gate; /* without it nobody comes in over the network */
    struct update *update;
    struct network *network;
};

/* Opens what can be opened, and tells in the log what cannot. NULL in *front when there is no
 * memory. What it is given outlives it. On the loop's thread, as is front_close. */
void front_open(struct front **front, struct loop *loop, struct running *running,
                const struct gateway_options *options, const struct front_lasting *lasting,
                const struct configure_given *given);

/* The running configuration is another one: the page follows it. */
void front_apply(struct front *front);

/* Ends all connections. NULL is fine. */
void front_close(struct front *front);

#endif
