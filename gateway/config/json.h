/*
 * A reader for JSON with comments that keeps the line and column of every key and value. Comments
 * are // to the end of the line and slash-star pairs, which do not nest; one comma may stand behind
 * the last item of a list or object. All else is strict: UTF-8 (a byte order mark at the beginning
 * is skipped), numbers and escapes as RFC 8259 has them, no key twice in an object.
 *
 * What a person mistypes is told and reading goes on (a missing comma, a word or key without
 * quotes, a number that is none), so that one pass tells all of it. Hostile input costs at most
 * memory in proportion to its size.
 */
#ifndef SLUICE_CONFIG_JSON_H
#define SLUICE_CONFIG_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"

#define JSON_SIZE_MAX   (16 * 1024 * 1024)
#define JSON_DEPTH_MAX  64
#define JSON_VALUES_MAX 1000000

enum json_type {
    JSON_BAD, /* what stood here was told as an error: say no more about it */
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_LIST,
    JSON_OBJECT,
};

/* From 1; columns count characters, not bytes. */
struct json_place {
    uint32_t line, column;
};

struct json {
    enum json_type type;
    bool truth;       /* of JSON_BOOL */
    bool doubtful;    /* json_doubt */
    uint32_t count;   /* children of a list or object */
    uint32_t size;    /* bytes of text, without the terminating zero */
    const char *key;  /* in an object, else NULL */
    const char *text; /* a string, unescaped and free of zero bytes; a number as it is written, all
                         digits kept */
    double number;    /* the double nearest to the number */
    struct json *parent, *first, *next;
    struct json_place key_at, at;
    /* Bytes from the beginning of the text that was read: of the key's quote (of the value where it
       has none), of the value, and behind it. */
    uint32_t key_begin, begin, end;
};

/* Told for every error, in the order of the file. */
typedef void json_tell_fn(void *context, struct json_place at, const char *sentence);

/*
 * Reads `text`; the tree lives in `arena` and needs `text` no more. Returns 0 with *root set, also
 * where errors were told that could be read past (so count them); ERR_INVALID when reading had to
 * stop at an error that was told, ERR_NOMEM. `tell` may be NULL, for whoever wants no sentences.
 */
int json_read(struct json **root, struct arena *arena, const char *text, size_t size,
              json_tell_fn *tell, void *context);

/* The value of a key, the first where it stands twice; NULL where there is none or `object` is NULL
 * or no object. */
const struct json *json_find(const struct json *object, const char *key);

/* Marks a value that was told as wrong, or that cannot be known because of one that was: the only
 * change that a tree sees. What is wrong with an item of a list is wrong with the list. */
void json_doubt(const struct json *value);

/* Whether a value may be relied on: neither marked nor JSON_BAD. */
bool json_sound(const struct json *value);

/* Whether a text is a number as RFC 8259 has it. */
bool json_number_valid(const char *text);

/* Whether a file's bytes are UTF-8 and not too many; told where not. */
bool json_text_readable(const char *text, size_t size, json_tell_fn *tell, void *context);

/* Whether it is a whole number that an int64_t holds, by its digits where they exceed a double's.
 */
bool json_integer(const struct json *value, int64_t *integer);

/* Where a value stands, as people write it: "devices[2].points[0].type"; "" for the root. */
void json_path(const struct json *value, char *out, size_t size);

/* What was found, for a message: "\"abc\"", "the number 5", "a list". */
void json_describe(const struct json *value, char *out, size_t size);

#endif
