#include "config/json.h"

#include <stdlib.h>
#include <string.h>

#include "config/json_inside.h"
#include "core/error.h"

static struct json *read_value(struct json_reader *reader, struct json *parent);

static struct json *new_value(struct json_reader *reader, struct json *parent)
{
    if (++reader->values > JSON_VALUES_MAX) {
        json_tell(reader, json_here(reader), "more than %d values in one file", JSON_VALUES_MAX);
        return NULL;
    }
    struct json *value = arena_alloc(reader->arena, sizeof(*value));
    if (value) {
        value->parent = parent;
        value->at = json_here(reader);
        value->begin = value->key_begin = (uint32_t)(reader->at - reader->text);
    }
    return value;
}

/* Reads a key and its colon. NULL when reading cannot go on. */
static const char *read_key(struct json_reader *reader)
{
    uint32_t size;
    const char *key;
    struct json_place at = json_here(reader);
    if (json_next_is(reader, '"') || json_next_is(reader, '\'')) {
        key = json_read_text(reader, &size);
    } else if (reader->at < reader->end && json_word_character(*reader->at)) {
        const char *begin = reader->at;
        while (reader->at < reader->end && json_word_character(*reader->at))
            reader->at++;
        key = arena_text(reader->arena, begin, (size_t)(reader->at - begin));
        json_tell(reader, at, "keys stand in double quotes: \"%.*s\"", (int)(reader->at - begin),
                  begin);
    } else {
        char c[16];
        json_tell(reader, at, "found %s where a key in double quotes is expected",
                  json_shown(reader, c));
        return NULL;
    }
    if (!key || !json_skip_space(reader))
        return NULL;
    if (json_next_is(reader, ':'))
        reader->at++;
    else
        json_tell(reader, json_here(reader), "a colon is missing after the key \"%s\"", key);
    return json_skip_space(reader) ? key : NULL;
}

static bool begins_item(const struct json_reader *reader)
{
    return reader->at < reader->end && *reader->at != '\0' &&
           (strchr("\"'{[", *reader->at) || json_word_character(*reader->at));
}

/* After an item: true when another one follows, *failed when neither that nor the end of `parent`
 * does. */
static bool another(struct json_reader *reader, const struct json *parent, bool *failed)
{
    char close = parent->type == JSON_OBJECT ? '}' : ']', c[16];
    struct json_place end_of_item = json_here(reader);
    *failed = !json_skip_space(reader);
    if (*failed)
        return false;
    if (json_next_is(reader, ',')) {
        reader->at++;
        *failed = !json_skip_space(reader);
        return !*failed && !json_next_is(reader, close);
    }
    if (json_next_is(reader, close))
        return false;
    if (begins_item(reader)) {
        json_tell(reader, end_of_item, "a comma is missing here");
        return true;
    }
    json_tell(reader, json_here(reader), "found %s; the '%c' of line %u, column %u is still open",
              json_shown(reader, c), parent->type == JSON_OBJECT ? '{' : '[', parent->at.line,
              parent->at.column);
    *failed = true;
    return false;
}

static int by_key(const void *a, const void *b)
{
    const struct json *one = *(const struct json *const *)a, *two = *(const struct json *const *)b;
    int order = strcmp(one->key, two->key);
    if (order != 0)
        return order;
    if (one->key_at.line != two->key_at.line)
        return one->key_at.line < two->key_at.line ? -1 : 1;
    return one->key_at.column < two->key_at.column ? -1 : one->key_at.column > two->key_at.column;
}

/* Sorted, because the number of keys is the file's choice and comparing each with each would be,
 * too. */
static bool tell_duplicates(struct json_reader *reader, const struct json *object)
{
    if (object->count < 2)
        return true;
    const struct json **keys = malloc(object->count * sizeof(struct json *));
    if (!keys) {
        reader->out_of_memory = true;
        return false;
    }
    size_t count = 0;
    for (const struct json *item = object->first; item; item = item->next)
        keys[count++] = item;
    qsort(keys, count, sizeof(struct json *), by_key);
    for (size_t i = 1, first = 0; i < count; i++) {
        if (strcmp(keys[i]->key, keys[first]->key) != 0) {
            first = i;
            continue;
        }
        json_tell(reader, keys[i]->key_at,
                  "the key \"%s\" stands twice: first in line %u, column %u", keys[i]->key,
                  keys[first]->key_at.line, keys[first]->key_at.column);
        json_doubt(keys[first]);
    }
    free(keys);
    return true;
}

