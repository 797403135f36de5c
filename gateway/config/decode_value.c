#include "config/decode_value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/fingerprint.h"
#include "config/quantity.h"
#include "config/secret.h"
#include "config/utf8.h"
#include "core/choice.h"
#include "core/error.h"
#include "core/event.h"
#include "core/nearest.h"

#define EXPANDED_SIZE_MAX 4096
#define LIST_VALUES_MAX   1024
#define NO_LIMIT          9e15 /* bounds at or above are there only because both have to be given */

static bool bounded(const struct option *option)
{
    return option->minimum != 0 || option->maximum != 0;
}

static void bound_text(const struct option *option, double bound, char out[QUANTITY_TEXT_SIZE])
{
    if (option->type == OPTION_DURATION)
        quantity_duration_text(bound, out);
    else if (option->type == OPTION_SIZE)
        quantity_size_text(bound, out);
    else
        snprintf(out, QUANTITY_TEXT_SIZE, "%.12g", bound);
}

void decode_allowed(const struct option *option, char *out, size_t size)
{
    char low[QUANTITY_TEXT_SIZE], high[QUANTITY_TEXT_SIZE];
    out[0] = '\0';
    if (option->choices) {
        choice_list(option, out, size);
    } else if (option->type == OPTION_ID) {
        snprintf(out, size, "1 to %d of the characters a-z 0-9 - _", ID_SIZE_MAX - 1);
    } else if (option->type == OPTION_TEXT && option->maximum > 0) {
        snprintf(out, size, "at most %.0f bytes", option->maximum);
    } else if (bounded(option)) {
        bool is_time = option->type == OPTION_DURATION;
        bound_text(option, option->minimum, low);
        bound_text(option, option->maximum, high);
        if (option->maximum >= (is_time ? NO_LIMIT * 1000 : NO_LIMIT))
            snprintf(out, size, "at least %s", low);
        else if (option->minimum <= -NO_LIMIT)
            snprintf(out, size, "at most %s", high);
        else if (option->minimum == option->maximum)
            snprintf(out, size, "%s", low);
        else
            snprintf(out, size, "%s to %s", low, high);
    }
}

/* Tells what was found and what is allowed; `hint` (may be NULL) comes last. Always false, for the
 * caller to return. */
static bool refuse(struct decoder *decoder, const struct option *option, const struct json *value,
                   const char *expected, const char *hint)
{
    char found[FINDINGS_TEXT_MAX], allowed[FINDINGS_TEXT_MAX];
    json_describe(value, found, sizeof(found));
    decode_allowed(option, allowed, sizeof(allowed));
    if (value->type == JSON_NULL)
        hint = "leave the key out for its default";
    findings_value(decoder->findings, value, "found %s; %s%s%s%s%s", found,
                   expected ? expected : "allowed: ", !expected || !*allowed ? "" : ": ", allowed,
                   hint ? "; " : "", hint ? hint : "");
    return false;
}

const char decode_unknown[] = "";

static const char *variable(const struct decoder *decoder, const char *name)
{
    if (strcmp(name, "gateway.id") == 0)
        return decoder->gateway_id;
    if (strcmp(name, "gateway.name") == 0)
        return decoder->gateway_name;
    if (strcmp(name, "uplink.id") == 0)
        return decoder->uplink_id;
    return NULL;
}

static bool refuse_variable(struct decoder *decoder, const struct json *value, const char *name)
{
    static const char *const names[] = {"gateway.id", "gateway.name", "uplink.id"};
    struct nearest nearest;
    nearest_init(&nearest, name);
    for (size_t i = 0; i < 3; i++)
        if (variable(decoder, names[i]))
            nearest_offer(&nearest, names[i]);
    if (nearest.best)
        findings_value(decoder->findings, value, "found the variable ${%s}; did you mean ${%s}?",
                       name, nearest.best);
    else
        findings_value(decoder->findings, value,
                       "found the variable ${%s}; there are: ${gateway.id}, ${gateway.name}%s",
                       name,
                       decoder->uplink_id ? ", ${uplink.id}" : "; and in uplinks ${uplink.id}");
    return false;
}

