/* Where in the text an item goes, and what goes with one that is taken away. */
#include <stdlib.h>
#include <string.h>

#include "config/edit_inside.h"
#include "core/error.h"

static size_t line_begin(const struct edit_document *document, size_t at)
{
    while (at > 0 && document->text[at - 1] != '\n')
        at--;
    return at;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

void edit_indent(const struct edit_document *document, size_t at, char out[EDIT_INDENT_MAX])
{
    size_t begin = line_begin(document, at), size = 0;

    while (size < EDIT_INDENT_MAX - 1 && is_blank(document->text[begin + size]))
        size++;
    memcpy(out, document->text + begin, size);
    out[size] = '\0';
}

bool edit_is_spread(const struct edit_document *document, const struct json *value)
{
    return memchr(document->text + value->begin, '\n', value->end - value->begin) != NULL;
}

/* Whether the item is the first thing on its line. */
static bool begins_line(const struct edit_document *document, const struct json *item)
{
    size_t at = item->key_begin;

    while (at > 0 && is_blank(document->text[at - 1]))
        at--;
    return at == 0 || document->text[at - 1] == '\n';
}

/* Behind the comment at `at`; `at` where there is none. */
static size_t skip_comment(const struct edit_document *document, size_t at)
{
    const char *text = document->text, *end;

    if (text[at] != '/' || (text[at + 1] != '/' && text[at + 1] != '*'))
        return at;
    end = text[at + 1] == '*' ? strstr(text + at + 2, "*/") : strchr(text + at, '\n');
    if (!end)
        return document->size;
    if (text[at + 1] == '*')
        return (size_t)(end - text) + 2;
    return (size_t)(end - text) - (end[-1] == '\r');
}

/* The comma behind an item, across lines and comments; SIZE_MAX where there is none. */
static size_t comma_behind(const struct edit_document *document, size_t at)
{
    for (;;) {
        size_t behind = skip_comment(document, at);

        if (document->text[at] == ',')
            return at;
        if (behind == at && !strchr(" \t\r\n", document->text[at]))
            return SIZE_MAX;
        if (at >= document->size)
            return SIZE_MAX;
        at = behind == at ? at + 1 : behind;
    }
}

/* What stands behind an item on its line. */
struct tail {
    size_t end; /* behind the last comment of the line, or the beginning */
    bool last;  /* nothing else stands on the line */
};

static struct tail tail_from(const struct edit_document *document, size_t at)
{
    struct tail tail = {.end = at};

    for (;;) {
        while (is_blank(document->text[at]) || document->text[at] == '\r')
            at++;
        if (document->text[at] == '\n' || at >= document->size) {
            tail.last = true;
            return tail;
        }
        size_t behind = skip_comment(document, at);
        if (behind == at)
            return tail;
        at = tail.end = behind;
    }
}

static char *render(const struct edit_document *document, const char *before, const char *key,
                    const struct json *value, const char *indent, bool spread, const char *behind,
                    size_t *size)
{
    char *made = NULL;
    FILE *out = open_memstream(&made, size);

    if (!out)
        return NULL;
    fputs(before, out);
    if (key)
        edit_write_key(out, &document->style, key);
    edit_write(out, &document->style, value, indent, spread);
    fputs(behind, out);
    if (fclose(out) == 0)
        return made;
    free(made);
    return NULL;
}

static int splice_made(struct edit_document *document, struct edit_splice *splices, size_t count,
                       char *made, char why[EDIT_WHY_SIZE])
{
    int error = ERR_NOMEM;

    if (made)
        error = edit_splice(document, splices, count, why);
    else
        snprintf(why, EDIT_WHY_SIZE, "%s", error_text(error));
    free(made);
    return error;
}

static bool is_nested(const struct json *value)
{
    return value->type == JSON_OBJECT || value->type == JSON_LIST;
}

/* Into brackets that hold nothing, or comments only. */
static int insert_first(struct edit_document *document, const struct json *parent, const char *key,
                        const struct json *value, char why[EDIT_WHY_SIZE])
{
    const struct edit_style *style = &document->style;
    size_t close = parent->end - 1, end = close, size;
    char base[EDIT_INDENT_MAX], indent[2 * EDIT_INDENT_MAX], before[3 * EDIT_INDENT_MAX],
        behind[2 * EDIT_INDENT_MAX];

    while (strchr(" \t\r\n", document->text[end - 1]))
        end--;
    bool bare = end == (size_t)parent->begin + 1;
    bool spread = !style->flat && (style->expanded || !bare || is_nested(value) || !parent->parent);
    edit_indent(document, parent->begin, base);
    snprintf(indent, sizeof indent, "%s%s", base, style->unit);
    if (spread) {
        snprintf(before, sizeof before, "%s%s", style->newline, indent);
        snprintf(behind, sizeof behind, "%s%s", style->newline, base);
    } else {
        const char *pad = style->padded && key ? " " : "";
        snprintf(before, sizeof before, "%s", bare ? pad : " ");
        snprintf(behind, sizeof behind, "%s", pad);
    }
    char *made = render(document, before, key, value, spread ? indent : base, false, behind, &size);
    struct edit_splice splice = {end, close, made, size};
    return splice_made(document, &splice, 1, made, why);
}

/* What stands behind byte `at` has moved by so many. */
static void move_behind(struct json *value, size_t at, int64_t by)
{
    if (value->end <= at)
        return;
    value->end = (uint32_t)(value->end + by);
    if (value->begin > at)
        value->begin = (uint32_t)(value->begin + by);
    if (value->key_begin > at)
        value->key_begin = (uint32_t)(value->key_begin + by);
    for (struct json *item = value->first; item; item = item->next)
        move_behind(item, at, by);
}

static void move(struct json *value, int64_t by)
{
    value->begin = (uint32_t)(value->begin + by);
    value->end = (uint32_t)(value->end + by);
    value->key_begin = (uint32_t)(value->key_begin + by);
    for (struct json *item = value->first; item; item = item->next)
        move(item, by);
}

/* The item of a list or object that is written so, with its places in `made`; NULL: it must be read
 * with all the others. */
static struct json *read_item(struct edit_document *document, enum json_type type, const char *made,
                              size_t size)
{
    char *alone = malloc(size + 3);
    struct json *around = NULL;

    if (!alone)
        return NULL;
    alone[0] = type == JSON_OBJECT ? '{' : '[';
    memcpy(alone + 1, made, size);
    alone[size + 1] = type == JSON_OBJECT ? '}' : ']';
    alone[size + 2] = '\0';
    bool read =
        json_read(&around, document->arena, alone, size + 2, NULL, NULL) == 0 && around->count == 1;
    free(alone);
    if (!read)
        return NULL;
    move(around->first, -1);
    return around->first;
}

/* As the last one behind `last`, without reading all of the others anew. */
static int graft(struct edit_document *document, const struct json *last,
                 const struct edit_splice splices[2], struct json *item, char why[EDIT_WHY_SIZE])
{
    struct json *before = (struct json *)(uintptr_t)last;
    int error = edit_splice_text(document, splices, 2, why);

    if (error)
        return error;
    move_behind(document->root, last->end, (int64_t)(splices[0].size + splices[1].size));
    move(item, (int64_t)(splices[1].begin + splices[0].size));
    item->parent = before->parent;
    item->parent->count++;
    before->next = item;
    edit_look(document);
    return 0;
}

static const struct json *last_item(const struct json *parent, const struct json **before)
{
    const struct json *last = parent->first;

    for (*before = NULL; last->next; last = last->next)
        *before = last;
    return last;
}

int edit_insert(struct edit_document *document, const struct json *parent, const char *key,
                const struct json *value, char why[EDIT_WHY_SIZE])
{
    const struct edit_style *style = &document->style;
    const struct json *before, *last;
    char base[EDIT_INDENT_MAX], indent[2 * EDIT_INDENT_MAX], lead[3 * EDIT_INDENT_MAX];
    size_t size;

    if (!parent->first)
        return insert_first(document, parent, key, value, why);
    last = last_item(parent, &before);
    size_t comma = comma_behind(document, last->end);
    struct tail tail = tail_from(document, comma == SIZE_MAX ? last->end : comma + 1);
    bool lined = begins_line(document, last) || begins_line(document, parent->first);
    bool apart = tail.last; /* on a line of its own */
    edit_indent(document, lined || !apart ? last->key_begin : parent->begin, base);
    snprintf(indent, sizeof indent, "%s%s", base, lined || !apart ? "" : style->unit);
    if (apart) {
        snprintf(lead, sizeof lead, "%s%s", style->newline, indent);
    } else {
        snprintf(lead, sizeof lead, "%s", style->comma + 1);
    }
    bool spread = is_nested(last) && last->type == value->type && last->first &&
                  edit_is_spread(document, last) && begins_line(document, last->first);
    char *made =
        render(document, lead, key, value, indent, spread, comma == SIZE_MAX ? "" : ",", &size);
    struct edit_splice splices[] = {{last->end, last->end, ",", comma == SIZE_MAX},
                                    {tail.end, tail.end, made, size}};
    struct json *item = made ? read_item(document, parent->type, made, size) : NULL;

    if (!item)
        return splice_made(document, splices, 2, made, why);
    int error = graft(document, last, splices, item, why);
    free(made);
    return error;
}

/*
 * Neither holds others: then the tree needs not be read anew. Of a thousand devices that get other
 * names each would have all of them read once more.
 */
static int replace_plain(struct edit_document *document, const struct json *old,
                         const struct json *value, char why[EDIT_WHY_SIZE])
{
    size_t size, begin = old->begin, end = old->end;
    const char *text =
        value->text ? arena_text(document->arena, value->text, value->size) : value->text;
    char *made =
        text || !value->text ? render(document, "", NULL, value, "", false, "", &size) : NULL;
    struct json *changed = (struct json *)(uintptr_t)old;

    if (!made)
        return splice_made(document, NULL, 0, NULL, why);
    struct edit_splice splice = {begin, end, made, size};
    int error = edit_splice_text(document, &splice, 1, why);
    free(made);
    if (error)
        return error;
    changed->type = value->type;
    changed->truth = value->truth;
    changed->number = value->number;
    changed->text = text;
    changed->size = value->size;
    move_behind(document->root, begin, (int64_t)size - (int64_t)(end - begin));
    return 0;
}

int edit_replace(struct edit_document *document, const struct json *old, const struct json *value,
                 char why[EDIT_WHY_SIZE])
{
    char indent[EDIT_INDENT_MAX];

    if (!is_nested(old) && !is_nested(value))
        return replace_plain(document, old, value, why);
    bool spread = is_nested(old) && old->first && edit_is_spread(document, old) &&
                  begins_line(document, old->first);
    size_t size;

    edit_indent(document, old->key_begin, indent);
    char *made = render(document, "", NULL, value, indent, spread, "", &size);
    struct edit_splice splice = {old->begin, old->end, made, size};
    return splice_made(document, &splice, 1, made, why);
}

/* The item before this one; NULL for the first. */
static const struct json *item_before(const struct json *item)
{
    const struct json *before = item->parent->first;

    if (before == item)
        return NULL;
    while (before->next != item)
        before = before->next;
    return before;
}

int edit_remove(struct edit_document *document, const struct json *item, char why[EDIT_WHY_SIZE])
{
    const struct json *before = item_before(item);
    size_t comma = comma_behind(document, item->end);
    struct edit_splice splices[3], *splice = splices;
    size_t begin = item->key_begin, end = item->end;

    /* A comma behind the last item is taken by our reader, not by every other: none is left that
     * was not there. */
    if (!item->next && before && comma == SIZE_MAX) {
        size_t stray = comma_behind(document, before->end);
        *splice++ = (struct edit_splice){stray, stray + 1, "", 0};
    }
    bool near = comma != SIZE_MAX && strspn(document->text + end, " \t") == comma - end;
    if (near)
        end = comma + 1;
    struct tail tail = tail_from(document, end);
    size_t line = line_begin(document, begin);
    if (tail.last && begins_line(document, item) && (near || comma == SIZE_MAX)) {
        end = tail.end + strcspn(document->text + tail.end, "\n");
        end += end < document->size;
        begin = line;
    } else if (item->next) {
        while (is_blank(document->text[end]))
            end++;
    } else {
        while (begin > 0 && is_blank(document->text[begin - 1]) &&
               begin > (before ? before->end : item->parent->begin + 1u))
            begin--;
    }
    *splice++ = (struct edit_splice){begin, end, "", 0};
    if (comma != SIZE_MAX && !near)
        *splice++ = (struct edit_splice){comma, comma + 1, "", 0};
    return edit_splice(document, splices, (size_t)(splice - splices), why);
}
