/*
 * A PKCS #12 file (.pfx, .p12; RFC 7292) taken apart into what everything else here reads: a key
 * and its certificates as PEM. It is opened once, by an owner who has its passphrase. Any thread,
 * after tls_init.
 */
#ifndef SLUICE_TLS_PFX_H
#define SLUICE_TLS_PFX_H

#include <stddef.h>
#include <stdint.h>

#define PFX_CERTIFICATES_MAX 16
#define PFX_PASSPHRASE_MAX   31      /* characters: what the library's derivation of keys takes */
#define PFX_ROUNDS_MAX       2000000 /* of its seal and all of its locked parts together */

struct pfx {
    char *key;          /* PEM, without a passphrase; NULL: there is none in it */
    char *certificates; /* PEM: the key's own first, then the others; NULL: there are none */
};

/*
 * `passphrase` may be NULL, for none. Returns 0, or ERR_DENIED (the passphrase is missing or
 * another one), ERR_UNSUPPORTED (it is locked in a way that is not read here: RC2, or by more than
 * PFX_ROUNDS_MAX rounds), ERR_TOO_LARGE (the passphrase, or too many certificates), ERR_CORRUPT,
 * ERR_NOMEM. Of an error nothing is to be closed.
 */
int pfx_open(struct pfx *pfx, const void *data, size_t size, const char *passphrase);

/* Wipes the key. */
void pfx_close(struct pfx *pfx);

#endif
