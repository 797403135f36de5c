#include "serial/extract.h"

#include <errno.h>
#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/status.h"

#define GROUPS_MAX       10 /* 0 to 9, group 0 is the whole match */
#define NUMBER_TEXT_MAX  64
#define DEGREES_DECIMALS 7 /* a centimetre */

struct pattern {
    regex_t regex;
};

struct extract {
    const struct extract_options *options;
    struct pattern *match;
};

struct span {
    const char *text;
    size_t size;
};

int pattern_compile(struct pattern **pattern, const char *text, char *why, size_t why_size)
{
    struct pattern *made = malloc(sizeof(*made));
    int error;

    *pattern = NULL;
    if (!made)
        return ERR_NOMEM;
    error = regcomp(&made->regex, text, REG_EXTENDED);
    if (error) {
        regerror(error, &made->regex, why, why_size);
        free(made);
        return error == REG_ESPACE ? ERR_NOMEM : ERR_INVALID;
    }
    *pattern = made;
    return 0;
}

void pattern_free(struct pattern *pattern)
{
    if (!pattern)
        return;
    regfree(&pattern->regex);
    free(pattern);
}

static bool match_groups(const struct pattern *pattern, const char *line, regmatch_t *groups,
                         size_t count)
{
    return regexec(&pattern->regex, line, count, groups, 0) == 0;
}

bool pattern_matches(const struct pattern *pattern, const char *line)
{
    return match_groups(pattern, line, NULL, 0);
}

size_t pattern_groups(const struct pattern *pattern)
{
    return pattern->regex.re_nsub;
}

int extract_open(struct extract **extract, const struct extract_options *options, char *why,
                 size_t why_size)
{
    struct extract *made = calloc(1, sizeof(*made));
    int error = 0;

    *extract = NULL;
    if (!made)
        return ERR_NOMEM;
    made->options = options;
    if (options->match)
        error = pattern_compile(&made->match, options->match, why, why_size);
    if (error) {
        free(made);
        return error;
    }
    *extract = made;
    return 0;
}

void extract_free(struct extract *extract)
{
    if (!extract)
        return;
    pattern_free(extract->match);
    free(extract);
}

static struct span trim(struct span span)
{
    while (span.size > 0 && span.text[0] == ' ') {
        span.text++;
        span.size--;
    }
    while (span.size > 0 && span.text[span.size - 1] == ' ')
        span.size--;
    return span;
}

/* Column `index` counted from 0; false when the line has fewer. */
static bool find_column(struct span line, const char *delimiter, int64_t index, struct span *column)
{
    size_t delimiter_size = strlen(delimiter);
    bool blanks = strcmp(delimiter, " ") == 0;

    for (;;) {
        const char *found;

        if (blanks)
            line = trim(line);
        found = memmem(line.text, line.size, delimiter, delimiter_size);
        column->text = line.text;
        column->size = found ? (size_t)(found - line.text) : line.size;
        if (index-- == 0)
            return true;
        if (!found)
            return false;
        line.size -= column->size + delimiter_size;
        line.text = found + delimiter_size;
    }
}

static struct span group_span(const char *line, const regmatch_t *groups, int64_t index)
{
    const regmatch_t *group = &groups[index];

    /* A group that took no part in the match is a field that is empty. */
    if (group->rm_so < 0)
        return (struct span){line, 0};
    return (struct span){line + group->rm_so, (size_t)(group->rm_eo - group->rm_so)};
}

/* What stands where the options say, and at the hemisphere's place; false when the line is too
 * short for it. */
static bool find_fields(const struct extract_options *options, struct span line,
                        const regmatch_t *groups, struct span *field, struct span *hemisphere)
{
    *hemisphere = (struct span){line.text, 0};
    if (options->group >= 0) {
        *field = group_span(line.text, groups, options->group);
        if (options->hemisphere >= 0)
            *hemisphere = group_span(line.text, groups, options->hemisphere);
        return true;
    }
    if (options->column >= 0)
        return find_column(line, options->delimiter, options->column, field) &&
               (options->hemisphere < 0 ||
                find_column(line, options->delimiter, options->hemisphere, hemisphere));
    if ((uint64_t)options->at + (uint64_t)options->length > line.size)
        return false;
    *field = (struct span){line.text + options->at, (size_t)options->length};
    return true;
}

