#include "config/decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/decode_value.h"
#include "config/fingerprint.h"
#include "config/quantity.h"
#include "config/synonym.h"
#include "core/nearest.h"

/* A row's fallback as the node that it would be in the file. Lists (rare) are none. */
static const struct json *fallback_value(const struct option *option, struct json *storage,
                                         char *text, size_t text_size)
{
    const char *fallback = option->fallback;
    if (!fallback || *fallback == '[')
        return NULL;
    size_t quoted = *fallback == '"';
    snprintf(text, text_size, "%s", fallback + quoted);
    size_t size = strlen(text);
    if (quoted && size > 0)
        text[--size] = '\0';
    *storage = (struct json){.size = (uint32_t)size, .text = text};
    if (quoted) {
        storage->type = JSON_STRING;
    } else if (*text == 't' || *text == 'f') {
        storage->type = JSON_BOOL;
        storage->truth = *text == 't';
    } else {
        storage->type = JSON_NUMBER;
        storage->number = strtod(text, NULL);
    }
    return storage;
}

const char *decode_keep(struct decoder *decoder, const char *text)
{
    const char *kept = textmap_find(&decoder->texts, text);
    if (kept)
        return kept;
    kept = arena_text(decoder->arena, text, strlen(text));
    if (kept)
        textmap_put(&decoder->texts, kept, kept); /* without memory it is kept twice, no more */
    return kept;
}

/* What an absent key leaves in place counts for the fingerprint like one that is written out. */
static void hash_field(struct decoder *decoder, const struct option *option, const void *field)
{
    int64_t value = 0;
    if (option->type == OPTION_BOOL)
        value = *(const bool *)field;
    else if (option->type == OPTION_DURATION || option->type == OPTION_SIZE ||
             option->type == OPTION_INT)
        value = *(const int64_t *)field;
    else if (option->type == OPTION_BAND)
        decode_hash_band(decoder, field);
    else
        return;
    fingerprint_u64(&decoder->hash, (uint64_t)value);
}

const struct json *decode_find(const struct layers *layers, const char *key)
{
    for (size_t i = 0; i < sizeof(layers->objects) / sizeof(layers->objects[0]); i++) {
        const struct json *value = json_find(layers->objects[i], key);
        if (value)
            return value;
    }
    return NULL;
}

bool decode_sound(const struct layers *layers, const char *key)
{
    const struct json *value = decode_find(layers, key);
    return !value || json_sound(value);
}

/* False where there is none to take. */
static bool take_fallback(struct decoder *decoder, const struct option *option, void *field)
{
    struct json storage;
    char text[FINDINGS_TEXT_MAX];
    const struct json *value = fallback_value(option, &storage, text, sizeof(text));
    return value && decode_value(decoder, option, value, field);
}

/* The value of a fixed option: the profile's where there is one. */
static const struct json *find_fixed(struct decoder *decoder, const struct option *option,
                                     const struct layers *layers)
{
    const struct json *own = json_find(layers->objects[0], option->key);
    const struct json *fixed = json_find(layers->objects[1], option->key);
    char is[FINDINGS_TEXT_MAX / 2], was[FINDINGS_TEXT_MAX / 2];

    if (!own || !fixed)
        return own ? own : fixed;
    json_describe(own, is, sizeof(is));
    json_describe(fixed, was, sizeof(was));
    if (strcmp(is, was) != 0)
        findings_value(decoder->findings, own,
                       "found %s; the device's profile says %s: leave it out", is, was);
    return fixed;
}

/* Whether the object has the key by another word, which is told already. */
static bool has_by_synonym(const struct json *object, const char *key)
{
    for (const struct json *item = object->first; item; item = item->next)
        if (synonym_is(item->key, key))
            return true;
    return false;
}

void decode_options(struct decoder *decoder, const struct option *options, void *into,
                    const struct layers *layers)
{
    for (const struct option *option = options; option && option->key; option++) {
        const struct json *value =
            option->fixed ? find_fixed(decoder, option, layers) : decode_find(layers, option->key);
        if (!value && option->required && layers->objects[0] && !layers->lost &&
            !has_by_synonym(layers->objects[0], option->key))
            findings_missing(decoder->findings, layers->objects[0], option->key, "is missing: %s",
                             option->help);
        fingerprint_text(&decoder->hash, option->key);
        void *field = (char *)into + option->offset;
        if (!(value && decode_value(decoder, option, value, field)) &&
            !take_fallback(decoder, option, field))
            hash_field(decoder, option, field);
    }
}

static void offer_keys(struct nearest *nearest, const struct option *options)
{
    for (; options && options->key; options++)
        nearest_offer(nearest, options->key);
}