/* Writes the text with its ${...} replaced. False when it was told as wrong. */
static bool expand(struct decoder *decoder, const struct json *value, char out[EXPANDED_SIZE_MAX])
{
    size_t size = 0;
    for (const char *at = value->text; *at != '\0';) {
        char name[32], *end;
        size_t part_size = 1;
        const char *part = at;
        if (at[0] == '$' && at[1] == '{') {
            end = strchr(at, '}');
            if (!end) {
                findings_value(decoder->findings, value, "a ${ without its }");
                return false;
            }
            snprintf(name, sizeof(name), "%.*s", (int)(end - at < 31 ? end - at - 2 : 30), at + 2);
            utf8_cut(name);
            part = variable(decoder, name);
            if (!part)
                return refuse_variable(decoder, value, name);
            if (part == decode_unknown) {
                json_doubt(value);
                return false;
            }
            part_size = strlen(part);
            at = end;
        }
        if (part_size >= EXPANDED_SIZE_MAX - size) {
            findings_value(decoder->findings, value, "the text is longer than %d bytes",
                           EXPANDED_SIZE_MAX - 1);
            return false;
        }
        memcpy(out + size, part, part_size);
        size += part_size;
        at++;
    }
    out[size] = '\0';
    return true;
}

/* The text of a string, expanded; a number where a text is wanted is told how it is written. */
static bool text_of(struct decoder *decoder, const struct option *option, const struct json *value,
                    const char *expected, char out[EXPANDED_SIZE_MAX])
{
    char hint[NEAREST_SIZE_MAX + 32];
    if (value->type == JSON_STRING)
        return expand(decoder, value, out);
    if (value->type == JSON_BAD)
        return false;
    bool quote = value->type == JSON_NUMBER &&
                 (option->type == OPTION_TEXT || option->type == OPTION_PARSED ||
                  option->type == OPTION_CHOICE);
    if (quote)
        snprintf(hint, sizeof(hint), "write it in quotes: \"%s\"", value->text);
    return refuse(decoder, option, value, expected, quote ? hint : NULL);
}

static bool keep_text(struct decoder *decoder, const char *text, void *field)
{
    const char *kept = decode_keep(decoder, text);
    *(const char **)field = kept;
    fingerprint_text(&decoder->hash, text);
    return kept != NULL;
}

/* NULL when it was told. */
static const struct option_choice *choice_of(struct decoder *decoder, const struct option *option,
                                             const struct json *value, const char *text)
{
    char hint[NEAREST_SIZE_MAX + 32];
    const struct option_choice *choice = choice_find(option, text);
    if (choice)
        return choice;
    const char *meant = choice_meant(option, text);
    if (meant)
        snprintf(hint, sizeof(hint), "did you mean \"%s\"?", meant);
    refuse(decoder, option, value, NULL, meant ? hint : NULL);
    return NULL;
}

static bool decode_text(struct decoder *decoder, const struct option *option,
                        const struct json *value, void *field)
{
    char text[EXPANDED_SIZE_MAX];
    if (!text_of(decoder, option, value, "a text is expected", text))
        return false;
    if (option->choices && !choice_of(decoder, option, value, text))
        return false;
    if (!option->choices && option->maximum > 0 && (double)strlen(text) > option->maximum) {
        findings_value(decoder->findings, value, "found %zu bytes; allowed: at most %.0f",
                       strlen(text), option->maximum);
        return false;
    }
    return keep_text(decoder, text, field);
}

static bool decode_choice(struct decoder *decoder, const struct option *option,
                          const struct json *value, int *field)
{
    char text[EXPANDED_SIZE_MAX];
    if (!text_of(decoder, option, value, "one of these texts is expected", text))
        return false;
    const struct option_choice *choice = choice_of(decoder, option, value, text);
    if (!choice)
        return false;
    *field = choice->value;
    fingerprint_text(&decoder->hash, text);
    return true;
}

static bool decode_id(struct decoder *decoder, const struct option *option,
                      const struct json *value, void *field)
{
    if (value->type == JSON_BAD)
        return false;
    if (value->type != JSON_STRING || !id_valid(value->text))
        return refuse(decoder, option, value,
                      value->type == JSON_STRING ? NULL : "an id in quotes is expected", NULL);
    return keep_text(decoder, value->text, field);
}

