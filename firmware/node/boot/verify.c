#include "verify.h"

#include <bearssl.h>
#include <string.h>

#include "boot_key.h"
#include "node/soc/soc.h"

#define PIECE 64

static bool is_signed(const uint8_t header[IMAGE_HEADER_SIZE])
{
    /* BearSSL takes the key as a variable, and leaves it as it is. */
    const br_ec_public_key key = {BR_EC_secp256r1, (unsigned char *)boot_key, sizeof boot_key};
    br_sha256_context context;
    uint8_t hash[IMAGE_HASH_SIZE];

    br_sha256_init(&context);
    br_sha256_update(&context, header, IMAGE_SIGNED_SIZE);
    br_sha256_out(&context, hash);
    /* The generic arithmetic: the one that is made for this curve is faster, and does not fit. */
    return br_ecdsa_i15_vrfy_raw(&br_ec_prime_i15, hash, sizeof hash, &key,
                                 header + IMAGE_SIGNED_SIZE, IMAGE_SIGNATURE_SIZE) == 1;
}

static bool is_whole(const struct nflash *flash, const uint8_t header[IMAGE_HEADER_SIZE])
{
    br_sha256_context context;
    uint8_t piece[PIECE], hash[IMAGE_HASH_SIZE];
    uint32_t length = image_length(header);

    br_sha256_init(&context);
    for (uint32_t at = 0; at < length; at += sizeof piece) {
        size_t size = length - at < sizeof piece ? length - at : sizeof piece;

        if (flash->read(flash->context, flash->at + IMAGE_ROOM + at, piece, size) != 0)
            return false;
        br_sha256_update(&context, piece, size);
        soc_watchdog_feed(); /* of a restart that it goes on through */
    }
    br_sha256_out(&context, hash);
    return memcmp(hash, header + IMAGE_HASH_AT, sizeof hash) == 0;
}

enum image_fault verify(const struct nflash *flash, const uint8_t header[IMAGE_HEADER_SIZE],
                        bool checked)
{
    if (!is_whole(flash, header))
        return IMAGE_ALTERED;
    return checked || is_signed(header) ? IMAGE_FINE : IMAGE_UNSIGNED;
}
