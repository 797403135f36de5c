#include <string.h>

#include "config/csv.h"
#include "config/csv_keys.h"
#include "core/error.h"

#define CELL_SIZE_MAX 4096

struct cell {
    char text[CELL_SIZE_MAX];
    size_t size;
    bool given; /* the point has the key: an empty text is not no text */
    bool fits;
};

static void append(struct cell *cell, const char *text, size_t size)
{
    cell->fits &= size < sizeof(cell->text) - cell->size;
    if (!cell->fits)
        return;
    memcpy(cell->text + cell->size, text, size);
    cell->size += size;
    cell->text[cell->size] = '\0';
}

/* An item of a list: a backslash before what would part it. */
static void append_item(struct cell *cell, const char *text)
{
    for (; *text; text++) {
        if (*text == '|' || *text == '\\')
            append(cell, "\\", 1);
        append(cell, text, 1);
    }
}

static bool is_plain(const struct json *value)
{
    return value->type == JSON_STRING || value->type == JSON_NUMBER;
}

/* A value of a point as the text of its cell. False where a cell cannot hold it. */
static bool put_value(struct cell *cell, const struct json *value)
{
    bool list = value->type == JSON_LIST, map = value->type == JSON_OBJECT;
    if (value->type == JSON_BOOL) {
        append(cell, value->truth ? "true" : "false", value->truth ? 4 : 5);
    } else if (is_plain(value)) {
        append(cell, value->text, strlen(value->text));
    } else if (list || map) {
        for (const struct json *item = value->first; item; item = item->next) {
            if (!is_plain(item))
                return false;
            append(cell, "|", item != value->first);
            if (map) {
                append_item(cell, item->key);
                append(cell, "=", 1);
            }
            append_item(cell, item->text);
        }
    } else {
        return false;
    }
    return cell->fits;
}

static const struct json *value_of(const struct json *point, const struct csv_column *column)
{
    return json_find(column->part ? json_find(point, column->part) : point, column->key);
}

/* What stands in the cell of a point; false where no cell can hold it. */
static bool fill(struct cell *cell, const struct json *point, const struct csv_column *column)
{
    const struct json *value = value_of(point, column);
    bool opens = !column->part && !column->row && value && value->type == JSON_OBJECT &&
                 strcmp(column->key, "write") == 0;
    *cell = (struct cell){.fits = true, .given = value != NULL};
    if (opens)
        append(cell, "true", 4);
    return !value || opens || put_value(cell, value);
}

static bool needs_quotes(const struct cell *cell, char separator)
{
    const char *text = cell->text;
    if (!cell->given)
        return false;
    return cell->size == 0 || strchr(text, separator) || strpbrk(text, "\"\r\n") ||
           strchr(" \t", text[0]) || strchr(" \t", text[cell->size - 1]);
}

static void write_cell(const struct cell *cell, char separator, bool first, FILE *out)
{
    if (!first)
        fputc(separator, out);
    if (!needs_quotes(cell, separator)) {
        fputs(cell->text, out);
        return;
    }
    fputc('"', out);
    for (const char *at = cell->text; *at; at++) {
        if (*at == '"')
            fputc('"', out);
        fputc(*at, out);
    }
    fputc('"', out);
}

/* The columns that any of the points needs. */
static size_t choose(const struct json *list, const struct option *driver,
                     struct csv_column columns[CSV_COLUMNS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; count < CSV_COLUMNS_MAX && csv_column(driver, i, &columns[count]); i++) {
        bool needed = false;
        for (const struct json *point = list->first; point && !needed; point = point->next)
            needed = value_of(point, &columns[count]) != NULL;
        count += needed;
    }
    return count;
}

/* Whether the columns hold all that a point has. */
static const char *left_out(const struct json *object, const char *part,
                            const struct csv_column *columns, size_t count)
{
    for (const struct json *item = object->first; item; item = item->next) {
        bool held = false;
        for (size_t i = 0; i < count && !held; i++)
            held =
                strcmp(columns[i].key, item->key) == 0 &&
                (part ? columns[i].part && strcmp(columns[i].part, part) == 0 : !columns[i].part);
        for (size_t i = 0; i < count && !held && !part && item->type == JSON_OBJECT; i++)
            held = columns[i].part && strcmp(columns[i].part, item->key) == 0;
        if (!held)
            return item->key;
        if (!part && item->type == JSON_OBJECT && strcmp(item->key, "enum") != 0) {
            const char *inner = left_out(item, item->key, columns, count);
            if (inner)
                return inner;
        }
    }
    return NULL;
}

static int write_point(const struct json *point, const struct csv_column *columns, size_t count,
                       char separator, FILE *out, char *why, size_t why_size)
{
    const char *left = left_out(point, NULL, columns, count);
    if (left) {
        snprintf(why, why_size, "line %u: \"%.60s\" is no key of points", point->at.line, left);
        return ERR_INVALID;
    }
    for (size_t i = 0; i < count; i++) {
        struct cell cell;
        if (!fill(&cell, point, &columns[i])) {
            snprintf(why, why_size, "line %u: \"%s\" does not fit into a cell", point->at.line,
                     columns[i].key);
            return ERR_INVALID;
        }
        write_cell(&cell, separator, i == 0, out);
    }
    fputc('\n', out);
    return 0;
}

int csv_write_points(const struct json *list, const struct option *driver, char separator,
                     FILE *out, char *why, size_t why_size)
{
    struct csv_column columns[CSV_COLUMNS_MAX];
    size_t count = choose(list, driver, columns);
    for (size_t i = 0; i < count; i++) {
        struct cell name = {.given = true, .fits = true};
        csv_column_name(&columns[i], name.text, sizeof(name.text));
        name.size = strlen(name.text);
        write_cell(&name, separator, i == 0, out);
    }
    fputc('\n', out);
    for (const struct json *point = list->first; point; point = point->next) {
        int error = point->type == JSON_OBJECT
                        ? write_point(point, columns, count, separator, out, why, why_size)
                        : 0;
        if (error)
            return error;
    }
    return ferror(out) ? ERR_IO : 0;
}
