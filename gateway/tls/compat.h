/*
 * What differs between mbedTLS 2.28 (Debian 12) and 3.6 (Debian 13), in one place. The other files
 * of this folder include mbedTLS through this one.
 */
#ifndef SLUICE_TLS_COMPAT_H
#define SLUICE_TLS_COMPAT_H

#include <stddef.h>

#include <mbedtls/version.h>

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
/* The number of an alert that the peer sent is in a field that has no accessor. */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include <mbedtls/build_info.h>
#else
#include <mbedtls/config.h>
#endif

#include <mbedtls/chachapoly.h>
#include <mbedtls/error.h>
#include <mbedtls/gcm.h>
#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <mbedtls/pkcs5.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/x509_crl.h>
#include <mbedtls/x509_crt.h>

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#include <psa/crypto.h>
#endif

/* The kernel's random numbers, as both generations want them. */
int compat_random(void *unused, unsigned char *out, size_t size);

static inline int compat_init(void)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    return psa_crypto_init() == PSA_SUCCESS ? 0 : -1;
#else
    return 0;
#endif
}

static inline int compat_parse_key_file(mbedtls_pk_context *key, const char *path)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    return mbedtls_pk_parse_keyfile(key, path, NULL, compat_random, NULL);
#else
    return mbedtls_pk_parse_keyfile(key, path, NULL);
#endif
}

/* `passphrase` may be NULL. */
static inline int compat_unlock_key(mbedtls_pk_context *key, const unsigned char *data, size_t size,
                                    const char *passphrase)
{
    const unsigned char *secret = (const unsigned char *)passphrase;
    size_t secret_size = 0;

    while (passphrase && passphrase[secret_size])
        secret_size++;
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    return mbedtls_pk_parse_key(key, data, size, secret, secret_size, compat_random, NULL);
#else
    return mbedtls_pk_parse_key(key, data, size, secret, secret_size);
#endif
}

/* PBKDF2 (RFC 8018, 5.2). */
static inline int compat_pbkdf2(mbedtls_md_type_t digest, const unsigned char *secret,
                                size_t secret_size, const unsigned char *salt, size_t salt_size,
                                unsigned rounds, unsigned char *out, size_t size)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    return mbedtls_pkcs5_pbkdf2_hmac_ext(digest, secret, secret_size, salt, salt_size, rounds,
                                         (uint32_t)size, out);
#else
    mbedtls_md_context_t context;
    int error;

    mbedtls_md_init(&context);
    error = mbedtls_md_setup(&context, mbedtls_md_info_from_type(digest), 1);
    if (error == 0)
        error = mbedtls_pkcs5_pbkdf2_hmac(&context, secret, secret_size, salt, salt_size, rounds,
                                          (uint32_t)size, out);
    mbedtls_md_free(&context);
    return error;
#endif
}

static inline int compat_check_pair(const mbedtls_pk_context *certificate,
                                    const mbedtls_pk_context *key)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    return mbedtls_pk_check_pair(certificate, key, compat_random, NULL);
#else
    return mbedtls_pk_check_pair(certificate, key);
#endif
}

/* `minimum` is 12 or 13. Returns 0, or -1 where the library does not have that version. */
static inline int compat_minimum_version(mbedtls_ssl_config *config, int minimum)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#if !defined(MBEDTLS_SSL_PROTO_TLS1_3)
    if (minimum > 12)
        return -1;
#endif
    mbedtls_ssl_conf_min_tls_version(config, minimum > 12 ? MBEDTLS_SSL_VERSION_TLS1_3
                                                          : MBEDTLS_SSL_VERSION_TLS1_2);
#else
    if (minimum > 12)
        return -1;
    mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#endif
    return 0;
}

/* The curves and signatures of today alone: 2.28 would take curves of 192 bits and SHA-1 as well.
 */
static inline void compat_strong(mbedtls_ssl_config *config)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    static const uint16_t groups[] = {
        MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
        MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
    static const uint16_t signatures[] = {
        MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256, MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
        MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,
        MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,       MBEDTLS_TLS1_3_SIG_NONE};

    mbedtls_ssl_conf_groups(config, groups);
    mbedtls_ssl_conf_sig_algs(config, signatures);
#else
    static const mbedtls_ecp_group_id groups[] = {MBEDTLS_ECP_DP_SECP256R1,
                                                  MBEDTLS_ECP_DP_CURVE25519,
                                                  MBEDTLS_ECP_DP_SECP384R1, MBEDTLS_ECP_DP_NONE};
    static const int hashes[] = {MBEDTLS_MD_SHA256, MBEDTLS_MD_SHA384, MBEDTLS_MD_SHA512,
                                 MBEDTLS_MD_NONE};

    mbedtls_ssl_conf_curves(config, groups);
    mbedtls_ssl_conf_sig_hashes(config, hashes);
#endif
}

/* The serial number of a certificate that is made; `bytes` is a positive number, most significant
 * byte first. */
static inline int compat_serial(mbedtls_x509write_cert *made, unsigned char *bytes, size_t size)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    return mbedtls_x509write_crt_set_serial_raw(made, bytes, size);
#else
    mbedtls_mpi number;
    int code;

    mbedtls_mpi_init(&number);
    code = mbedtls_mpi_read_binary(&number, bytes, size);
    if (code == 0)
        code = mbedtls_x509write_crt_set_serial(made, &number);
    mbedtls_mpi_free(&number);
    return code;
#endif
}

static inline int compat_parse_key(mbedtls_pk_context *key, const char *pem, size_t size_with_zero)
{
    const unsigned char *bytes = (const unsigned char *)pem;

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    return mbedtls_pk_parse_key(key, bytes, size_with_zero, NULL, 0, compat_random, NULL);
#else
    return mbedtls_pk_parse_key(key, bytes, size_with_zero, NULL, 0);
#endif
}

/* From 3.6.1 on tickets of TLS 1.3 are told only to those who ask. */
static inline void compat_want_tickets(mbedtls_ssl_config *config)
{
#if defined(MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED)
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
        config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#else
    (void)config;
#endif
}

/* Whether `code` only says that a TLS 1.3 session ticket came: the call is to be repeated. */
static inline int compat_is_ticket(int code)
{
#if defined(MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
    return code == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET;
#else
    (void)code;
    return 0;
#endif
}

static inline int compat_is_tls13(const mbedtls_ssl_context *ssl)
{
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    return mbedtls_ssl_get_version_number(ssl) == MBEDTLS_SSL_VERSION_TLS1_3;
#else
    (void)ssl;
    return 0;
#endif
}

/* Whether `code` says that a certificate was refused, by its chain or by its use. */
static inline int compat_is_certificate(int code)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    return code == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED || code == MBEDTLS_ERR_SSL_BAD_CERTIFICATE;
#else
    return code == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED ||
           code == MBEDTLS_ERR_SSL_BAD_HS_CERTIFICATE;
#endif
}

/* The description of the alert record that came last (RFC 8446, 6). */
static inline int compat_alert(const mbedtls_ssl_context *ssl)
{
    return ssl->in_msg ? ssl->in_msg[1] : -1;
}

#endif
