#include "web/displays.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/error.h"
#include "core/save.h"
#include "core/text.h"

#define FILE_SIZE_MAX (4 * 1024 * 1024)
#define SCHEMA        1

struct displays {
    struct display *list; /* room for DISPLAYS_MAX */
    size_t count;
};

/* --- one of them --- */

bool display_number(const char *text, double *number)
{
    char plain[DISPLAY_SHOWN_SIZE];
    char *comma;

    while (*text == ' ')
        text++;
    if (snprintf(plain, sizeof plain, "%s", text + (*text == '+' && text[1] != '-')) >=
        (int)sizeof plain)
        return false;
    for (size_t size = strlen(plain); size > 0 && plain[size - 1] == ' '; size--)
        plain[size - 1] = '\0';
    if (!strchr(plain, '.') && (comma = strchr(plain, ',')))
        *comma = '.';
    /* Displays show "007.5", which JSON does not know. */
    char *digits = plain + (*plain == '-');
    size_t noughts = strspn(digits, "0");
    if (noughts > 0 && !isdigit((unsigned char)digits[noughts]))
        noughts--;
    memmove(digits, digits + noughts, strlen(digits + noughts) + 1);
    if (!json_number_valid(plain))
        return false;
    *number = strtod(plain, NULL);
    return isfinite(*number);
}

bool display_difference(const struct display *display, double *difference)
{
    double shown, value;
    char digits[32];

    if (!json_number_valid(display->value) || !display_number(display->shown, &shown))
        return false;
    value = strtod(display->value, NULL);
    /* As many digits as either has: no more of them are a double's own. */
    snprintf(digits, sizeof digits, "%.12g", value - shown);
    *difference = strtod(digits, NULL);
    return true;
}

void display_write(struct json_writer *writer, const struct display *display)
{
    double difference;

    json_write_text(writer, "d", display->device);
    json_write_text(writer, "p", display->point);
    json_write_text(writer, "shown", display->shown);
    json_write_integer(writer, "at", display->at_ms);
    json_write_text(writer, "by", display->by);
    json_write_text(writer, "from", display->from);
    json_write_raw(writer, "v", display->value);
    if (display->read_ms != 0)
        json_write_integer(writer, "t", display->read_ms);
    if (display->unit[0])
        json_write_text(writer, "unit", display->unit);
    if (display_difference(display, &difference))
        json_write_number(writer, "difference", difference);
}

/* A text of the object that fits; "" where it may be absent and is. */
static bool take_text(const struct json *object, const char *key, char *out, size_t size,
                      bool required)
{
    const struct json *value = json_find(object, key);

    out[0] = '\0';
    if (!value)
        return !required;
    return value->type == JSON_STRING && snprintf(out, size, "%s", value->text) < (int)size;
}

static bool take_value(const struct json *value, struct display *display)
{
    struct text text;

    text_init(&text, display->value, sizeof display->value);
    if (!value)
        return false;
    if (value->type == JSON_NUMBER)
        text_string(&text, value->text);
    else if (value->type == JSON_STRING)
        text_json_string(&text, value->text, value->size);
    else if (value->type == JSON_BOOL)
        text_string(&text, value->truth ? "true" : "false");
    else
        text_string(&text, "null");
    return !text.cut;
}

/* False: it is none. */
static bool read_display(const struct json *object, struct display *display)
{
    const struct json *at = json_find(object, "at"), *read = json_find(object, "t");

    memset(display, 0, sizeof *display);
    return take_text(object, "d", display->device, sizeof display->device, true) &&
           take_text(object, "p", display->point, sizeof display->point, true) &&
           id_valid(display->device) && id_valid(display->point) &&
           take_text(object, "shown", display->shown, sizeof display->shown, true) &&
           take_text(object, "by", display->by, sizeof display->by, true) &&
           take_text(object, "from", display->from, sizeof display->from, true) &&
           take_text(object, "unit", display->unit, sizeof display->unit, false) && at &&
           json_integer(at, &display->at_ms) && (!read || json_integer(read, &display->read_ms)) &&
           take_value(json_find(object, "v"), display);
}

/* --- all of them --- */

static void ignore(void *context, struct json_place at, const char *sentence)
{
    (void)at;
    (void)sentence;
    *(bool *)context = true;
}

