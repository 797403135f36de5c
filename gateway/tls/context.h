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

#endif
