/* From values of the file to fields of structs, by option tables (core/option.h), with every error
 * told. */
#ifndef SLUICE_CONFIG_DECODE_H
#define SLUICE_CONFIG_DECODE_H

#include "config/findings.h"
#include "config/shape.h"
#include "config/textmap.h"
#include "core/pool.h"

struct decoder {
    struct findings *findings;
    struct arena *arena;   /* of what stays */
    struct arena *scratch; /* of what goes when reading is done */
    struct pool pool;      /* what stays in `arena` once, however many points have it */
    struct textmap
        texts; /* those in `arena`: kept once, however often ten thousand points repeat them */
    const char *folder; /* absolute: relative file names are below it */
    uint64_t
        hash; /* goes on over each value decoded, whether it stands in the file or is a default */
    /* What ${...} stands for; NULL where it has no meaning, decode_unknown where it was told as
     * wrong. */
    const char *gateway_id, *gateway_name, *uplink_id;
};

/* The objects in which a key is looked for, the first that has it wins; NULL entries are skipped.
 * Nothing is missed where the first is NULL. */
struct layers {
    const struct json *objects[2];
    bool lost; /* a layer below could not be read: nothing is missed, as it may stand there */
};

extern const char decode_unknown[];

/* The value of a key in the first layer that has it; NULL. */
const struct json *decode_find(const struct layers *layers, const char *key);

/* Whether what a key is set to may be relied on: nothing wrong was told of its value. */
bool decode_sound(const struct layers *layers, const char *key);

/*
 * Fills the fields of `into` that the rows name. A key that is absent, or whose value is told as
 * wrong, takes its row's fallback; without one the field stays as it is. What is missing though
 * required is told at the first layer.
 */
void decode_options(struct decoder *decoder, const struct option *options, void *into,
                    const struct layers *layers);

/* Says where a key that does not belong here does belong; false when nowhere. */
typedef bool decode_stray_fn(void *context, const char *key, char *sentence, size_t size);

/*
 * Tells every key of `object` that is in neither the shape nor `extra` (may be NULL), and those
 * that are refused. `stray` may be NULL.
 */
void decode_keys(struct decoder *decoder, const struct json *object, const struct shape *shape,
                 const struct option *extra, decode_stray_fn *stray, void *context);

/* The one kept copy of a text; NULL when out of memory (arena_failed then says so). */
const char *decode_keep(struct decoder *decoder, const char *text);

/* The part `key` of `object` when it is what `shape` says; NULL when absent or told as wrong. */
const struct json *decode_part(struct decoder *decoder, const struct json *object,
                               const struct shape *shape, const char *key);

/* A value -> text map, at most ENUM_ENTRIES_MAX; entries that are told as wrong are left out. */
void decode_enum(struct decoder *decoder, const struct json *map, const struct site_enum **enums,
                 size_t *count);

/* What a row allows, for messages and the reference page: "1 to 247", "drop-oldest, refuse-newest".
 * "" for anything. */
void decode_allowed(const struct option *option, char *out, size_t size);

#endif
