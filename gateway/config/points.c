#include "config/points.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "config/csv.h"
#include "config/file.h"
#include "config/load.h"
#include "core/candidates.h"
#include "core/error.h"
#include "core/text.h"

/* Columns that a driver does not know weigh more than all else that is told of a table. */
#define NOT_ITS_OWN FINDINGS_MAX

/* The entry of a list whose key is that text; NULL. */
static const struct json *entry_of(const struct json *list, const char *key, const char *text)
{
    for (const struct json *item = list ? list->first : NULL; item; item = item->next) {
        const struct json *value = json_find(item, key);
        if (value && value->type == JSON_STRING && strcmp(value->text, text) == 0)
            return item;
    }
    return NULL;
}

static const char *text_at(const struct json *object, const char *key)
{
    const struct json *value = json_find(object, key);
    return value && value->type == JSON_STRING ? value->text : NULL;
}

static const struct driver *driver_named(const struct config_parts *parts, const char *name)
{
    for (const struct driver *const *driver = parts->drivers; name && *driver; driver++)
        if (strcmp((*driver)->name, name) == 0)
            return *driver;
    return NULL;
}

static int tell_no_device(struct findings *findings, const struct json *root, const char *id)
{
    struct candidates candidates;
    char there[256];
    const struct json *list = json_find(root, "devices");
    candidates_init(&candidates, id);
    for (const struct json *item = list ? list->first : NULL; item; item = item->next)
        if (text_at(item, "id"))
            candidates_offer(&candidates, text_at(item, "id"));
    candidates_text(&candidates, there, sizeof(there));
    findings_value(findings, root, "there is no device \"%s\"%s", id, there);
    return ERR_NOT_FOUND;
}

static int export(const struct json *root, const char *id, char separator,
                  const struct config_parts *parts, FILE *out, struct findings *findings)
{
    char why[256];
    const struct json *device = entry_of(json_find(root, "devices"), "id", id);
    if (!device)
        return tell_no_device(findings, root, id);
    const struct json *points = json_find(device, "points");
    if (!points || points->type != JSON_LIST) {
        const char *profile = text_at(device, "profile");
        if (points && points->type == JSON_STRING)
            findings_value(findings, points,
                           "the points of this device are in the table \"%s\" already",
                           points->text);
        else if (profile)
            findings_value(findings, device,
                           "the points of this device are those of its profile: \"sluice profile "
                           "show %s\" lists them",
                           profile);
        else
            findings_value(findings, points ? points : device,
                           "this device has no list of points of its own");
        return ERR_CONFIG;
    }
    const char *bus = text_at(device, "bus");
    const struct json *bus_node = bus ? entry_of(json_find(root, "buses"), "id", bus) : NULL;
    const struct driver *driver = driver_named(parts, text_at(bus_node, "driver"));
    if (!driver)
        driver = load_likely_driver(parts, device);
    int error = csv_write_points(points, driver->point.options, separator, out, why, sizeof(why));
    if (error == ERR_INVALID)
        findings_value(findings, points, "%s", why);
    return error == ERR_INVALID ? ERR_CONFIG : error;
}

/* What both ways begin and end with. */
struct work {
    struct arena *arena;
    struct findings *findings;
};

static int work_begin(struct work *work)
{
    *work = (struct work){.arena = NULL};
    int error = arena_open(&work->arena);
    if (error)
        return error;
    work->findings = findings_open(work->arena);
    return work->findings ? 0 : ERR_NOMEM;
}

static void work_end(struct work *work, config_tell_fn *tell, void *context)
{
    if (work->findings)
        findings_tell(work->findings, tell, context);
    arena_close(work->arena);
}

int points_export(const char *path, const char *device, char separator,
                  const struct config_parts *parts, FILE *out, config_tell_fn *tell, void *context)
{
    const struct json *root = NULL;
    struct work work;
    int error = work_begin(&work);
    if (!error)
        error = file_read_json(&root, work.arena, path, work.findings);
    if (error && error != ERR_INVALID && error != ERR_NOMEM)
        error = ERR_IO;
    if (!error && findings_count(work.findings) > 0)
        error = ERR_CONFIG;
    if (!error)
        error = export(root, device, separator, parts, out, work.findings);
    work_end(&work, tell, context);
    return error == ERR_INVALID ? ERR_CONFIG : error;
}

/* The driver in whose rows the table is told least of. */
static const struct driver *likely_driver(const struct config_parts *parts, const char *path)
{
    const struct driver *best = NULL;
    size_t least = SIZE_MAX;
    for (const struct driver *const *driver = parts->drivers; *driver; driver++) {
        const struct json *root;
        struct work work;
        if (work_begin(&work) == 0) {
            int error =
                file_read_points(&root, work.arena, path, (*driver)->point.options, work.findings);
            size_t told = findings_count(work.findings) + (error ? NOT_ITS_OWN : 0);
            if (told < least) {
                least = told;
                best = *driver;
            }
        }
        arena_close(work.arena);
    }
    return best;
}

