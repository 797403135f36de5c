/* The reference page's tables, from the same rows that the reader goes by. */
#include <stdio.h>

#include "config/config.h"
#include "config/decode.h"
#include "config/shape.h"
#include "core/error.h"
#include "field/driver.h"

static const char *const type_names[] = {
    [OPTION_BOOL] = "true or false",
    [OPTION_INT] = "whole number",
    [OPTION_NUMBER] = "number",
    [OPTION_TEXT] = "text",
    [OPTION_ID] = "id",
    [OPTION_DURATION] = "duration",
    [OPTION_SIZE] = "size",
    [OPTION_CHOICE] = "choice",
    [OPTION_BAND] = "number, or a share as \"2%\"",
    [OPTION_NUMBERS] = "number or list of numbers",
    [OPTION_TEXTS] = "list of texts",
    [OPTION_PARSED] = "text",
    [OPTION_PATH] = "path",
    [OPTION_FILE] = "file that exists",
    [OPTION_SECRET] = "file that exists and that not everybody may read",
};

/* Text in a cell of a table: a bar would end the cell. */
static void put_cell(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text, out);
    }
}

static void write_row(FILE *out, const struct option *row)
{
    char allowed[FINDINGS_TEXT_MAX];
    decode_allowed(row, allowed, sizeof(allowed));
    fprintf(out, "| `%s` | %s", row->key, type_names[row->type]);
    if (*allowed && !row->choices && row->type != OPTION_ID)
        fprintf(out, ", %s", allowed);
    fputs(" | ", out);
    if (row->required)
        fputs("required", out);
    else if (row->fallback)
        fprintf(out, "`%s`", row->fallback);
    fputs(" | ", out);
    put_cell(out, row->help);
    for (const struct option_choice *choice = row->choices; choice && choice->text; choice++) {
        fprintf(out, "<br>`\"%s\"`: ", choice->text);
        put_cell(out, choice->help ? choice->help : "");
    }
    if (row->example) {
        fputs("<br>Example: `", out);
        put_cell(out, row->example);
        fputc('`', out);
    }
    fputs(" |\n", out);
}

static void write_rows(FILE *out, const struct option *rows, const struct option *before)
{
    for (; rows && rows->key; rows++)
        if (!option_find(before, rows->key))
            write_row(out, rows);
}

static void begin_table(FILE *out, const char *title)
{
    fprintf(out, "\n### %s\n\n| key | what | default | meaning |\n| --- | --- | --- | --- |\n",
            title);
}

/* A shape's own rows, those on top of them, and its parts. */
static void write_shape(FILE *out, const char *title, const struct shape *shape,
                        const struct option *extra)
{
    static const char *const kinds[] = {[PART_OBJECT] = "object",
                                        [PART_LIST] = "list of objects",
                                        [PART_TABLE] = "list of objects, or a file",
                                        [PART_ENUM] = "object",
                                        [PART_FACTS] = "object"};
    begin_table(out, title);
    write_rows(out, shape->options, NULL);
    write_rows(out, extra, shape->options);
    for (const struct part *part = shape->parts; part && part->key; part++) {
        if (part->kind == PART_REFUSED)
            continue;
        fprintf(out, "| `%s` | %s | %s | ", part->key, kinds[part->kind],
                part->required ? "required" : "");
        put_cell(out, part->help);
        fputs(" |\n", out);
    }
}

static void write_driver_table(FILE *out, const struct driver *driver, const char *what,
                               const struct option *rows, const struct option *common)
{
    char title[128];
    if (!rows)
        return;
    snprintf(title, sizeof(title), "%s of `%s`", what, driver->name);
    begin_table(out, title);
    write_rows(out, rows, common);
}

/* The driver before this one whose table of that level is the same; NULL for none. */
static const struct driver *shared(const struct driver *const *first,
                                   const struct driver *const *driver, bool points)
{
    for (; first != driver; first++)
        if (points ? (*first)->point.options == (*driver)->point.options
                   : (*first)->device.options == (*driver)->device.options)
            return *first;
    return NULL;
}

static void write_driver(FILE *out, const struct driver *const *first,
                         const struct driver *const *driver)
{
    fprintf(out, "\n## Driver `%s`\n\n%s\n", (*driver)->name,
            (*driver)->help ? (*driver)->help : "");
    write_driver_table(out, *driver, "Buses", (*driver)->bus.options, shape_bus.options);
    for (int points = 0; points < 2; points++) {
        const struct driver *same = shared(first, driver, points);
        if (same)
            fprintf(out, "\n%s: as with `%s`.\n", points ? "Points" : "Devices", same->name);
        else if (points)
            write_driver_table(out, *driver, "Points", (*driver)->point.options,
                               shape_point.options);
        else
            write_driver_table(out, *driver, "Devices", (*driver)->device.options,
                               shape_device.options);
    }
}

int config_reference(const struct config_parts *parts, void *stdio_file)
{
    FILE *out = stdio_file;
    fputs("## What every gateway has\n", out);
    write_shape(out, "The file", &shape_root, NULL);
    write_shape(out, "`gateway`", &shape_gateway, NULL);
    write_shape(out, "`journal`", &shape_journal, NULL);
    write_shape(out, "`web`", &shape_web, NULL);
    write_shape(out, "`defaults`", &shape_defaults, NULL);
    write_shape(out, "`report`", &shape_report, NULL);
    write_shape(out, "An entry of `buses`", &shape_bus, NULL);
    write_shape(out, "An entry of `devices`", &shape_device, NULL);
    write_shape(out, "An entry of `points`", &shape_point, NULL);
    write_shape(out, "`write` of a point", &shape_point_write, NULL);
    write_shape(out, "An entry of `uplinks`", &shape_uplink, parts->uplink.options);
    write_shape(out, "`tls` of an uplink", &shape_uplink_tls, parts->uplink_tls.options);
    write_shape(out, "A device profile", &shape_profile, NULL);
    write_shape(out, "`source` of a profile", &shape_source, NULL);
    write_shape(out, "`factory` of a profile", &shape_factory, NULL);
    write_shape(out, "`assign` of a profile", &shape_assign, NULL);
    begin_table(out, "A point of a profile, besides the keys of a point");
    write_row(out, profile_read_row);
    write_shape(out, "`write` of a profile's point", &shape_write, NULL);
    for (const struct driver *const *driver = parts->drivers; *driver; driver++)
        write_driver(out, parts->drivers, driver);
    return ferror(out) ? ERR_IO : 0;
}
