/* "points": "boiler.csv": the points of a device from a table of their own. */
#include <string.h>

#include "config/decode_value.h"
#include "config/file.h"
#include "config/load.h"

const struct option load_table_row = {.key = "points", .type = OPTION_FILE};

/* The table of that file, read once for each driver. */
static const struct json *read_table(struct loader *loader, const struct json *value,
                                     const char *path, const struct option *rows)
{
    for (size_t i = 0; i < loader->table_count; i++)
        if (loader->tables[i].rows == rows && strcmp(loader->tables[i].path, path) == 0)
            return loader->tables[i].root;
    if (loader->table_count == TABLES_MAX) {
        findings_value(loader->decoder.findings, value, "more than %d tables of points",
                       TABLES_MAX);
        return NULL;
    }
    struct table *table = &loader->tables[loader->table_count++];
    *table = (struct table){.path = path, .rows = rows};
    if (file_read_points(&table->root, loader->scratch, path, rows, loader->decoder.findings) != 0)
        table->root = NULL;
    return table->root;
}

const struct json *load_own_points(struct loader *loader, const struct loaded_device *device)
{
    const struct json *value = json_find(device->node, "points");
    const char *path = NULL;
    if (!value || value->type != JSON_STRING)
        return decode_part(&loader->decoder, device->node, &shape_device, "points");
    if (!decode_value(&loader->decoder, &load_table_row, value, &path) || !path)
        return NULL;
    return json_find(read_table(loader, value, path, device->driver->point.options), "points");
}
