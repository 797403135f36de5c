/* What a connection takes from its context. Included by this folder's files that include mbedTLS.
 */
#ifndef SLUICE_TLS_CONTEXT_H
#define SLUICE_TLS_CONTEXT_H

#include "tls/compat.h"
#include "tls/tls.h"

struct tls_context {
    mbedtls_ssl_config config;
    mbedtls_x509_crt ca, cert;
    mbedtls_x509_crl crl;
    mbedtls_pk_context key;
    char *alpn;
    const char *alpn_list[2];
};

/* A server's: see server.h. */
struct tls_identity {
    mbedtls_ssl_config config;
    mbedtls_x509_crt cert;
    mbedtls_pk_context key;
    mbedtls_ssl_ticket_context tickets;
};

/* Suites with forward secrecy and an AEAD, nothing else, the faster ones first; ended by 0. `only`:
 * those of ChaCha20-Poly1305 and no others. Lives for ever. */
const int *context_suites(bool prefer_chacha, bool only);

#define CONTEXT_ROUNDS 4

/* Which AEAD did the same work in less time: true for ChaCha20-Poly1305. The best of its rounds
 * counts for each: the first ones fill the caches, and others use the processor, too. */
bool context_chacha_faster(const int64_t chacha_ns[CONTEXT_ROUNDS],
                           const int64_t gcm_ns[CONTEXT_ROUNDS]);

struct context_identity {
    const char *part;       /* of the configuration whose "cert" and "key" they are: "tls" */
    const char *cert, *key; /* PEM files */
};

/* Reads a certificate (with its chain) and its key, which must fit. 0, or ERR_NOT_FOUND,
 * ERR_DENIED, ERR_CERTIFICATE with a sentence. */
int context_load_identity(mbedtls_x509_crt *cert, mbedtls_pk_context *key,
                          const struct context_identity *files, char *sentence, size_t size);

/* Seconds since 1970. */
int64_t context_wall_seconds(const mbedtls_x509_time *time);

#endif