static bool decode_quantity(struct decoder *decoder, const struct option *option,
                            const struct json *value, int64_t *field)
{
    bool is_time = option->type == OPTION_DURATION;
    char text[EXPANDED_SIZE_MAX], why[128];
    int64_t number;
    if (value->type == JSON_NUMBER) {
        findings_value(decoder->findings, value,
                       "found the number %s; %s carry their unit: \"%s%s\" or \"%s%s\"",
                       value->text, is_time ? "durations" : "sizes", value->text,
                       is_time ? "ms" : "KiB", value->text, is_time ? "s" : "MiB");
        return false;
    }
    if (!text_of(decoder, option, value,
                 is_time ? "a duration as \"5s\" is expected" : "a size as \"64KiB\" is expected",
                 text))
        return false;
    int error = is_time ? quantity_duration(text, &number, why, sizeof(why))
                        : quantity_size(text, &number, why, sizeof(why));
    if (error) {
        findings_value(decoder->findings, value, "found \"%.60s\"; %s", text, why);
        return false;
    }
    if (bounded(option) && ((double)number < option->minimum || (double)number > option->maximum))
        return refuse(decoder, option, value, NULL, NULL);
    *field = number;
    fingerprint_u64(&decoder->hash, (uint64_t)number);
    return true;
}

static bool number_of(struct decoder *decoder, const struct option *option,
                      const struct json *value, double *number)
{
    if (value->type == JSON_BAD)
        return false;
    bool digits = value->type == JSON_STRING && value->size > 0 &&
                  strspn(value->text, "0123456789.-") == value->size;
    if (value->type != JSON_NUMBER)
        return refuse(decoder, option, value,
                      option->type == OPTION_INT    ? "a whole number is expected"
                      : option->type == OPTION_BAND ? "a number is expected, or a share as \"2%\""
                                                    : "a number is expected",
                      digits ? "numbers stand without quotes" : NULL);
    if (bounded(option) && (value->number < option->minimum || value->number > option->maximum))
        return refuse(decoder, option, value, NULL, NULL);
    *number = value->number;
    return true;
}

static bool decode_int(struct decoder *decoder, const struct option *option,
                       const struct json *value, int64_t *field)
{
    double number;
    int64_t integer;
    if (!number_of(decoder, option, value, &number))
        return false;
    if (!json_integer(value, &integer))
        return refuse(decoder, option, value, "a whole number is expected", NULL);
    *field = integer;
    fingerprint_u64(&decoder->hash, (uint64_t)integer);
    return true;
}

static void hash_number(struct decoder *decoder, double number)
{
    number += 0.0; /* -0 means 0 */
    fingerprint_bytes(&decoder->hash, &number, sizeof(number));
}

void decode_hash_band(struct decoder *decoder, const struct option_band *band)
{
    hash_number(decoder, band->width);
    fingerprint_u64(&decoder->hash, band->percent);
}

/* A number, or a text as "2%". */
static bool decode_band(struct decoder *decoder, const struct option *option,
                        const struct json *value, struct option_band *field)
{
    struct option_band band = {0};
    const char *text = value->text;
    if (value->type != JSON_STRING) {
        if (!number_of(decoder, option, value, &band.width))
            return false;
    } else {
        size_t whole = strspn(text, "0123456789");
        size_t fraction = text[whole] == '.' ? strspn(text + whole + 1, "0123456789") + 1 : 0;
        band.percent = true;
        band.width = strtod(text, NULL);
        if (whole == 0 || fraction == 1 || strcmp(text + whole + fraction, "%") != 0 ||
            band.width > 100)
            return refuse(decoder, option, value, "a number is expected, or a share as \"2%\"",
                          "shares are 0% to 100%");
    }
    *field = band;
    decode_hash_band(decoder, field);
    return true;
}

static bool decode_bool(struct decoder *decoder, const struct option *option,
                        const struct json *value, bool *field)
{
    if (value->type == JSON_BAD)
        return false;
    if (value->type != JSON_BOOL)
        return refuse(decoder, option, value, "true or false (without quotes) is expected", NULL);
    *field = value->truth;
    fingerprint_u64(&decoder->hash, value->truth);
    return true;
}

/* The first item of a list, or the value itself where one alone may stand for a list of one. */
static bool list_of(struct decoder *decoder, const struct option *option, const struct json *value,
                    const char *expected, bool lone, const struct json **first, size_t *count)
{
    *first = value->type == JSON_LIST ? value->first : value;
    *count = value->type == JSON_LIST ? value->count : 1;
    if (value->type == JSON_BAD)
        return false;
    if (value->type != JSON_LIST && !lone)
        return refuse(decoder, option, value, expected, NULL);
    if (*count > LIST_VALUES_MAX) {
        findings_value(decoder->findings, value, "found %zu values; allowed: at most %d", *count,
                       LIST_VALUES_MAX);
        return false;
    }
    fingerprint_u64(&decoder->hash, *count);
    return true;
}

