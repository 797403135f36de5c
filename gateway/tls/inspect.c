#include "tls/inspect.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/error.h"
#include "tls/compat.h" /* before the library's own headers: it says how they are to be read */
#include "tls/digest.h"

#include <mbedtls/asn1.h>
#include <mbedtls/ecp.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/x509_csr.h>

#define PUBLIC_KEY_SIZE 2048 /* DER, of RSA with 8192 bits too */

static int64_t seconds_of(const mbedtls_x509_time *time)
{
    struct tm parts = {.tm_year = time->year - 1900,
                       .tm_mon = time->mon - 1,
                       .tm_mday = time->day,
                       .tm_hour = time->hour,
                       .tm_min = time->min,
                       .tm_sec = time->sec};

    return (int64_t)timegm(&parts);
}

static void describe_key(const mbedtls_pk_context *key, char out[32],
                         uint8_t print[INSPECT_PRINT_SIZE])
{
    unsigned char der[PUBLIC_KEY_SIZE];
    int size = mbedtls_pk_write_pubkey_der((mbedtls_pk_context *)(uintptr_t)key, der, sizeof der);
    bool curve = mbedtls_pk_can_do(key, MBEDTLS_PK_ECKEY);

    snprintf(out, 32, "%s, %u bits", curve ? "EC" : mbedtls_pk_get_name(key),
             (unsigned)mbedtls_pk_get_bitlen(key));
    /* It is written at the end of the room. */
    if (size <= 0 || !digest_make(der + sizeof der - size, (size_t)size, print))
        memset(print, 0, INSPECT_PRINT_SIZE);
}

static void put_name(char out[INSPECT_NAME_SIZE], const mbedtls_x509_name *name)
{
    if (mbedtls_x509_dn_gets(out, INSPECT_NAME_SIZE, name) < 0)
        snprintf(out, INSPECT_NAME_SIZE, "(a name that is too long)");
}

