/*
 * The server's side of TLS: an identity is a certificate with its key, and all that connections
 * which show it have in common: TLS 1.2 and 1.3 with forward secrecy and AEAD suites only, ALPN
 * http/1.1, session tickets. The connections themselves are tls_serve and what follows in tls.h.
 */
#ifndef SLUICE_TLS_SERVER_H
#define SLUICE_TLS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLS_FINGERPRINT_SIZE 96 /* 32 bytes as "AB:CD:..." */

struct tls_identity;

/* What people and browsers see of a certificate. */
struct tls_identity_facts {
    char fingerprint[TLS_FINGERPRINT_SIZE]; /* SHA-256 of the certificate */
    int64_t from_wall_s, until_wall_s;
    bool self_signed;
};

/*
 * Reads the PEM files `cert` (followed by its chain, if any) and `key`. Returns 0; ERR_NOMEM,
 * ERR_NOT_FOUND, ERR_DENIED, ERR_CERTIFICATE with a sentence in which the files are called web.cert
 * and web.key. Any thread, after tls_init.
 */
int tls_identity_open(struct tls_identity **identity, const char *cert, const char *key,
                      char *sentence, size_t size);

/* When no connection uses it any more. NULL is fine. */
void tls_identity_close(struct tls_identity *identity);

void tls_identity_facts(const struct tls_identity *identity, struct tls_identity_facts *facts);

#endif
