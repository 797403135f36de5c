/* Sockets as the tunnel wants them. */
#ifndef SLUICE_TLS_SOCKET_H
#define SLUICE_TLS_SOCKET_H

#include <stdint.h>

/* A listener on a free port of 127.0.0.1: the descriptor, or ERR_IO. */
int socket_listen(uint16_t *port);

/*
 * No delay, and half-open connections found: when bytes wait unacknowledged, or probes unanswered,
 * for about `half_open_ns`.
 */
void socket_tune(int fd, int64_t half_open_ns);

/* No delay, and not inherited by programs that are started. */
void socket_tune_local(int fd);

#endif
