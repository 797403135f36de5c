/*
 * The tunnel that carries a client library's bytes to a broker. The library connects to a loopback
 * port of ours; one thread for the process (pump.h) pumps its bytes through mbedTLS, or plainly, to
 * the broker. This folder is the only one that includes mbedTLS.
 *
 * The port stays open for the tunnel's whole life, since one that is closed and opened again is a
 * window in which another program could bind it and be given a password. And only sockets of this
 * very process are let in: each accepted peer is looked for among our own file descriptors.
 *
 * When the broker is lost the library's socket is not closed under it: it sees the end of the
 * stream, and whatever it still writes is read and discarded until it closes.
 */
#ifndef SLUICE_TLS_TUNNEL_H
#define SLUICE_TLS_TUNNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/pump.h"

#define TUNNEL_BUFFER_SIZE_MAX (1024 * 1024) /* each way; grows on demand */
#define TUNNEL_SENTENCE_SIZE   320

struct tunnel;

struct tunnel_options {
    struct pump *pump; /* outlives the tunnel; NULL: the tunnel makes one for itself */
    const char *host;  /* name or address, IPv4 or IPv6 */
    uint16_t port;
    const char *proxy_host; /* an HTTP proxy that leads there; NULL: none */
    uint16_t proxy_port;
    const char *proxy_login_file; /* its first line is USER:PASSWORD for the proxy; NULL: none */
    bool tls;
    const char *ca;          /* PEM file or folder; NULL: the system's bundle */
    const char *crl;         /* PEM file of revoked certificates; NULL: none */
    const char *cert, *key;  /* PEM files; NULL: no client certificate */
    const char *server_name; /* SNI and the name that is checked; NULL: host */
    const char *alpn;        /* one protocol name; NULL: none */
    int minimum;             /* 12 or 13: the least TLS version; 0 takes 12 */
    size_t packet_size_max;  /* a longer MQTT packet of the broker ends it; 0: any bytes may come */
    int64_t half_open_ns;    /* a peer silent for so long while bytes wait is lost; 0: 30 s */
};

/*
 * What came of an attempt; also ends of connections. Called on the pump's thread: copy and wake,
 * call nothing of the tunnel. `sentence` tells what to do; it is valid during the call.
 */
typedef void tunnel_event_fn(void *context, int error, const char *sentence);

/* Makes the listener. Strings are copied. ERR_NOMEM, ERR_IO. */
int tunnel_open(struct tunnel **tunnel, const struct tunnel_options *options,
                tunnel_event_fn *event, void *context);

/* After it has returned no event comes any more. NULL is fine. */
void tunnel_close(struct tunnel *tunnel);

/* The loopback port that the client library connects to after the event 0 (connected) came. */
uint16_t tunnel_port(const struct tunnel *tunnel);

/*
 * Starts one attempt and gives up the one before: name look-up and reading of the certificates (in
 * a thread of their own, so that a hanging resolver stops nobody), TCP, the proxy's answer, TLS
 * handshake, all within the time-out. The event function is called once with 0 or with ERR_NAME,
 * ERR_UNREACHABLE, ERR_REFUSED, ERR_TIMEOUT, ERR_TLS, ERR_UNTRUSTED (the broker's certificate),
 * ERR_CERTIFICATE (ours), ERR_NOT_FOUND, ERR_DENIED or ERR_INVALID (a file); and later once with
 * ERR_CLOSED when an established connection ended. Returns 0 or ERR_NOMEM (then no event comes).
 */
int tunnel_connect(struct tunnel *tunnel, int64_t timeout_ns);

/* Ends the attempt or connection; no event tells of it. */
void tunnel_disconnect(struct tunnel *tunnel);

/* "TLSv1.3 TLS1-3-CHACHA20-POLY1305-SHA256" of the newest connection; "" without TLS. Thread-safe.
 */
void tunnel_description(const struct tunnel *tunnel, char *out, size_t size);

/* The descriptor by which the client in this process was connected last, which it may have closed
 * since; -1 before. Any thread. */
int tunnel_client(const struct tunnel *tunnel);

/* How many loopback connections were turned away since they came from other processes. */
uint64_t tunnel_strangers(const struct tunnel *tunnel);

/*
 * Whether certificate, key and CA files can be read and fit; returns 0 or an error with a sentence
 * (a certificate that has expired is one). Each may be NULL. `until_wall_s` gets the end of the
 * certificate's validity (0: none given) and may be NULL.
 */
int tls_check_files(const char *ca, const char *cert, const char *key, int64_t *until_wall_s,
                    char *sentence, size_t size);

/* Whether the first line of a file is USER:PASSWORD for a proxy; 0 or an error with a sentence. */
int tunnel_check_login(const char *path, char *sentence, size_t size);

#endif
