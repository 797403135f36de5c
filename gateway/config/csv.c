#include "config/csv.h"

#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/csv_keys.h"
#include "config/synonym.h"
#include "config/utf8.h"
#include "core/error.h"
#include "core/nearest.h"

struct reader {
    struct arena *arena;
    const char *at, *end;
    struct json_place place;
    char separator;
    locale_t locale; /* numbers have a point, whatever the process's locale */
    struct csv_column columns[CSV_COLUMNS_MAX];
    size_t column_count;
    char name[96];            /* of what is read: "points[3].scale" */
    struct json_place closed; /* where this point's "write" says false; line 0: nowhere */
    json_tell_fn *tell;
    void *context;
};

struct cell {
    struct json_place at;
    const char *text;
    bool quoted, last; /* of its line */
};

static void __attribute__((format(printf, 3, 4)))
tell(const struct reader *reader, struct json_place at, const char *format, ...)
{
    char sentence[512];
    va_list list;
    va_start(list, format);
    vsnprintf(sentence, sizeof(sentence), format, list);
    va_end(list);
    utf8_cut(sentence);
    reader->tell(reader->context, at, sentence);
}

static bool next_is(const struct reader *reader, char c)
{
    return reader->at < reader->end && *reader->at == c;
}

static bool at_line_end(const struct reader *reader)
{
    return reader->at == reader->end || *reader->at == '\n' ||
           (*reader->at == '\r' && reader->end - reader->at > 1 && reader->at[1] == '\n');
}

/* One byte on; columns count characters. */
static void step(struct reader *reader)
{
    char c = *reader->at++;
    if (c == '\n') {
        reader->place.line++;
        reader->place.column = 1;
    } else if (((unsigned char)c & 0xc0) != 0x80) {
        reader->place.column++;
    }
}

static void skip_line_end(struct reader *reader)
{
    if (next_is(reader, '\r'))
        step(reader);
    if (next_is(reader, '\n'))
        step(reader);
}

static void skip_blanks(struct reader *reader)
{
    while ((next_is(reader, ' ') || next_is(reader, '\t')) && *reader->at != reader->separator)
        step(reader);
}

/* What stands in quotes. False where they are never closed (told) or memory is out. */
static bool read_quoted(struct reader *reader, struct cell *cell)
{
    const char *begin = reader->at + 1, *close = begin;
    while (close < reader->end && (*close != '"' || (reader->end - close > 1 && close[1] == '"')))
        close += *close == '"' ? 2 : 1;
    if (close >= reader->end) {
        tell(reader, cell->at, "this text is never closed: a quote is missing");
        return false;
    }
    char *text = arena_text(reader->arena, NULL, (size_t)(close - begin));
    if (!text)
        return false;
    cell->text = text;
    cell->quoted = true;
    for (step(reader); reader->at < close; step(reader)) {
        *text++ = *reader->at;
        if (*reader->at == '"')
            step(reader);
    }
    step(reader);
    skip_blanks(reader);
    if (!at_line_end(reader) && !next_is(reader, reader->separator)) {
        tell(reader, reader->place,
             "behind a closing quote stands \"%c\" or the line's end; quotes in a text are doubled",
             reader->separator);
        return false;
    }
    return true;
}

static bool read_plain(struct reader *reader, struct cell *cell)
{
    const char *begin = reader->at;
    while (!at_line_end(reader) && !next_is(reader, reader->separator))
        step(reader);
    size_t size = (size_t)(reader->at - begin);
    while (size > 0 && (begin[size - 1] == ' ' || begin[size - 1] == '\t'))
        size--;
    cell->text = arena_text(reader->arena, begin, size);
    return cell->text != NULL;
}

/* The next cell and what parts it from another. False when reading cannot go on. */
static bool read_cell(struct reader *reader, struct cell *cell)
{
    skip_blanks(reader);
    *cell = (struct cell){.at = reader->place};
    if (!(next_is(reader, '"') ? read_quoted(reader, cell) : read_plain(reader, cell)))
        return false;
    cell->last = at_line_end(reader);
    if (cell->last)
        skip_line_end(reader);
    else
        step(reader);
    return true;
}

/* Empty lines, and those that begin with #. */
static void skip_lines(struct reader *reader)
{
    while (reader->at < reader->end) {
        const char *at = reader->at;
        while (at < reader->end && (*at == ' ' || *at == '\t' || *at == reader->separator))
            at++;
        bool empty = at == reader->end || *at == '\n' || *at == '\r';
        bool remark = reader->at[next_is(reader, '"') && reader->end - reader->at > 1] == '#';
        if (!empty && !remark)
            return;
        while (!at_line_end(reader))
            step(reader);
        skip_line_end(reader);
    }
}

