/* The gateway's own polls of a device, as a measure of whether it works. */
#ifndef SLUICE_CLI_NODE_POLLS_H
#define SLUICE_CLI_NODE_POLLS_H

#include "cli/node_link.h"

struct node_polls {
    const char *socket, *device;
    double replies, bad; /* as they were at the last look */
};

/* Begins to count. False: no gateway polls it. */
bool node_polls_open(struct node_polls *polls, const struct node_link *link);

/* How many good replies came since the last look; -1: a bad one was among them, or the gateway
 * began anew. */
int node_polls_look(struct node_polls *polls);

#endif
