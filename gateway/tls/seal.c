#include "tls/seal.h"

#include "core/error.h"
#include "tls/compat.h"

int seal_close(const uint8_t key[SEAL_KEY_SIZE], const uint8_t nonce[SEAL_NONCE_SIZE],
               const void *label, size_t label_size, const void *plain, size_t size, uint8_t *out)
{
    mbedtls_chachapoly_context cipher;

    mbedtls_chachapoly_init(&cipher);
    int rc = mbedtls_chachapoly_setkey(&cipher, key);
    if (rc == 0)
        rc = mbedtls_chachapoly_encrypt_and_tag(&cipher, size, nonce, label, label_size, plain, out,
                                                out + size);
    mbedtls_chachapoly_free(&cipher);
    return rc == 0 ? 0 : ERR_TLS;
}

int seal_open(const uint8_t key[SEAL_KEY_SIZE], const uint8_t nonce[SEAL_NONCE_SIZE],
              const void *label, size_t label_size, const uint8_t *sealed, size_t size, void *out)
{
    mbedtls_chachapoly_context cipher;
    int rc = size < SEAL_TAG_SIZE ? -1 : 0;

    mbedtls_chachapoly_init(&cipher);
    if (rc == 0)
        rc = mbedtls_chachapoly_setkey(&cipher, key);
    if (rc == 0)
        rc =
            mbedtls_chachapoly_auth_decrypt(&cipher, size - SEAL_TAG_SIZE, nonce, label, label_size,
                                            sealed + size - SEAL_TAG_SIZE, sealed, out);
    mbedtls_chachapoly_free(&cipher);
    return rc == 0 ? 0 : ERR_DENIED;
}

int seal_random(uint8_t *out, size_t size)
{
    return compat_random(NULL, out, size) == 0 ? 0 : ERR_IO;
}
