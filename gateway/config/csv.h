/*
 * Points as a table: one line a point, the first line names the keys. It is read into the tree that
 * JSON would make of the same points, so that all that holds for points holds for these, and
 * errors are told with the table's own lines and columns.
 *
 *     id;reg;type;scale;unit;write.min;write.max;enum
 *     supply_temp;40101;i16;0.1;°C;;;
 *     mode;40120;u16;;;0;1;0=off|1=auto
 *
 * Written as spreadsheets do: cells are parted by commas, semicolons or tabs, whichever the first
 * line has (or says: "sep=;"), quoted where they hold one of these, with quotes in them doubled. A
 * byte order mark is skipped, and so are empty lines and those whose first cell begins with #. An
 * empty cell is a key that is left out; a quoted one is an empty text. Lists have | between their
 * items, and a backslash before a | or a backslash in one. "write.min" is "min" in the object
 * "write"; "write" alone opens the point where the cell is true, and where it is false no limit may
 * stand beside it. Numbers have a point, whatever the
 * language.
 */
#ifndef SLUICE_CONFIG_CSV_H
#define SLUICE_CONFIG_CSV_H

#include <stdio.h>

#include "config/json.h"
#include "core/option.h"

#define CSV_COLUMNS_MAX 128

/*
 * Reads a table of points whose driver has the rows `driver` (NULL: keys of all points only). *root
 * gets an object with the list "points"; it lives in `arena` and needs `text` no more. Returns 0,
 * also where errors were told that could be read past (so count them); ERR_INVALID when reading had
 * to stop at an error that was told, ERR_NOMEM.
 */
int csv_read_points(struct json **root, struct arena *arena, const char *text, size_t size,
                    const struct option *driver, json_tell_fn *tell, void *context);

/*
 * Writes a list of points as such a table: the columns that any of them needs, in the order of the
 * tables. Returns 0; ERR_INVALID with a sentence in `why` for what no table can hold; ERR_IO.
 */
int csv_write_points(const struct json *list, const struct option *driver, char separator,
                     FILE *out, char *why, size_t why_size);

#endif
