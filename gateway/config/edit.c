#include "config/edit.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config/edit_inside.h"
#include "config/utf8.h"
#include "core/error.h"

#define STEPS_MAX  16
#define MERGES_MAX 4096 /* changes that one "set" may come to */

struct reading {
    unsigned count;
    struct json_place at; /* of the first mistake */
    char sentence[256];
};

static int refuse(char why[EDIT_WHY_SIZE], int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int refuse(char why[EDIT_WHY_SIZE], int error, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vsnprintf(why, EDIT_WHY_SIZE, format, list);
    va_end(list);
    utf8_cut(why);
    return error;
}

static void remember(void *context, struct json_place at, const char *sentence)
{
    struct reading *reading = context;

    if (reading->count++ > 0)
        return;
    reading->at = at;
    snprintf(reading->sentence, sizeof reading->sentence, "%s", sentence);
}

static int read_document(struct edit_document *document, char why[EDIT_WHY_SIZE])
{
    struct reading reading = {0};

    arena_close(document->arena);
    document->arena = NULL;
    int error = arena_open(&document->arena);
    if (!error)
        error = json_read(&document->root, document->arena, document->text, document->size,
                          remember, &reading);
    if (error == ERR_NOMEM)
        return refuse(why, error, "%s", error_text(error));
    if (error || reading.count > 0)
        return refuse(why, ERR_CONFIG,
                      "line %u, column %u: %s; correct this in the text first: a file with such a "
                      "mistake is not changed key by key",
                      reading.at.line, reading.at.column, reading.sentence);
    edit_look(document);
    return 0;
}

int edit_splice_text(struct edit_document *document, const struct edit_splice *splices,
                     size_t count, char why[EDIT_WHY_SIZE])
{
    char *made = NULL;
    size_t size, at = 0;
    FILE *out = open_memstream(&made, &size);

    if (!out)
        return refuse(why, ERR_NOMEM, "%s", error_text(ERR_NOMEM));
    for (size_t i = 0; i < count; i++) {
        fwrite(document->text + at, 1, splices[i].begin - at, out);
        fwrite(splices[i].with, 1, splices[i].size, out);
        at = splices[i].end;
    }
    fwrite(document->text + at, 1, document->size - at, out);
    if (fclose(out) != 0) {
        free(made);
        return refuse(why, ERR_NOMEM, "%s", error_text(ERR_NOMEM));
    }
    free(document->text);
    document->text = made;
    document->size = size;
    if (size > JSON_SIZE_MAX)
        return refuse(why, ERR_TOO_LARGE, "the file would be larger than %d MiB",
                      JSON_SIZE_MAX >> 20);
    return 0;
}

int edit_splice(struct edit_document *document, const struct edit_splice *splices, size_t count,
                char why[EDIT_WHY_SIZE])
{
    int error = edit_splice_text(document, splices, count, why);

    return error ? error : read_document(document, why);
}

/* The first brackets that stand on one line, and the first that do not. */
static void look_at(struct edit_document *document, const struct json *value, bool *inline_seen,
                    bool *spread_seen)
{
    for (const struct json *item = value->first; item && !*inline_seen; item = item->next) {
        if (!item->first)
            continue;
        if (!edit_is_spread(document, item)) {
            *inline_seen = true;
            document->style.padded = item->type == JSON_LIST
                                         ? document->style.padded
                                         : document->text[item->begin + 1] == ' ';
        } else {
            *spread_seen = true;
            look_at(document, item, inline_seen, spread_seen);
        }
    }
}

void edit_look(struct edit_document *document)
{
    struct edit_style *style = &document->style;
    const struct json *first = document->root->first;
    const char *newline = strchr(document->text, '\n');
    bool inline_seen = false, spread_seen = false;

    *style = (struct edit_style){
        .unit = "  ", .newline = "\n", .colon = ": ", .comma = ", ", .padded = true};
    if (newline && newline > document->text && newline[-1] == '\r')
        style->newline = "\r\n";
    if (first && first->key && document->text[first->begin - 1] == ':')
        style->colon = ":";
    style->flat = first && !edit_is_spread(document, document->root);
    if (style->flat && style->colon[1] == '\0')
        style->comma = ",";
    if (style->flat)
        style->padded = document->text[document->root->begin + 1] == ' ';
    else if (first)
        edit_indent(document, first->key_begin, style->unit);
    if (!*style->unit)
        snprintf(style->unit, sizeof style->unit, "  ");
    look_at(document, document->root, &inline_seen, &spread_seen);
    style->expanded = spread_seen && !inline_seen;
}

const char *edit_id(const struct json *entry)
{
    const struct json *id = json_find(entry, "id");

    return id && id->type == JSON_STRING ? id->text : NULL;
}

const struct json *edit_entry(const struct json *list, const char *id)
{
    const struct json *entry = list && list->type == JSON_LIST ? list->first : NULL;

    for (; entry; entry = entry->next) {
        const char *other = edit_id(entry);
        if (other && strcmp(other, id) == 0)
            return entry;
    }
    return NULL;
}

static bool same_number(const struct json *a, const struct json *b)
{
    int64_t one, two;

    if (json_integer(a, &one) && json_integer(b, &two))
        return one == two;
    return a->number == b->number;
}

static bool same_items(const struct json *a, const struct json *b)
{
    const struct json *other = b->first;

    for (const struct json *item = a->first; item; item = item->next) {
        const struct json *match = other;
        if (item->key && (!other || strcmp(item->key, other->key) != 0))
            match = json_find(b, item->key);
        if (!match || !edit_same(item, match))
            return false;
        other = other ? other->next : NULL;
    }
    return true;
}

bool edit_same(const struct json *a, const struct json *b)
{
    if (a->type != b->type || a->count != b->count)
        return false;
    switch (a->type) {
    case JSON_BOOL:
        return a->truth == b->truth;
    case JSON_NUMBER:
        return same_number(a, b);
    case JSON_STRING:
        return a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
    case JSON_LIST:
    case JSON_OBJECT:
        return same_items(a, b);
    default:
        return true;
    }
}

/* One step of a path below `value`; NULL where nothing stands. */
static const struct json *step_to(const struct json *value, const struct json *step)
{
    int64_t index;

    if (step->type == JSON_STRING)
        return json_find(value, step->text);
    if (value->type != JSON_LIST)
        return NULL;
    if (step->type == JSON_OBJECT)
        return edit_entry(value, edit_id(step));
    value = value->first;
    for (json_integer(step, &index); value && index > 0; index--)
        value = value->next;
    return value;
}

struct path {
    const struct json *steps[STEPS_MAX];
    size_t count;
};

static int read_path(struct path *path, const struct json *at, char why[EDIT_WHY_SIZE])
{
    int64_t index;

    path->count = 0;
    if (!at || at->type != JSON_LIST || !at->first)
        return refuse(why, ERR_INVALID,
                      "\"at\" is a list of steps: [\"devices\", {\"id\": \"boiler\"}, \"name\"]");
    for (const struct json *step = at->first; step; step = step->next) {
        bool fine = step->type == JSON_STRING || (step->type == JSON_OBJECT && edit_id(step)) ||
                    (json_integer(step, &index) && index >= 0);
        if (!fine || path->count == STEPS_MAX)
            return refuse(why, ERR_INVALID,
                          fine ? "\"at\" has more than %d steps"
                               : "a step of \"at\" is a key, {\"id\": \"...\"} or a place in a "
                                 "list from 0 (and there are at most %d)",
                          STEPS_MAX);
        path->steps[path->count++] = step;
    }
    return 0;
}

/* "devices.boiler.name", for messages. */
static const char *path_words(const struct path *path, char out[160])
{
    size_t at = 0;

    out[0] = '\0';
    for (size_t i = 0; i < path->count && at < 159; i++) {
        const struct json *step = path->steps[i];
        const char *word = step->type == JSON_OBJECT ? edit_id(step) : step->text;
        at += (size_t)snprintf(out + at, 160 - at, "%s%s", i > 0 ? "." : "", word);
    }
    utf8_cut(out);
    return out;
}

static const struct json *find(const struct edit_document *document, const struct path *path,
                               size_t count)
{
    const struct json *value = document->root;

    for (size_t i = 0; value && i < count; i++)
        value = step_to(value, path->steps[i]);
    return value;
}

/* A value inside of objects for the keys from `from` on, which do not exist yet. */
static struct json *wrap(struct arena *arena, const struct path *path, size_t from,
                         const struct json *value)
{
    struct json *made = arena_alloc(arena, sizeof *made);

    if (!made)
        return NULL;
    *made = *value;
    made->next = NULL;
    for (size_t i = path->count; made && i > from + 1; i--) {
        struct json *outer = arena_alloc(arena, sizeof *outer);
        if (!outer)
            return NULL;
        made->key = path->steps[i - 1]->text;
        outer->type = JSON_OBJECT;
        outer->count = 1;
        outer->first = made;
        made = outer;
    }
    made->key = NULL;
    return made;
}

/* Sets what is not there yet. */
static int create(struct edit_document *document, const struct path *path, const struct json *value,
                  char why[EDIT_WHY_SIZE])
{
    char words[160];
    size_t have = path->count - 1;
    struct arena *arena;

    while (have > 0 && !find(document, path, have))
        have--;
    for (size_t i = have; i < path->count; i++)
        if (path->steps[i]->type != JSON_STRING)
            return refuse(why, ERR_NOT_FOUND, "%s: there is no such entry",
                          path_words(path, words));
    const struct json *parent = find(document, path, have);
    if (parent->type != JSON_OBJECT)
        return refuse(why, ERR_INVALID, "%s: the key would stand in something that is no object",
                      path_words(path, words));
    int error = arena_open(&arena);
    if (error)
        return refuse(why, error, "%s", error_text(error));
    const struct json *made = wrap(arena, path, have, value);
    error = made ? edit_insert(document, parent, path->steps[have]->text, made, why)
                 : refuse(why, ERR_NOMEM, "%s", error_text(ERR_NOMEM));
    arena_close(arena);
    return error;
}

/* Whether two lists can be made the same entry by entry: all have ids, each once, and those that
 * are in both stand in the same order, with new ones behind them. */
static bool mergeable(const struct json *old, const struct json *new)
{
    const struct json *at = new->first;

    for (const struct json *entry = new->first; entry; entry = entry->next)
        if (!edit_id(entry) || edit_entry(new, edit_id(entry)) != entry)
            return false;
    for (const struct json *entry = old->first; entry; entry = entry->next) {
        if (!edit_id(entry) || edit_entry(old, edit_id(entry)) != entry)
            return false;
        if (!edit_entry(new, edit_id(entry)))
            continue;
        if (!at || strcmp(edit_id(at), edit_id(entry)) != 0)
            return false;
        at = at->next;
    }
    for (; at; at = at->next)
        if (edit_entry(old, edit_id(at)))
            return false;
    return true;
}

struct merge {
    struct edit_document *document;
    char *why;
    unsigned changes;
};

static int merge_value(struct merge *merge, struct path *path, const struct json *value);

static const struct json *counterpart(const struct json *item, const struct json *in)
{
    return item->key ? json_find(in, item->key) : edit_entry(in, edit_id(item));
}

/* Takes away what `value` does not have. */
static int merge_removals(struct merge *merge, const struct path *path, const struct json *value)
{
    for (;;) {
        const struct json *old = find(merge->document, path, path->count);
        const struct json *item = old->first;

        while (item && counterpart(item, value))
            item = item->next;
        if (!item)
            return 0;
        if (++merge->changes > MERGES_MAX)
            return refuse(merge->why, ERR_TOO_LARGE, "more than %d changes at once", MERGES_MAX);
        int error = edit_remove(merge->document, item, merge->why);
        if (error)
            return error;
    }
}

static int merge_items(struct merge *merge, struct path *path, const struct json *value)
{
    int error = merge_removals(merge, path, value);

    for (const struct json *item = value->first; item && !error; item = item->next) {
        const struct json *old = find(merge->document, path, path->count);
        const struct json *match = counterpart(item, old);

        if (match && edit_same(match, item))
            continue;
        if (!match) {
            if (++merge->changes > MERGES_MAX)
                return refuse(merge->why, ERR_TOO_LARGE, "more than %d changes at once",
                              MERGES_MAX);
            error = edit_insert(merge->document, old, item->key, item, merge->why);
            continue;
        }
        /* The entry itself serves as its step: it has the id. */
        struct json key = {.type = JSON_STRING, .text = item->key};
        path->steps[path->count++] = item->key ? &key : item;
        error = merge_value(merge, path, item);
        path->count--;
        /* The entry is found by its new id from here on. */
        if (item->key && strcmp(item->key, "id") == 0 && path->count > 0 &&
            path->steps[path->count - 1]->type == JSON_OBJECT)
            path->steps[path->count - 1] = value;
    }
    return error;
}

/* Makes what stands at the path, which exists, the same as `value`. */
static int merge_value(struct merge *merge, struct path *path, const struct json *value)
{
    const struct json *old = find(merge->document, path, path->count);

    if (edit_same(old, value))
        return 0;
    bool alike = old->type == value->type && old->first && value->first && path->count < STEPS_MAX;
    if (alike &&
        (value->type == JSON_OBJECT || (value->type == JSON_LIST && mergeable(old, value))))
        return merge_items(merge, path, value);
    if (++merge->changes > MERGES_MAX)
        return refuse(merge->why, ERR_TOO_LARGE, "more than %d changes at once", MERGES_MAX);
    return edit_replace(merge->document, old, value, merge->why);
}

static int set(struct edit_document *document, struct path *path, const struct json *value,
               char why[EDIT_WHY_SIZE])
{
    struct merge merge = {document, why, 0};
    const struct json *step = path->steps[path->count - 1], *old;
    const char *id = edit_id(value);
    char words[160];

    old = find(document, path, path->count);
    if (!old)
        return create(document, path, value, why);
    if (step->type == JSON_OBJECT && !id)
        return refuse(why, ERR_INVALID, "%s: an entry that is found by its id has one",
                      path_words(path, words));
    if (step->type == JSON_OBJECT && strcmp(id, edit_id(step)) != 0 && edit_entry(old->parent, id))
        return refuse(why, ERR_EXISTS, "%s: another entry has the id \"%.64s\" already",
                      path_words(path, words), id);
    return merge_value(&merge, path, value);
}

static int add(struct edit_document *document, const struct path *path, const struct json *value,
               char why[EDIT_WHY_SIZE])
{
    const struct json *list = find(document, path, path->count);
    const char *id = edit_id(value);
    char words[160];

    if (!list) {
        struct json only = *value, made = {.type = JSON_LIST, .count = 1, .first = &only};
        only.key = NULL;
        only.next = NULL;
        return create(document, path, &made, why);
    }
    if (list->type != JSON_LIST)
        return refuse(why, ERR_INVALID, "%s is no list that something could be added to",
                      path_words(path, words));
    if (id && edit_entry(list, id))
        return refuse(why, ERR_EXISTS, "%s has an entry with the id \"%.64s\" already",
                      path_words(path, words), id);
    return edit_insert(document, list, NULL, value, why);
}

static int take_away(struct edit_document *document, const struct path *path,
                     char why[EDIT_WHY_SIZE])
{
    const struct json *item = find(document, path, path->count);
    char words[160];

    if (!item)
        return refuse(why, ERR_NOT_FOUND, "%s: there is nothing to remove",
                      path_words(path, words));
    return edit_remove(document, item, why);
}

static int apply(struct edit_document *document, const struct json *edit, char why[EDIT_WHY_SIZE])
{
    const struct json *value = json_find(edit, "set"), *added = json_find(edit, "add"),
                      *removed = json_find(edit, "remove");
    struct path path;

    if (edit->type != JSON_OBJECT || !!value + !!added + !!removed != 1 ||
        (removed && !(removed->type == JSON_BOOL && removed->truth)))
        return refuse(why, ERR_INVALID,
                      "an edit is an object with \"at\" and one of \"set\", \"add\" and "
                      "\"remove\": true");
    int error = read_path(&path, json_find(edit, "at"), why);
    if (error)
        return error;
    if (removed)
        return take_away(document, &path, why);
    return value ? set(document, &path, value, why) : add(document, &path, added, why);
}

int edit_text(const struct json *edits, const char *text, size_t size, char **edited,
              size_t *edited_size, char why[EDIT_WHY_SIZE])
{
    struct edit_document document = {.text = malloc(size + 1), .size = size};

    *edited = NULL;
    why[0] = '\0';
    if (!document.text)
        return refuse(why, ERR_NOMEM, "%s", error_text(ERR_NOMEM));
    memcpy(document.text, text, size);
    document.text[size] = '\0';
    int error =
        edits->type == JSON_LIST && edits->count <= EDIT_COUNT_MAX
            ? read_document(&document, why)
            : refuse(why, ERR_INVALID, "\"edits\" is a list of at most %d edits", EDIT_COUNT_MAX);
    for (const struct json *edit = edits->first; edit && !error; edit = edit->next)
        error = apply(&document, edit, why);
    /* What was put into the tree as it came has to be within a reader's bounds as a whole, too. */
    if (!error)
        error = read_document(&document, why);
    arena_close(document.arena);
    if (error) {
        free(document.text);
        return error;
    }
    *edited = document.text;
    *edited_size = document.size;
    return 0;
}
