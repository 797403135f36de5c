#include "tls/context.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "tls/tunnel.h"
#include "tls/verify.h"

#define SYSTEM_BUNDLE "/etc/ssl/certs/ca-certificates.crt"

#ifdef MBEDTLS_SSL_PROTO_TLS1_3
#define CHACHA_13 MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
#define AES_13    MBEDTLS_TLS1_3_AES_128_GCM_SHA256, MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
#else
#define CHACHA_13
#define AES_13
#endif
#define CHACHA_12                                                                                  \
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,                                         \
        MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
#define AES_12                                                                                     \
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,                                               \
        MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,                                             \
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,                                           \
        MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,

/* Forward secrecy and an AEAD, nothing else. */
static const int chacha_first[] = {CHACHA_13 AES_13 CHACHA_12 AES_12 0};
static const int only_chacha[] = {CHACHA_13 CHACHA_12 0};
static const int aes_first[] = {AES_13 CHACHA_13 AES_12 CHACHA_12 0};

const int *context_suites(bool prefer_chacha, bool only)
{
    return only ? only_chacha : prefer_chacha ? chacha_first : aes_first;
}

int compat_random(void *unused, unsigned char *out, size_t size)
{
    (void)unused;
    while (size > 0) {
        ssize_t got = getrandom(out, size < 256 ? size : 256, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        out += got;
        size -= (size_t)got;
    }
    return 0;
}

int tls_init(void)
{
    return compat_init() == 0 ? 0 : ERR_TLS;
}

/* Of this thread: others use the processor as well. */
static int64_t cpu_ns(void)
{
    struct timespec used = {0};

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * NS_PER_S + used.tv_nsec;
}

static int64_t time_chacha(const unsigned char *in, unsigned char *out, size_t size)
{
    const unsigned char key[32] = {1}, nonce[12] = {2};
    unsigned char tag[16];
    mbedtls_chachapoly_context chacha;
    int64_t began;

    mbedtls_chachapoly_init(&chacha);
    mbedtls_chachapoly_setkey(&chacha, key);
    began = cpu_ns();
    mbedtls_chachapoly_encrypt_and_tag(&chacha, size, nonce, NULL, 0, in, out, tag);
    began = cpu_ns() - began;
    mbedtls_chachapoly_free(&chacha);
    return began;
}

static int64_t time_gcm(const unsigned char *in, unsigned char *out, size_t size)
{
    const unsigned char key[16] = {1}, nonce[12] = {2};
    unsigned char tag[16];
    mbedtls_gcm_context gcm;
    int64_t began;

    mbedtls_gcm_init(&gcm);
    mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, 128);
    began = cpu_ns();
    mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, size, nonce, sizeof(nonce), NULL, 0, in,
                              out, sizeof(tag), tag);
    began = cpu_ns() - began;
    mbedtls_gcm_free(&gcm);
    return began;
}

static int64_t best(const int64_t times_ns[CONTEXT_ROUNDS])
{
    int64_t least_ns = times_ns[0];

    for (int i = 1; i < CONTEXT_ROUNDS; i++)
        least_ns = times_ns[i] < least_ns ? times_ns[i] : least_ns;
    return least_ns;
}

bool context_chacha_faster(const int64_t chacha_ns[CONTEXT_ROUNDS],
                           const int64_t gcm_ns[CONTEXT_ROUNDS])
{
    return best(chacha_ns) < best(gcm_ns);
}

bool tls_measure_chacha(void)
{
    enum { SIZE = 16384 };
    int64_t chacha_ns[CONTEXT_ROUNDS], gcm_ns[CONTEXT_ROUNDS];
    unsigned char *buffer = calloc(2, SIZE);

    if (!buffer)
        return true;
    for (int i = 0; i < CONTEXT_ROUNDS; i++) {
        chacha_ns[i] = time_chacha(buffer, buffer + SIZE, SIZE);
        gcm_ns[i] = time_gcm(buffer, buffer + SIZE, SIZE);
    }
    free(buffer);
    return context_chacha_faster(chacha_ns, gcm_ns);
}

