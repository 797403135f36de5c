/* A journal's folder opened for looking only: beside a running daemon, or after its end. */
#ifndef SLUICE_CLI_OFFLINE_H
#define SLUICE_CLI_OFFLINE_H

#include <stdio.h>

#include "journal/journal.h"
#include "web/feed.h"

struct offline {
    struct io io;
    struct journal *journal;
};

/* Opens, or tells on standard error what is wrong. Returns an exit code. */
int offline_open(struct offline *offline, const char *folder);
void offline_close(struct offline *offline);

/* Writes the lines of a query to `out`. Returns an exit code. */
int offline_feed(struct offline *offline, const struct feed_query *query, FILE *out);

#endif
