/*
 * The configuration file: JSON with comments, read once into plain structs, checked completely
 * before anything starts. Every error is told with file, line, key, what was found and what is
 * allowed. Which keys exist is said by option tables (core/option.h): those of this part (gateway,
 * journal, defaults), of the uplinks, and of each driver.
 */
#ifndef SLUICE_CONFIG_CONFIG_H
#define SLUICE_CONFIG_CONFIG_H

#include <limits.h>

#include "core/option.h"
#include "core/site.h"

struct driver; /* field/driver.h */

/* What `check` needs to know of an uplink to say what it will cost. */
struct config_uplink_plan {
    bool each_alone; /* a message for each reading, not for many */
    bool tls;
    bool from_now;              /* new, it leaves out what the journal holds */
    int64_t linger_ns;          /* the longest wait of a message that is not full */
    int64_t budget_bytes_month; /* 0: none */
    const char *commands_root;  /* it takes commands on ROOT/GATEWAY/cmd; NULL: none */
};

/* What can be configured: given by the daemon, so that this part includes none of them. */
struct config_parts {
    const struct driver *const *drivers; /* ended by NULL */
    struct option_table uplink;          /* an entry of "uplinks" besides "id" and "tls" */
    struct option_table uplink_tls;      /* its "tls" object, filled into the same struct */
    size_t uplink_tls_present;           /* offset of a bool in it: whether "tls" was given */
    /* Checks one uplink beyond its options, and may keep `id` in it, which lives as long (NULL
     * where it was told as wrong). */
    void (*uplink_check)(void *uplink, const char *id, struct option_complaints *complaints);
    /* Whether one uplink gets into the way of another: told in `sentence`, which names that one as
     * `other_id`. It runs all the same. NULL: never. */
    bool (*uplink_meets)(const void *uplink, const void *other, const char *other_id,
                         char *sentence, size_t size);
    /* Fills what `check` tells of an uplink; NULL: nothing is told. */
    void (*uplink_plan)(const void *uplink, struct config_uplink_plan *plan);
    const char *profile_folders[5]; /* searched in order for NAME.json; ended by NULL */
    char own_folder[PATH_MAX];      /* for one of them that is only known when the program runs: it
                                       points here, so no copy of the struct outlives it */
};

enum config_sector {
    CONFIG_SECTOR_AUTO = 0, /* by the medium */
    CONFIG_SECTOR_ON = 1,
    CONFIG_SECTOR_OFF = 2,
};

struct config_journal {
    const char *path; /* "" takes the daemon's default */
    int64_t keep_bytes, max_age_ns, commit_ns, segment_bytes;
    int when_full; /* enum journal_when_full */
    int sector;    /* enum config_sector: whether each commit begins on a fresh sector */
};

/* The web page and the API over the network. */
struct config_web {
    bool enabled, redirect;
    struct option_texts listen; /* addresses; none: all */
    int64_t https, http;        /* ports; 0: the usual one, or another where that cannot be had */
    struct option_texts names;  /* under which the page is reached, besides the machine's own */
    const char *cert, *key;     /* NULL: one of the gateway's own making */
    uint64_t fingerprint;       /* of all that, the content of its files included */
};

struct config_uplink {
    const char *id;
    const char *warning; /* it runs, and not as one would want it to; NULL: nothing is to be said */
    struct config_uplink_plan plan;
    void *options; /* the uplink's struct, by its tables */
    /* Of all that it is configured with, the gateway's id and the content of its files included. */
    uint64_t fingerprint;
    int line;
};

struct config {
    const char *path; /* of the file */
    struct site site;
    struct config_journal journal;
    struct config_web web;
    struct config_uplink *uplinks;
    size_t uplink_count;
};

/* One thing that is wrong. `key` is a path as people write it: devices[2].points[0].type */
struct config_error {
    const char *file;
    int line, column;
    const char *key;
    const char *sentence; /* "found \"u61\"; allowed: u16, i16, ...; did you mean \"u16\"?" */
};

typedef void config_tell_fn(void *context, const struct config_error *error);

/*
 * Reads and checks `path`. Relative file names in it (certificates, password files) are below the
 * file's own folder and come out absolute. Returns 0 and *config; or ERR_CONFIG after every error
 * was told (at most 100), ERR_NOT_FOUND, ERR_DENIED, ERR_IO, ERR_NOMEM (told, too).
 */
int config_load(struct config **config, const char *path, const struct config_parts *parts,
                config_tell_fn *tell, void *context);

/* The same of a text in memory (NULL: of the file itself) that stands for the file `path`, by which
 * it is called in messages. */
int config_load_text(struct config **config, const char *text, const char *path,
                     const struct config_parts *parts, config_tell_fn *tell, void *context);

/* Frees all: nothing that came from it may be used any more. NULL is fine. */
void config_free(struct config *config);

/* Prints "FILE:LINE:COLUMN: KEY: SENTENCE" to the stdio stream in `context`: the usual
 * config_tell_fn. */
void config_tell_stdio(void *context, const struct config_error *error);

/* Writes the JSON Schema (draft-07) made from the tables to the stdio stream. 0 or ERR_IO. */
int config_schema(const struct config_parts *parts, void *stdio_file);

/* The same of a device profile. */
int config_profile_schema(const struct config_parts *parts, void *stdio_file);

/* Writes the tables of the reference page (docs/configuration.md) as Markdown. 0 or ERR_IO. */
int config_reference(const struct config_parts *parts, void *stdio_file);

#endif