/* "sep=;" in a line of its own, or what the first line has most of. */
static void find_separator(struct reader *reader)
{
    static const char candidates[] = ",;\t";
    size_t best = 0;
    bool quoted = false;
    reader->separator = ',';
    skip_lines(reader);
    size_t size = (size_t)(reader->end - reader->at);
    if (size >= 5 && strncasecmp(reader->at, "sep=", 4) == 0) {
        reader->separator = reader->at[4];
        while (!at_line_end(reader))
            step(reader);
        skip_line_end(reader);
        skip_lines(reader);
        return;
    }
    for (const char *candidate = candidates; *candidate; candidate++) {
        size_t count = 0;
        for (const char *at = reader->at; at < reader->end && *at != '\n'; at++) {
            quoted ^= *at == '"';
            count += !quoted && *at == *candidate;
        }
        quoted = false;
        if (count > best) {
            best = count;
            reader->separator = *candidate;
        }
    }
}

/* "id, reg, type, ...": what belongs to the driver first, as that is what is missed. */
static void list_columns(const struct option *driver, char *out, size_t size)
{
    struct csv_column column;
    char name[128];
    size_t at = (size_t)snprintf(out, size, "id");
    for (int own = 1; own >= 0; own--)
        for (size_t i = 0; csv_column(driver, i, &column); i++) {
            csv_column_name(&column, name, sizeof(name));
            bool of_driver = column.row && !column.part && option_find(driver, column.key) != NULL;
            if (of_driver == (own == 1) && strcmp(name, "id") != 0 && at < size)
                at += (size_t)snprintf(out + at, size - at, ", %s", name);
        }
}

/* The column of that name; told, and false, where points have no such key. */
static bool find_column(struct reader *reader, const struct option *driver, const struct cell *cell,
                        struct csv_column *column)
{
    const char *meant = synonym_of(cell->text, &shape_point, driver);
    char name[128], best[128] = "", all[480];
    struct nearest nearest;
    nearest_init(&nearest, cell->text);
    for (size_t i = 0; csv_column(driver, i, column); i++) {
        csv_column_name(column, name, sizeof(name));
        if (strcasecmp(name, cell->text) == 0)
            return true;
        nearest_offer(&nearest, name);
        if (nearest.best == name) {
            memcpy(best, name, sizeof(best));
            nearest.best = best;
        }
    }
    if (*cell->text == '\0')
        tell(reader, cell->at, "a column without a name: the first line names the keys");
    else if (meant)
        tell(reader, cell->at, "\"%s\": unknown key; did you mean \"%s\"?", cell->text, meant);
    else if (nearest.best)
        tell(reader, cell->at, "\"%s\": unknown key; did you mean \"%s\"?", cell->text, best);
    if (*cell->text == '\0' || meant || nearest.best)
        return false;
    list_columns(driver, all, sizeof(all));
    tell(reader, cell->at, "\"%.40s\": unknown key; the first line names keys of points: %s",
         cell->text, all);
    return false;
}

static bool is_twice(const struct reader *reader, const struct csv_column *column)
{
    for (size_t i = 0; i < reader->column_count; i++) {
        const struct csv_column *other = &reader->columns[i];
        if (other->key && other->part == column->part && strcmp(other->key, column->key) == 0)
            return true;
    }
    return false;
}

/* False, told, where the lines below cannot be understood by it: what would be told of them only
 * follows from that. */
static bool read_head(struct reader *reader, const struct option *driver)
{
    struct cell cell = {.last = reader->at == reader->end};
    bool has_id = false, good = true;
    struct json_place at = reader->place;
    if (cell.last) {
        tell(reader, at, "the table is empty: its first line names the keys of points");
        return false;
    }
    while (!cell.last) {
        struct csv_column *column = &reader->columns[reader->column_count];
        if (reader->column_count == CSV_COLUMNS_MAX) {
            tell(reader, reader->place, "more than %d columns", CSV_COLUMNS_MAX);
            return false;
        }
        if (!read_cell(reader, &cell))
            return false;
        if (!find_column(reader, driver, &cell, column)) {
            column->key = NULL;
            good = false;
        } else if (is_twice(reader, column)) {
            tell(reader, cell.at, "the column \"%s\" stands twice", cell.text);
            column->key = NULL;
            good = false;
        }
        has_id |= column->key && strcmp(column->key, "id") == 0;
        reader->column_count++;
    }
    if (good && !has_id)
        tell(reader, at, "there is no column \"id\": each point needs one");
    return good && has_id;
}

