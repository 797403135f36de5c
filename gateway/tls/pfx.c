#include "tls/pfx.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "tls/pfx_inside.h"

#include <mbedtls/pem.h>
#include <mbedtls/platform_util.h>

#define PLAINS_MAX 8   /* locked parts of a file: one of certificates, and a key each */
#define PEM_EXTRA  128 /* its first and last line, over what base64 takes */

/* Object identifiers, as they stand in DER. */
#define OID_DATA      "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
#define OID_ENCRYPTED "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06"
#define OID_X509      "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x16\x01"
#define OID_BAG       "\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01" /* and its number: RFC 7292, 4.2 */

enum { BAG_KEY = 1, BAG_LOCKED_KEY = 2, BAG_CERTIFICATE = 3 };

struct opening {
    struct pfx_secret secret;
    unsigned char *plains[PLAINS_MAX]; /* unlocked; key and certificates may point into them */
    size_t plain_sizes[PLAINS_MAX], plain_count;
    struct der certificates[PFX_CERTIFICATES_MAX];
    size_t count;
    struct der key; /* PrivateKeyInfo */
};

bool der_is(const struct der *der, const char *oid, size_t size)
{
    return der_size(der) == size && memcmp(der->at, oid, size) == 0;
}

size_t der_size(const struct der *der)
{
    return (size_t)(der->end - der->at);
}

bool der_take(struct der *in, int tag, struct der *out)
{
    unsigned char *at = in->at;
    size_t size;

    if (mbedtls_asn1_get_tag(&at, in->end, &size, tag) != 0)
        return false;
    in->at = at + size;
    *out = (struct der){at, at + size};
    return true;
}

bool der_take_integer(struct der *in, int *value)
{
    return mbedtls_asn1_get_int(&in->at, in->end, value) == 0;
}

bool der_take_algorithm(struct der *in, struct der *oid, struct der *parameters)
{
    return der_take(in, DER_SEQUENCE, parameters) && der_take(parameters, MBEDTLS_ASN1_OID, oid);
}

/* The plain text is kept until the end. */
static int unlock(struct opening *opening, struct der *algorithm, const struct der *locked,
                  struct der *out)
{
    size_t room = der_size(locked) + PFX_PLAIN_EXTRA, size = 0;

    if (opening->plain_count == PLAINS_MAX)
        return ERR_TOO_LARGE;
    unsigned char *plain = calloc(1, room);
    if (!plain)
        return ERR_NOMEM;
    opening->plains[opening->plain_count] = plain;
    opening->plain_sizes[opening->plain_count++] = room;
    int error = pfx_decrypt(&opening->secret, algorithm, locked, plain, &size);
    *out = (struct der){plain, plain + size};
    return error;
}

/* EncryptedPrivateKeyInfo (RFC 5208, 6) */
static int take_locked_key(struct opening *opening, struct der bag)
{
    struct der in = bag, algorithm, locked;

    if (!der_take(&in, DER_SEQUENCE, &in))
        return ERR_CORRUPT;
    algorithm = in;
    if (!der_take(&in, DER_SEQUENCE, &locked) || !der_take(&in, MBEDTLS_ASN1_OCTET_STRING, &locked))
        return ERR_CORRUPT;
    return unlock(opening, &algorithm, &locked, &opening->key);
}

/* CertBag ::= SEQUENCE { certId OBJECT IDENTIFIER, certValue [0] EXPLICIT OCTET STRING } */
static int take_certificate(struct opening *opening, struct der bag)
{
    struct der in = bag, oid, value;

    if (!der_take(&in, DER_SEQUENCE, &in) || !der_take(&in, MBEDTLS_ASN1_OID, &oid))
        return ERR_CORRUPT;
    if (!DER_IS(&oid, OID_X509))
        return 0; /* one of another kind is of no use here */
    if (!der_take(&in, DER_TAGGED, &in) || !der_take(&in, MBEDTLS_ASN1_OCTET_STRING, &value))
        return ERR_CORRUPT;
    if (opening->count == PFX_CERTIFICATES_MAX)
        return ERR_TOO_LARGE;
    opening->certificates[opening->count++] = value;
    return 0;
}

