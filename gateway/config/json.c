#include "config/json.h"

#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/utf8.h"
#include "core/error.h"

#define NUMBER_SIZE_MAX 64

struct reader {
    struct arena *arena;
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

static struct json *read_value(struct reader *reader, struct json *parent);

static struct json_place here(struct reader *reader)
{
    for (; reader->mark < reader->at; reader->mark++)
        if (((unsigned char)*reader->mark & 0xc0) != 0x80)
            reader->place.column++;
    return reader->place;
}

static void __attribute__((format(printf, 3, 4)))
tell(const struct reader *reader, struct json_place at, const char *format, ...)
{
    char sentence[256];
    va_list list;
    va_start(list, format);
    vsnprintf(sentence, sizeof(sentence), format, list);
    va_end(list);
    utf8_cut(sentence);
    reader->tell(reader->context, at, sentence);
}

/* The character at hand for a message; never half of one. */
static const char *shown(const struct reader *reader, char out[16])
{
    if (reader->at == reader->end) {
        snprintf(out, 16, "the end");
    } else if ((unsigned char)*reader->at < 0x20 || *reader->at == 0x7f) {
        snprintf(out, 16, "byte 0x%02x", (unsigned)(unsigned char)*reader->at);
    } else {
        int size = utf8_size(reader->at, (size_t)(reader->end - reader->at));
        snprintf(out, 16, "'%.*s'", size, reader->at);
    }
    return out;
}

static bool skip_comment(struct reader *reader)
{
    struct json_place begin = here(reader);
    if (reader->end - reader->at < 2 || (reader->at[1] != '/' && reader->at[1] != '*')) {
        tell(reader, begin, "a single '/': comments begin with // or /*");
        return false;
    }
    bool block = reader->at[1] == '*';
    for (reader->at += 2; reader->at < reader->end; reader->at++) {
        if (*reader->at == '\n') {
            if (!block)
                return true;
            reader->place.line++;
            reader->place.column = 1;
            reader->mark = reader->at + 1;
        } else if (block && *reader->at == '*' && reader->end - reader->at > 1 &&
                   reader->at[1] == '/') {
            reader->at += 2;
            return true;
        }
    }
    if (block)
        tell(reader, begin, "this comment is never closed: */ is missing");
    return !block;
}

/* Moves to the next thing that counts. False when that cannot be found (told). */
static bool skip_space(struct reader *reader)
{
    while (reader->at < reader->end) {
        switch (*reader->at) {
        case '\n':
            reader->at++;
            reader->place.line++;
            reader->place.column = 1;
            reader->mark = reader->at;
            break;
        case ' ':
        case '\t':
        case '\r':
            reader->at++;
            break;
        case '/':
            if (!skip_comment(reader))
                return false;
            break;
        default:
            return true;
        }
    }
    return true;
}

static bool next_is(const struct reader *reader, char c)
{
    return reader->at < reader->end && *reader->at == c;
}

static bool hex4(const struct reader *reader, const char *at, uint32_t *unit)
{
    *unit = 0;
    if (reader->end - at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        unsigned char c = (unsigned char)at[i];
        uint32_t digit = c >= '0' && c <= '9'   ? c - (uint32_t)'0'
                         : c >= 'a' && c <= 'f' ? c - (uint32_t)'a' + 10
                         : c >= 'A' && c <= 'F' ? c - (uint32_t)'A' + 10
                                                : 16;
        if (digit == 16)
            return false;
        *unit = *unit << 4 | digit;
    }
    return true;
}

/* Reads what follows "\u"; writes UTF-8 and returns its size; 0 when it was told as wrong. */
static size_t read_unicode(struct reader *reader, struct json_place at, char *out)
{
    uint32_t code, low;
    if (!hex4(reader, reader->at, &code)) {
        tell(reader, at, "\\u takes four hexadecimal digits");
        return 0;
    }
    reader->at += 4;
    if (code >= 0xd800 && code < 0xdc00 && reader->end - reader->at >= 6 && reader->at[0] == '\\' &&
        reader->at[1] == 'u' && hex4(reader, reader->at + 2, &low) && low >= 0xdc00 &&
        low < 0xe000) {
        reader->at += 6;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    if (code == 0) {
        tell(reader, at, "a text cannot hold the character \\u0000");
        return 0;
    }
    if (code >= 0xd800 && code < 0xe000) {
        tell(reader, at, "\\u%04x is half of a surrogate pair", code);
        return 0;
    }
    return utf8_put(code, out);
}

/* Reads what follows a backslash; `out` has room for 4 bytes. Returns the bytes written. */
static size_t read_escape(struct reader *reader, char *out)
{
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    struct json_place at = here(reader);
    reader->at++;
    char c = *reader->at;
    const char *known = c != '\0' ? strchr(names, c) : NULL;
    if (c == 'u') {
        reader->at++;
        return read_unicode(reader, at, out);
    }
    if (known) {
        reader->at++;
        *out = meanings[known - names];
        return 1;
    }
    tell(reader, at, "unknown escape: a backslash itself is written \\\\");
    *out = '\\';
    return 1;
}

/* Reads a quoted text. NULL when it is never closed (told) or memory is out. */
static char *read_text(struct reader *reader, uint32_t *size)
{
    struct json_place begin = here(reader);
    char quote = *reader->at++;
    if (quote == '\'')
        tell(reader, begin, "texts stand in double quotes");
    const char *close = reader->at;
    while (close < reader->end && *close != quote && *close != '\n')
        close += *close == '\\' && reader->end - close > 1 && close[1] != '\n' ? 2 : 1;
    if (close == reader->end || *close == '\n') {
        tell(reader, begin, "this text is never closed: a quote is missing on this line");
        return NULL;
    }
    char *text = arena_text(reader->arena, NULL, (size_t)(close - reader->at));
    if (!text)
        return NULL;
    char *out = text;
    while (reader->at < close) {
        if (*reader->at == '\\') {
            out += read_escape(reader, out);
            continue;
        }
        if ((unsigned char)*reader->at < 0x20) {
            char c[16];
            struct json_place at = here(reader);
            tell(reader, at,
                 "%s in a text: write \\t for a tab, \\u00XX for other control characters",
                 shown(reader, c));
            reader->at++;
            continue;
        }
        *out++ = *reader->at++;
    }
    reader->at = close + 1;
    *size = (uint32_t)(out - text);
    return text;
}

/* What a number that is none may have meant. */
static void tell_number(const struct reader *reader, const struct json *value, const char *text)
{
    char *rest;
    errno = 0;
    unsigned long long whole = strtoull(text, &rest, 16);
    if ((strncmp(text, "0x", 2) == 0 || strncmp(text, "0X", 2) == 0) && *rest == '\0' && !errno) {
        tell(reader, value->at, "%s: JSON has no hexadecimal numbers; write %llu", text, whole);
        return;
    }
    whole = strtoull(text, &rest, 10);
    if (*text >= '0' && *text <= '9' && *rest == '\0' && !errno)
        tell(reader, value->at, "%s: a number has no leading zeros; write %llu", text, whole);
    else
        tell(reader, value->at, "%s is not a number; texts stand in double quotes", text);
}

static bool word_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '+' || c == '-' || c == '.' || (unsigned char)c >= 0x80;
}

/* Reads what stands without quotes: a number, true, false, null, or something that is told. */
static void read_word(struct reader *reader, struct json *value)
{
    const char *begin = reader->at;
    while (reader->at < reader->end && word_character(*reader->at))
        reader->at++;
    size_t size = (size_t)(reader->at - begin);
    char word[NUMBER_SIZE_MAX + 1];
    if (size > NUMBER_SIZE_MAX) {
        tell(reader, value->at, "this is not a number; texts stand in double quotes");
        return;
    }
    memcpy(word, begin, size);
    word[size] = '\0';
    if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0) {
        value->type = JSON_BOOL;
        value->truth = word[0] == 't';
    } else if (strcmp(word, "null") == 0) {
        value->type = JSON_NULL;
    } else if (json_number_valid(word)) {
        value->number = strtod_l(word, NULL, reader->locale);
        if (value->number - value->number != 0) {
            tell(reader, value->at, "%s is too large for a number", word);
            return;
        }
        value->type = JSON_NUMBER;
        value->size = (uint32_t)size;
        value->text = arena_text(reader->arena, word, size);
    } else if (strchr("0123456789+-.", word[0])) {
        tell_number(reader, value, word);
    } else {
        tell(reader, value->at,
             "%s without quotes: texts stand in double quotes; true, false and null in lower case",
             word);
    }
}

