#include "config/csv_keys.h"

#include <stdio.h>

/* The rows of a table that `before` does not have. */
static bool row_at(const struct option *rows, const struct option *before, size_t *index,
                   struct csv_column *column)
{
    for (; rows && rows->key; rows++) {
        if (option_find(before, rows->key))
            continue;
        if ((*index)-- == 0) {
            column->row = rows;
            column->key = rows->key;
            return true;
        }
    }
    return false;
}

bool csv_column(const struct option *driver, size_t index, struct csv_column *column)
{
    *column = (struct csv_column){.part = NULL};
    if (row_at(shape_point.options, NULL, &index, column) ||
        row_at(driver, shape_point.options, &index, column))
        return true;
    for (const struct part *part = shape_point.parts; part->key; part++) {
        if (part->kind != PART_OBJECT || part->shape == &shape_point_write) {
            column->key = part->key;
            if (index-- == 0)
                return true;
        }
        if (part->kind != PART_OBJECT)
            continue;
        column->part = part->key;
        if (row_at(part->shape->options, NULL, &index, column))
            return true;
        column->part = NULL;
    }
    return false;
}

void csv_column_name(const struct csv_column *column, char *out, size_t size)
{
    snprintf(out, size, "%s%s%s", column->part ? column->part : "", column->part ? "." : "",
             column->key);
}