/* SafeContents ::= SEQUENCE OF SEQUENCE { bagId, bagValue [0] EXPLICIT, attributes OPTIONAL } */
static int take_bags(struct opening *opening, struct der contents)
{
    static const char begin[] = OID_BAG;
    struct der bag, oid, value;
    int error = 0;

    if (!der_take(&contents, DER_SEQUENCE, &contents))
        return ERR_DENIED; /* of what was decrypted: by another passphrase */
    while (contents.at < contents.end && !error) {
        if (!der_take(&contents, DER_SEQUENCE, &bag) || !der_take(&bag, MBEDTLS_ASN1_OID, &oid) ||
            !der_take(&bag, DER_TAGGED, &value))
            return ERR_CORRUPT;
        if (der_size(&oid) != sizeof begin || memcmp(oid.at, begin, sizeof begin - 1) != 0)
            continue;
        switch (oid.at[sizeof begin - 1]) {
        case BAG_KEY:
            opening->key = value;
            break;
        case BAG_LOCKED_KEY:
            error = take_locked_key(opening, value);
            break;
        case BAG_CERTIFICATE:
            error = take_certificate(opening, value);
            break;
        default:
            break;
        }
    }
    return error;
}

/* EncryptedData (RFC 5652, 8) with bags in it. */
static int take_encrypted(struct opening *opening, struct der in)
{
    struct der oid, algorithm, locked, plain;
    int version;

    if (!der_take(&in, DER_SEQUENCE, &in) || !der_take_integer(&in, &version) ||
        !der_take(&in, DER_SEQUENCE, &in) || !der_take(&in, MBEDTLS_ASN1_OID, &oid))
        return ERR_CORRUPT;
    algorithm = in;
    if (!der_take(&in, DER_SEQUENCE, &locked) || !der_take(&in, DER_TAGGED_FLAT, &locked))
        return ERR_CORRUPT;
    int error = unlock(opening, &algorithm, &locked, &plain);
    return error ? error : take_bags(opening, plain);
}

/* ContentInfo ::= SEQUENCE { contentType, content [0] EXPLICIT } */
static bool take_content(struct der *in, struct der *oid, struct der *content)
{
    struct der info;

    return der_take(in, DER_SEQUENCE, &info) && der_take(&info, MBEDTLS_ASN1_OID, oid) &&
           der_take(&info, DER_TAGGED, content);
}

static int take_safes(struct opening *opening, struct der safes)
{
    struct der oid, content;
    int error = 0;

    if (!der_take(&safes, DER_SEQUENCE, &safes))
        return ERR_CORRUPT;
    while (safes.at < safes.end && !error) {
        if (!take_content(&safes, &oid, &content))
            return ERR_CORRUPT;
        if (DER_IS(&oid, OID_ENCRYPTED))
            error = take_encrypted(opening, content);
        else if (!DER_IS(&oid, OID_DATA))
            error = ERR_UNSUPPORTED; /* locked by a public key */
        else if (!der_take(&content, MBEDTLS_ASN1_OCTET_STRING, &content))
            error = ERR_CORRUPT;
        else
            error = take_bags(opening, content);
    }
    return error;
}

/* PFX ::= SEQUENCE { version INTEGER (3), authSafe ContentInfo, macData MacData OPTIONAL } */
static int take_apart(struct opening *opening, struct der in)
{
    struct der oid, content, safes;
    int version, error = 0;

    if (!der_take(&in, DER_SEQUENCE, &in) || !der_take_integer(&in, &version) || version != 3 ||
        !take_content(&in, &oid, &content))
        return ERR_CORRUPT;
    if (!DER_IS(&oid, OID_DATA))
        return ERR_UNSUPPORTED; /* signed instead of sealed */
    if (!der_take(&content, MBEDTLS_ASN1_OCTET_STRING, &safes))
        return ERR_CORRUPT;
    if (in.at < in.end)
        error = pfx_check_seal(&opening->secret, in, &safes);
    return error ? error : take_safes(opening, safes);
}

