/* Random keys (sessions, tokens): given out once as text, kept as a hash. Any thread. */
#ifndef SLUICE_WEB_KEY_H
#define SLUICE_WEB_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "tls/digest.h"

#define KEY_TEXT_SIZE 65 /* 256 bits in hexadecimal, with the terminating zero */

/* A fresh key. False when the system has no random numbers. */
bool key_make(char key[KEY_TEXT_SIZE]);

/* What is kept of it. False for what cannot be a key. */
bool key_hash(const char *key, uint8_t hash[DIGEST_SIZE]);

/* A hash as text and back. False for a text that is none. */
void key_print(const uint8_t hash[DIGEST_SIZE], char out[KEY_TEXT_SIZE]);
bool key_parse(const char *text, uint8_t hash[DIGEST_SIZE]);

/* Whether two texts are the same; takes as long for any two of the same length. */
bool key_equal(const char *a, const char *b);

#endif
