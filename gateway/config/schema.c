/* The JSON Schema (draft-07) of the configuration, from the same tables that the reader goes by. */
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/schema_rows.h"
#include "core/error.h"
#include "field/driver.h"

struct schema {
    struct json_writer writer;
    const struct config_parts *parts;
};

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
    schema_names(writer, shape, driver->device.options);
    json_write_open(writer, "properties", '{');
    schema_rows(writer, driver->device.options, shape->options);
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
    schema_required(writer, driver->device.options, NULL, NULL);
    json_write_open(writer, "properties", '{');
    json_write_open(writer, "points", '{');
    json_write_open(writer, "items", '{');
    schema_required(writer, driver->point.options, NULL, NULL);
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
    schema_plain(writer, "report", &shape_report, NULL);
    for (const struct driver *const *driver = schema->parts->drivers; *driver; driver++) {
        if (first_alike(schema, *driver) != *driver)
            continue;
        write_driver_device(schema, *driver);
        snprintf(name, sizeof(name), "point-%s", (*driver)->name);
        schema_point(writer, name, &shape_point, (*driver)->point.options);
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
    schema_names(writer, &shape_bus, driver->bus.options);
    json_write_open(writer, "properties", '{');
    schema_rows(writer, driver->bus.options, shape_bus.options);
    json_write_close(writer, '}');
    schema_required(writer, driver->bus.options, NULL, NULL);
    json_write_close(writer, '}');
    json_write_close(writer, '}');
}

static void write_bus(struct schema *schema)
{
    struct json_writer *writer = &schema->writer;
    schema_begin(writer, "items", shape_bus.help);
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
        schema_rows(writer, one, NULL);
    }
    write_union(schema, &shape_bus, true);
    json_write_close(writer, '}');
    schema_required(writer, shape_bus.options, NULL, NULL);
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
    schema_begin(writer, "items", shape_device.help);
    json_write_open(writer, "properties", '{');
    schema_rows(writer, shape_device.options, NULL);
    write_union(schema, &shape_device, false);
    schema_report_reference(writer);
    write_points_list(writer, &shape_device);
    json_write_close(writer, '}');
    schema_required(writer, shape_device.options, NULL, NULL);
    write_any_driver(schema, "device");
    json_write_close(writer, '}');
}

static void write_uplink(struct schema *schema)
{
    struct json_writer *writer = &schema->writer;
    schema_begin(writer, "items", shape_uplink.help);
    json_write_open(writer, "properties", '{');
    schema_rows(writer, shape_uplink.options, NULL);
    schema_rows(writer, schema->parts->uplink.options, shape_uplink.options);
    schema_plain(writer, "tls", &shape_uplink_tls, schema->parts->uplink_tls.options);
    json_write_close(writer, '}');
    schema_required(writer, shape_uplink.options, schema->parts->uplink.options, NULL);
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

/* Up to the properties that are rows of the outermost object. */
static void begin_document(struct json_writer *writer, const char *title, const struct shape *shape)
{
    json_write_open(writer, NULL, '{');
    json_write_text(writer, "$schema", "http://json-schema.org/draft-07/schema#");
    json_write_text(writer, "title", title);
    json_write_text(writer, "type", "object");
    json_write_raw(writer, "additionalProperties", "false");
    json_write_open(writer, "properties", '{');
    schema_rows(writer, shape->options, NULL);
}

int config_schema(const struct config_parts *parts, void *stdio_file)
{
    struct schema schema = {.writer = {.out = stdio_file}, .parts = parts};
    struct json_writer *writer = &schema.writer;
    begin_document(writer, "Sluice configuration", &shape_root);
    schema_plain(writer, "gateway", &shape_gateway, NULL);
    schema_plain(writer, "journal", &shape_journal, NULL);
    schema_plain(writer, "web", &shape_web, NULL);
    schema_begin(writer, "defaults", shape_defaults.help);
    json_write_open(writer, "properties", '{');
    schema_rows(writer, shape_defaults.options, NULL);
    schema_report_reference(writer);
    json_write_close(writer, '}');
    json_write_close(writer, '}');
    write_list(&schema, "buses", LIST_ENTRIES_MAX, write_bus);
    write_list(&schema, "devices", LIST_ENTRIES_MAX, write_device);
    write_list(&schema, "uplinks", UPLINKS_MAX, write_uplink);
    json_write_close(writer, '}');
    schema_required(writer, shape_root.options, NULL, shape_root.parts);
    write_definitions(&schema);
    json_write_close(writer, '}');
    return ferror(writer->out) ? ERR_IO : 0;
}

static void write_profile_definitions(struct schema *schema)
{
    struct json_writer *writer = &schema->writer;
    char name[160];
    json_write_open(writer, "definitions", '{');
    schema_plain(writer, "report", &shape_report, NULL);
    for (const struct driver *const *driver = schema->parts->drivers; *driver; driver++) {
        if (first_alike(schema, *driver) != *driver)
            continue;
        begin_driver_share(writer, *driver, "profile", &shape_profile);
        json_write_close(writer, '}');
        snprintf(name, sizeof(name), "point-%s", (*driver)->name);
        schema_point(writer, name, &shape_profile_point, (*driver)->point.options);
    }
    json_write_close(writer, '}');
}

int config_profile_schema(const struct config_parts *parts, void *stdio_file)
{
    struct schema schema = {.writer = {.out = stdio_file}, .parts = parts};
    struct json_writer *writer = &schema.writer;
    begin_document(writer, "Sluice device profile", &shape_profile);
    write_union(&schema, &shape_profile, false);
    schema_report_reference(writer);
    schema_plain(writer, "source", &shape_source, NULL);
    schema_plain(writer, "factory", &shape_factory, NULL);
    schema_plain(writer, "assign", &shape_assign, NULL);
    write_points_list(writer, &shape_profile);
    json_write_close(writer, '}');
    write_any_driver(&schema, "profile");
    write_profile_definitions(&schema);
    json_write_close(writer, '}');
    return ferror(writer->out) ? ERR_IO : 0;
}
