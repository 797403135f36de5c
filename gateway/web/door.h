/*
 * The page's door: takes connections from listeners, does TLS with them on a thread of its own, and
 * hands one end of a socket pair for each to the HTTP server. It keeps places and deadlines
 * (guests.h), so that nobody who holds connections open keeps others out, and answers plain HTTP by
 * the way to HTTPS (redirect.h), on a listener for that and on those for TLS, too.
 */
#ifndef SLUICE_WEB_DOOR_H
#define SLUICE_WEB_DOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "tls/server.h"

#define DOOR_LISTENERS_MAX 32
#define DOOR_NAMES_MAX     16

struct door;

struct door_options {
    /* Serves a connected socket, which it takes over, for the peer at its other end. On the door's
     * thread. 0, or an error: the connection is given up. */
    int (*adopt)(void *context, int fd, const struct sockaddr *peer, socklen_t size);
    void *context;
};

/* Starts the thread. ERR_NOMEM, ERR_IO. The functions below wait for that thread, and are called on
 * the thread that opened it unless they say otherwise. */
int door_open(struct door **door, const struct door_options *options);

/* Ends all connections. NULL is fine. */
void door_close(struct door *door);

/* The certificate that connections are shown from now on; taken over. Those that are there keep the
 * one they were shown. Without one connections are ended. */
void door_identity(struct door *door, struct tls_identity *identity);

/* Where plain HTTP is sent to: the port, and names as hosts_is_ours (copied, DOOR_NAMES_MAX at
 * most). ERR_NOMEM. */
int door_target(struct door *door, uint16_t port, const char *const *names, size_t count);

/* Takes what connects to the listening, non-blocking socket, which it takes over (also when it
 * fails); `plain`: without TLS. `name` is for the log. ERR_FULL, ERR_NOMEM. */
int door_listen(struct door *door, int fd, bool plain, const char *name);

/* Closes all listeners; connections go on. */
void door_unlisten(struct door *door);

/* The connection from that peer has logged in. Any thread. */
void door_known(struct door *door, const struct sockaddr *peer, socklen_t size);

/* How long the door's thread has owed a sign of life, as pulse_silent_ns. One thread at a time. */
int64_t door_silent_ns(struct door *door);

/* How many connections there are at present. Any thread. */
void door_counts(struct door *door, unsigned *strangers, unsigned *known);

#endif
