/* Values in the layout of the file that they are put into. */
#include <stdlib.h>
#include <string.h>

#include "config/edit_inside.h"
#include "core/text.h"

static void write_text(FILE *out, const char *text, size_t size)
{
    char small[256], *quoted = small;
    size_t room = 6 * size + 3;
    struct text writer;

    if (room > sizeof small)
        quoted = malloc(room);
    if (!quoted)
        return;
    text_init(&writer, quoted, room);
    text_json_string(&writer, text, size);
    fwrite(quoted, 1, writer.size, out);
    if (quoted != small)
        free(quoted);
}

void edit_write_key(FILE *out, const struct edit_style *style, const char *key)
{
    write_text(out, key, strlen(key));
    fputs(style->colon, out);
}

static void write_scalar(FILE *out, const struct json *value)
{
    switch (value->type) {
    case JSON_BOOL:
        fputs(value->truth ? "true" : "false", out);
        break;
    case JSON_NUMBER:
        fputs(value->text, out);
        break;
    case JSON_STRING:
        write_text(out, value->text, value->size);
        break;
    default:
        fputs("null", out);
    }
}

static bool is_nested(const struct json *value)
{
    return value->type == JSON_OBJECT || value->type == JSON_LIST;
}

/* Columns on one line; more than EDIT_WIDTH for any that do not fit. */
static size_t width_of(const struct json *value, size_t so_far)
{
    if (!is_nested(value))
        return so_far + value->size + 5;
    so_far += 4;
    for (const struct json *item = value->first; item && so_far <= EDIT_WIDTH; item = item->next)
        so_far = width_of(item, so_far + (item->key ? strlen(item->key) + 4 : 0) + 2);
    return so_far;
}

static bool holds_nested(const struct json *value)
{
    const struct json *item = value->first;

    while (item && !is_nested(item))
        item = item->next;
    return item != NULL;
}

static void write_inline(FILE *out, const struct edit_style *style, const struct json *value)
{
    bool object = value->type == JSON_OBJECT, padded = object && style->padded && value->first;

    if (!is_nested(value)) {
        write_scalar(out, value);
        return;
    }
    fputs(object ? "{" : "[", out);
    fputs(padded ? " " : "", out);
    for (const struct json *item = value->first; item; item = item->next) {
        if (item->key)
            edit_write_key(out, style, item->key);
        write_inline(out, style, item);
        fputs(item->next ? style->comma : "", out);
    }
    fputs(padded ? " " : "", out);
    fputs(object ? "}" : "]", out);
}

void edit_write(FILE *out, const struct edit_style *style, const struct json *value,
                const char *indent, bool spread)
{
    char deeper[2 * EDIT_INDENT_MAX];
    bool entries = value->type == JSON_LIST && holds_nested(value);

    if (!is_nested(value) || !value->first || style->flat ||
        (!spread && !style->expanded && !entries &&
         width_of(value, strlen(indent)) <= EDIT_WIDTH)) {
        write_inline(out, style, value);
        return;
    }
    snprintf(deeper, sizeof deeper, "%.*s%s", EDIT_INDENT_MAX - 1, indent, style->unit);
    fputc(value->type == JSON_OBJECT ? '{' : '[', out);
    for (const struct json *item = value->first; item; item = item->next) {
        fprintf(out, "%s%s", style->newline, deeper);
        if (item->key)
            edit_write_key(out, style, item->key);
        edit_write(out, style, item, deeper, false);
        fputs(item->next ? "," : "", out);
    }
    fprintf(out, "%s%s%c", style->newline, indent, value->type == JSON_OBJECT ? '}' : ']');
}

char *edit_print(const struct json *value)
{
    static const struct edit_style style = {
        .unit = "", .newline = "", .colon = ":", .comma = ",", .flat = true};
    char *made = NULL;
    size_t size;
    FILE *out = open_memstream(&made, &size);

    if (!out)
        return NULL;
    write_inline(out, &style, value);
    if (fclose(out) == 0)
        return made;
    free(made);
    return NULL;
}
