/*
 * A small streaming writer for JSON and CSV into a bounded buffer: no allocation, never overruns,
 * remembers that it was cut.
 */
#ifndef SLUICE_CORE_TEXT_H
#define SLUICE_CORE_TEXT_H

#include "core/event.h"

struct text {
    char *data;
    size_t size; /* written, without the terminating zero */
    size_t room; /* of data */
    bool cut;    /* something did not fit; what was written before it is whole */
};

/* Writes into `data`, which stays the caller's; it is zero-terminated after each call. */
void text_init(struct text *text, char *data, size_t room);

/*
 * Each of these writes all of its piece, or nothing, and then nothing more until the caller, who
 * may have gone back to an earlier size, has reset `cut`. text_printf must not be given doubles:
 * their point is the locale's.
 */
void text_raw(struct text *text, const char *bytes, size_t size);
void text_string(struct text *text, const char *zero_terminated);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_u64(struct text *text, uint64_t value);
void text_i64(struct text *text, int64_t value);

/* A JSON string with quotes; control characters and invalid UTF-8 are escaped or replaced (U+FFFD).
 */
void text_json_string(struct text *text, const char *bytes, size_t size);

/*
 * A number as people read it: 230.1, never 230.10000000000002. `decimals` as in event.h: fixed
 * digits (at most 15 in all) with trailing zeros cut, or the shortest form that reads back the
 * same. Without an exponent from 1e-7 up to 1e21, -0 is 0, NaN and infinities are null. Never
 * locale-dependent.
 */
void text_f64(struct text *text, double value, int decimals);

/*
 * A value as JSON: integers beyond 2^53 as strings, NaN and infinities null, bytes as hexadecimal
 * text, a gap as an object
 * {"first":..,"last":..,"count":..}, none as null.
 */
void text_json_value(struct text *text, const struct value *value);

#endif
