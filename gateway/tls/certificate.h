/* Makes the certificate that a gateway shows until it is given a better one: signed by its own key.
 */
#ifndef SLUICE_TLS_CERTIFICATE_H
#define SLUICE_TLS_CERTIFICATE_H

#include <stddef.h>
#include <stdint.h>

#define CERTIFICATE_NAMES_MAX 32
#define CERTIFICATE_PEM_SIZE  4096 /* of a key, or of a certificate with that many names */

struct certificate_subject {
    const char *common_name;  /* letters, digits, - and _ */
    const char *const *names; /* host names, and addresses of both kinds, as texts */
    size_t name_count;        /* those above CERTIFICATE_NAMES_MAX or without room are left out */
    int64_t from_s, until_s;  /* UTC, seconds since 1970; before the year 10000 */
};

/*
 * Writes a certificate (PEM, ECDSA on P-256, for servers) for `key`, a key in PEM form; where that
 * is "" a new one is made and written there. Returns 0, ERR_NOMEM, or ERR_CERTIFICATE: the key is
 * none. Any thread, after tls_init.
 */
int certificate_make(const struct certificate_subject *subject, char key[CERTIFICATE_PEM_SIZE],
                     char certificate[CERTIFICATE_PEM_SIZE]);

#endif