static bool is_one_of(struct span field, const struct option_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++) {
        if (strlen(texts->items[i]) == field.size &&
            memcmp(texts->items[i], field.text, field.size) == 0)
            return true;
    }
    return false;
}

static size_t take_digits(const char *text, size_t at, size_t size)
{
    while (at < size && text[at] >= '0' && text[at] <= '9')
        at++;
    return at;
}

/*
 * Copies a decimal number ("-12.5", "+ 3", "1e-3") into `out` as strtod and strtoll read it, and
 * refuses what those would take besides: "nan", "0x10", trailing text.
 */
static bool copy_decimal(struct span field, bool comma, bool integer, char out[NUMBER_TEXT_MAX])
{
    size_t used = 0, begin, digits, end;

    if (field.size > 0 && (field.text[0] == '-' || field.text[0] == '+')) {
        out[used++] = field.text[0];
        field = trim((struct span){field.text + 1, field.size - 1});
    }
    if (field.size == 0 || field.size > NUMBER_TEXT_MAX - 2)
        return false;
    begin = used;
    memcpy(out + used, field.text, field.size);
    end = used + field.size;
    out[end] = 0;
    used = take_digits(out, begin, end);
    digits = used - begin;
    if (!integer && used < end && out[used] == (comma ? ',' : '.')) {
        size_t fraction = used + 1;

        out[used] = '.';
        used = take_digits(out, fraction, end);
        digits += used - fraction;
    }
    if (!integer && digits > 0 && used < end && (out[used] == 'e' || out[used] == 'E')) {
        size_t sign = used + 1 < end && (out[used + 1] == '-' || out[used + 1] == '+');
        size_t exponent = used + 1 + sign;

        used = take_digits(out, exponent, end);
        if (used == exponent)
            return false;
    }
    return digits > 0 && used == end;
}

static bool read_integer(struct span field, int format, int64_t *number)
{
    char text[NUMBER_TEXT_MAX], *end;

    if (format == EXTRACT_HEX) {
        if (field.size == 0 || field.size > 16)
            return false;
        memcpy(text, field.text, field.size);
        text[field.size] = 0;
        if (strspn(text, "0123456789abcdefABCDEF") != field.size)
            return false;
        errno = 0;
        *number = (int64_t)strtoull(text, &end, 16);
        return *number >= 0;
    }
    if (!copy_decimal(field, false, true, text))
        return false;
    errno = 0;
    *number = strtoll(text, &end, 10);
    return errno == 0;
}

static bool read_number(struct span field, int format, double *number)
{
    char text[NUMBER_TEXT_MAX];
    int64_t integer;

    if (format == EXTRACT_HEX) {
        if (!read_integer(field, format, &integer))
            return false;
        *number = (double)integer;
        return true;
    }
    if (!copy_decimal(field, format == EXTRACT_DECIMAL_COMMA, false, text))
        return false;
    *number = strtod(text, NULL);
    return true;
}

/* "5130.5230" is 51 degrees and 30.5230 minutes: the two digits before the point are minutes. */
static uint16_t read_degrees(struct span field, struct span hemisphere, double *degrees)
{
    size_t whole = take_digits(field.text, 0, field.size);
    double minutes;
    int64_t whole_degrees = 0;
    struct span minutes_text;

    if (hemisphere.size == 0)
        return STATUS_NOT_AVAILABLE;
    if (whole < 3 || whole > 5 || hemisphere.size != 1)
        return STATUS_FORMAT;
    minutes_text = (struct span){field.text + whole - 2, field.size - whole + 2};
    if (!read_number(minutes_text, EXTRACT_DECIMAL, &minutes) || minutes >= 60.0 ||
        !read_integer((struct span){field.text, whole - 2}, EXTRACT_DECIMAL, &whole_degrees))
        return STATUS_FORMAT;
    *degrees = (double)whole_degrees + minutes / 60.0;
    if (*degrees > (strchr("NS", hemisphere.text[0]) ? 90.0 : 180.0))
        return STATUS_FORMAT;
    switch (hemisphere.text[0]) {
    case 'S':
    case 'W':
        *degrees = -*degrees;
        return STATUS_GOOD;
    case 'N':
    case 'E':
        return STATUS_GOOD;
    default:
        return STATUS_FORMAT;
    }
}

