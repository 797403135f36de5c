/* The columns that a table of points can have. Used by csv.c and csv_write.c. */
#ifndef SLUICE_CONFIG_CSV_KEYS_H
#define SLUICE_CONFIG_CSV_KEYS_H

#include "config/shape.h"

/* A column: a key of a point, or of an object in it ("report.dead_band"). */
struct csv_column {
    const char *part;         /* "report", "write"; NULL: of the point itself */
    const struct option *row; /* NULL: the part itself ("write", "enum") */
    const char *key;          /* in the point or its part */
};

/* The column number `index` of all that there are for points of a driver; false behind the last. */
bool csv_column(const struct option *driver, size_t index, struct csv_column *column);

/* Writes its name, as it stands in the first line. */
void csv_column_name(const struct csv_column *column, char *out, size_t size);

#endif
