/* Numbers as digits, without the locale and, for what sensors deliver, without printf. Used by
 * text.c. */
#ifndef SLUICE_CORE_TEXT_NUMBER_H
#define SLUICE_CORE_TEXT_NUMBER_H

#include <stdint.h>

/* The longest: sign, 22 digits, point, zeros; or "-1.2345678901234567e-308". No terminating zero.
 */
#define NUMBER_SIZE_MAX 48

/* Each writes at most NUMBER_SIZE_MAX bytes and returns the place behind the last. */
char *number_put_u64(char *out, uint64_t value);
char *number_put_i64(char *out, int64_t value);

/* As text_f64. */
char *number_put_f64(char *out, double value, int decimals);

#endif
