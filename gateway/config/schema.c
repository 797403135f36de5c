/* The JSON Schema (draft-07) of the configuration, from the same tables that the reader goes by. */
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/json_write.h"
#include "config/quantity.h"
#include "config/shape.h"
#include "core/error.h"
#include "field/driver.h"

#define ENUM_KEY_PATTERN "^(0|-?[1-9][0-9]*)$"
#define VARIABLE_PATTERN                                                                           \
    "|\\$\\{" /* a text with ${...} in it: only the reader knows what comes of it */

#define BAND_PATTERN "^(100(\\.0+)?|[0-9]{1,2}(\\.[0-9]+)?)%$"

struct schema {
    struct json_writer writer;
    const struct config_parts *parts;
};

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

static void write_band(struct json_writer *writer, const struct option *option)
{
    json_write_open(writer, "anyOf", '[');
    json_write_open(writer, NULL, '{');
    json_write_text(writer, "type", "number");
    write_bounds(writer, option);
    json_write_close(writer, '}');
    json_write_open(writer, NULL, '{');
    json_write_text(writer, "type", "string");
    json_write_text(writer, "pattern", BAND_PATTERN);
    json_write_close(writer, '}');
    json_write_close(writer, ']');
}

static void write_numbers(struct json_writer *writer, const struct option *option)
{
    json_write_open(writer, "anyOf", '[');
    json_write_open(writer, NULL, '{');
    json_write_text(writer, "type", "number");
    write_bounds(writer, option);
    json_write_close(writer, '}');
    json_write_open(writer, NULL, '{');
    json_write_text(writer, "type", "array");
    json_write_open(writer, "items", '{');
    json_write_text(writer, "type", "number");
    write_bounds(writer, option);
    json_write_close(writer, '}');
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

/* Rows as properties, but for those that `before` (may be NULL) has, too. */
static void write_rows(struct json_writer *writer, const struct option *rows,
                       const struct option *before)
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

/* "required" where there is any. */
static void write_required(struct json_writer *writer, const struct option *rows,
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

static void begin_object(struct json_writer *writer, const char *key, const char *help)
{
    json_write_open(writer, key, '{');
    if (help)
        json_write_text(writer, "description", help);
    json_write_text(writer, "type", "object");
    json_write_raw(writer, "additionalProperties", "false");
}

/* An object that consists of rows only. */
static void write_plain(struct json_writer *writer, const char *key, const struct shape *shape,
                        const struct option *extra)
{
    begin_object(writer, key, shape->help);
    json_write_open(writer, "properties", '{');
    write_rows(writer, shape->options, NULL);
    write_rows(writer, extra, shape->options);
    json_write_close(writer, '}');
    write_required(writer, shape->options, extra, NULL);
    json_write_close(writer, '}');
}

static void write_report_reference(struct json_writer *writer)
{
    json_write_open(writer, "report", '{');
    json_write_text(writer, "$ref", "#/definitions/report");
    json_write_close(writer, '}');
}

/* A point of `shape`. In a profile it must have all that its driver needs; elsewhere a profile may
 * bring that. */
static void write_point(struct json_writer *writer, const char *key, const struct shape *shape,
                        const struct option *extra)
{
    const struct part *write = part_find(shape->parts, "write");
    bool of_profile = write && write->kind == PART_FACTS;
    begin_object(writer, key, shape->help);
    json_write_open(writer, "properties", '{');
    write_rows(writer, shape->options, NULL);
    write_rows(writer, extra, shape->options);
    write_report_reference(writer);
    write_enum_map(writer, part_find(shape->parts, "enum"));
    write_plain(writer, "write", write->shape, NULL);
    json_write_close(writer, '}');
    write_required(writer, shape->options, of_profile ? extra : NULL, NULL);
    json_write_close(writer, '}');
}

/* Keys that may stand in an object, for drivers' share of it. */
static void write_names(struct json_writer *writer, const struct shape *shape,
                        const struct option *extra)
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

/* Drivers that share their tables share a definition: that of the first of them. */
static const struct driver *first_alike(const struct schema *schema, const struct driver *driver)
{
    const struct driver *const *other = schema->parts->drivers;
    while ((*other)->device.options != driver->device.options ||
           (*other)->point.options != driver->point.options)
        other++;
    return *other;
}

/* What a driver adds to an object of `shape`, and that its points are the driver's. Left open. */
static void begin_driver_share(struct json_writer *writer, const struct driver *driver,
                               const char *what, const struct shape *shape)
{
    char name[160];
    snprintf(name, sizeof(name), "%s-%s", what, driver->name);
    json_write_open(writer, name, '{');
    write_names(writer, shape, driver->device.options);
    json_write_open(writer, "properties", '{');
    write_rows(writer, driver->device.options, shape->options);
    json_write_open(writer, "points", '{');
    json_write_open(writer, "items", '{');
    snprintf(name, sizeof(name), "#/definitions/point-%s", driver->name);
    json_write_text(writer, "$ref", name);
    json_write_close(writer, '}');
    json_write_close(writer, '}');
    json_write_close(writer, '}');
}

/* A device of one driver: what it adds to what all devices have, which stands at the reference. */
static void write_driver_device(struct schema *schema, const struct driver *driver)
{
    struct json_writer *writer = &schema->writer;
    begin_driver_share(writer, driver, "device", &shape_device);
    /* A profile may bring what a device and its points must have. */
    json_write_raw(writer, "if", "{\"not\": {\"required\": [\"profile\"]}}");
    json_write_open(writer, "then", '{');
    write_required(writer, driver->device.options, NULL, NULL);
    json_write_open(writer, "properties", '{');
    json_write_open(writer, "points", '{');
    json_write_open(writer, "items", '{');
    write_required(writer, driver->point.options, NULL, NULL);
    json_write_close(writer, '}');
    json_write_close(writer, '}');
    json_write_close(writer, '}');
    json_write_close(writer, '}');
    json_write_close(writer, '}');
}

static void write_definitions(struct schema *schema)
{
    struct json_writer *writer = &schema->writer;
    char name[160];
    json_write_open(writer, "definitions", '{');
    write_plain(writer, "report", &shape_report, NULL);
    for (const struct driver *const *driver = schema->parts->drivers; *driver; driver++) {
        if (first_alike(schema, *driver) != *driver)
            continue;
        write_driver_device(schema, *driver);
        snprintf(name, sizeof(name), "point-%s", (*driver)->name);
        write_point(writer, name, &shape_point, (*driver)->point.options);
    }
    json_write_close(writer, '}');
}

/* Every driver's keys by name and meaning, so that editors offer them; what they may hold is said
 * per driver. */
static void write_union(struct schema *schema, const struct shape *shape, bool of_bus)
{
    const struct driver *const *drivers = schema->parts->drivers;
    for (size_t i = 0; drivers[i]; i++) {
        const struct option *row = of_bus ? drivers[i]->bus.options : drivers[i]->device.options;
        for (; row && row->key; row++) {
            bool written = option_find(shape->options, row->key);
            for (size_t j = 0; j < i && !written; j++)
                written = option_find(of_bus ? drivers[j]->bus.options : drivers[j]->device.options,
                                      row->key);
            if (written)
                continue;
            json_write_open(&schema->writer, row->key, '{');
            json_write_text(&schema->writer, "description", row->help);
            json_write_close(&schema->writer, '}');
        }
    }
}

static void write_bus_driver(struct json_writer *writer, const struct driver *driver)
{
    json_write_open(writer, NULL, '{');
    json_write_open(writer, "if", '{');
    json_write_open(writer, "properties", '{');
    json_write_open(writer, "driver", '{');
    json_write_text(writer, "const", driver->name);
    json_write_close(writer, '}');
    json_write_close(writer, '}');
    json_write_close(writer, '}');
    json_write_open(writer, "then", '{');
    write_names(writer, &shape_bus, driver->bus.options);
    json_write_open(writer, "properties", '{');
    write_rows(writer, driver->bus.options, shape_bus.options);
    json_write_close(writer, '}');
    write_required(writer, driver->bus.options, NULL, NULL);
    json_write_close(writer, '}');
    json_write_close(writer, '}');
}

static void write_bus(struct schema *schema)
{
    struct json_writer *writer = &schema->writer;
    begin_object(writer, "items", shape_bus.help);
    json_write_open(writer, "properties", '{');
    for (const struct option *row = shape_bus.options; row->key; row++) {
        struct option one[2] = {*row, {0}};
        struct option_choice names[32] = {0};
        size_t count = 0;
        for (const struct driver *const *driver = schema->parts->drivers; *driver; driver++)
            if (count < 31)
                names[count++] = (struct option_choice){(*driver)->name, 0, (*driver)->help};
        if (strcmp(row->key, "driver") == 0)
            one[0].choices = names;
        write_rows(writer, one, NULL);
    }
    write_union(schema, &shape_bus, true);
    json_write_close(writer, '}');
    write_required(writer, shape_bus.options, NULL, NULL);
    json_write_open(writer, "allOf", '[');
    for (const struct driver *const *driver = schema->parts->drivers; *driver; driver++)
        write_bus_driver(writer, *driver);
    json_write_close(writer, ']');
    json_write_close(writer, '}');
}

/* What it is besides is said per driver. */
static void write_any_driver(struct schema *schema, const char *what)
{
    struct json_writer *writer = &schema->writer;
    char name[160];
    json_write_open(writer, "anyOf", '[');
    for (const struct driver *const *driver = schema->parts->drivers; *driver; driver++) {
        if (first_alike(schema, *driver) != *driver)
            continue;
        snprintf(name, sizeof(name), "#/definitions/%s-%s", what, (*driver)->name);
        json_write_open(writer, NULL, '{');
        json_write_text(writer, "$ref", name);
        json_write_close(writer, '}');
    }
    json_write_close(writer, ']');
}

static void write_points_list(struct json_writer *writer, const struct shape *shape)
{
    const struct part *part = part_find(shape->parts, "points");
    json_write_open(writer, "points", '{');
    json_write_text(writer, "description", part->help);
    if (part->kind == PART_TABLE) {
        json_write_raw(writer, "type", "[\"array\", \"string\"]");
        json_write_number(writer, "minLength", 1);
    } else {
        json_write_text(writer, "type", "array");
    }
    json_write_close(writer, '}');
}

static void write_device(struct schema *schema)
{
    struct json_writer *writer = &schema->writer;
    begin_object(writer, "items", shape_device.help);
    json_write_open(writer, "properties", '{');
    write_rows(writer, shape_device.options, NULL);
    write_union(schema, &shape_device, false);
    write_report_reference(writer);
    write_points_list(writer, &shape_device);
    json_write_close(writer, '}');
    write_required(writer, shape_device.options, NULL, NULL);
    write_any_driver(schema, "device");
    json_write_close(writer, '}');
}

static void write_uplink(struct schema *schema)
{
    struct json_writer *writer = &schema->writer;
    begin_object(writer, "items", shape_uplink.help);
    json_write_open(writer, "properties", '{');
    write_rows(writer, shape_uplink.options, NULL);
    write_rows(writer, schema->parts->uplink.options, shape_uplink.options);
    write_plain(writer, "tls", &shape_uplink_tls, schema->parts->uplink_tls.options);
    json_write_close(writer, '}');
    write_required(writer, shape_uplink.options, schema->parts->uplink.options, NULL);
    json_write_close(writer, '}');
}

static void write_list(struct schema *schema, const char *key, unsigned limit,
                       void (*write_item)(struct schema *schema))
{
    json_write_open(&schema->writer, key, '{');
    json_write_text(&schema->writer, "description", part_find(shape_root.parts, key)->help);
    json_write_text(&schema->writer, "type", "array");
    json_write_number(&schema->writer, "maxItems", limit);
    write_item(schema);
    json_write_close(&schema->writer, '}');
}

int config_schema(const struct config_parts *parts, void *stdio_file)
{
    struct schema schema = {.writer = {.out = stdio_file}, .parts = parts};
    struct json_writer *writer = &schema.writer;
    json_write_open(writer, NULL, '{');
    json_write_text(writer, "$schema", "http://json-schema.org/draft-07/schema#");
    json_write_text(writer, "title", "Sluice configuration");
    json_write_text(writer, "type", "object");
    json_write_raw(writer, "additionalProperties", "false");
    json_write_open(writer, "properties", '{');
    write_rows(writer, shape_root.options, NULL);
    write_plain(writer, "gateway", &shape_gateway, NULL);
    write_plain(writer, "journal", &shape_journal, NULL);
    begin_object(writer, "defaults", shape_defaults.help);
    json_write_open(writer, "properties", '{');
    write_rows(writer, shape_defaults.options, NULL);
    write_report_reference(writer);
    json_write_close(writer, '}');
    json_write_close(writer, '}');
    write_list(&schema, "buses", LIST_ENTRIES_MAX, write_bus);
    write_list(&schema, "devices", LIST_ENTRIES_MAX, write_device);
    write_list(&schema, "uplinks", UPLINKS_MAX, write_uplink);
    json_write_close(writer, '}');
    write_required(writer, shape_root.options, NULL, shape_root.parts);
    write_definitions(&schema);
    json_write_close(writer, '}');
    return ferror(writer->out) ? ERR_IO : 0;
}

static void write_profile_definitions(struct schema *schema)
{
    struct json_writer *writer = &schema->writer;
    char name[160];
    json_write_open(writer, "definitions", '{');
    write_plain(writer, "report", &shape_report, NULL);
    for (const struct driver *const *driver = schema->parts->drivers; *driver; driver++) {
        if (first_alike(schema, *driver) != *driver)
            continue;
        begin_driver_share(writer, *driver, "profile", &shape_profile);
        json_write_close(writer, '}');
        snprintf(name, sizeof(name), "point-%s", (*driver)->name);
        write_point(writer, name, &shape_profile_point, (*driver)->point.options);
    }
    json_write_close(writer, '}');
}

int config_profile_schema(const struct config_parts *parts, void *stdio_file)
{
    struct schema schema = {.writer = {.out = stdio_file}, .parts = parts};
    struct json_writer *writer = &schema.writer;
    json_write_open(writer, NULL, '{');
    json_write_text(writer, "$schema", "http://json-schema.org/draft-07/schema#");
    json_write_text(writer, "title", "Sluice device profile");
    json_write_text(writer, "type", "object");
    json_write_raw(writer, "additionalProperties", "false");
    json_write_open(writer, "properties", '{');
    write_rows(writer, shape_profile.options, NULL);
    write_union(&schema, &shape_profile, false);
    write_report_reference(writer);
    write_plain(writer, "source", &shape_source, NULL);
    write_plain(writer, "factory", &shape_factory, NULL);
    write_plain(writer, "assign", &shape_assign, NULL);
    write_points_list(writer, &shape_profile);
    json_write_close(writer, '}');
    write_any_driver(&schema, "profile");
    write_profile_definitions(&schema);
    json_write_close(writer, '}');
    return ferror(writer->out) ? ERR_IO : 0;
}