static void list_keys(char *out, size_t size, const struct shape *shape, const struct option *extra)
{
    const struct option *tables[] = {shape->options, extra};
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < 2; i++)
        for (const struct option *option = tables[i]; option && option->key; option++)
            if ((i == 0 || !option_find(shape->options, option->key)) && at < size)
                at +=
                    (size_t)snprintf(out + at, size - at, "%s%s", at > 0 ? ", " : "", option->key);
    for (const struct part *part = shape->parts; part && part->key; part++)
        if (part->kind != PART_REFUSED && at < size)
            at += (size_t)snprintf(out + at, size - at, "%s%s", at > 0 ? ", " : "", part->key);
}

static void tell_unknown(struct decoder *decoder, const struct json *item,
                         const struct shape *shape, const struct option *extra,
                         decode_stray_fn *stray, void *context)
{
    char text[FINDINGS_TEXT_MAX];
    const char *meant = synonym_of(item->key, shape, extra);
    struct nearest nearest;
    nearest_init(&nearest, item->key);
    offer_keys(&nearest, shape->options);
    offer_keys(&nearest, extra);
    for (const struct part *part = shape->parts; part && part->key; part++)
        if (part->kind != PART_REFUSED)
            nearest_offer(&nearest, part->key);
    if (meant) {
        findings_key(decoder->findings, item, "unknown key; did you mean \"%s\"?", meant);
    } else if (stray && stray(context, item->key, text, sizeof(text))) {
        findings_key(decoder->findings, item, "%s", text);
    } else if (nearest.best) {
        findings_key(decoder->findings, item, "unknown key; did you mean \"%s\"?", nearest.best);
    } else {
        list_keys(text, sizeof(text), shape, extra);
        findings_key(decoder->findings, item, "unknown key; %s has: %s", shape->name, text);
    }
}

void decode_keys(struct decoder *decoder, const struct json *object, const struct shape *shape,
                 const struct option *extra, decode_stray_fn *stray, void *context)
{
    for (const struct json *item = object->first; item; item = item->next) {
        const struct part *part = part_find(shape->parts, item->key);
        if (part && part->kind != PART_REFUSED)
            continue;
        if (option_find(shape->options, item->key) || option_find(extra, item->key))
            continue;
        if (part)
            findings_key(decoder->findings, item, "%s", part->help);
        else
            tell_unknown(decoder, item, shape, extra, stray, context);
    }
}

const struct json *decode_part(struct decoder *decoder, const struct json *object,
                               const struct shape *shape, const char *key)
{
    char found[FINDINGS_TEXT_MAX];
    const struct part *part = part_find(shape->parts, key);
    const struct json *value = json_find(object, key);
    bool list = part->kind == PART_LIST || part->kind == PART_TABLE;
    if (!value && !part->required)
        return NULL;
    if (value && value->type == (list ? JSON_LIST : JSON_OBJECT))
        return value;
    if (value) {
        json_describe(value, found, sizeof(found));
        findings_value(decoder->findings, value, "found %s; %s is expected%s", found,
                       part->kind == PART_TABLE ? "a list [...], or the name of a table (CSV),"
                       : list                   ? "a list [...]"
                                                : "an object {...}",
                       value->type == JSON_BOOL && value->truth && part->kind == PART_OBJECT
                           ? ": {} where nothing is to be said in it"
                           : "");
    } else {
        findings_missing(decoder->findings, object, key, "is missing: %s", part->help);
    }
    return NULL;
}

/* One spelling for each number, so that no value can stand twice. */
static bool enum_key(const char *key, int64_t *value)
{
    char again[24];
    char *rest;
    long long number = strtoll(key, &rest, 10);
    snprintf(again, sizeof(again), "%lld", number);
    *value = number;
    return strcmp(again, key) == 0;
}

void decode_enum(struct decoder *decoder, const struct json *map, const struct site_enum **enums,
                 size_t *count)
{
    if (map->count > ENUM_ENTRIES_MAX) {
        findings_value(decoder->findings, map, "found %u entries; allowed: at most %d", map->count,
                       ENUM_ENTRIES_MAX);
        return;
    }
    struct site_enum *entries = arena_array(decoder->scratch, map->count, sizeof(*entries));
    *count = 0;
    for (const struct json *item = map->first; item && entries; item = item->next) {
        static const struct option text = {
            .key = "", .type = OPTION_TEXT, .maximum = ENUM_TEXT_SIZE_MAX};
        struct site_enum entry;
        if (!enum_key(item->key, &entry.value)) {
            findings_key(decoder->findings, item,
                         "found \"%s\"; the keys of \"enum\" are whole numbers in quotes: \"0\"",
                         item->key);
        } else if (decode_value(decoder, &text, item, &entry.text)) {
            entries[(*count)++] = entry;
            fingerprint_u64(&decoder->hash, (uint64_t)entry.value);
        }
    }
    *enums = pool_keep(&decoder->pool, entries, *count * sizeof(*entries));
    if (!*enums)
        *count = 0;
}
