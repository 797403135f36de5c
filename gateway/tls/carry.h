/*
 * Carries bytes both ways between a local socket and a remote one, through TLS or plainly. For an
 * uplink these are the MQTT client's loopback socket and the broker's; for the page they are the
 * HTTP server's socket and the browser's. Knows sockets and no event loop: after each step it says
 * what it waits for.
 */
#ifndef SLUICE_TLS_CARRY_H
#define SLUICE_TLS_CARRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/framing.h"
#include "tls/tls.h"

/* A bounded queue of bytes that grows on demand. All zero is an empty one. */
struct buffer {
    uint8_t *data;
    size_t start, end, room;
};

struct carry {
    int local, remote;      /* non-blocking sockets; the caller's */
    struct tls *tls;        /* NULL: plainly; the caller's */
    struct buffer up, down; /* towards the remote side, towards the local one */
    size_t room_max;        /* of each buffer; 0: TUNNEL_BUFFER_SIZE_MAX */
    uint64_t from_local, from_remote, to_remote; /* bytes so far */
    bool local_ended, remote_ended;
    size_t packet_size_max; /* of an MQTT packet from the broker; 0: any bytes may come */
    struct framing framing; /* of what the broker sends */
    bool misframed;         /* the broker's stream ended at what is no packet that is allowed */
    int remote_errno;       /* why the broker's stream ended; 0: in order, or by TLS */
    uint32_t wants_local,
        wants_remote; /* epoll events; 0: nothing, do not even watch for hang-up */
};

enum carry_result {
    CARRY_ON = 0,
    CARRY_CLIENT_ENDED = 1, /* the local side has closed and all that it sent is on its way */
    CARRY_BROKER_ENDED = 2, /* the remote stream has ended and all that it sent was handed over */
};

/* Moves what can be moved without waiting. Returns enum carry_result, or ERR_NOMEM. */
int carry_step(struct carry *carry);

/* Gives back the memory of buffers that hold nothing: for connections that are quiet for long. */
void carry_rest(struct carry *carry);

/* Why the broker's stream has ended: ERR_TLS or ERR_CLOSED, and in words. */
int carry_why_ended(const struct carry *carry, int64_t half_open_ns, char *sentence, size_t size);

/* Frees the buffers; the sockets stay the caller's. */
void carry_reset(struct carry *carry);

#endif
