#include "tls/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "tls/context.h"
#include "tls/digest.h"

#define TICKET_LIFETIME_S (12 * 3600) /* a phone that comes back within a shift resumes */

static const char *protocols[] = {"http/1.1", NULL};

static int configure(struct tls_identity *identity)
{
    mbedtls_ssl_config *config = &identity->config;

    if (mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) != 0)
        return ERR_NOMEM;
    mbedtls_ssl_conf_rng(config, compat_random, NULL);
    mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_NONE);
    compat_minimum_version(config, 12); /* which both generations have */
    compat_strong(config);
    mbedtls_ssl_conf_ciphersuites(config, context_suites(tls_measure_chacha(), false));
    if (mbedtls_ssl_conf_own_cert(config, &identity->cert, &identity->key) != 0 ||
        mbedtls_ssl_conf_alpn_protocols(config, protocols) != 0)
        return ERR_NOMEM;
    if (mbedtls_ssl_ticket_setup(&identity->tickets, compat_random, NULL,
                                 MBEDTLS_CIPHER_AES_256_GCM, TICKET_LIFETIME_S) != 0)
        return ERR_NOMEM;
    mbedtls_ssl_conf_session_tickets_cb(config, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse,
                                        &identity->tickets);
    return 0;
}

int tls_identity_open(struct tls_identity **out, const char *cert, const char *key, char *sentence,
                      size_t size)
{
    struct tls_identity *identity = calloc(1, sizeof(*identity));
    const struct context_identity files = {"web", cert, key};
    int rc;

    snprintf(sentence, size, "out of memory");
    if (!identity)
        return ERR_NOMEM;
    mbedtls_ssl_config_init(&identity->config);
    mbedtls_x509_crt_init(&identity->cert);
    mbedtls_pk_init(&identity->key);
    mbedtls_ssl_ticket_init(&identity->tickets);
    rc = context_load_identity(&identity->cert, &identity->key, &files, sentence, size);
    if (rc == 0)
        rc = configure(identity);
    if (rc != 0) {
        tls_identity_close(identity);
        return rc;
    }
    *out = identity;
    return 0;
}

void tls_identity_close(struct tls_identity *identity)
{
    if (!identity)
        return;
    mbedtls_ssl_config_free(&identity->config);
    mbedtls_x509_crt_free(&identity->cert);
    mbedtls_pk_free(&identity->key);
    mbedtls_ssl_ticket_free(&identity->tickets);
    free(identity);
}

void tls_identity_facts(const struct tls_identity *identity, struct tls_identity_facts *facts)
{
    const mbedtls_x509_crt *cert = &identity->cert;
    uint8_t hash[DIGEST_SIZE];

    memset(facts, 0, sizeof(*facts));
    if (digest_make(cert->raw.p, cert->raw.len, hash)) {
        for (size_t i = 0; i < sizeof(hash); i++)
            snprintf(facts->fingerprint + 3 * i, 4, "%02X%s", hash[i], i < 31 ? ":" : "");
    }
    facts->from_wall_s = context_wall_seconds(&cert->valid_from);
    facts->until_wall_s = context_wall_seconds(&cert->valid_to);
    facts->self_signed = cert->issuer_raw.len == cert->subject_raw.len &&
                         memcmp(cert->issuer_raw.p, cert->subject_raw.p, cert->issuer_raw.len) == 0;
}
