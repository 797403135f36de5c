/* Hashes and keyed hashes, for whoever must keep a secret without keeping it. Any thread. */
#ifndef SLUICE_TLS_DIGEST_H
#define SLUICE_TLS_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE 32

/* SHA-256 (FIPS 180-4). False when the library cannot (out of memory). */
bool digest_make(const void *data, size_t size, uint8_t digest[DIGEST_SIZE]);

/* HMAC-SHA-256 (RFC 2104). False as above. */
bool digest_keyed(const void *key, size_t key_size, const void *data, size_t size,
                  uint8_t digest[DIGEST_SIZE]);

/* Whether two stretches are the same; takes as long whether they are or not. */
bool digest_equal(const void *a, const void *b, size_t size);

#endif
