/* What the files of pfx share: DER that is read from its begin on, and what locks a file. */
#ifndef SLUICE_TLS_PFX_INSIDE_H
#define SLUICE_TLS_PFX_INSIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "tls/compat.h" /* before the library's own headers: it says how they are to be read */
#include "tls/pfx.h"

#include <mbedtls/asn1.h>

#define DER_SEQUENCE    (MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE)
#define DER_TAGGED      (MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_CONTEXT_SPECIFIC) /* [0] */
#define DER_TAGGED_FLAT MBEDTLS_ASN1_CONTEXT_SPECIFIC /* [0] IMPLICIT */

struct der {
    unsigned char *at;
    const unsigned char *end;
};

/* Whether it is that object identifier, as it stands in DER. */
bool der_is(const struct der *der, const char *oid, size_t size);
#define DER_IS(der, oid) der_is(der, oid, sizeof oid - 1)

size_t der_size(const struct der *der);

/* What is in the next element, which has to be of that tag. `out` may be `in`: then it is gone
 * into. */
bool der_take(struct der *in, int tag, struct der *out);

bool der_take_integer(struct der *in, int *value);

/* AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY OPTIONAL } */
bool der_take_algorithm(struct der *in, struct der *oid, struct der *parameters);

struct pfx_secret {
    const char *passphrase;
    unsigned char wide[2 * PFX_PASSPHRASE_MAX + 2]; /* the same as RFC 7292, B.1 has it */
    size_t wide_size;
    int rounds_left; /* of PFX_ROUNDS_MAX */
};

/* `passphrase` outlives it. 0 or ERR_TOO_LARGE. */
int pfx_secret_make(struct pfx_secret *secret, const char *passphrase);

#define PFX_PLAIN_EXTRA 16 /* what a plain text needs at most, over what is locked */

/* Unlocks `locked` by the algorithm that stands next in `in`, and takes its rounds off the
 * secret's. Errors as of pfx_open. */
int pfx_decrypt(struct pfx_secret *secret, struct der *in, const struct der *locked,
                unsigned char *plain, size_t *size);

/* Whether MacData `in` is that of `sealed`; its rounds count too. 0, or an error as of pfx_open. */
int pfx_check_seal(struct pfx_secret *secret, struct der in, const struct der *sealed);

#endif
