#include "config/difference.h"

#include <stdlib.h>
#include <string.h>

#include "config/edit.h"
#include "config/utf8.h"

struct comparing {
    char path[DIFFERENCE_PATH_SIZE];
    unsigned count, named;
    void (*tell)(struct comparing *comparing, const struct json *old, const struct json *new);
    struct json_writer *writer;
    char *out; /* of the words */
    size_t size, at;
};

static void compare(struct comparing *comparing, const struct json *old, const struct json *new);

static void tell(struct comparing *comparing, const struct json *old, const struct json *new)
{
    if (++comparing->count <= DIFFERENCE_MAX)
        comparing->tell(comparing, old, new);
}

/* A list whose entries all have ids. */
static bool has_ids(const struct json *list)
{
    for (const struct json *entry = list->first; entry; entry = entry->next)
        if (!edit_id(entry))
            return false;
    return true;
}

static const struct json *counterpart(const struct json *item, const struct json *in)
{
    return item->key ? json_find(in, item->key) : edit_entry(in, edit_id(item));
}

/* Goes one step down the path for the time of a comparison. */
static void compare_item(struct comparing *comparing, const struct json *item,
                         const struct json *old, const struct json *new)
{
    size_t size = strlen(comparing->path);
    const char *name = item->key ? item->key : edit_id(item);

    snprintf(comparing->path + size, sizeof comparing->path - size, "%s%s", size > 0 ? "." : "",
             name);
    utf8_cut(comparing->path);
    compare(comparing, old, new);
    comparing->path[size] = '\0';
}

static void compare(struct comparing *comparing, const struct json *old, const struct json *new)
{
    bool both = old && new && old->type == new->type;
    bool inside = both && (old->type == JSON_OBJECT ||
                           (old->type == JSON_LIST && has_ids(old) && has_ids(new)));

    if (both && edit_same(old, new) && !inside)
        return;
    if (!inside) {
        tell(comparing, old, new);
        return;
    }
    for (const struct json *item = old->first; item; item = item->next)
        compare_item(comparing, item, item, counterpart(item, new));
    for (const struct json *item = new->first; item; item = item->next)
        if (!counterpart(item, old))
            compare_item(comparing, item, NULL, item);
}

static void write_value(struct json_writer *writer, const char *key, const struct json *value)
{
    char *text = value ? edit_print(value) : NULL;

    if (text)
        json_write_raw(writer, key, text);
    free(text);
}

static void write_change(struct comparing *comparing, const struct json *old,
                         const struct json *new)
{
    json_write_open(comparing->writer, NULL, '{');
    json_write_text(comparing->writer, "at", comparing->path);
    write_value(comparing->writer, "from", old);
    write_value(comparing->writer, "to", new);
    json_write_close(comparing->writer, '}');
}

unsigned difference_write(struct json_writer *writer, const char *key, const struct json *old,
                          const struct json *new)
{
    static const struct json nothing = {.type = JSON_OBJECT};
    struct comparing comparing = {.tell = write_change, .writer = writer};

    json_write_open(writer, key, '[');
    compare(&comparing, old ? old : &nothing, new ? new : &nothing);
    json_write_close(writer, ']');
    return comparing.count;
}

#define WORDS_BEHIND 32 /* " and 12345 more" */

static void add_words(struct comparing *comparing, const struct json *old, const struct json *new)
{
    size_t room = comparing->size - comparing->at;

    (void)old;
    (void)new;
    /* Once one was left out, all behind it are. */
    if (comparing->named + 1 != comparing->count || strlen(comparing->path) + WORDS_BEHIND > room)
        return;
    comparing->named++;
    comparing->at += (size_t)snprintf(comparing->out + comparing->at, room, "%s%s",
                                      comparing->at > 0 ? ", " : "", comparing->path);
}

unsigned difference_words(const struct json *old, const struct json *new, char *out, size_t size)
{
    static const struct json nothing = {.type = JSON_OBJECT};
    struct comparing comparing = {.tell = add_words, .out = out, .size = size};

    out[0] = '\0';
    compare(&comparing, old ? old : &nothing, new ? new : &nothing);
    if (comparing.count > comparing.named)
        snprintf(out + comparing.at, size - comparing.at, "%s%u%s", comparing.at > 0 ? " and " : "",
                 comparing.count - comparing.named, comparing.at > 0 ? " more" : " places");
    return comparing.count;
}
