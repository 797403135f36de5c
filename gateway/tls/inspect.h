/*
 * What a file of certificates or keys is, before anybody relies on it; and a new key with a request
 * for its certificate. Any thread, after tls_init.
 */
#ifndef SLUICE_TLS_INSPECT_H
#define SLUICE_TLS_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSPECT_CERTIFICATES_MAX 16
#define INSPECT_NAME_SIZE        256
#define INSPECT_PRINT_SIZE       32
#define INSPECT_PEM_SIZE         4096

enum inspect_kind {
    INSPECT_UNKNOWN,
    INSPECT_CERTIFICATES, /* one, or several that follow each other */
    INSPECT_KEY,
    INSPECT_LOCKED_KEY, /* a passphrase is missing, or is another */
    INSPECT_REQUEST,
    INSPECT_REVOKED, /* a list of revoked certificates */
    INSPECT_PFX,     /* PKCS #12: both in one, which pfx.h takes apart */
};

struct inspect_certificate {
    char subject[INSPECT_NAME_SIZE], issuer[INSPECT_NAME_SIZE]; /* "CN=plant7, O=Acme" */
    char names[INSPECT_NAME_SIZE];                              /* "plant7.local, 10.0.7.1" */
    char key[32];                                               /* "EC, 256 bits" */
    int64_t from_s, until_s;                                    /* UTC, seconds since 1970 */
    bool authority;                                             /* it may sign others */
    bool self_signed;
    bool signs_next;                   /* the next one in the file has signed it */
    uint8_t print[INSPECT_PRINT_SIZE]; /* SHA-256 of its public key */
};

struct inspect {
    enum inspect_kind kind;
    struct inspect_certificate certificates[INSPECT_CERTIFICATES_MAX];
    size_t count;                      /* of certificates; those above the limit are left out */
    char key[32];                      /* of a key or a request */
    char subject[INSPECT_NAME_SIZE];   /* of a request */
    uint8_t print[INSPECT_PRINT_SIZE]; /* of a key or a request */
};

/* PEM or DER; `data` is terminated by a zero that `size` does not count. `passphrase` (of a key)
 * may be NULL. 0, or ERR_NOMEM. */
int inspect_bytes(struct inspect *inspect, const char *data, size_t size, const char *passphrase);

/* Whether a public key's print is that of a private key, or of a certificate. */
bool inspect_fits(const uint8_t a[INSPECT_PRINT_SIZE], const uint8_t b[INSPECT_PRINT_SIZE]);

/* Writes a private key as PEM without a passphrase. 0, ERR_TLS (it is none, or its passphrase is
 * another), ERR_TOO_LARGE. */
int inspect_rewrite_key(const char *data, size_t size, const char *passphrase,
                        char key[INSPECT_PEM_SIZE]);

/* Makes a key (EC, P-256) and a request for its certificate, both as PEM. `subject` is as
 * "CN=plant7,O=Acme". 0, ERR_INVALID (the subject), ERR_TLS. */
int inspect_request(const char *subject, char key[INSPECT_PEM_SIZE],
                    char request[INSPECT_PEM_SIZE]);

#endif