/* Reads the items of a list or object up to its closing bracket. */
static bool read_items(struct json_reader *reader, struct json *parent)
{
    bool object = parent->type == JSON_OBJECT, failed = false;
    if (++reader->depth > JSON_DEPTH_MAX) {
        json_tell(reader, parent->at, "nested more than %d deep", JSON_DEPTH_MAX);
        return false;
    }
    reader->at++;
    if (!json_skip_space(reader))
        return false;
    struct json **last = &parent->first;
    bool more = !json_next_is(reader, object ? '}' : ']');
    while (more) {
        struct json_place key_at = json_here(reader);
        uint32_t key_begin = (uint32_t)(reader->at - reader->text);
        const char *key = object ? read_key(reader) : NULL;
        struct json *item = object && !key ? NULL : read_value(reader, parent);
        if (!item)
            return false;
        item->key = key;
        item->key_at = key_at;
        item->key_begin = key_begin;
        *last = item;
        last = &item->next;
        parent->count++;
        more = another(reader, parent, &failed);
        if (failed)
            return false;
    }
    reader->at++;
    reader->depth--;
    return !object || tell_duplicates(reader, parent);
}

/* Fills `value` in. False when reading cannot go on: told, or out of memory. */
static bool read_into(struct json_reader *reader, struct json *value)
{
    char c[16];
    if (json_next_is(reader, '{') || json_next_is(reader, '[')) {
        value->type = *reader->at == '{' ? JSON_OBJECT : JSON_LIST;
        return read_items(reader, value);
    }
    if (json_next_is(reader, '"') || json_next_is(reader, '\'')) {
        value->type = JSON_STRING;
        value->text = json_read_text(reader, &value->size);
        return value->text != NULL;
    }
    if (reader->at < reader->end && json_word_character(*reader->at)) {
        json_read_word(reader, value);
        return true;
    }
    json_tell(reader, value->at, "found %s where a value is expected", json_shown(reader, c));
    return false;
}

/* NULL as above. */
static struct json *read_value(struct json_reader *reader, struct json *parent)
{
    struct json *value = new_value(reader, parent);
    if (!value || !read_into(reader, value))
        return NULL;
    value->end = (uint32_t)(reader->at - reader->text);
    return value;
}

static struct json *read_document(struct json_reader *reader)
{
    char c[16];
    if (!json_skip_space(reader))
        return NULL;
    if (reader->at == reader->end) {
        json_tell(reader, json_here(reader), "the file is empty");
        return NULL;
    }
    struct json *root = read_value(reader, NULL);
    if (!root || !json_skip_space(reader))
        return NULL;
    if (reader->at < reader->end) {
        json_tell(reader, json_here(reader), "found %s behind the end of the configuration",
                  json_shown(reader, c));
        return NULL;
    }
    return root;
}

static void ignore(void *context, struct json_place at, const char *sentence)
{
    (void)context;
    (void)at;
    (void)sentence;
}

int json_read(struct json **root, struct arena *arena, const char *text, size_t size,
              json_tell_fn *tell_fn, void *context)
{
    struct json_reader reader = {
        .arena = arena, .place = {1, 1}, .tell = tell_fn ? tell_fn : ignore, .context = context};
    *root = NULL;
    if (!json_text_readable(text, size, reader.tell, context))
        return ERR_INVALID;
    size_t mark = size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    reader.text = text;
    reader.at = reader.mark = text + mark;
    reader.end = text + size;
    reader.locale = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (reader.locale == (locale_t)0)
        return ERR_NOMEM;
    *root = read_document(&reader);
    freelocale(reader.locale);
    if (!arena_failed(arena) && !reader.out_of_memory)
        return *root ? 0 : ERR_INVALID;
    *root = NULL;
    return ERR_NOMEM;
}