static struct json *new_value(struct reader *reader, struct json *parent)
{
    if (++reader->values > JSON_VALUES_MAX) {
        tell(reader, here(reader), "more than %d values in one file", JSON_VALUES_MAX);
        return NULL;
    }
    struct json *value = arena_alloc(reader->arena, sizeof(*value));
    if (value) {
        value->parent = parent;
        value->at = here(reader);
    }
    return value;
}

/* Reads a key and its colon. NULL when reading cannot go on. */
static const char *read_key(struct reader *reader)
{
    uint32_t size;
    const char *key;
    struct json_place at = here(reader);
    if (next_is(reader, '"') || next_is(reader, '\'')) {
        key = read_text(reader, &size);
    } else if (reader->at < reader->end && word_character(*reader->at)) {
        const char *begin = reader->at;
        while (reader->at < reader->end && word_character(*reader->at))
            reader->at++;
        key = arena_text(reader->arena, begin, (size_t)(reader->at - begin));
        tell(reader, at, "keys stand in double quotes: \"%.*s\"", (int)(reader->at - begin), begin);
    } else {
        char c[16];
        tell(reader, at, "found %s where a key in double quotes is expected", shown(reader, c));
        return NULL;
    }
    if (!key || !skip_space(reader))
        return NULL;
    if (next_is(reader, ':'))
        reader->at++;
    else
        tell(reader, here(reader), "a colon is missing after the key \"%s\"", key);
    return skip_space(reader) ? key : NULL;
}