/* Whether the file can be opened at all, told in words before the library says it in numbers. */
static int check_readable(const char *what, const char *path, char *sentence, size_t size)
{
    int error;

    if (access(path, R_OK) == 0)
        return 0;
    error = error_from_errno(errno);
    if (error == ERR_NOT_FOUND)
        snprintf(sentence, size, "%s \"%s\" does not exist", what, path);
    else
        snprintf(sentence, size, "%s \"%s\" cannot be read: %s", what, path, strerror(errno));
    return error;
}

static int load_ca(mbedtls_x509_crt *ca, const char *path, char *sentence, size_t size)
{
    struct stat info;
    int rc;

    if (!path) {
        path = SYSTEM_BUNDLE;
        if (access(path, R_OK) != 0) {
            snprintf(
                sentence, size,
                "there is no CA certificate to check the broker by: give tls.ca, or install the "
                "package ca-certificates");
            return ERR_NOT_FOUND;
        }
    }
    rc = check_readable("the CA file tls.ca", path, sentence, size);
    if (rc != 0)
        return rc;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        mbedtls_x509_crt_parse_path(ca, path); /* a folder may hold other files as well */
    else
        mbedtls_x509_crt_parse_file(ca,
                                    path); /* a bundle may hold a few that are too old to parse */
    if (!ca->raw.p) {
        snprintf(sentence, size, "tls.ca \"%s\" holds no certificate in PEM or DER form", path);
        return ERR_CERTIFICATE;
    }
    return 0;
}

int context_load_identity(mbedtls_x509_crt *cert, mbedtls_pk_context *key,
                          const struct context_identity *files, char *sentence, size_t size)
{
    const char *part = files->part;
    char what[64];
    int rc;

    snprintf(what, sizeof(what), "the certificate %s.cert", part);
    rc = check_readable(what, files->cert, sentence, size);
    if (rc != 0)
        return rc;
    if (mbedtls_x509_crt_parse_file(cert, files->cert) != 0) {
        snprintf(sentence, size, "%s.cert \"%s\" holds no certificate in PEM form", part,
                 files->cert);
        return ERR_CERTIFICATE;
    }
    if (!files->key) {
        snprintf(sentence, size, "%s.cert is given without %s.key", part, part);
        return ERR_CERTIFICATE;
    }
    snprintf(what, sizeof(what), "the private key %s.key", part);
    rc = check_readable(what, files->key, sentence, size);
    if (rc != 0)
        return rc;
    rc = compat_parse_key_file(key, files->key);
    if (rc == MBEDTLS_ERR_PK_PASSWORD_REQUIRED || rc == MBEDTLS_ERR_PK_PASSWORD_MISMATCH) {
        snprintf(sentence, size,
                 "the private key %s.key \"%s\" is protected by a password: store "
                 "it without one (openssl pkey -in OLD -out NEW)",
                 part, files->key);
        return ERR_CERTIFICATE;
    }
    if (rc != 0) {
        snprintf(sentence, size, "%s.key \"%s\" holds no private key in PEM form", part,
                 files->key);
        return ERR_CERTIFICATE;
    }
    if (compat_check_pair(&cert->pk, key) != 0) {
        snprintf(sentence, size,
                 "the private key %s.key does not belong to the certificate %s.cert", part, part);
        return ERR_CERTIFICATE;
    }
    return 0;
}

static int load_crl(mbedtls_x509_crl *crl, const char *path, char *sentence, size_t size)
{
    int rc = check_readable("the list of revoked certificates tls.crl", path, sentence, size);

    if (rc == 0 && mbedtls_x509_crl_parse_file(crl, path) != 0) {
        snprintf(sentence, size, "tls.crl \"%s\" holds no list of revoked certificates", path);
        rc = ERR_CERTIFICATE;
    }
    return rc;
}