static struct display *find(const struct displays *displays, const char *device, const char *point)
{
    for (size_t i = 0; i < displays->count; i++)
        if (strcmp(displays->list[i].device, device) == 0 &&
            strcmp(displays->list[i].point, point) == 0)
            return &displays->list[i];
    return NULL;
}

static int take_list(struct displays *displays, const struct json *root)
{
    const struct json *list = json_find(root, "displays"), *schema = json_find(root, "schema");
    int64_t number;

    if (!list || list->type != JSON_LIST || !schema || !json_integer(schema, &number) ||
        number != SCHEMA || list->count > DISPLAYS_MAX)
        return ERR_CORRUPT;
    for (const struct json *entry = list->first; entry; entry = entry->next)
        if (!read_display(entry, &displays->list[displays->count++]))
            return ERR_CORRUPT;
    return 0;
}

/* Close it in any case. */
static int read_all(const char *path, struct displays *displays)
{
    struct arena *arena = NULL;
    struct json *root = NULL;
    char *text = NULL;
    size_t size;
    bool wrong = false;

    *displays = (struct displays){calloc(DISPLAYS_MAX, sizeof *displays->list), 0};
    int error = displays->list ? save_read(path, FILE_SIZE_MAX, &text, &size) : ERR_NOMEM;
    if (!error)
        error = arena_open(&arena);
    if (!error)
        error = json_read(&root, arena, text, size, ignore, &wrong);
    if (!error)
        error = wrong ? ERR_CORRUPT : take_list(displays, root);
    arena_close(arena);
    free(text);
    return error == ERR_NOT_FOUND ? 0 : error == ERR_INVALID ? ERR_CORRUPT : error;
}

static void close_all(struct displays *displays)
{
    free(displays->list);
}

static void write_list(const struct displays *displays, struct json_writer *writer, const char *key)
{
    json_write_open(writer, key, '[');
    for (size_t i = 0; i < displays->count; i++) {
        json_write_open(writer, NULL, '{');
        display_write(writer, &displays->list[i]);
        json_write_close(writer, '}');
    }
    json_write_close(writer, ']');
}

static int write_all(const char *path, const struct displays *displays)
{
    char *text = NULL;
    size_t size;
    struct json_writer writer = {.out = open_memstream(&text, &size)};

    if (!writer.out)
        return ERR_NOMEM;
    json_write_open(&writer, NULL, '{');
    json_write_integer(&writer, "schema", SCHEMA);
    write_list(displays, &writer, "displays");
    json_write_close(&writer, '}');
    int error = fclose(writer.out) == 0 ? save_file(path, text, size, 0600) : ERR_NOMEM;
    free(text);
    return error;
}

/* In the place of the point's, or at the end. */
static int keep(struct displays *displays, const struct display *display)
{
    struct display *there = find(displays, display->device, display->point);

    if (!there && displays->count == DISPLAYS_MAX)
        return ERR_FULL;
    *(there ? there : &displays->list[displays->count++]) = *display;
    return 0;
}

int displays_put(const char *path, const struct display *display)
{
    struct displays displays;
    int error = read_all(path, &displays);

    if (!error)
        error = keep(&displays, display);
    if (!error)
        error = write_all(path, &displays);
    close_all(&displays);
    return error;
}

int displays_remove(const char *path, const char *device, const char *point)
{
    struct displays displays;
    int error = read_all(path, &displays);
    struct display *there = error ? NULL : find(&displays, device, point);

    if (!error && !there)
        error = ERR_NOT_FOUND;
    if (!error) {
        *there = displays.list[--displays.count];
        error = write_all(path, &displays);
    }
    close_all(&displays);
    return error;
}

int displays_write(const char *path, struct json_writer *writer, const char *key)
{
    struct displays displays;
    int error = read_all(path, &displays);

    if (error)
        displays.count = 0;
    write_list(&displays, writer, key);
    close_all(&displays);
    return error;
}

int displays_merge(const char *path, const struct json *list)
{
    struct displays displays;
    struct display taken;
    bool changed = false;
    int error = read_all(path, &displays);
    const struct json *entry = list && list->type == JSON_LIST && !error ? list->first : NULL;

    for (; entry; entry = entry->next) {
        if (!read_display(entry, &taken))
            continue;
        const struct display *there = find(&displays, taken.device, taken.point);
        if (!there || there->at_ms < taken.at_ms)
            changed |= keep(&displays, &taken) == 0;
    }
    if (changed)
        error = write_all(path, &displays);
    close_all(&displays);
    return error;
}
