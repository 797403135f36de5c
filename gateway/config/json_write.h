/* Writes indented JSON to a stdio stream. Errors are the stream's: see ferror. */
#ifndef SLUICE_CONFIG_JSON_WRITE_H
#define SLUICE_CONFIG_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_WRITE_DEPTH_MAX 32

/* Zero it but for `out`. */
struct json_writer {
    FILE *out;
    bool flat; /* all of it in one line */
    unsigned depth;
    bool filled[JSON_WRITE_DEPTH_MAX]; /* whether something stands in the object or list of that
                                          depth */
};

/* `key` is NULL in lists and at the root. `bracket` is '{' or '['; json_write_close takes its
 * counterpart. */
void json_write_open(struct json_writer *writer, const char *key, char bracket);
void json_write_close(struct json_writer *writer, char bracket);
void json_write_text(struct json_writer *writer, const char *key, const char *text);
void json_write_bool(struct json_writer *writer, const char *key, bool truth);

/* `json` as it stands: a number, true, a default of a table. */
void json_write_raw(struct json_writer *writer, const char *key, const char *json);
void json_write_integer(struct json_writer *writer, const char *key, int64_t number);
void json_write_number(struct json_writer *writer, const char *key, double number);

#endif
