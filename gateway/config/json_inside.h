/* How far the reading of a JSON text is. Used by json.c, json_scan.c and json_word.c. */
#ifndef SLUICE_CONFIG_JSON_INSIDE_H
#define SLUICE_CONFIG_JSON_INSIDE_H

#include <locale.h>

#include "config/json.h"

#define NUMBER_SIZE_MAX 64

struct json_reader {
    struct arena *arena;
    const char *text; /* where it begins */
    const char *at, *end;
    const char *mark; /* `column` is the column here; it only moves forward, so that places cost no
                         rescanning */
    struct json_place place;
    locale_t locale; /* numbers have a point, whatever the process's locale */
    unsigned depth, values;
    bool out_of_memory; /* beyond what the arena remembers */
    json_tell_fn *tell;
    void *context;
};

static inline bool json_next_is(const struct json_reader *reader, char c)
{
    return reader->at < reader->end && *reader->at == c;
}

/* Where the character at hand stands. */
struct json_place json_here(struct json_reader *reader);

/* Tells an error at that place. */
void json_tell(const struct json_reader *reader, struct json_place at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The character at hand for a message; never half of one. */
const char *json_shown(const struct json_reader *reader, char out[16]);

/* Moves to the next thing that counts. False when that cannot be found (told). */
bool json_skip_space(struct json_reader *reader);

/* Reads a quoted text. NULL when it is never closed (told) or memory is out. */
char *json_read_text(struct json_reader *reader, uint32_t *size);

/* Whether it may be part of something without quotes. */
bool json_word_character(char c);

/* Reads what stands without quotes: a number, true, false, null, or something that is told. */
void json_read_word(struct json_reader *reader, struct json *value);

#endif
