/*
 * What is wrong with a configuration, collected while all of it is read and told at the end in the
 * order of the file. Bounded: the first FINDINGS_MAX are kept, what is above is counted. The same
 * sentence at the same place is kept once, as when ten devices use one faulty profile.
 */
#ifndef SLUICE_CONFIG_FINDINGS_H
#define SLUICE_CONFIG_FINDINGS_H

#include "config/config.h"
#include "config/json.h"
#include "core/arena.h"

#define FINDINGS_MAX      100
#define FINDINGS_TEXT_MAX 512

struct findings;

/* Texts live in `arena`, which outlives the findings. NULL when out of memory. */
struct findings *findings_open(struct arena *arena);

/* Findings below the tree `root` belong to `file`, which stays the caller's. The first file named
 * comes first when told. */
void findings_file(struct findings *findings, const struct json *root, const char *file);

/* What is wrong with a key or a value (which is json_doubt()ed), or for want of a key in an object.
 */
void findings_key(struct findings *findings, const struct json *value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void findings_value(struct findings *findings, const struct json *value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void findings_missing(struct findings *findings, const struct json *object, const char *key,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));

/* One without a key, at a place of a file that could not be read as JSON (line 0: about the whole
 * file). */
void findings_place(struct findings *findings, const char *file, struct json_place at,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* How many there were, those above the limit included. */
size_t findings_count(const struct findings *findings);

void findings_tell(struct findings *findings, config_tell_fn *tell, void *context);

#endif
