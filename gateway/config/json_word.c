/* What stands in quotes, and what stands without. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/json_inside.h"
#include "config/utf8.h"

static bool hex4(const struct json_reader *reader, const char *at, uint32_t *unit)
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
static size_t read_unicode(struct json_reader *reader, struct json_place at, char *out)
{
    uint32_t code, low;
    if (!hex4(reader, reader->at, &code)) {
        json_tell(reader, at, "\\u takes four hexadecimal digits");
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
        json_tell(reader, at, "a text cannot hold the character \\u0000");
        return 0;
    }
    if (code >= 0xd800 && code < 0xe000) {
        json_tell(reader, at, "\\u%04x is half of a surrogate pair", code);
        return 0;
    }
    return utf8_put(code, out);
}

/* Reads what follows a backslash; `out` has room for 4 bytes. Returns the bytes written. */
static size_t read_escape(struct json_reader *reader, char *out)
{
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    struct json_place at = json_here(reader);
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
    json_tell(reader, at, "unknown escape: a backslash itself is written \\\\");
    *out = '\\';
    return 1;
}

char *json_read_text(struct json_reader *reader, uint32_t *size)
{
    struct json_place begin = json_here(reader);
    char quote = *reader->at++;
    if (quote == '\'')
        json_tell(reader, begin, "texts stand in double quotes");
    const char *close = reader->at;
    while (close < reader->end && *close != quote && *close != '\n')
        close += *close == '\\' && reader->end - close > 1 && close[1] != '\n' ? 2 : 1;
    if (close == reader->end || *close == '\n') {
        json_tell(reader, begin, "this text is never closed: a quote is missing on this line");
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
            struct json_place at = json_here(reader);
            json_tell(reader, at,
                      "%s in a text: write \\t for a tab, \\u00XX for other control characters",
                      json_shown(reader, c));
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
static void tell_number(const struct json_reader *reader, const struct json *value,
                        const char *text)
{
    char *rest;
    errno = 0;
    unsigned long long whole = strtoull(text, &rest, 16);
    if ((strncmp(text, "0x", 2) == 0 || strncmp(text, "0X", 2) == 0) && *rest == '\0' && !errno) {
        json_tell(reader, value->at, "%s: JSON has no hexadecimal numbers; write %llu", text,
                  whole);
        return;
    }
    whole = strtoull(text, &rest, 10);
    if (*text >= '0' && *text <= '9' && *rest == '\0' && !errno)
        json_tell(reader, value->at, "%s: a number has no leading zeros; write %llu", text, whole);
    else
        json_tell(reader, value->at, "%s is not a number; texts stand in double quotes", text);
}

bool json_word_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '+' || c == '-' || c == '.' || (unsigned char)c >= 0x80;
}

void json_read_word(struct json_reader *reader, struct json *value)
{
    const char *begin = reader->at;
    while (reader->at < reader->end && json_word_character(*reader->at))
        reader->at++;
    size_t size = (size_t)(reader->at - begin);
    char word[NUMBER_SIZE_MAX + 1];
    if (size > NUMBER_SIZE_MAX) {
        json_tell(reader, value->at, "this is not a number; texts stand in double quotes");
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
            json_tell(reader, value->at, "%s is too large for a number", word);
            return;
        }
        value->type = JSON_NUMBER;
        value->size = (uint32_t)size;
        value->text = arena_text(reader->arena, word, size);
    } else if (strchr("0123456789+-.", word[0])) {
        tell_number(reader, value, word);
    } else {
        json_tell(
            reader, value->at,
            "%s without quotes: texts stand in double quotes; true, false and null in lower case",
            word);
    }
}