static bool decode_numbers(struct decoder *decoder, const struct option *option,
                           const struct json *value, struct option_numbers *field)
{
    const struct json *item;
    size_t count;
    bool clean = true;
    if (!list_of(decoder, option, value, "a number or a list of numbers is expected",
                 value->type == JSON_NUMBER, &item, &count))
        return false;
    double *numbers = arena_array(decoder->scratch, count, sizeof(*numbers));
    for (size_t i = 0; numbers && i < count; i++, item = item->next) {
        if (number_of(decoder, option, item, &numbers[i]))
            hash_number(decoder, numbers[i]);
        else
            clean = false;
    }
    if (!clean || !numbers)
        return false;
    numbers = (double *)pool_keep(&decoder->pool, numbers, count * sizeof(*numbers));
    *field = (struct option_numbers){numbers, numbers ? count : 0};
    return numbers || count == 0;
}

static bool decode_texts(struct decoder *decoder, const struct option *option,
                         const struct json *value, struct option_texts *field)
{
    const struct json *item;
    size_t count;
    bool clean = true;
    if (!list_of(decoder, option, value, "a list of texts is expected", false, &item, &count))
        return false;
    const char **texts = arena_array(decoder->scratch, count, sizeof(*texts));
    for (size_t i = 0; texts && i < count; i++, item = item->next)
        clean &= decode_text(decoder, option, item, &texts[i]);
    if (!clean || !texts)
        return false;
    texts = (const char **)pool_keep(&decoder->pool, texts, count * sizeof(*texts));
    *field = (struct option_texts){texts, texts ? count : 0};
    return texts || count == 0;
}

static bool decode_parsed(struct decoder *decoder, const struct option *option,
                          const struct json *value, void *field)
{
    char text[EXPANDED_SIZE_MAX], why[FINDINGS_TEXT_MAX] = "";
    if (!text_of(decoder, option, value, "a text is expected", text))
        return false;
    if (option->parse(text, field, why, sizeof(why)) != 0) {
        findings_value(decoder->findings, value, "found \"%.60s\"; %s%s", text,
                       strncmp(why, "allowed: ", 9) == 0 ? "" : "allowed: ", why);
        return false;
    }
    fingerprint_text(&decoder->hash, text);
    return true;
}

static bool decode_path(struct decoder *decoder, const struct option *option,
                        const struct json *value, void *field)
{
    char text[EXPANDED_SIZE_MAX], path[EXPANDED_SIZE_MAX + EXPANDED_SIZE_MAX], why[256] = "";
    if (!text_of(decoder, option, value, "the name of a file is expected", text))
        return false;
    if (*text == '\0' && option->type == OPTION_PATH)
        return keep_text(decoder, text, field);
    if (*text == '\0')
        return refuse(decoder, option, value, "the name of a file is expected", NULL);
    if (*text == '/')
        snprintf(path, sizeof(path), "%s", text);
    else
        snprintf(path, sizeof(path), "%s/%s", decoder->folder, text);
    if (option->type != OPTION_PATH &&
        secret_check(path, option->type == OPTION_SECRET, &decoder->hash, why, sizeof(why)) != 0) {
        findings_value(decoder->findings, value, "%.300s %s", path, why);
        return false;
    }
    return keep_text(decoder, path, field);
}

bool decode_value(struct decoder *decoder, const struct option *option, const struct json *value,
                  void *field)
{
    double number;
    switch (option->type) {
    case OPTION_BOOL:
        return decode_bool(decoder, option, value, field);
    case OPTION_INT:
        return decode_int(decoder, option, value, field);
    case OPTION_NUMBER:
        if (!number_of(decoder, option, value, &number))
            return false;
        *(double *)field = number;
        hash_number(decoder, number);
        return true;
    case OPTION_TEXT:
        return decode_text(decoder, option, value, field);
    case OPTION_ID:
        return decode_id(decoder, option, value, field);
    case OPTION_DURATION:
    case OPTION_SIZE:
        return decode_quantity(decoder, option, value, field);
    case OPTION_CHOICE:
        return decode_choice(decoder, option, value, field);
    case OPTION_BAND:
        return decode_band(decoder, option, value, field);
    case OPTION_NUMBERS:
        return decode_numbers(decoder, option, value, field);
    case OPTION_TEXTS:
        return decode_texts(decoder, option, value, field);
    case OPTION_PARSED:
        return decode_parsed(decoder, option, value, field);
    case OPTION_PATH:
    case OPTION_FILE:
    case OPTION_SECRET:
        return decode_path(decoder, option, value, field);
    }
    return false;
}
