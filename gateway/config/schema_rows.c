#include "config/schema_rows.h"

#include <stdio.h>

#include "config/quantity.h"

#define ENUM_KEY_PATTERN "^(0|-?[1-9][0-9]*)$"
#define VARIABLE_PATTERN                                                                           \
    "|\\$\\{" /* a text with ${...} in it: only the reader knows what comes of it */

#define BAND_PATTERN "^(100(\\.0+)?|[0-9]{1,2}(\\.[0-9]+)?)%$"

static void write_bounds(struct json_writer *writer, const struct option *option)
{
    if (option->minimum == 0 && option->maximum == 0)
        return;
    json_write_number(writer, "minimum", option->minimum);
    json_write_number(writer, "maximum", option->maximum);
}

static void write_choices(struct json_writer *writer, const struct option_choice *choices)
{
    json_write_open(writer, "enum", '[');
    for (; choices->text; choices++)
        json_write_text(writer, NULL, choices->text);
    json_write_close(writer, ']');
}

/* What the row means, and each of its choices. */
static void write_description(struct json_writer *writer, const struct option *option)
{
    char text[2048];
    size_t at = (size_t)snprintf(text, sizeof(text), "%s", option->help);
    for (const struct option_choice *choice = option->choices; choice && choice->text; choice++)
        if (choice->help && at < sizeof(text))
            at += (size_t)snprintf(text + at, sizeof(text) - at, "\n%s: %s", choice->text,
                                   choice->help);
    json_write_text(writer, "description", text);
}

/* A number within its bounds, as a member of that name or an entry of a list (NULL). */
static void write_number(struct json_writer *writer, const char *name, const struct option *option)
{
    json_write_open(writer, name, '{');
    json_write_text(writer, "type", "number");
    write_bounds(writer, option);
    json_write_close(writer, '}');
}

static void write_band(struct json_writer *writer, const struct option *option)
{
    json_write_open(writer, "anyOf", '[');
    write_number(writer, NULL, option);
    json_write_open(writer, NULL, '{');
    json_write_text(writer, "type", "string");
    json_write_text(writer, "pattern", BAND_PATTERN);
    json_write_close(writer, '}');
    json_write_close(writer, ']');
}

static void write_numbers(struct json_writer *writer, const struct option *option)
{
    json_write_open(writer, "anyOf", '[');
    write_number(writer, NULL, option);
    json_write_open(writer, NULL, '{');
    json_write_text(writer, "type", "array");
    write_number(writer, "items", option);
    json_write_close(writer, '}');
    json_write_close(writer, ']');
}

static void write_text_type(struct json_writer *writer, const struct option *option)
{
    char pattern[512];
    json_write_text(writer, "type", "string");
    if (option->choices)
        write_choices(writer, option->choices);
    else if (option->type == OPTION_TEXT && option->maximum > 0)
        json_write_number(writer, "maxLength", option->maximum);
    else if (option->type == OPTION_FILE || option->type == OPTION_SECRET)
        json_write_number(writer, "minLength", 1);
    if (option->type == OPTION_ID)
        json_write_text(writer, "pattern", ID_PATTERN);
    else if (option->type == OPTION_DURATION)
        json_write_text(writer, "pattern", QUANTITY_DURATION_PATTERN);
    else if (option->type == OPTION_SIZE)
        json_write_text(writer, "pattern", QUANTITY_SIZE_PATTERN);
    else if (option->pattern) {
        snprintf(pattern, sizeof(pattern), "%s%s", option->pattern, VARIABLE_PATTERN);
        json_write_text(writer, "pattern", pattern);
    }
}

static void write_type(struct json_writer *writer, const struct option *option)
{
    switch (option->type) {
    case OPTION_BOOL:
        json_write_text(writer, "type", "boolean");
        break;
    case OPTION_INT:
    case OPTION_NUMBER:
        json_write_text(writer, "type", option->type == OPTION_INT ? "integer" : "number");
        write_bounds(writer, option);
        break;
    case OPTION_BAND:
        write_band(writer, option);
        break;
    case OPTION_NUMBERS:
        write_numbers(writer, option);
        break;
    case OPTION_TEXTS:
        json_write_text(writer, "type", "array");
        json_write_open(writer, "items", '{');
        json_write_text(writer, "type", "string");
        if (option->pattern)
            json_write_text(writer, "pattern", option->pattern);
        json_write_close(writer, '}');
        break;
    case OPTION_TEXT:
    case OPTION_ID:
    case OPTION_DURATION:
    case OPTION_SIZE:
    case OPTION_CHOICE:
    case OPTION_PARSED:
    case OPTION_PATH:
    case OPTION_FILE:
    case OPTION_SECRET:
        write_text_type(writer, option);
        break;
    }
}

