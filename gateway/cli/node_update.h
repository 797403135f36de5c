/* One update of a sensor node, from the first look at it to the confirmed version. */
#ifndef SLUICE_CLI_NODE_UPDATE_H
#define SLUICE_CLI_NODE_UPDATE_H

#include "cli/node_file.h"
#include "cli/node_state.h"

struct node_wish {
    bool older;      /* also a version that is older than the one that runs */
    bool no_confirm; /* leaves it on trial */
    bool json;       /* progress as JSON objects on standard output */
    int reads;       /* good answers before it is confirmed */
};

/* Returns an exit code after telling what came of it. */
int node_update_run(struct node_link *link, const struct node_file *file,
                    const struct node_wish *wish);

/* Sends one command without data (enum update_command). As node_link_write. */
int node_update_command(struct node_link *link, unsigned command, unsigned reply_ms);

/* Tells why a command of the window was refused, or what else went wrong; an exit code. */
int node_update_tell(struct node_link *link, int error);

/* Waits until the node answers after a restart. ERR_TIMEOUT: it does not. */
int node_update_await(struct node_link *link, struct node_state *state);

/*
 * Has the node go back to its other version: a request that was lost is sent again. 0, with what
 * answers then, and the slot that ran `before`; or an error, as node_link_write.
 */
int node_update_back(struct node_link *link, struct node_state *state, unsigned *before);

/* Waits for `reads` good answers in a row: the gateway's, where it polls the device; where it does
 * not, or seldom, the node is asked besides. 0, or an error. */
int node_update_watch(struct node_link *link, int reads);

#endif
