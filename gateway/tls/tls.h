/* TLS connections: those of the tunnel, with a context per attempt made of the files, and those
 * that are answered. */
#ifndef SLUICE_TLS_TLS_H
#define SLUICE_TLS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_context;
struct tls_identity; /* tls/server.h */
struct tls;
struct tls_resume; /* a session to be resumed; see tls_resume_free */

struct tls_files {
    const char *ca; /* PEM file or folder; NULL: the system's bundle */
    const char *crl;
    const char *cert, *key;
    const char *alpn;
    int minimum;        /* 12 or 13 */
    bool prefer_chacha; /* offer ChaCha20-Poly1305 first... */
    bool only_chacha;   /* ...or alone: many servers follow their own order, not the client's */
};

/*
 * Reads and parses the files; takes long for the system's bundle. Any thread. Returns 0, or
 * ERR_NOMEM, ERR_NOT_FOUND, ERR_DENIED, ERR_CERTIFICATE, ERR_UNSUPPORTED with a sentence.
 */
int tls_context_open(struct tls_context **context, const struct tls_files *files, char *sentence,
                     size_t size);
void tls_context_close(struct tls_context *context);

/* A server's end on the connected, non-blocking `fd` (which stays the caller's), answered with
 * `identity` (server.h), which outlives it. ERR_NOMEM. */
int tls_serve(struct tls **tls, struct tls_identity *identity, int fd);

/* A client's end on the connected, non-blocking `fd` (which stays the caller's) for the host
 * `name`. */
int tls_open(struct tls **tls, struct tls_context *context, int fd, const char *name,
             const struct tls_resume *resume);
void tls_close(struct tls *tls);

/*
 * Goes on with the handshake. 0 when it is complete, ERR_AGAIN (see tls_wants), ERR_CERTIFICATE,
 * ERR_TLS, ERR_CLOSED with a sentence.
 */
int tls_handshake(struct tls *tls, char *sentence, size_t size);

/* Bytes moved (at most INT_MAX), 0 at the orderly end of the stream (tls_read), ERR_AGAIN,
 * ERR_CLOSED, ERR_TLS. */
int tls_read(struct tls *tls, void *data, size_t size);
/* After ERR_AGAIN the same bytes must be offered again (more may have been added behind them). */
int tls_write(struct tls *tls, const void *data, size_t size);

/* EPOLLIN or EPOLLOUT: what the call that returned ERR_AGAIN waits for. */
uint32_t tls_wants(const struct tls *tls);

/* Why the stream ended, in words, when the peer said so by an alert; "" otherwise. */
const char *tls_reason(const struct tls *tls);

/*
 * Whether the peer may have refused since only ChaCha20-Poly1305 was offered: an alert
 * handshake_failure or insufficient_security.
 */
bool tls_wants_other_cipher(const struct tls *tls);

/* The errno of the socket call that failed last; 0 when none did. */
int tls_socket_error(const struct tls *tls);

/* Tells the peer that nothing more comes; best effort. */
void tls_finish(struct tls *tls);

/* "TLSv1.2 TLS-ECDHE-RSA-WITH-CHACHA20-POLY1305-SHA256" */
void tls_describe(const struct tls *tls, char *out, size_t size);

/* The newest session of the connection, for the next one to the same place; NULL when there is
 * none. */
struct tls_resume *tls_take_session(struct tls *tls);
void tls_resume_free(struct tls_resume *resume);

/* Once per process before anything else of this header. 0 or ERR_TLS. */
int tls_init(void);

/* Which AEAD this CPU and library do faster: true for ChaCha20-Poly1305. Takes about a millisecond.
 */
bool tls_measure_chacha(void);

#endif