static struct json *new_value(struct reader *reader, struct json *parent, const char *key,
                              struct json_place at, enum json_type type)
{
    struct json *value = arena_alloc(reader->arena, sizeof(*value));
    struct json **last = &parent->first;
    if (!value)
        return NULL;
    while (*last)
        last = &(*last)->next;
    *value = (struct json){.type = type, .key = key, .parent = parent, .key_at = at, .at = at};
    *last = value;
    parent->count++;
    return value;
}

static void set_text(struct json *value, const char *text)
{
    value->text = text;
    value->size = (uint32_t)strlen(text);
}

/* "0,1" */
static bool has_decimal_comma(const char *text)
{
    text += *text == '-' || *text == '+';
    size_t whole = strspn(text, "0123456789.");
    return whole > 0 && text[whole] == ',' && text[whole + 1] != '\0' &&
           strspn(text + whole + 1, "0123456789") == strlen(text + whole + 1);
}

static void set_number(struct reader *reader, struct json *value, const char *text)
{
    char point[64];
    set_text(value, text);
    if (json_number_valid(text)) {
        value->type = JSON_NUMBER;
        value->number = strtod_l(text, NULL, reader->locale);
        if (value->number - value->number == 0)
            return;
        tell(reader, value->at, "%s: %.60s is too large for a number", reader->name, text);
    } else if (has_decimal_comma(text) && strlen(text) < sizeof(point)) {
        strcpy(point, text);
        *strchr(point, ',') = '.';
        tell(reader, value->at, "%s: found %s; numbers have a point, whatever the language: %s",
             reader->name, text, point);
    } else {
        tell(reader, value->at, "%s: found \"%.60s\"; a number is expected", reader->name, text);
    }
    value->type = JSON_BAD;
}

/* `more`: what else is to be said of it. */
static void set_truth(struct reader *reader, struct json *value, const char *text, const char *more)
{
    value->type = JSON_BOOL;
    value->truth = strcasecmp(text, "true") == 0;
    if (value->truth || strcasecmp(text, "false") == 0)
        return;
    value->type = JSON_BAD;
    tell(reader, value->at, "%s: found \"%.60s\"; true or false is expected%s", reader->name, text,
         more);
}

/* The text up to the next | that no backslash stands before; *rest goes behind it, or is NULL. */
static const char *next_item(struct reader *reader, const char *text, const char **rest)
{
    char *item = arena_text(reader->arena, NULL, strlen(text)), *out = item;
    *rest = NULL;
    for (; item && *text; text++) {
        if (*text == '\\' && (text[1] == '|' || text[1] == '\\'))
            text++;
        else if (*text == '|') {
            *rest = text + 1;
            break;
        }
        *out++ = *text;
    }
    return item;
}

static void set_list(struct reader *reader, struct json *list, const char *text, bool numbers)
{
    list->type = JSON_LIST;
    while (text) {
        const char *item = next_item(reader, text, &text);
        struct json *value = item ? new_value(reader, list, NULL, list->at, JSON_STRING) : NULL;
        if (value && numbers)
            set_number(reader, value, item);
        else if (value)
            set_text(value, item);
    }
}

/* "0=off|1=auto" */
static void set_enum(struct reader *reader, struct json *map, const char *text)
{
    map->type = JSON_OBJECT;
    while (text) {
        const char *item = next_item(reader, text, &text);
        char *equals = item ? strchr(item, '=') : NULL;
        if (!equals) {
            if (item)
                tell(reader, map->at, "%s: found \"%.60s\"; texts for values are as 0=off|1=auto",
                     reader->name, item);
            map->type = JSON_BAD;
            return;
        }
        *equals = '\0';
        struct json *value = new_value(reader, map, item, map->at, JSON_STRING);
        if (value)
            set_text(value, equals + 1);
    }
}

static void set_value(struct reader *reader, const struct csv_column *column, struct json *value,
                      const char *text)
{
    enum option_type type = column->row ? column->row->type : OPTION_TEXT;
    if (!column->row)
        set_enum(reader, value, text);
    else if (type == OPTION_INT || type == OPTION_NUMBER)
        set_number(reader, value, text);
    else if (type == OPTION_BOOL)
        set_truth(reader, value, text, "");
    else if (type == OPTION_NUMBERS || type == OPTION_TEXTS)
        set_list(reader, value, text, type == OPTION_NUMBERS);
    else if (type == OPTION_BAND && !strchr(text, '%'))
        set_number(reader, value, text);
    else
        set_text(value, text);
}