static bool begins_item(const struct reader *reader)
{
    return reader->at < reader->end && *reader->at != '\0' &&
           (strchr("\"'{[", *reader->at) || word_character(*reader->at));
}

/* After an item: true when another one follows, *failed when neither that nor the end of `parent`
 * does. */
static bool another(struct reader *reader, const struct json *parent, bool *failed)
{
    char close = parent->type == JSON_OBJECT ? '}' : ']', c[16];
    struct json_place end_of_item = here(reader);
    *failed = !skip_space(reader);
    if (*failed)
        return false;
    if (next_is(reader, ',')) {
        reader->at++;
        *failed = !skip_space(reader);
        return !*failed && !next_is(reader, close);
    }
    if (next_is(reader, close))
        return false;
    if (begins_item(reader)) {
        tell(reader, end_of_item, "a comma is missing here");
        return true;
    }
    tell(reader, here(reader), "found %s; the '%c' of line %u, column %u is still open",
         shown(reader, c), parent->type == JSON_OBJECT ? '{' : '[', parent->at.line,
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
static bool tell_duplicates(struct reader *reader, const struct json *object)
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
        tell(reader, keys[i]->key_at, "the key \"%s\" stands twice: first in line %u, column %u",
             keys[i]->key, keys[first]->key_at.line, keys[first]->key_at.column);
        json_doubt(keys[first]);
    }
    free(keys);
    return true;
}

/* Reads the items of a list or object up to its closing bracket. */
static bool read_items(struct reader *reader, struct json *parent)
{
    bool object = parent->type == JSON_OBJECT, failed = false;
    if (++reader->depth > JSON_DEPTH_MAX) {
        tell(reader, parent->at, "nested more than %d deep", JSON_DEPTH_MAX);
        return false;
    }
    reader->at++;
    if (!skip_space(reader))
        return false;
    struct json **last = &parent->first;
    bool more = !next_is(reader, object ? '}' : ']');
    while (more) {
        struct json_place key_at = here(reader);
        const char *key = object ? read_key(reader) : NULL;
        struct json *item = object && !key ? NULL : read_value(reader, parent);
        if (!item)
            return false;
        item->key = key;
        item->key_at = key_at;
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

/* NULL when reading cannot go on: told, or out of memory. */
static struct json *read_value(struct reader *reader, struct json *parent)
{
    char c[16];
    struct json *value = new_value(reader, parent);
    if (!value)
        return NULL;
    if (next_is(reader, '{') || next_is(reader, '[')) {
        value->type = *reader->at == '{' ? JSON_OBJECT : JSON_LIST;
        return read_items(reader, value) ? value : NULL;
    }
    if (next_is(reader, '"') || next_is(reader, '\'')) {
        value->type = JSON_STRING;
        value->text = read_text(reader, &value->size);
        return value->text ? value : NULL;
    }
    if (reader->at < reader->end && word_character(*reader->at)) {
        read_word(reader, value);
        return value;
    }
    tell(reader, value->at, "found %s where a value is expected", shown(reader, c));
    return NULL;
}

static struct json *read_document(struct reader *reader)
{
    char c[16];
    if (!skip_space(reader))
        return NULL;
    if (reader->at == reader->end) {
        tell(reader, here(reader), "the file is empty");
        return NULL;
    }
    struct json *root = read_value(reader, NULL);
    if (!root || !skip_space(reader))
        return NULL;
    if (reader->at < reader->end) {
        tell(reader, here(reader), "found %s behind the end of the configuration",
             shown(reader, c));
        return NULL;
    }
    return root;
}

int json_read(struct json **root, struct arena *arena, const char *text, size_t size,
              json_tell_fn *tell_fn, void *context)
{
    struct reader reader = {.arena = arena, .place = {1, 1}, .tell = tell_fn, .context = context};
    *root = NULL;
    if (!json_text_readable(text, size, tell_fn, context))
        return ERR_INVALID;
    size_t mark = size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
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
