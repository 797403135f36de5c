/*
 * A running hash (64-bit FNV-1a) over what a part of the configuration means: resolved values in
 * the order of their tables, so that comments, white space and the order of keys make no
 * difference, and a default that is written out makes none either.
 */
#ifndef SLUICE_CONFIG_FINGERPRINT_H
#define SLUICE_CONFIG_FINGERPRINT_H

#include <stddef.h>
#include <stdint.h>

#define FINGERPRINT_BEGIN UINT64_C(0xcbf29ce484222325)

static inline void fingerprint_bytes(uint64_t *hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        *hash = (*hash ^ bytes[i]) * UINT64_C(0x100000001b3);
}

/* With its terminating zero, so that "ab" "c" is not "a" "bc"; NULL differs from "". */
static inline void fingerprint_text(uint64_t *hash, const char *text)
{
    static const char none = 1;
    if (!text)
        fingerprint_bytes(hash, &none, 1);
    else
        while (fingerprint_bytes(hash, text, 1), *text != '\0')
            text++;
}

static inline void fingerprint_u64(uint64_t *hash, uint64_t value)
{
    for (int i = 0; i < 8; i++, value >>= 8) {
        unsigned char byte = (unsigned char)(value & 0xff);
        fingerprint_bytes(hash, &byte, 1);
    }
}

#endif