void schema_rows(struct json_writer *writer, const struct option *rows, const struct option *before)
{
    for (; rows && rows->key; rows++) {
        if (option_find(before, rows->key))
            continue;
        json_write_open(writer, rows->key, '{');
        write_description(writer, rows);
        write_type(writer, rows);
        if (rows->fallback)
            json_write_raw(writer, "default", rows->fallback);
        if (rows->example) {
            json_write_open(writer, "examples", '[');
            json_write_raw(writer, NULL, rows->example);
            json_write_close(writer, ']');
        }
        json_write_close(writer, '}');
    }
}

void schema_required(struct json_writer *writer, const struct option *rows,
                     const struct option *more, const struct part *parts)
{
    bool opened = false;
    const struct option *tables[] = {rows, more};
    for (size_t i = 0; i < 2; i++)
        for (const struct option *row = tables[i]; row && row->key; row++) {
            if (!row->required || (i > 0 && option_find(rows, row->key)))
                continue;
            if (!opened)
                json_write_open(writer, "required", '[');
            opened = true;
            json_write_text(writer, NULL, row->key);
        }
    for (; parts && parts->key; parts++) {
        if (!parts->required)
            continue;
        if (!opened)
            json_write_open(writer, "required", '[');
        opened = true;
        json_write_text(writer, NULL, parts->key);
    }
    if (opened)
        json_write_close(writer, ']');
}

static void write_enum_map(struct json_writer *writer, const struct part *part)
{
    json_write_open(writer, part->key, '{');
    json_write_text(writer, "description", part->help);
    json_write_text(writer, "type", "object");
    json_write_open(writer, "propertyNames", '{');
    json_write_text(writer, "pattern", ENUM_KEY_PATTERN);
    json_write_close(writer, '}');
    json_write_open(writer, "additionalProperties", '{');
    json_write_text(writer, "type", "string");
    json_write_number(writer, "maxLength", ENUM_TEXT_SIZE_MAX);
    json_write_close(writer, '}');
    json_write_number(writer, "maxProperties", ENUM_ENTRIES_MAX);
    json_write_close(writer, '}');
}

void schema_begin(struct json_writer *writer, const char *key, const char *help)
{
    json_write_open(writer, key, '{');
    if (help)
        json_write_text(writer, "description", help);
    json_write_text(writer, "type", "object");
    json_write_raw(writer, "additionalProperties", "false");
}

void schema_plain(struct json_writer *writer, const char *key, const struct shape *shape,
                  const struct option *extra)
{
    schema_begin(writer, key, shape->help);
    json_write_open(writer, "properties", '{');
    schema_rows(writer, shape->options, NULL);
    schema_rows(writer, extra, shape->options);
    json_write_close(writer, '}');
    schema_required(writer, shape->options, extra, NULL);
    json_write_close(writer, '}');
}

void schema_report_reference(struct json_writer *writer)
{
    json_write_open(writer, "report", '{');
    json_write_text(writer, "$ref", "#/definitions/report");
    json_write_close(writer, '}');
}

void schema_point(struct json_writer *writer, const char *key, const struct shape *shape,
                  const struct option *extra)
{
    const struct part *write = part_find(shape->parts, "write");
    bool of_profile = write && write->kind == PART_FACTS;
    schema_begin(writer, key, shape->help);
    json_write_open(writer, "properties", '{');
    schema_rows(writer, shape->options, NULL);
    schema_rows(writer, extra, shape->options);
    schema_report_reference(writer);
    write_enum_map(writer, part_find(shape->parts, "enum"));
    schema_plain(writer, "write", write->shape, NULL);
    json_write_close(writer, '}');
    schema_required(writer, shape->options, of_profile ? extra : NULL, NULL);
    json_write_close(writer, '}');
}

void schema_names(struct json_writer *writer, const struct shape *shape, const struct option *extra)
{
    json_write_open(writer, "propertyNames", '{');
    json_write_open(writer, "enum", '[');
    for (const struct option *row = shape->options; row && row->key; row++)
        json_write_text(writer, NULL, row->key);
    for (const struct option *row = extra; row && row->key; row++)
        if (!option_find(shape->options, row->key))
            json_write_text(writer, NULL, row->key);
    for (const struct part *part = shape->parts; part && part->key; part++)
        if (part->kind != PART_REFUSED)
            json_write_text(writer, NULL, part->key);
    json_write_close(writer, ']');
    json_write_close(writer, '}');
}
