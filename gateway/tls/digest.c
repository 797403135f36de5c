#include "tls/digest.h"

#include "tls/compat.h"

bool digest_make(const void *data, size_t size, uint8_t digest[DIGEST_SIZE])
{
    return mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), data, size, digest) == 0;
}

bool digest_keyed(const void *key, size_t key_size, const void *data, size_t size,
                  uint8_t digest[DIGEST_SIZE])
{
    return mbedtls_md_hmac(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), key, key_size, data, size,
                           digest) == 0;
}

bool digest_equal(const void *a, const void *b, size_t size)
{
    const volatile uint8_t *left = a, *right = b;
    uint8_t differs = 0;

    for (size_t i = 0; i < size; i++)
        differs |= (uint8_t)(left[i] ^ right[i]);
    return differs == 0;
}