static void put_address(char *out, size_t room, const unsigned char *bytes, size_t size)
{
    if (size == 4)
        snprintf(out, room, "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
    else
        snprintf(out, room, "(an address)");
}

/* Host names and addresses (RFC 5280, 4.2.1.6). */
static void put_names(char out[INSPECT_NAME_SIZE], const mbedtls_x509_crt *certificate)
{
    const mbedtls_x509_sequence *entry = &certificate->subject_alt_names;
    size_t size = 0;

    out[0] = '\0';
    for (; entry && entry->buf.p; entry = entry->next) {
        unsigned tag = entry->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK;
        char word[128];

        if (tag == 7)
            put_address(word, sizeof word, entry->buf.p, entry->buf.len);
        else if (tag == 2 && entry->buf.len < sizeof word)
            snprintf(word, sizeof word, "%.*s", (int)entry->buf.len, (const char *)entry->buf.p);
        else
            continue;
        if (size + strlen(word) + 3 > INSPECT_NAME_SIZE)
            return;
        size += (size_t)snprintf(out + size, INSPECT_NAME_SIZE - size, "%s%s", size > 0 ? ", " : "",
                                 word);
    }
}

static bool same_name(const mbedtls_x509_buf *a, const mbedtls_x509_buf *b)
{
    return a->len == b->len && memcmp(a->p, b->p, a->len) == 0;
}

/* Whether `issuer` has signed `certificate`, by name and by signature; its dates are not asked. */
static bool has_signed(mbedtls_x509_crt *issuer, mbedtls_x509_crt *certificate)
{
    uint32_t flags = 0;
    mbedtls_x509_crt alone = *certificate;

    if (!same_name(&issuer->subject_raw, &certificate->issuer_raw))
        return false;
    alone.next = NULL;
    mbedtls_x509_crt trusted = *issuer;
    trusted.next = NULL;
    mbedtls_x509_crt_verify(&alone, &trusted, NULL, NULL, &flags, NULL, NULL);
    return (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) == 0;
}

static void take_certificate(struct inspect_certificate *out, mbedtls_x509_crt *certificate)
{
    put_name(out->subject, &certificate->subject);
    put_name(out->issuer, &certificate->issuer);
    put_names(out->names, certificate);
    out->from_s = seconds_of(&certificate->valid_from);
    out->until_s = seconds_of(&certificate->valid_to);
    out->authority = certificate->ca_istrue != 0;
    out->self_signed = same_name(&certificate->subject_raw, &certificate->issuer_raw);
    out->signs_next = certificate->next && has_signed(certificate->next, certificate);
    describe_key(&certificate->pk, out->key, out->print);
}

static bool take_certificates(struct inspect *inspect, const unsigned char *data, size_t size)
{
    mbedtls_x509_crt chain;

    mbedtls_x509_crt_init(&chain);
    if (mbedtls_x509_crt_parse(&chain, data, size) >= 0) {
        for (mbedtls_x509_crt *at = &chain;
             at && at->raw.p && inspect->count < INSPECT_CERTIFICATES_MAX; at = at->next)
            take_certificate(&inspect->certificates[inspect->count++], at);
    }
    mbedtls_x509_crt_free(&chain);
    if (inspect->count > 0)
        inspect->kind = INSPECT_CERTIFICATES;
    return inspect->count > 0;
}

static bool take_key(struct inspect *inspect, const unsigned char *data, size_t size,
                     const char *passphrase)
{
    mbedtls_pk_context key;

    mbedtls_pk_init(&key);
    int rc = compat_unlock_key(&key, data, size, passphrase);
    if (rc == 0) {
        inspect->kind = INSPECT_KEY;
        describe_key(&key, inspect->key, inspect->print);
    } else if (rc == MBEDTLS_ERR_PK_PASSWORD_REQUIRED || rc == MBEDTLS_ERR_PK_PASSWORD_MISMATCH ||
               strstr((const char *)data, "BEGIN ENCRYPTED PRIVATE KEY")) {
        inspect->kind = INSPECT_LOCKED_KEY;
    }
    mbedtls_pk_free(&key);
    return inspect->kind != INSPECT_UNKNOWN;
}

static bool take_request(struct inspect *inspect, const unsigned char *data, size_t size)
{
    mbedtls_x509_csr request;

    mbedtls_x509_csr_init(&request);
    if (mbedtls_x509_csr_parse(&request, data, size) == 0) {
        inspect->kind = INSPECT_REQUEST;
        put_name(inspect->subject, &request.subject);
        describe_key(&request.pk, inspect->key, inspect->print);
    }
    mbedtls_x509_csr_free(&request);
    return inspect->kind != INSPECT_UNKNOWN;
}

static bool take_revoked(struct inspect *inspect, const unsigned char *data, size_t size)
{
    mbedtls_x509_crl list;

    mbedtls_x509_crl_init(&list);
    if (mbedtls_x509_crl_parse(&list, data, size) == 0)
        inspect->kind = INSPECT_REVOKED;
    mbedtls_x509_crl_free(&list);
    return inspect->kind != INSPECT_UNKNOWN;
}

/* PFX ::= SEQUENCE { version INTEGER (3), authSafe ContentInfo, ... } (RFC 7292, 4) */
static bool is_pfx(const unsigned char *data, size_t size)
{
    unsigned char *at = (unsigned char *)(uintptr_t)data;
    size_t inner;
    int version;

    return mbedtls_asn1_get_tag(&at, data + size, &inner,
                                MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) == 0 &&
           mbedtls_asn1_get_int(&at, data + size, &version) == 0 && version == 3 &&
           at + 1 < data + size && *at == (MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) &&
           memmem(at, (size_t)(data + size - at), "\x2a\x86\x48\x86\xf7\x0d\x01\x07", 8) != NULL;
}

int inspect_bytes(struct inspect *inspect, const char *text, size_t size, const char *passphrase)
{
    const unsigned char *data = (const unsigned char *)text;
    /* The library wants a text with its zero. */
    bool pem = strstr(text, "-----BEGIN ") != NULL;
    size_t all = pem ? size + 1 : size;

    memset(inspect, 0, sizeof *inspect);
    if (size == 0)
        return 0;
    if (!pem && is_pfx(data, size)) {
        inspect->kind = INSPECT_PFX;
        return 0;
    }
    /* A key first: a file that holds both must not pass for a certificate that is shown around. */
    if (!take_key(inspect, data, all, passphrase) && !take_certificates(inspect, data, all) &&
        !take_request(inspect, data, all))
        take_revoked(inspect, data, all);
    return 0;
}

bool inspect_fits(const uint8_t a[INSPECT_PRINT_SIZE], const uint8_t b[INSPECT_PRINT_SIZE])
{
    static const uint8_t none[INSPECT_PRINT_SIZE];

    return memcmp(a, none, INSPECT_PRINT_SIZE) != 0 && memcmp(a, b, INSPECT_PRINT_SIZE) == 0;
}

int inspect_rewrite_key(const char *text, size_t size, const char *passphrase,
                        char out[INSPECT_PEM_SIZE])
{
    bool pem = strstr(text, "-----BEGIN ") != NULL;
    mbedtls_pk_context key;
    int error = ERR_TLS;

    mbedtls_pk_init(&key);
    if (compat_unlock_key(&key, (const unsigned char *)text, pem ? size + 1 : size, passphrase) ==
        0)
        error = mbedtls_pk_write_key_pem(&key, (unsigned char *)out, INSPECT_PEM_SIZE) == 0
                    ? 0
                    : ERR_TOO_LARGE;
    mbedtls_pk_free(&key);
    return error;
}

static int make_request(mbedtls_pk_context *key, const char *subject, char out[INSPECT_PEM_SIZE])
{
    mbedtls_x509write_csr writer;
    int error = 0;

    mbedtls_x509write_csr_init(&writer);
    mbedtls_x509write_csr_set_md_alg(&writer, MBEDTLS_MD_SHA256);
    mbedtls_x509write_csr_set_key(&writer, key);
    if (mbedtls_x509write_csr_set_subject_name(&writer, subject) != 0)
        error = ERR_INVALID;
    else if (mbedtls_x509write_csr_pem(&writer, (unsigned char *)out, INSPECT_PEM_SIZE,
                                       compat_random, NULL) != 0)
        error = ERR_TLS;
    mbedtls_x509write_csr_free(&writer);
    return error;
}

int inspect_request(const char *subject, char key_pem[INSPECT_PEM_SIZE],
                    char request[INSPECT_PEM_SIZE])
{
    mbedtls_pk_context key;
    int error = ERR_TLS;

    if (!strstr(subject, "CN="))
        return ERR_INVALID; /* the library takes a name without any part */
    mbedtls_pk_init(&key);
    if (mbedtls_pk_setup(&key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)) == 0 &&
        mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(key), compat_random, NULL) ==
            0 &&
        mbedtls_pk_write_key_pem(&key, (unsigned char *)key_pem, INSPECT_PEM_SIZE) == 0)
        error = make_request(&key, subject, request);
    if (error)
        mbedtls_platform_zeroize(key_pem, INSPECT_PEM_SIZE);
    mbedtls_pk_free(&key);
    return error;
}
