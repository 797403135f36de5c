#include "tls/certificate.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/error.h"
#include "tls/compat.h"

#define NAMES_SIZE  1024 /* of all alternative names, encoded; with lengths of up to two bytes */
#define SERIAL_SIZE 16

#define TAG_SEQUENCE 0x30
#define TAG_NAME     0x82 /* RFC 5280, 4.2.1.6: GeneralName, [2] dNSName */
#define TAG_ADDRESS  0x87 /* [7] iPAddress */

static const char oid_names[] = {0x55, 0x1d, 0x11}; /* 2.5.29.17, subjectAltName */
static const char oid_usage[] = {0x55, 0x1d, 0x25}; /* 2.5.29.37, extKeyUsage */
/* id-kp-serverAuth alone: browsers ask for it. */
static const unsigned char for_servers[] = {0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06,
                                            0x01, 0x05, 0x05, 0x07, 0x03, 0x01};

struct names {
    unsigned char bytes[NAMES_SIZE];
    size_t size;
};

static void add_name(struct names *names, unsigned char tag, const void *value, size_t size)
{
    /* Above 127 bytes a length takes another form; no host name is that long in practice. */
    if (size > 127 || names->size + size + 2 > sizeof(names->bytes))
        return;
    names->bytes[names->size++] = tag;
    names->bytes[names->size++] = (unsigned char)size;
    memcpy(names->bytes + names->size, value, size);
    names->size += size;
}

static void add_any(struct names *names, const char *text)
{
    unsigned char address[16];

    if (inet_pton(AF_INET, text, address) == 1)
        add_name(names, TAG_ADDRESS, address, 4);
    else if (inet_pton(AF_INET6, text, address) == 1)
        add_name(names, TAG_ADDRESS, address, 16);
    else
        add_name(names, TAG_NAME, text, strlen(text));
}

static int put_names(mbedtls_x509write_cert *made, const struct certificate_subject *subject)
{
    struct names names = {.size = 0};
    unsigned char sequence[NAMES_SIZE + 4];
    size_t head = 0;

    for (size_t i = 0; i < subject->name_count && i < CERTIFICATE_NAMES_MAX; i++)
        add_any(&names, subject->names[i]);
    if (names.size == 0)
        return 0;
    sequence[head++] = TAG_SEQUENCE;
    if (names.size > 255) {
        sequence[head++] = 0x82;
        sequence[head++] = (unsigned char)(names.size >> 8);
    } else if (names.size > 127) {
        sequence[head++] = 0x81;
    }
    sequence[head++] = (unsigned char)names.size;
    memcpy(sequence + head, names.bytes, names.size);
    return mbedtls_x509write_crt_set_extension(made, oid_names, sizeof(oid_names), 0, sequence,
                                               head + names.size);
}

static int make_key(mbedtls_pk_context *key)
{
    int code = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));

    if (code == 0)
        code =
            mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key), compat_random, NULL);
    return code;
}

static void write_time(int64_t wall_s, char out[16])
{
    time_t seconds = (time_t)wall_s;
    struct tm tm;

    gmtime_r(&seconds, &tm);
    if (strftime(out, 16, "%Y%m%d%H%M%S", &tm) == 0)
        out[0] = '\0';
}

static int fill(mbedtls_x509write_cert *made, const struct certificate_subject *subject)
{
    unsigned char serial[SERIAL_SIZE];
    char name[80], from[16], until[16];
    int code = compat_random(NULL, serial, sizeof(serial));

    serial[0] = (serial[0] & 0x7f) | 0x40; /* positive, and always of the same length */
    snprintf(name, sizeof(name), "CN=%.63s", subject->common_name);
    write_time(subject->from_s, from);
    write_time(subject->until_s, until);
    mbedtls_x509write_crt_set_version(made, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(made, MBEDTLS_MD_SHA256);
    if (code == 0)
        code = compat_serial(made, serial, sizeof(serial));
    if (code == 0)
        code = mbedtls_x509write_crt_set_subject_name(made, name);
    if (code == 0)
        code = mbedtls_x509write_crt_set_issuer_name(made, name);
    if (code == 0)
        code = mbedtls_x509write_crt_set_validity(made, from, until);
    if (code == 0)
        code = mbedtls_x509write_crt_set_basic_constraints(made, 0, -1);
    if (code == 0)
        code = mbedtls_x509write_crt_set_key_usage(made, MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
    if (code == 0)
        code = mbedtls_x509write_crt_set_subject_key_identifier(made);
    if (code == 0)
        code = mbedtls_x509write_crt_set_extension(made, oid_usage, sizeof(oid_usage), 0,
                                                   for_servers, sizeof(for_servers));
    return code == 0 ? put_names(made, subject) : code;
}

int certificate_make(const struct certificate_subject *subject, char key_pem[CERTIFICATE_PEM_SIZE],
                     char certificate[CERTIFICATE_PEM_SIZE])
{
    mbedtls_x509write_cert made;
    mbedtls_pk_context key;
    bool given = key_pem[0] != '\0';
    int code;

    mbedtls_x509write_crt_init(&made);
    mbedtls_pk_init(&key);
    code = given ? compat_parse_key(&key, key_pem, strlen(key_pem) + 1) : make_key(&key);
    int error = code == 0 ? 0 : given ? ERR_CERTIFICATE : ERR_NOMEM;
    if (code == 0) {
        mbedtls_x509write_crt_set_subject_key(&made, &key);
        mbedtls_x509write_crt_set_issuer_key(&made, &key);
        code = fill(&made, subject);
    }
    if (code == 0)
        code = mbedtls_x509write_crt_pem(&made, (unsigned char *)certificate, CERTIFICATE_PEM_SIZE,
                                         compat_random, NULL);
    if (code == 0 && !given)
        code = mbedtls_pk_write_key_pem(&key, (unsigned char *)key_pem, CERTIFICATE_PEM_SIZE);
    mbedtls_x509write_crt_free(&made);
    mbedtls_pk_free(&key);
    return error ? error : code == 0 ? 0 : ERR_NOMEM;
}
