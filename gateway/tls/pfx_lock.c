/* How a PKCS #12 file is locked and sealed. */
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "tls/pfx_inside.h"

#include <mbedtls/cipher.h>
#include <mbedtls/pkcs12.h>
#include <mbedtls/platform_util.h>

#define OID_PBE    "\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x03" /* SHA-1 and Triple DES: appendix C */
#define OID_PBES2  "\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d"     /* RFC 8018, A.4 */
#define OID_PBKDF2 "\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c"

/* BMPString with its zero (RFC 7292, B.1): UTF-8 is taken apart as far as two bytes hold it. */
int pfx_secret_make(struct pfx_secret *secret, const char *passphrase)
{
    const unsigned char *text = (const unsigned char *)passphrase;
    size_t size = 0;

    while (*text) {
        unsigned code = *text++;
        size_t more = code < 0x80 ? 0 : code >= 0xe0 && code < 0xf0 ? 2 : 1;

        if (code >= 0x80)
            code &= more == 2 ? 0x0fu : 0x1fu;
        for (; more > 0 && *text; more--)
            code = code << 6 | (*text++ & 0x3fu);
        if (size + 4 > sizeof secret->wide)
            return ERR_TOO_LARGE;
        secret->wide[size++] = (unsigned char)(code >> 8);
        secret->wide[size++] = (unsigned char)code;
    }
    secret->wide[size++] = 0;
    secret->wide[size++] = 0;
    secret->passphrase = passphrase;
    secret->wide_size = size;
    secret->rounds_left = PFX_ROUNDS_MAX;
    return 0;
}

struct lock {
    struct der salt;
    int rounds;
    mbedtls_md_type_t digest;
    mbedtls_cipher_type_t cipher;
    int key_bits;
    unsigned char key[32], iv[16];
};

/* Digests by the end of their HMAC's identifier (1.2.840.113549.2.x). */
static mbedtls_md_type_t hmac_digest(const struct der *oid)
{
    static const char begin[] = "\x2a\x86\x48\x86\xf7\x0d\x02";

    if (der_size(oid) != sizeof begin || memcmp(oid->at, begin, sizeof begin - 1) != 0)
        return MBEDTLS_MD_NONE;
    switch (oid->at[sizeof begin - 1]) {
    case 7:
        return MBEDTLS_MD_SHA1;
    case 9:
        return MBEDTLS_MD_SHA256;
    case 10:
        return MBEDTLS_MD_SHA384;
    case 11:
        return MBEDTLS_MD_SHA512;
    default:
        return MBEDTLS_MD_NONE;
    }
}

/* By the ends of their identifiers: AES of 2.16.840.1.101.3.4.1.x, Triple DES. */
static bool choose_cipher(struct lock *lock, const struct der *oid)
{
    static const char aes[] = "\x60\x86\x48\x01\x65\x03\x04\x01";
    static const struct {
        unsigned char last;
        mbedtls_cipher_type_t cipher;
        int bits;
    } sizes[] = {{2, MBEDTLS_CIPHER_AES_128_CBC, 128},
                 {22, MBEDTLS_CIPHER_AES_192_CBC, 192},
                 {42, MBEDTLS_CIPHER_AES_256_CBC, 256}};

    if (DER_IS(oid, "\x2a\x86\x48\x86\xf7\x0d\x03\x07")) {
        lock->cipher = MBEDTLS_CIPHER_DES_EDE3_CBC;
        lock->key_bits = 192;
        return true;
    }
    if (der_size(oid) != sizeof aes || memcmp(oid->at, aes, sizeof aes - 1) != 0)
        return false;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (sizes[i].last == oid->at[sizeof aes - 1]) {
            lock->cipher = sizes[i].cipher;
            lock->key_bits = sizes[i].bits;
            return true;
        }
    }
    return false;
}

static bool take_rounds(struct der *in, struct lock *lock)
{
    return der_take(in, MBEDTLS_ASN1_OCTET_STRING, &lock->salt) &&
           der_take_integer(in, &lock->rounds) && lock->rounds > 0;
}