static uint16_t read_boolean(const struct extract_options *options, struct span field,
                             struct value *value)
{
    static const char *const one[] = {"1"}, *const zero[] = {"0"};
    static const struct option_texts ones = {one, 1}, zeros = {zero, 1};
    bool plain = options->true_texts.count == 0 && options->false_texts.count == 0;

    value->type = VALUE_BOOL;
    value->b = is_one_of(field, plain ? &ones : &options->true_texts);
    if (value->b || is_one_of(field, plain ? &zeros : &options->false_texts))
        return STATUS_GOOD;
    return STATUS_FORMAT;
}

static uint16_t read_text(struct span field, struct value *value)
{
    for (size_t i = 0; i < field.size; i++) {
        if (field.text[i] < 0x20 || field.text[i] > 0x7E)
            return STATUS_FORMAT;
    }
    value->type = VALUE_TEXT;
    value->size = (uint16_t)field.size;
    value->data = field.text;
    return STATUS_GOOD;
}

static uint16_t read_field(const struct extract_options *options, struct span field,
                           struct span hemisphere, struct value *value)
{
    double number = 0;
    uint16_t status = STATUS_GOOD;

    if (field.size == 0 || is_one_of(field, &options->not_available))
        return STATUS_NOT_AVAILABLE;
    switch (options->type) {
    case EXTRACT_BOOLEAN:
        return read_boolean(options, field, value);
    case EXTRACT_TEXT:
        return read_text(field, value);
    case EXTRACT_INTEGER:
        value->type = VALUE_I64;
        return read_integer(field, options->format, &value->i) ? STATUS_GOOD : STATUS_FORMAT;
    default:
        if (options->format == EXTRACT_NMEA_DEGREES)
            status = read_degrees(field, hemisphere, &number);
        else if (!read_number(field, options->format, &number))
            status = STATUS_FORMAT;
        value->type = VALUE_F64;
        value->decimals = extract_decimals(options);
        value->f = number * options->scale + options->offset;
        return status == STATUS_GOOD && !isfinite(value->f) ? STATUS_NOT_A_NUMBER : status;
    }
}

int extract_value(const struct extract *extract, const char *line, size_t size, struct value *value,
                  uint16_t *status)
{
    const struct extract_options *options = extract->options;
    struct span whole = {line, size}, field, hemisphere;
    regmatch_t groups[GROUPS_MAX];

    memset(value, 0, sizeof(*value));
    if (extract->match && !match_groups(extract->match, line, groups, GROUPS_MAX))
        return 0;
    if (!find_fields(options, whole, groups, &field, &hemisphere))
        *status = STATUS_FORMAT;
    else
        *status = read_field(options, trim(field), trim(hemisphere), value);
    return 1;
}

uint8_t extract_value_type(const struct extract_options *options)
{
    switch (options->type) {
    case EXTRACT_BOOLEAN:
        return VALUE_BOOL;
    case EXTRACT_INTEGER:
        return VALUE_I64;
    case EXTRACT_TEXT:
        return VALUE_TEXT;
    default:
        return VALUE_F64;
    }
}

int8_t extract_decimals(const struct extract_options *options)
{
    if (options->decimals >= 0)
        return (int8_t)options->decimals;
    if (options->format == EXTRACT_NMEA_DEGREES)
        return DEGREES_DECIMALS;
    /* Unscaled, the shortest form is what the line said; scaled, binary noise would show behind it.
     */
    return options->scale == 1.0 && options->offset == 0.0 ? DECIMALS_SHORTEST : DECIMALS_MAX;
}
