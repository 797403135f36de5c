/*
 * Words as events keep what was learnt: "port=1 usb=0403:6001 serial=A%20B", KEY=VALUE with a blank
 * between, and in a value a percent sign and two digits for what is no letter, digit or one of
 * -_./+: (as RFC 3986, clause 2.1). Pure; any thread.
 */
#ifndef SLUICE_CORE_WORDS_H
#define SLUICE_CORE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/text.h"

/* Appends a word, with a blank before it where something stands before; nothing for a value that is
 * empty. */
void words_put(struct text *text, const char *key, const char *value);

/* Takes the value of the first word of that key, decoded, and cut to `size` with its ending zero.
 * False, and an empty `out`, where there is none. */
bool words_take(const char *words, const char *key, char *out, size_t size);

#endif