/* Whoever wrote the file says how long each of its parts takes: all of them have one budget. */
static bool spend(struct pfx_secret *secret, int rounds)
{
    if (rounds > secret->rounds_left)
        return false;
    secret->rounds_left -= rounds;
    return true;
}

/* PBES2: a key by PBKDF2 of the passphrase as it is, and a cipher with its first block. */
static int unlock_pbes2(struct pfx_secret *secret, struct der parameters, struct lock *lock)
{
    struct der oid, kdf, cipher, prf, iv;
    int length;

    if (!der_take(&parameters, DER_SEQUENCE, &parameters) ||
        !der_take_algorithm(&parameters, &oid, &kdf))
        return ERR_CORRUPT;
    if (!DER_IS(&oid, OID_PBKDF2))
        return ERR_UNSUPPORTED; /* scrypt */
    if (!der_take(&kdf, DER_SEQUENCE, &kdf) || !take_rounds(&kdf, lock))
        return ERR_CORRUPT;
    if (kdf.at < kdf.end && *kdf.at == MBEDTLS_ASN1_INTEGER && !der_take_integer(&kdf, &length))
        return ERR_CORRUPT;
    lock->digest = MBEDTLS_MD_SHA1; /* unless said otherwise */
    if (kdf.at < kdf.end) {
        if (!der_take_algorithm(&kdf, &oid, &prf))
            return ERR_CORRUPT;
        lock->digest = hmac_digest(&oid);
    }
    if (!der_take_algorithm(&parameters, &oid, &cipher) ||
        !der_take(&cipher, MBEDTLS_ASN1_OCTET_STRING, &iv) || der_size(&iv) > sizeof lock->iv)
        return ERR_CORRUPT;
    if (!choose_cipher(lock, &oid) || lock->digest == MBEDTLS_MD_NONE ||
        !spend(secret, lock->rounds))
        return ERR_UNSUPPORTED;
    memcpy(lock->iv, iv.at, der_size(&iv));
    return compat_pbkdf2(lock->digest, (const unsigned char *)secret->passphrase,
                         strlen(secret->passphrase), lock->salt.at, der_size(&lock->salt),
                         (unsigned)lock->rounds, lock->key, (size_t)lock->key_bits / 8) == 0
               ? 0
               : ERR_UNSUPPORTED;
}

static bool derive(const struct pfx_secret *secret, const struct lock *lock, int what,
                   unsigned char *out, size_t size)
{
    return mbedtls_pkcs12_derivation(out, size, secret->wide, secret->wide_size, lock->salt.at,
                                     der_size(&lock->salt), lock->digest, what, lock->rounds) == 0;
}

/* The older way: key and first block by the derivation of RFC 7292, appendix B. */
static int unlock_pbe(struct pfx_secret *secret, struct der parameters, struct lock *lock)
{
    if (!der_take(&parameters, DER_SEQUENCE, &parameters) || !take_rounds(&parameters, lock))
        return ERR_CORRUPT;
    if (!spend(secret, lock->rounds))
        return ERR_UNSUPPORTED;
    lock->digest = MBEDTLS_MD_SHA1;
    lock->cipher = MBEDTLS_CIPHER_DES_EDE3_CBC;
    lock->key_bits = 192;
    return derive(secret, lock, MBEDTLS_PKCS12_DERIVE_KEY, lock->key, 24) &&
                   derive(secret, lock, MBEDTLS_PKCS12_DERIVE_IV, lock->iv, 8)
               ? 0
               : ERR_UNSUPPORTED;
}

