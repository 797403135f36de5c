/* The gate of the page and API (web/gate.h) as the daemon has it. */
#ifndef SLUICE_DAEMON_GUARD_H
#define SLUICE_DAEMON_GUARD_H

#include "daemon/configure.h"
#include "daemon/gateway.h"
#include "daemon/running.h"
#include "daemon/timekeeper.h"
#include "web/gate.h"

/* Opens the gate with the accounts of the state folder. NULL when that cannot be, which is told:
 * then nobody comes in over the network. Owners set the clock of `keeper`, which outlives it.
 * guard_close(NULL) is fine. */
struct gatekeeper *guard_open(const struct gateway_options *options, struct timekeeper *keeper);
void guard_close(struct gatekeeper *gate);

/* What the gate asks about the gateway, and has it told; `configure` may be NULL. */
struct guard_site {
    struct running *running;
    struct configure *configure;
};

/* Guards the API before it listens. `site` lives until api_close. 0, or the error of gate_mount. */
int guard_mount(struct gatekeeper *gate, struct api *api, struct guard_site *site);

/* Takes the names that the configuration gives the page; where that is on, a setup code that is new
 * is told. NULL is fine. */
void guard_apply(struct gatekeeper *gate, const struct config_web *web);

#endif
