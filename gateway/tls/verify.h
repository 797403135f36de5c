/* Why a certificate was refused, in words. Included by this folder's files that include mbedTLS. */
#ifndef SLUICE_TLS_VERIFY_H
#define SLUICE_TLS_VERIFY_H

#include "tls/compat.h"

/* What the check of a chain found: the worst fault and the certificate that has it. */
struct verify_result {
    const char *name; /* that was asked for */
    uint32_t flags;   /* of all certificates together */
    uint32_t fault;   /* the one flag that is told */
    char subject[128], issuer[128];
    char from[20], until[20];
    char names[128]; /* the host names that the certificate is valid for */
};

/* To be called for each certificate of a chain: an mbedtls verify callback; `context` is a
 * verify_result. */
int verify_certificate(void *context, mbedtls_x509_crt *certificate, int depth, uint32_t *flags);

/* The flags of the whole check, which may hold more than those of the chain (its use, for one). */
void verify_flags(struct verify_result *result, uint32_t flags);

/* What is wrong with the broker's certificate and what to do about it. */
void verify_sentence(const struct verify_result *result, char *sentence, size_t size);

/* "2026-11-23" */
void verify_date(const mbedtls_x509_time *time, char out[20]);

/* What a fatal alert of the peer means for the operator (RFC 8446, 6.2); NULL for numbers without a
 * sentence. */
const char *verify_alert(int number);

#endif
