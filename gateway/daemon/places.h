/*
 * The uplinks' places in the journal, and what becomes of them when the configuration changes.
 *
 * A place is given up or renamed for good only with a configuration that is for good. While a
 * change waits to be confirmed, what it starts moves on trial: on a copy of its place, named by the
 * fingerprint of that configuration. So whatever ends the change, a power cut too, the places
 * before it are there; and a start finds by the name alone which trials were confirmed.
 */
#ifndef SLUICE_DAEMON_PLACES_H
#define SLUICE_DAEMON_PLACES_H

#include "daemon/running.h"

/* Names the place from which the uplink goes on, in its entry, and makes what is needed for that;
 * before it is started. With the lock held, as all of this. 0, or an error of cursor_rename or
 * cursor_copy. */
int places_take(struct running *running, struct running_uplink *entry);

/*
 * The configuration that runs is for good: a place on trial becomes the one that counts where the
 * uplink goes on with what it publishes to, and ends elsewhere. Before anything is started that is
 * not on trial. `stopped`: the uplinks that this configuration has ended.
 */
void places_settle(struct running *running, struct running_uplink *stopped);

/* Then, when all that can be started is: gives up the places of uplinks that are no longer
 * configured, so that they do not hold the journal, and tells of what was still to be delivered. */
void places_give_up(struct running *running);

#endif