static char *certificate_pem(const struct der *der, char *end)
{
    size_t room = der_size(der) * 3 / 2 + PEM_EXTRA, size = 0;

    if (mbedtls_pem_write_buffer("-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n",
                                 der->at, der_size(der), (unsigned char *)end, room, &size) != 0)
        return NULL;
    return end + size - 1; /* the zero is overwritten by the next */
}

static bool belongs(const struct der *certificate, const mbedtls_pk_context *key)
{
    mbedtls_x509_crt read;

    mbedtls_x509_crt_init(&read);
    bool does = mbedtls_x509_crt_parse_der(&read, certificate->at, der_size(certificate)) == 0 &&
                compat_check_pair(&read.pk, key) == 0;
    mbedtls_x509_crt_free(&read);
    return does;
}

/* The key's own first: what follows is its chain. */
static int write_certificates(struct opening *opening, const mbedtls_pk_context *key, char **out)
{
    size_t room = 1;

    for (size_t i = 0; i < opening->count; i++) {
        if (i > 0 && key && belongs(&opening->certificates[i], key)) {
            struct der own = opening->certificates[i];
            memmove(&opening->certificates[1], &opening->certificates[0], i * sizeof own);
            opening->certificates[0] = own;
        }
        room += der_size(&opening->certificates[i]) * 3 / 2 + PEM_EXTRA;
    }
    *out = opening->count ? calloc(1, room) : NULL;
    char *end = *out;
    for (size_t i = 0; i < opening->count && end; i++)
        end = certificate_pem(&opening->certificates[i], end);
    return opening->count == 0 || end ? 0 : *out ? ERR_CORRUPT : ERR_NOMEM;
}

static int write_out(struct opening *opening, struct pfx *pfx)
{
    mbedtls_pk_context key;
    size_t room = der_size(&opening->key) * 3 + PEM_EXTRA;
    bool has_key = opening->key.at != NULL;
    int error = 0;

    mbedtls_pk_init(&key);
    if (has_key && compat_unlock_key(&key, opening->key.at, der_size(&opening->key), NULL) != 0)
        error = ERR_UNSUPPORTED; /* a kind of key that TLS has no use for */
    if (has_key && !error && !(pfx->key = calloc(1, room)))
        error = ERR_NOMEM;
    if (has_key && !error && mbedtls_pk_write_key_pem(&key, (unsigned char *)pfx->key, room) != 0)
        error = ERR_CORRUPT;
    if (!error)
        error = write_certificates(opening, has_key ? &key : NULL, &pfx->certificates);
    mbedtls_pk_free(&key);
    return error;
}

int pfx_open(struct pfx *pfx, const void *data, size_t size, const char *passphrase)
{
    unsigned char *begin =
        (unsigned char *)(uintptr_t)data; /* the library's readers take no const */
    struct opening opening = {0};
    int error = pfx_secret_make(&opening.secret, passphrase ? passphrase : "");

    *pfx = (struct pfx){0};
    if (!error)
        error = take_apart(&opening, (struct der){begin, begin + size});
    if (!error)
        error = write_out(&opening, pfx);
    for (size_t i = 0; i < opening.plain_count; i++) {
        mbedtls_platform_zeroize(opening.plains[i], opening.plain_sizes[i]);
        free(opening.plains[i]);
    }
    mbedtls_platform_zeroize(&opening, sizeof opening);
    if (error)
        pfx_close(pfx);
    return error;
}

void pfx_close(struct pfx *pfx)
{
    if (pfx->key)
        mbedtls_platform_zeroize(pfx->key, strlen(pfx->key));
    free(pfx->key);
    free(pfx->certificates);
    *pfx = (struct pfx){0};
}