static int run_cipher(const struct lock *lock, const struct der *locked, unsigned char *out,
                      size_t *size)
{
    const mbedtls_cipher_info_t *info = mbedtls_cipher_info_from_type(lock->cipher);
    mbedtls_cipher_context_t context;
    int error = ERR_UNSUPPORTED;

    mbedtls_cipher_init(&context);
    if (info && mbedtls_cipher_setup(&context, info) == 0 &&
        mbedtls_cipher_setkey(&context, lock->key, lock->key_bits, MBEDTLS_DECRYPT) == 0 &&
        /* Mbed TLS 3.6 takes none for granted. */
        mbedtls_cipher_set_padding_mode(&context, MBEDTLS_PADDING_PKCS7) == 0)
        /* What another passphrase makes of it has no sound end. */
        error =
            mbedtls_cipher_crypt(&context, lock->iv, (size_t)mbedtls_cipher_get_iv_size(&context),
                                 locked->at, der_size(locked), out, size) == 0
                ? 0
                : ERR_DENIED;
    mbedtls_cipher_free(&context);
    return error;
}

int pfx_decrypt(struct pfx_secret *secret, struct der *in, const struct der *locked,
                unsigned char *plain, size_t *size)
{
    struct der oid, parameters;
    struct lock lock = {0};

    if (!der_take_algorithm(in, &oid, &parameters))
        return ERR_CORRUPT;
    int error = DER_IS(&oid, OID_PBES2) ? unlock_pbes2(secret, parameters, &lock)
                : DER_IS(&oid, OID_PBE) ? unlock_pbe(secret, parameters, &lock)
                                        : ERR_UNSUPPORTED;
    if (!error)
        error = run_cipher(&lock, locked, plain, size);
    mbedtls_platform_zeroize(&lock, sizeof lock);
    return error;
}

static mbedtls_md_type_t digest_of(const struct der *oid)
{
    static const char sha2[] = "\x60\x86\x48\x01\x65\x03\x04\x02"; /* 2.16.840.1.101.3.4.2.x */

    if (DER_IS(oid, "\x2b\x0e\x03\x02\x1a"))
        return MBEDTLS_MD_SHA1;
    if (der_size(oid) != sizeof sha2 || memcmp(oid->at, sha2, sizeof sha2 - 1) != 0)
        return MBEDTLS_MD_NONE;
    switch (oid->at[sizeof sha2 - 1]) {
    case 1:
        return MBEDTLS_MD_SHA256;
    case 2:
        return MBEDTLS_MD_SHA384;
    case 3:
        return MBEDTLS_MD_SHA512;
    default:
        return MBEDTLS_MD_NONE;
    }
}

/* MacData ::= SEQUENCE { mac DigestInfo, macSalt OCTET STRING, iterations INTEGER DEFAULT 1 } */
int pfx_check_seal(struct pfx_secret *secret, struct der in, const struct der *sealed)
{
    unsigned char key[MBEDTLS_MD_MAX_SIZE], made[MBEDTLS_MD_MAX_SIZE];
    struct der info, oid, parameters, digest;
    struct lock lock = {.rounds = 1};

    if (!der_take(&in, DER_SEQUENCE, &in) || !der_take(&in, DER_SEQUENCE, &info) ||
        !der_take_algorithm(&info, &oid, &parameters) ||
        !der_take(&info, MBEDTLS_ASN1_OCTET_STRING, &digest) ||
        !der_take(&in, MBEDTLS_ASN1_OCTET_STRING, &lock.salt) ||
        (in.at < in.end && !der_take_integer(&in, &lock.rounds)))
        return ERR_CORRUPT;
    lock.digest = digest_of(&oid);
    const mbedtls_md_info_t *hash = mbedtls_md_info_from_type(lock.digest);
    if (!hash || lock.rounds < 1 || !spend(secret, lock.rounds))
        return ERR_UNSUPPORTED;
    size_t size = mbedtls_md_get_size(hash);
    if (!derive(secret, &lock, MBEDTLS_PKCS12_DERIVE_MAC_KEY, key, size) ||
        mbedtls_md_hmac(hash, key, size, sealed->at, der_size(sealed), made) != 0)
        return ERR_UNSUPPORTED;
    bool same = der_size(&digest) == size && memcmp(made, digest.at, size) == 0;
    mbedtls_platform_zeroize(key, sizeof key);
    return same ? 0 : ERR_DENIED;
}
