/* The gateway's own polls of a device, as a measure of whether it works. */
#ifndef SLUICE_CLI_NODE_POLLS_H
#define SLUICE_CLI_NODE_POLLS_H

#include "cli/node_link.h"

struct node_polls {
    const char *socket, *device;
    double replies, bad; /* when it was begun, or when the last bad one was seen */
};

/* Begins to count. False: no gateway polls it. */
bool node_polls_open(struct node_polls *polls, const struct node_link *link);

/* How many good replies came since, or since the last bad one. */
int node_polls_good(struct node_polls *polls);

#endif