static int configure(struct tls_context *context, const struct tls_files *files, char *sentence,
                     size_t size)
{
    mbedtls_ssl_config *config = &context->config;

    if (mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) != 0)
        return ERR_NOMEM;
    if (compat_minimum_version(config, files->minimum) != 0) {
        snprintf(sentence, size,
                 "tls.minimum is \"1.3\", which the TLS library installed here does "
                 "not have: allow \"1.2\"");
        return ERR_UNSUPPORTED;
    }
    mbedtls_ssl_conf_rng(config, compat_random, NULL);
    mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_ciphersuites(config, context_suites(files->prefer_chacha, files->only_chacha));
    mbedtls_ssl_conf_ca_chain(config, &context->ca, files->crl ? &context->crl : NULL);
    compat_want_tickets(config);
    if (files->cert && mbedtls_ssl_conf_own_cert(config, &context->cert, &context->key) != 0)
        return ERR_NOMEM;
    if (files->alpn) {
        context->alpn = strdup(files->alpn);
        if (!context->alpn)
            return ERR_NOMEM;
        context->alpn_list[0] = context->alpn;
        if (mbedtls_ssl_conf_alpn_protocols(config, context->alpn_list) != 0) {
            snprintf(sentence, size, "tls.alpn \"%s\" is no protocol name", files->alpn);
            return ERR_INVALID;
        }
    }
    return 0;
}

int tls_context_open(struct tls_context **out, const struct tls_files *files, char *sentence,
                     size_t size)
{
    struct tls_context *context = calloc(1, sizeof(*context));
    int rc;

    snprintf(sentence, size, "out of memory");
    if (!context)
        return ERR_NOMEM;
    mbedtls_ssl_config_init(&context->config);
    mbedtls_x509_crt_init(&context->ca);
    mbedtls_x509_crt_init(&context->cert);
    mbedtls_x509_crl_init(&context->crl);
    mbedtls_pk_init(&context->key);
    rc = load_ca(&context->ca, files->ca, sentence, size);
    if (rc == 0 && files->crl)
        rc = load_crl(&context->crl, files->crl, sentence, size);
    if (rc == 0 && files->cert)
        rc = context_load_identity(&context->cert, &context->key,
                                   &(struct context_identity){"tls", files->cert, files->key},
                                   sentence, size);
    if (rc == 0)
        rc = configure(context, files, sentence, size);
    if (rc != 0) {
        tls_context_close(context);
        return rc;
    }
    *out = context;
    return 0;
}

void tls_context_close(struct tls_context *context)
{
    if (!context)
        return;
    mbedtls_ssl_config_free(&context->config);
    mbedtls_x509_crt_free(&context->ca);
    mbedtls_x509_crt_free(&context->cert);
    mbedtls_x509_crl_free(&context->crl);
    mbedtls_pk_free(&context->key);
    free(context->alpn);
    free(context);
}

int64_t context_wall_seconds(const mbedtls_x509_time *time)
{
    struct tm tm = {.tm_year = time->year - 1900,
                    .tm_mon = time->mon - 1,
                    .tm_mday = time->day,
                    .tm_hour = time->hour,
                    .tm_min = time->min,
                    .tm_sec = time->sec};

    return (int64_t)timegm(&tm);
}

int tls_check_files(const char *ca, const char *cert, const char *key, int64_t *until_wall_s,
                    char *sentence, size_t size)
{
    mbedtls_x509_crt chain, own;
    mbedtls_pk_context pk;
    char date[20];
    int rc = tls_init();

    if (until_wall_s)
        *until_wall_s = 0;
    snprintf(sentence, size, "%s", rc == 0 ? "" : "the TLS library cannot be initialised");
    mbedtls_x509_crt_init(&chain);
    mbedtls_x509_crt_init(&own);
    mbedtls_pk_init(&pk);
    if (rc == 0 && ca)
        rc = load_ca(&chain, ca, sentence, size);
    if (rc == 0 && cert)
        rc = context_load_identity(&own, &pk, &(struct context_identity){"tls", cert, key},
                                   sentence, size);
    if (rc == 0 && !cert && key) {
        snprintf(sentence, size, "tls.key is given without tls.cert");
        rc = ERR_CERTIFICATE;
    }
    if (rc == 0 && cert) {
        if (until_wall_s)
            *until_wall_s = context_wall_seconds(&own.valid_to);
        if (mbedtls_x509_time_is_past(&own.valid_to)) {
            verify_date(&own.valid_to, date);
            snprintf(sentence, size, "the certificate tls.cert expired on %s: renew it", date);
            rc = ERR_CERTIFICATE;
        }
    }
    mbedtls_x509_crt_free(&chain);
    mbedtls_x509_crt_free(&own);
    mbedtls_pk_free(&pk);
    return rc;
}
