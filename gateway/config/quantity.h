/* Durations and sizes as the configuration writes them: a number that carries its unit. */
#ifndef SLUICE_CONFIG_QUANTITY_H
#define SLUICE_CONFIG_QUANTITY_H

#include <stddef.h>
#include <stdint.h>

#define QUANTITY_TEXT_SIZE 32

/*
 * "250ms", "1.5s", "90d" (us, ms, s, m, h, d) to nanoseconds; "64KiB", "500MB" (B, kB, MB, GB, TB
 * by 1000; KiB, MiB, GiB, TiB by 1024) to bytes. Not negative. Returns 0, or ERR_INVALID with a
 * sentence that says what is wrong in `why`.
 */
int quantity_duration(const char *text, int64_t *ns, char *why, size_t why_size);
int quantity_size(const char *text, int64_t *bytes, char *why, size_t why_size);

/* The reverse, in the largest unit that needs no more than three decimals: "90 d" reads "90d". */
void quantity_duration_text(double ns, char out[QUANTITY_TEXT_SIZE]);
void quantity_size_text(double bytes, char out[QUANTITY_TEXT_SIZE]);

/* Regular expressions (ECMA 262) of the two notations, for the schema. */
#define QUANTITY_DURATION_PATTERN "^[0-9]+(\\.[0-9]+)? ?(us|ms|s|m|h|d)$"
#define QUANTITY_SIZE_PATTERN     "^[0-9]+(\\.[0-9]+)? ?(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$"

#endif
