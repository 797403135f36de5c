/*
 * Values out of lines: by a group of a regular expression, a column, a place or a key. Pure: the
 * patterns are compiled once, and nothing is kept from line to line.
 */
#ifndef SLUICE_SERIAL_EXTRACT_H
#define SLUICE_SERIAL_EXTRACT_H

#include "core/event.h"
#include "core/option.h"
#include "serial/number.h"

enum extract_type { EXTRACT_NUMBER, EXTRACT_INTEGER, EXTRACT_BOOLEAN, EXTRACT_TEXT };

/* What a line can say about the quality of a point, the gravest first. */
enum extract_when {
    EXTRACT_WHEN_FAILED,
    EXTRACT_WHEN_NOT_AVAILABLE,
    EXTRACT_WHEN_OUT_OF_RANGE,
    EXTRACT_WHEN_UNSTABLE,
    EXTRACT_WHEN_COUNT
};

/* A point's options (options.c has the rows). */
struct extract_options {
    const char *match;         /* NULL: every line of the device */
    int64_t group, column, at; /* where, or by key; -1: not this one */
    int64_t length;            /* with `at`; formats of bytes have their own */
    const char *key;
    const char *unit_text;     /* what must stand behind the value as its unit; NULL: anything */
    const char *delimiter;     /* with `column` and `key`; " " takes a run of blanks as one */
    int type, format;          /* enum extract_type, enum number_format */
    int order;                 /* enum number_order */
    int64_t mask;              /* these bits alone, moved down to bit 0; 0: all */
    int64_t hemisphere;        /* the column or group of N, S, E or W; -1: none */
    int64_t date;              /* of the date, for NUMBER_NMEA_TIME; -1: none */
    const char *negative_when; /* a pattern: the number is negative */
    int64_t decimals_at;       /* the byte whose low three bits place the point; -1: none */
    int64_t decimals_less;     /* that many decimals less than the bits say */
    double scale, offset;      /* value = what the line says * scale + offset */
    int64_t decimals;          /* -1: as many as the value has */
    struct option_texts true_texts, false_texts, not_available;
    const char *when[EXTRACT_WHEN_COUNT]; /* patterns */
    int64_t reply; /* which reply of an exchange carries it, from 1; 0: any */
    bool optional; /* a reply is complete without it */
};

struct extract;

/* `address` is the device's, NULL for none. The options must outlive the extract. Errors as
 * pattern_compile's. extract_free(NULL) is fine. */
int extract_open(struct extract **extract, const struct extract_options *options,
                 const char *address, char *why, size_t why_size);
void extract_free(struct extract *extract);

/*
 * The point's value in a line of `size` bytes. Returns 0 when the line is not one of this point's
 * (its `match` says so, or its key is not there); 1 with *status and, where that is not bad,
 * *value. A text value borrows from `line`. Thread-safe.
 */
int extract_value(const struct extract *extract, const char *line, size_t size, struct value *value,
                  uint16_t *status);

/* Whether zero bytes are content to the point, and not what a byte with a parity error is read as.
 */
bool extract_is_binary(const struct extract_options *options);

/* The status that a pattern when[when] means. */
uint16_t extract_when_status(enum extract_when when);

/* The value type of a point's readings, and the decimals they are written with. */
uint8_t extract_value_type(const struct extract_options *options);
int8_t extract_decimals(const struct extract_options *options);

#endif