/* What is told of the table; the configuration around it is not the user's. */
struct own {
    config_tell_fn *tell;
    void *context;
    const char *real, *path;
    size_t count;
};

static void tell_own(void *context, const struct config_error *error)
{
    struct own *own = context;
    struct config_error shown = *error;
    if (strcmp(error->file, own->real) != 0)
        return;
    shown.file = own->path;
    own->count++;
    own->tell(own->context, &shown);
}

static void put_text(FILE *out, const char *bytes, size_t size)
{
    char quoted[4096];
    struct text text;
    text_init(&text, quoted, sizeof(quoted));
    text_json_string(&text, bytes, size);
    fwrite(quoted, 1, text.size, out);
}

/* In one line: a point is a line of the table. */
static void put_value(FILE *out, const struct json *value)
{
    bool object = value->type == JSON_OBJECT;
    if (value->type == JSON_BOOL)
        fputs(value->truth ? "true" : "false", out);
    else if (value->type == JSON_NUMBER)
        fputs(value->text, out);
    else if (value->type == JSON_STRING)
        put_text(out, value->text, value->size);
    if (!object && value->type != JSON_LIST)
        return;
    fputs(object ? "{" : "[", out);
    for (const struct json *item = value->first; item; item = item->next) {
        fputs(item == value->first ? (object ? " " : "") : ", ", out);
        if (object) {
            put_text(out, item->key, strlen(item->key));
            fputs(": ", out);
        }
        put_value(out, item);
    }
    fputs(object ? (value->first ? " }" : "}") : "]", out);
}

static int import(const char *path, const char *real, const struct driver *driver, FILE *out,
                  const struct config_parts *parts, config_tell_fn *tell, void *context)
{
    struct own own = {tell, context, real, path, 0};
    char memory[2 * PATH_MAX + 256];
    struct config *config = NULL;
    const struct json *root = NULL;
    struct text text;
    struct work work;
    /* What such a bus and device lack is not told: only the table is the user's. */
    text_init(&text, memory, sizeof(memory));
    text_printf(&text,
                "{\"version\":1,\"gateway\":{\"id\":\"check\"},\"buses\":[{\"id\":\"bus\","
                "\"driver\":\"%s\"}],\"devices\":[{\"id\":\"device\",\"bus\":\"bus\","
                "\"points\":",
                driver->name);
    text_json_string(&text, real, strlen(real));
    text_raw(&text, "}]}", 4);
    int error =
        config_load_text(&config, memory, "the table's configuration", parts, tell_own, &own);
    config_free(config);
    if (error && error != ERR_CONFIG)
        return error;
    if (own.count > 0)
        return ERR_CONFIG;
    error = work_begin(&work);
    if (!error)
        error = file_read_points(&root, work.arena, path, driver->point.options, work.findings);
    if (!error) {
        const struct json *list = json_find(root, "points");
        fputs("[", out);
        for (const struct json *point = list->first; point; point = point->next) {
            fputs(point == list->first ? "\n  " : ",\n  ", out);
            put_value(out, point);
        }
        fputs("\n]\n", out);
        error = ferror(out) ? ERR_IO : 0;
    }
    work_end(&work, tell, context);
    return error == ERR_INVALID ? ERR_CONFIG : error;
}

int points_import(const char *path, const char *name, const struct config_parts *parts, FILE *out,
                  config_tell_fn *tell, void *context)
{
    const struct driver *driver = name ? driver_named(parts, name) : likely_driver(parts, path);
    struct candidates candidates;
    char there[256], sentence[384];
    if (!driver && name) {
        candidates_init(&candidates, name);
        for (const struct driver *const *other = parts->drivers; *other; other++)
            candidates_offer(&candidates, (*other)->name);
        candidates_text(&candidates, there, sizeof(there));
        snprintf(sentence, sizeof(sentence), "there is no driver \"%.64s\"%s", name, there);
        tell(context, &(struct config_error){path, 0, 0, "", sentence});
        return ERR_NOT_FOUND;
    }
    if (!driver)
        return ERR_NOMEM;
    char *real = realpath(path, NULL);
    if (!real) {
        snprintf(sentence, sizeof(sentence), "cannot be read: %s", strerror(errno));
        tell(context, &(struct config_error){path, 0, 0, "", sentence});
        return ERR_IO;
    }
    int error = import(path, real, driver, out, parts, tell, context);
    free(real);
    return error;
}
