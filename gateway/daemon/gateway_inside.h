/* What gateway.c and reload.c share. */
#ifndef SLUICE_DAEMON_GATEWAY_INSIDE_H
#define SLUICE_DAEMON_GATEWAY_INSIDE_H

#include <limits.h>

#include "config/config.h"
#include "core/loop.h"
#include "daemon/change.h"
#include "daemon/first.h"
#include "daemon/gateway.h"
#include "daemon/running.h"
#include "daemon/timing.h"
#include "journal/io.h"

#define GATEWAY_LOOK_NS (5 * NS_PER_S) /* between two looks at who devices say they are */

struct gateway {
    const struct gateway_options *options;
    struct loop *loop;
    struct loop_watch *signals;
    struct loop_timer *settled, *restart, *look;
    struct change *change;
    int signal_fd;
    struct io io;
    struct io refuge; /* the socket's folder; its context is NULL where that cannot be had */
    struct journal *journal;
    struct running running;
    struct gatekeeper *gate;
    struct update *update;
    struct network *network;
    char wish_path[PATH_MAX]; /* where root's help is asked for: daemon/wish.h */
    struct front *front;
    struct config_parts parts;
    char first[FIRST_TEXT_SIZE]; /* what stands for a configuration that is not there */
    char boot_id[40];
    struct identity *identity; /* NULL without memory */
    struct timekeeper *time;
    struct follow *follow; /* whether a time server is followed; NULL: that is seen by itself */
    struct timing timing;
    struct config
        *next; /* a changed configuration that needs a new start: journal or identity differ */
    bool stopping;
};

/* Reads the configuration. `first`: where there is no file, what a gateway begins with stands for
 * it. What is wrong is told in the log, the first of it in `refusal`. */
int gateway_load(const struct gateway *gateway, struct config **config, bool first,
                 char refusal[RUNNING_REFUSAL_SIZE]);

/* Where the journal is, by the command line or by the configuration. */
const char *gateway_journal(const struct gateway *gateway, const struct config *config);

/* Runs the configuration, which it takes over. As running_apply. */
int gateway_apply(struct gateway *gateway, struct config *config, bool trial);

/* Local midnight is that of the configuration that is about to run. */
void gateway_take_zone(const struct config *config);

/* Has everything restart in a moment with the file as it is; `context` is the gateway. ERR_CONFIG
 * with the first mistake in the file, ERR_NOMEM. Any thread. */
int gateway_restart(void *context, char sentence[RUNNING_REFUSAL_SIZE]);

/* SIGHUP. */
void gateway_hangup(struct gateway *gateway);

/* Whoever changes the configuration over the API: before the file is read for the first time. */
int gateway_open_change(struct gateway *gateway);

#endif
