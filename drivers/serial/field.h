/* Where in a line a value stands: between delimiters, behind a key. Pure. */
#ifndef SLUICE_SERIAL_FIELD_H
#define SLUICE_SERIAL_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A part of a line, not terminated. */
struct span {
    const char *text;
    size_t size;
};

/* Without the blanks around it. */
struct span field_trim(struct span span);

/* Column `index` counted from 0; a delimiter " " takes a run of blanks as one. False when the line
 * has fewer columns. */
bool field_column(struct span line, const char *delimiter, int64_t index, struct span *column);

/*
 * The value behind a key: "KEY=value", "KEY: value" up to the delimiter or the end of the text
 * line, or "KEY(value*unit)" as meters write it, where "1.8.0" is also found as "1-0:1.8.0*255".
 * Other text before the key must not belong to a longer name. *unit is empty where there is none.
 * False when the key is not there or its value has no end.
 */
bool field_by_key(struct span line, const char *key, const char *delimiter, struct span *value,
                  struct span *unit);

#endif
