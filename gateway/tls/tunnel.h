/*
 * The tunnel that carries a client library's bytes through TLS. The client connects to a loopback port of ours; one epoll thread for the
 * process pumps its bytes through mbedTLS (or plainly) to the broker. This folder is the only one that includes mbedTLS.
 *
 * Only sockets of this very process are let in: each accepted peer is looked for among our own file descriptors.
 */
#ifndef SLUICE_TLS_TUNNEL_H
#define SLUICE_TLS_TUNNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tunnel;

struct tunnel_options {
    const char *host;         /* name or address, IPv4 or IPv6 */
    uint16_t port;
    bool tls;
    const char *ca;           /* PEM file or folder; NULL: the system's bundle */
    const char *cert, *key;   /* PEM files; NULL: no client certificate */
    const char *server_name;  /* SNI and the name that is checked; NULL: host */
    const char *alpn;         /* one protocol name; NULL: none */
    int minimum;              /* 12 or 13: the least TLS version */
};

/* What came of an attempt; also ends of connections. Called on the tunnel's thread: copy and wake. `sentence` tells what to do. */
typedef void tunnel_event_fn(void *context, int error, const char *sentence);

/* One listener for the life of the tunnel. ERR_NOMEM, ERR_IO. */
int tunnel_open(struct tunnel **tunnel, const struct tunnel_options *options, tunnel_event_fn *event, void *context);
void tunnel_close(struct tunnel *tunnel);

/* The loopback port that the client library connects to after the event `0` (connected) came. */
uint16_t tunnel_port(const struct tunnel *tunnel);

/*
 * Starts one attempt: name look-up (in a thread of its own, so that a hanging resolver stops nobody), TCP, TLS handshake, all within the time-out.
 * The event function is called once with 0 or with ERR_NAME, ERR_UNREACHABLE, ERR_REFUSED, ERR_TIMEOUT, ERR_TLS, ERR_CERTIFICATE; and later once with
 * ERR_CLOSED when an established connection ended.
 */
int tunnel_connect(struct tunnel *tunnel, int64_t timeout_ns);
void tunnel_disconnect(struct tunnel *tunnel);

/* "TLSv1.3 TLS1-3-CHACHA20-POLY1305-SHA256"; "" without. */
void tunnel_description(const struct tunnel *tunnel, char *out, size_t size);

/* Whether certificate, key and CA files can be read and fit; returns 0 or an error with a sentence. `until_wall_s` gets the end of the
 * certificate's validity (0: none given). */
int tls_check_files(const char *ca, const char *cert, const char *key, int64_t *until_wall_s, char *sentence, size_t size);

#endif
