/* Bytes that only the holder of a key can read, and nobody can change unnoticed: ChaCha20-Poly1305
 * (RFC 8439). Any thread, after tls_init. */
#ifndef SLUICE_TLS_SEAL_H
#define SLUICE_TLS_SEAL_H

#include <stddef.h>
#include <stdint.h>

#define SEAL_KEY_SIZE   32
#define SEAL_NONCE_SIZE 12
#define SEAL_TAG_SIZE   16 /* behind what is sealed */

/* Writes size + SEAL_TAG_SIZE bytes. A nonce is used once with a key. `label` is not written, but
 * must be the same for opening. 0, ERR_TLS. */
int seal_close(const uint8_t key[SEAL_KEY_SIZE], const uint8_t nonce[SEAL_NONCE_SIZE],
               const void *label, size_t label_size, const void *plain, size_t size, uint8_t *out);

/* Of `size` bytes, the tag included, writes size - SEAL_TAG_SIZE. 0; ERR_DENIED: the key or the
 * label is another, or a byte was changed. */
int seal_open(const uint8_t key[SEAL_KEY_SIZE], const uint8_t nonce[SEAL_NONCE_SIZE],
              const void *label, size_t label_size, const uint8_t *sealed, size_t size, void *out);

/* Random bytes from the kernel. 0, ERR_IO. */
int seal_random(uint8_t *out, size_t size);

#endif
