/*
 * The network's settings, as the page and `sluice network` change them. What was set lies in the
 * state folder, and is put in force by root (network_apply.h), asked for by a wish (wish.h). A
 * change goes back by itself unless somebody confirms it, from wherever the gateway is then
 * reached: a wrong address must not need a ladder. Lasts as long as the process.
 */
#ifndef SLUICE_DAEMON_NETWORK_H
#define SLUICE_DAEMON_NETWORK_H

#include <stdint.h>

#include "web/route.h"

/* Within which a change is to be confirmed, unless its request says another time. */
#define NETWORK_CONFIRM_S     120
#define NETWORK_CONFIRM_MIN_S 5
#define NETWORK_CONFIRM_MAX_S 3600

struct journal;
struct network;

/*
 * `state` is the state folder, `wish` the folder of the wishes; both outlive it. A change that was
 * pending when the gateway ended goes back now. ERR_NOMEM.
 */
int network_open(struct network **network, const char *state, const char *wish);

/* A pending change stays as it is; the next start takes it back. NULL is fine. */
void network_close(struct network *network);

/* What is done is noted in this journal from now on; NULL: nowhere. */
void network_note_in(struct network *network, struct journal *journal);

/* GET, PUT, DELETE /api/v1/network..., its confirmation and its way back. */
struct routes network_routes(struct network *network);

/* For GET /api/v1/system and for the kinds of interfaces: system_network.c. */
const char *network_interface_kind(const char *name);

#endif
