/* The little of UTF-8 that reading a configuration needs (RFC 3629). */
#ifndef SLUICE_CONFIG_UTF8_H
#define SLUICE_CONFIG_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at `text`, 1 to 4; 0 where it is not valid: overlong, a surrogate, beyond
 * U+10FFFF, cut off. */
int utf8_size(const char *text, size_t size);

/* How many bytes are valid from the beginning: `size` when all are. */
size_t utf8_valid_prefix(const char *text, size_t size);

/* Writes one character, which must be valid, and returns its 1 to 4 bytes. */
size_t utf8_put(uint32_t code, char *out);

/* Shortens a terminated text that was cut at any byte by the half character at its end. */
void utf8_cut(char *text);

#endif
