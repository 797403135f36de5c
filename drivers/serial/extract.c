#include "serial/extract.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/decimal.h"
#include "core/error.h"
#include "core/status.h"
#include "serial/pattern.h"

#define DEGREES_DECIMALS 7 /* a centimetre */
#define DECIMALS_MASK    7

struct extract {
    const struct extract_options *options;
    struct pattern *match, *negative, *when[EXTRACT_WHEN_COUNT];
};

/* What was found in a line for a point. */
struct found {
    struct span field, second, unit; /* second: the hemisphere or the date beside it */
};

static int compile(struct pattern **pattern, const char *text, const char *address, char *why,
                   size_t why_size)
{
    return text ? pattern_compile(pattern, text, address, why, why_size) : 0;
}

int extract_open(struct extract **extract, const struct extract_options *options,
                 const char *address, char *why, size_t why_size)
{
    struct extract *made = calloc(1, sizeof(*made));
    int error;

    *extract = NULL;
    if (!made)
        return ERR_NOMEM;
    made->options = options;
    error = compile(&made->match, options->match, address, why, why_size);
    if (!error)
        error = compile(&made->negative, options->negative_when, address, why, why_size);
    for (int i = 0; i < EXTRACT_WHEN_COUNT && !error; i++)
        error = compile(&made->when[i], options->when[i], address, why, why_size);
    if (error) {
        extract_free(made);
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
    pattern_free(extract->negative);
    for (int i = 0; i < EXTRACT_WHEN_COUNT; i++)
        pattern_free(extract->when[i]);
    free(extract);
}

static struct span group_span(struct span line, const regmatch_t *groups, int64_t index)
{
    const regmatch_t *group = &groups[index];

    /* A group that took no part in the match is a field that is empty. */
    if (group->rm_so < 0)
        return (struct span){line.text, 0};
    return (struct span){line.text + group->rm_so, (size_t)(group->rm_eo - group->rm_so)};
}

static bool find_place(const struct extract_options *options, struct span line, struct span *field)
{
    size_t width = number_width(options->format);
    size_t length = width > 0 ? width : (size_t)options->length;

    if ((uint64_t)options->at + length > line.size)
        return false;
    *field = (struct span){line.text + options->at, length};
    return true;
}

/* What stands where the options say; false when the line is too short for it. */
static bool find_fields(const struct extract_options *options, struct span line,
                        const regmatch_t *groups, struct found *found)
{
    int64_t second = options->format == NUMBER_NMEA_TIME ? options->date : options->hemisphere;

    found->second = found->unit = (struct span){line.text, 0};
    if (options->group >= 0) {
        found->field = group_span(line, groups, options->group);
        if (second >= 0)
            found->second = group_span(line, groups, second);
        return true;
    }
    if (options->column >= 0)
        return field_column(line, options->delimiter, options->column, &found->field) &&
               (second < 0 || field_column(line, options->delimiter, second, &found->second));
    return find_place(options, line, &found->field);
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

static int64_t apply_mask(const struct extract_options *options, int64_t number)
{
    if (options->mask == 0)
        return number;
    return (int64_t)(((uint64_t)number & (uint64_t)options->mask) >>
                     __builtin_ctzll((uint64_t)options->mask));
}

static uint16_t read_integer(const struct extract_options *options, struct span field,
                             struct value *value)
{
    if (!number_read_integer(field, options->format, options->order, &value->i))
        return STATUS_FORMAT;
    value->type = VALUE_I64;
    value->i = apply_mask(options, value->i);
    return STATUS_GOOD;
}

static uint16_t read_boolean(const struct extract_options *options, struct span field,
                             struct value *value)
{
    static const char *const one[] = {"1"}, *const zero[] = {"0"};
    static const struct option_texts ones = {one, 1}, zeros = {zero, 1};
    bool plain = options->true_texts.count == 0 && options->false_texts.count == 0;
    uint16_t status;

    if (number_width(options->format) > 0) {
        status = read_integer(options, field, value);
        value->type = VALUE_BOOL;
        value->b = value->i != 0;
        return status;
    }
    value->type = VALUE_BOOL;
    value->b = is_one_of(field, plain ? &ones : &options->true_texts);
    if (value->b || is_one_of(field, plain ? &zeros : &options->false_texts))
        return STATUS_GOOD;
    return STATUS_FORMAT;
}

static uint16_t read_text(struct span field, struct value *value)
{
    if (field.size > EVENT_VALUE_SIZE_MAX)
        return STATUS_FORMAT;
    for (size_t i = 0; i < field.size; i++) {
        if (field.text[i] < 0x20 || field.text[i] > 0x7E)
            return STATUS_FORMAT;
    }
    value->type = VALUE_TEXT;
    value->size = (uint16_t)field.size;
    value->data = field.text;
    return STATUS_GOOD;
}

/* Places the decimal point where the bits of a byte say. */
static bool place_point(const struct extract_options *options, struct span line, double *number)
{
    int decimals;

    if (options->decimals_at < 0)
        return true;
    if ((uint64_t)options->decimals_at >= line.size)
        return false;
    decimals =
        ((uint8_t)line.text[options->decimals_at] & DECIMALS_MASK) - (int)options->decimals_less;
    *number =
        decimals >= 0 ? *number / decimal_power[decimals] : *number * decimal_power[-decimals];
    return true;
}

static uint16_t read_number(const struct extract *extract, struct span line,
                            const struct found *found, struct value *value)
{
    const struct extract_options *options = extract->options;
    uint16_t status = STATUS_GOOD;
    double number = 0;

    if (options->format == NUMBER_NMEA_DEGREES)
        status = number_read_degrees(found->field, field_trim(found->second), &number);
    else if (options->format == NUMBER_NMEA_TIME)
        status = number_read_time(found->field, field_trim(found->second), &number);
    else if (options->mask != 0) {
        status = read_integer(options, found->field, value);
        number = (double)value->i;
    } else if (!number_read(found->field, options->format, options->order, &number))
        status = STATUS_FORMAT;
    if (status != STATUS_GOOD)
        return status;
    if (!place_point(options, line, &number))
        return STATUS_FORMAT;
    if (extract->negative && pattern_matches(extract->negative, line.text, line.size))
        number = -number;
    value->type = VALUE_F64;
    value->decimals = extract_decimals(options);
    value->f = number * options->scale + options->offset;
    return isfinite(value->f) ? STATUS_GOOD : STATUS_NOT_A_NUMBER;
}

static uint16_t read_field(const struct extract *extract, struct span line, struct found *found,
                           struct value *value)
{
    const struct extract_options *options = extract->options;

    if (number_width(options->format) == 0) {
        found->field = field_trim(found->field);
        if (found->field.size == 0 || is_one_of(found->field, &options->not_available))
            return STATUS_NOT_AVAILABLE;
    }
    if (options->unit_text && (strlen(options->unit_text) != found->unit.size ||
                               memcmp(options->unit_text, found->unit.text, found->unit.size) != 0))
        return STATUS_FORMAT;
    switch (options->type) {
    case EXTRACT_BOOLEAN:
        return read_boolean(options, found->field, value);
    case EXTRACT_TEXT:
        return read_text(found->field, value);
    case EXTRACT_INTEGER:
        return read_integer(options, found->field, value);
    default:
        return read_number(extract, line, found, value);
    }
}

/* What the line says of the value's quality. */
static uint16_t quality(const struct extract *extract, struct span line)
{
    for (int i = 0; i < EXTRACT_WHEN_COUNT; i++) {
        if (extract->when[i] && pattern_matches(extract->when[i], line.text, line.size))
            return extract_when_status((enum extract_when)i);
    }
    return STATUS_GOOD;
}

int extract_value(const struct extract *extract, const char *text, size_t size, struct value *value,
                  uint16_t *status)
{
    const struct extract_options *options = extract->options;
    struct span line = {text, size};
    regmatch_t groups[PATTERN_GROUPS_MAX];
    struct found found;
    bool is_found;

    memset(value, 0, sizeof(*value));
    if (extract->match && !pattern_match(extract->match, text, size, groups))
        return 0;
    if (options->key) {
        is_found = field_by_key(line, options->key, options->delimiter, &found.field, &found.unit);
        if (!is_found)
            return 0;
    } else {
        is_found = find_fields(options, line, groups, &found);
    }
    *status = quality(extract, line);
    if (*status != STATUS_GOOD && *status != STATUS_UNSTABLE)
        return 1;
    if (!is_found) {
        *status = STATUS_FORMAT;
    } else {
        uint16_t read = read_field(extract, line, &found, value);

        if (read != STATUS_GOOD)
            *status = read;
    }
    return 1;
}

bool extract_is_binary(const struct extract_options *options)
{
    return number_width(options->format) > 0;
}

uint16_t extract_when_status(enum extract_when when)
{
    static const uint16_t statuses[EXTRACT_WHEN_COUNT] = {
        [EXTRACT_WHEN_FAILED] = STATUS_SENSOR,
        [EXTRACT_WHEN_NOT_AVAILABLE] = STATUS_NOT_AVAILABLE,
        [EXTRACT_WHEN_OUT_OF_RANGE] = STATUS_OVERRANGE,
        [EXTRACT_WHEN_UNSTABLE] = STATUS_UNSTABLE,
    };

    return statuses[when];
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
    if (options->format == NUMBER_NMEA_DEGREES)
        return DEGREES_DECIMALS;
    /* Unscaled, the shortest form is what the line said; scaled, binary noise would show behind it.
     */
    if (options->scale == 1.0 && options->offset == 0.0)
        return options->format == NUMBER_F32 ? DECIMALS_SHORTEST_F32 : DECIMALS_SHORTEST;
    return DECIMALS_MAX;
}