/* The object in the point that a column belongs to, made where it is not there yet. */
static struct json *part_of(struct reader *reader, struct json *point, const char *key,
                            struct json_place at)
{
    for (struct json *item = point->first; item; item = item->next)
        if (strcmp(item->key, key) == 0)
            return item;
    return new_value(reader, point, key, at, JSON_OBJECT);
}

/* "write", which opens a point without limits. */
static void open_point(struct reader *reader, const struct cell *cell, struct json *point)
{
    struct json probe = {.at = cell->at};

    set_truth(reader, &probe, cell->text,
              "; limits have columns of their own: write.min, write.max, write.step");
    if (probe.truth)
        part_of(reader, point, "write", cell->at);
    else if (probe.type == JSON_BOOL)
        reader->closed = cell->at;
}

/* A point that says both would be open to commands against a word of its line. */
static void check_closed(const struct reader *reader, const struct json *point, unsigned number)
{
    if (reader->closed.line && json_find(point, "write"))
        tell(reader, reader->closed,
             "points[%u].write: found false beside limits of what may be written; leave those "
             "cells empty, or say true",
             number);
}

static void take_cell(struct reader *reader, const struct csv_column *column,
                      const struct cell *cell, struct json *point, unsigned number)
{
    char name[64];
    if (!column->key || (*cell->text == '\0' && !cell->quoted))
        return;
    csv_column_name(column, name, sizeof(name));
    snprintf(reader->name, sizeof(reader->name), "points[%u].%s", number, name);
    if (!column->part && !column->row && strcmp(column->key, "enum") != 0) { /* "write" */
        open_point(reader, cell, point);
        return;
    }
    struct json *parent = column->part ? part_of(reader, point, column->part, cell->at) : point;
    struct json *value =
        parent ? new_value(reader, parent, column->key, cell->at, JSON_STRING) : NULL;
    if (value)
        set_value(reader, column, value, cell->text);
}

/* One line. False when reading cannot go on. */
static bool read_point(struct reader *reader, struct json *list, struct json **last)
{
    struct cell cell = {.last = false};
    struct json *point = arena_alloc(reader->arena, sizeof(*point));
    if (!point)
        return false;
    *point = (struct json){.type = JSON_OBJECT, .parent = list, .at = reader->place};
    reader->closed.line = 0;
    for (size_t i = 0; !cell.last; i++) {
        if (!read_cell(reader, &cell))
            return false;
        if (i < reader->column_count)
            take_cell(reader, &reader->columns[i], &cell, point, list->count);
        else if (*cell.text)
            tell(reader, cell.at, "found \"%.60s\" behind the last column", cell.text);
    }
    check_closed(reader, point, list->count);
    if (*last)
        (*last)->next = point;
    else
        list->first = point;
    *last = point;
    list->count++;
    return true;
}

static struct json *read_table(struct reader *reader, const struct option *driver)
{
    struct json_place begin = {1, 1};
    struct json *last = NULL, *root = arena_alloc(reader->arena, sizeof(*root));
    if (!root)
        return NULL;
    *root = (struct json){.type = JSON_OBJECT, .at = begin};
    struct json *list = new_value(reader, root, "points", begin, JSON_LIST);
    find_separator(reader);
    if (!list || !read_head(reader, driver))
        return NULL;
    for (skip_lines(reader); reader->at < reader->end; skip_lines(reader))
        if (!read_point(reader, list, &last))
            return NULL;
    return root;
}

int csv_read_points(struct json **root, struct arena *arena, const char *text, size_t size,
                    const struct option *driver, json_tell_fn *tell_fn, void *context)
{
    struct reader reader = {.arena = arena, .place = {1, 1}, .tell = tell_fn, .context = context};
    *root = NULL;
    if (!json_text_readable(text, size, tell_fn, context))
        return ERR_INVALID;
    reader.at = text + (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0);
    reader.end = text + size;
    reader.locale = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (reader.locale == (locale_t)0)
        return ERR_NOMEM;
    *root = read_table(&reader, driver);
    freelocale(reader.locale);
    return arena_failed(arena) ? ERR_NOMEM : *root ? 0 : ERR_INVALID;
}
