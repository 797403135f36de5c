/* Bytes as letters (RFC 4648, 4). Pure; any thread. */
#ifndef SLUICE_CORE_BASE64_H
#define SLUICE_CORE_BASE64_H

#include <stddef.h>

/* Room for that many bytes, with the terminating zero. */
#define BASE64_TEXT_SIZE(bytes) (((bytes) + 2) / 3 * 4 + 1)

/* Writes BASE64_TEXT_SIZE(size) bytes. */
void base64_write(const void *data, size_t size, char *out);

/* Writes at most text_size / 4 * 3 bytes and says how many. 0, or ERR_INVALID: a letter that is
 * none, or not as many as there have to be. */
int base64_read(const char *text, size_t text_size, void *out, size_t *size);

#endif
