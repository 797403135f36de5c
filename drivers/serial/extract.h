/*
 * Values out of lines: by a group of a regular expression, by a column, or by a place. Pure: the
 * expressions are compiled once, and nothing is kept from line to line.
 */
#ifndef SLUICE_SERIAL_EXTRACT_H
#define SLUICE_SERIAL_EXTRACT_H

#include "core/event.h"
#include "core/option.h"

enum extract_type { EXTRACT_NUMBER, EXTRACT_INTEGER, EXTRACT_BOOLEAN, EXTRACT_TEXT };

enum extract_format {
    EXTRACT_DECIMAL,
    EXTRACT_DECIMAL_COMMA,
    EXTRACT_HEX,
    EXTRACT_NMEA_DEGREES, /* dddmm.mmmm */
};

/* A point's options (options.c has the rows). */
struct extract_options {
    const char *match;         /* NULL: every line of the device */
    int64_t group, column, at; /* which of the three says where; -1: not this one */
    int64_t length;            /* with `at` */
    const char *delimiter;     /* with `column`; " " takes a run of blanks as one */
    int type, format;
    int64_t hemisphere;   /* the column or group of N, S, E or W; -1: none */
    double scale, offset; /* value = what the line says * scale + offset */
    int64_t decimals;     /* -1: as many as the value has */
    struct option_texts true_texts, false_texts, not_available;
};

/* A compiled regular expression. */
struct pattern;

/*
 * Compiles a POSIX extended regular expression. ERR_NOMEM, or ERR_INVALID with the reason in `why`.
 * pattern_free(NULL) is fine.
 */
int pattern_compile(struct pattern **pattern, const char *text, char *why, size_t why_size);
void pattern_free(struct pattern *pattern);
bool pattern_matches(const struct pattern *pattern, const char *line);
size_t pattern_groups(const struct pattern *pattern);

struct extract;

/* The options must outlive the extract. Errors as pattern_compile's. extract_free(NULL) is fine. */
int extract_open(struct extract **extract, const struct extract_options *options, char *why,
                 size_t why_size);
void extract_free(struct extract *extract);

/*
 * The point's value in a line of `size` bytes, none of them zero, and a zero behind them. Returns 0
 * when the line is not one of this point's (its `match` says so); 1 with *status and, where that is
 * STATUS_GOOD, *value. A text value borrows from `line`. Thread-safe.
 */
int extract_value(const struct extract *extract, const char *line, size_t size, struct value *value,
                  uint16_t *status);

/* The value type of a point's readings, and the decimals they are written with. */
uint8_t extract_value_type(const struct extract_options *options);
int8_t extract_decimals(const struct extract_options *options);

#endif
