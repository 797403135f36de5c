/*
 * Configuration options as tables: one row per key. A part (or a driver) describes the keys of its
 * JSON object by rows that name type, bounds, default and the field of a C struct that the value
 * goes to. The configuration reader, the checker with its messages, the shipped JSON Schema and the
 * reference page are all made from these rows: there is no second list.
 */
#ifndef SLUICE_CORE_OPTION_H
#define SLUICE_CORE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_type {
    OPTION_BOOL,   /* bool */
    OPTION_INT,    /* int64_t; minimum..maximum */
    OPTION_NUMBER, /* double; minimum..maximum */
    OPTION_TEXT, /* const char *, owned by the configuration; at most `maximum` bytes where that is
                    not 0; one of `choices` (their values do not matter) where there are any */
    OPTION_ID,   /* const char *: an id (event.h) */
    OPTION_DURATION, /* int64_t ns: "250ms", "5s", "1m", "2h", "90d"; minimum..maximum in ns */
    OPTION_SIZE,     /* int64_t bytes: "64KiB", "8GiB", "500MB"; minimum..maximum in bytes */
    OPTION_CHOICE,   /* int: one of `choices` */
    OPTION_BAND,     /* struct option_band: a number, or a share as text: 0.5, "2%"; not negative */
    OPTION_NUMBERS,  /* struct option_numbers: one number or a list */
    OPTION_TEXTS,    /* struct option_texts: a list of strings */
    OPTION_PARSED,   /* whatever `parse` writes: a string in a notation of its own ("9600 8E1") */
    OPTION_PATH,     /* const char *: a file or folder that need not exist yet, made absolute */
    OPTION_FILE,     /* const char *: a file or folder that must be readable, made absolute */
    OPTION_SECRET,   /* the same for one that holds a secret: refused when everybody may read it */
};

/* How far apart two numbers may be. */
struct option_band {
    double width; /* 0: not at all */
    bool percent; /* of the magnitude of one of them, instead of the numbers' own unit */
};

struct option_numbers {
    const double *items;
    size_t count;
};

struct option_texts {
    const char *const *items;
    size_t count;
};

struct option_choice {
    const char *text; /* NULL ends the list */
    int value;
    const char *help;
};

/* What a choice is called elsewhere, to tell who writes that how it is called here. */
struct option_alias {
    const char *text; /* NULL ends the list */
    const char *choice;
};

/* Reads `text` into the field; returns 0, or ERR_INVALID with what is allowed written to `why`. */
typedef int option_parse_fn(const char *text, void *field, char *why, size_t why_size);

struct option {
    const char *key; /* NULL ends a table */
    enum option_type type : 8;
    unsigned offset : 16; /* of the field in the struct */
    bool required : 1;
    bool exclusive : 1; /* a text (or OPTION_PARSED, as it is written) that no two buses may share,
                       as a port that only one can hold */
    bool fixed : 1; /* of a device: where its profile says it, it cannot say otherwise, as all that
                   the profile lists would mean something else */
    double minimum, maximum; /* both 0: unbounded */
    const struct option_choice *choices;
    const struct option_alias *aliases; /* of choices, for messages; may be NULL, and may name
                                           choices that this row does not have */
    option_parse_fn *parse;
    const char *pattern; /* OPTION_PARSED: a regular expression (ECMA 262) for the schema */
    const char
        *fallback; /* the default as it would stand in the file: "\"5s\"", "1"; NULL: zero bytes */
    const char *example; /* for the reference page; may be NULL */
    const char *help;    /* one sentence for the schema, the reference page and error messages */
};

/* For a check of what no single row can say: `tell` what is wrong with a key ("tls.ca" for one in a
 * part); `sound` says whether a key's value may be relied on, that is, was not told as wrong
 * (then its field holds the default), so that nothing is told twice. */
struct option_complaints {
    void (*tell)(struct option_complaints *complaints, const char *key, const char *sentence);
    bool (*sound)(struct option_complaints *complaints, const char *key);
};

struct option_table {
    const struct option *options; /* ended by a NULL key; NULL for none */
    size_t struct_size;           /* of the struct that the offsets refer to */
};

#endif
