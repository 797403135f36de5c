#include "config/catalog.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/file.h"
#include "config/shape.h"
#include "core/error.h"
#include "core/nearest.h"
#include "core/shelf.h"
#include "core/text.h"
#include "field/driver.h"

#define CATALOG_MAX   4096
#define CHECK_MAX     8192         /* bytes of the configuration that a profile is checked in */
#define MISSING       "is missing" /* as a key that is needed is told */
#define SUFFIX        ".json"
#define SUFFIX_LENGTH (sizeof(SUFFIX) - 1)

struct catalog {
    struct arena *arena;
    struct catalog_profile *profiles;
    size_t count;
};

static const char *text_of(const struct json *object, const char *key)
{
    const struct json *value = json_find(object, key);
    return value && value->type == JSON_STRING ? value->text : "";
}

/* `text` NULL: it is in the file. */
static int fill(struct catalog *catalog, const char *folder, const char *name, const char *text,
                size_t text_size, struct findings *findings)
{
    struct catalog_profile *profile = &catalog->profiles[catalog->count];
    const struct json *root, *points;
    char path[PATH_MAX];
    int size = snprintf(path, sizeof(path), "%s/%s" SUFFIX, folder, name);

    if (size < 0 || (size_t)size >= sizeof(path))
        return 0;
    profile->path = arena_text(catalog->arena, path, (size_t)size);
    profile->name = arena_text(catalog->arena, name, strlen(name));
    if (!profile->path || !profile->name)
        return ERR_NOMEM;
    int error =
        text ? file_take_json(&root, catalog->arena, profile->path, text, text_size, findings)
             : file_read_json(&root, catalog->arena, profile->path, findings);
    if (error)
        return error == ERR_NOMEM ? error : 0;
    if (root->type != JSON_OBJECT) {
        findings_value(findings, root, "a profile is an object {...}");
        return 0;
    }
    points = json_find(root, "points");
    profile->root = root;
    profile->points = points && points->type == JSON_LIST ? points : NULL;
    profile->vendor = text_of(root, "vendor");
    profile->model = text_of(root, "model");
    profile->category = text_of(root, "category");
    profile->confidence = text_of(root, "confidence");
    profile->notes = text_of(root, "notes");
    profile->unverified = *profile->confidence && strcmp(profile->confidence, "high") != 0 &&
                          !json_find(root, "confirmed");
    catalog->count++;
    return 0;
}

static bool has(const struct catalog *catalog, const char *name)
{
    for (size_t i = 0; i < catalog->count; i++)
        if (strcmp(catalog->profiles[i].name, name) == 0)
            return true;
    return false;
}

struct reading {
    struct catalog *catalog;
    const char *folder;
    struct findings *findings;
};

static int read_file(void *context, const char *file, const char *text, size_t text_size)
{
    struct reading *reading = context;
    char name[NAME_MAX + 1];
    size_t size = strlen(file);

    if (size <= SUFFIX_LENGTH || size > NAME_MAX || file[0] == '.' || strchr(file, '/') ||
        strcmp(file + size - SUFFIX_LENGTH, SUFFIX) != 0)
        return 0;
    snprintf(name, sizeof(name), "%.*s", (int)(size - SUFFIX_LENGTH), file);
    if (reading->catalog->count >= CATALOG_MAX || has(reading->catalog, name))
        return 0;
    return fill(reading->catalog, reading->folder, name, text, text_size, reading->findings);
}

/* An archive that is damaged is told, as a file is. */
static int read_archive(struct reading *reading)
{
    int error = shelf_each(reading->folder, read_file, reading);

    if (error == ERR_CORRUPT)
        findings_place(reading->findings, reading->folder, (struct json_place){0, 0},
                       "its archive is damaged: install the package again");
    return error == ERR_NOMEM ? error : 0;
}

static int read_folder(struct catalog *catalog, const char *folder, struct findings *findings)
{
    struct reading reading = {catalog, folder, findings};
    DIR *dir = opendir(folder);
    int error = 0;

    if (!dir)
        return read_archive(&reading);
    for (struct dirent *entry; !error && (entry = readdir(dir));)
        error = read_file(&reading, entry->d_name, NULL, 0);
    closedir(dir);
    return error;
}

static int by_name(const void *left, const void *right)
{
    const struct catalog_profile *a = left, *b = right;
    return strcmp(a->name, b->name);
}

int catalog_open(struct catalog **catalog, const struct config_parts *parts, config_tell_fn *tell,
                 void *context)
{
    struct catalog *made = calloc(1, sizeof(*made));
    struct findings *findings = NULL;
    int error = made ? arena_open(&made->arena) : ERR_NOMEM;

    *catalog = NULL;
    if (!error) {
        made->profiles = arena_array(made->arena, CATALOG_MAX, sizeof(*made->profiles));
        findings = findings_open(made->arena);
        error = made->profiles && findings ? 0 : ERR_NOMEM;
    }
    for (size_t i = 0; !error && parts->profile_folders[i]; i++)
        error = read_folder(made, parts->profile_folders[i], findings);
    if (error) {
        catalog_close(made);
        return error;
    }
    qsort(made->profiles, made->count, sizeof(*made->profiles), by_name);
    findings_tell(findings, tell, context);
    *catalog = made;
    return 0;
}

void catalog_close(struct catalog *catalog)
{
    if (catalog && catalog->arena)
        arena_close(catalog->arena);
    free(catalog);
}

size_t catalog_count(const struct catalog *catalog)
{
    return catalog->count;
}

const struct catalog_profile *catalog_at(const struct catalog *catalog, size_t index)
{
    return &catalog->profiles[index];
}

const struct catalog_profile *catalog_find(const struct catalog *catalog, const char *name,
                                           const char **nearest)
{
    struct nearest search;

    nearest_init(&search, name);
    for (size_t i = 0; i < catalog->count; i++) {
        if (strcmp(catalog->profiles[i].name, name) == 0)
            return &catalog->profiles[i];
        nearest_offer_part(&search, catalog->profiles[i].name);
    }
    *nearest = search.best;
    return NULL;
}

bool catalog_has_point(const struct catalog_profile *profile, const char *id)
{
    const struct json *point = profile->points ? profile->points->first : NULL;

    while (point && strcmp(text_of(point, "id"), id) != 0)
        point = point->next;
    return point != NULL;
}

size_t catalog_points(const struct catalog_profile *profile, size_t *read)
{
    size_t count = 0;

    *read = 0;
    for (const struct json *point = profile->points ? profile->points->first : NULL; point;
         point = point->next) {
        const struct json *value = json_find(point, profile_read_row->key);
        count++;
        *read += !(value && value->type == JSON_BOOL && !value->truth);
    }
    return count;
}

/* ,"key":example for each row that must be there and that neither the profile nor the text so far
 * brings. Of those that no two buses may share, as port and host, the first is how the bus is
 * reached. */
static void add_required(char *text, size_t *at, const struct option *rows,
                         const struct json *profile, bool reached)
{
    for (; rows && rows->key; rows++) {
        char key[64];
        bool wanted = rows->required || (rows->exclusive && !reached);
        snprintf(key, sizeof(key), ",\"%s\":", rows->key);
        reached |= rows->exclusive;
        if (wanted && rows->example && !json_find(profile, rows->key) && *at < CHECK_MAX &&
            !strstr(text, key))
            *at += (size_t)snprintf(text + *at, CHECK_MAX - *at, "%s%s", key, rows->example);
    }
}

static void add_text(char *text, size_t *at, const char *key, const char *value)
{
    char quoted[512];
    struct text writer;
    if (!value || *at >= CHECK_MAX)
        return;
    text_init(&writer, quoted, sizeof(quoted));
    text_json_string(&writer, value, strlen(value));
    *at += (size_t)snprintf(text + *at, CHECK_MAX - *at, ",\"%s\":%s", key, quoted);
}

static bool knows_all(const struct driver *driver, const struct json *profile)
{
    for (const struct json *item = profile->first; item; item = item->next)
        if (!option_find(shape_profile.options, item->key) &&
            !part_find(shape_profile.parts, item->key) &&
            !option_find(driver->device.options, item->key))
            return false;
    return true;
}

/* The driver that the profile names first; without one the first that knows all of its keys. */
static const struct driver *driver_of(const struct config_parts *parts, const struct json *profile)
{
    const struct json *list = json_find(profile, "drivers");
    const struct json *named = list && list->type == JSON_LIST ? list->first : NULL;
    for (const struct driver *const *driver = parts->drivers; *driver; driver++) {
        if (named && named->type == JSON_STRING && strcmp(named->text, (*driver)->name) == 0)
            return *driver;
        if (!named && knows_all(*driver, profile))
            return *driver;
    }
    return parts->drivers[0];
}

static bool takes(const struct option *rows, const char *key)
{
    while (rows && rows->key && strcmp(rows->key, key) != 0)
        rows++;
    return rows && rows->key;
}

/* The smallest configuration that uses a profile. */
static void compose(char text[CHECK_MAX], const struct driver *driver,
                    const struct catalog_use *use, const struct json *profile)
{
    const struct json *factory = json_find(profile, "factory");
    const struct json *unit = json_find(factory, "unit");
    const char *line = use->line ? use->line : text_of(factory, "line");
    char number[32];
    size_t at = (size_t)snprintf(text, CHECK_MAX,
                                 "{\"version\":1,\"gateway\":{\"id\":\"check\"},"
                                 "\"buses\":[{\"id\":\"bus\",\"driver\":\"%s\"",
                                 driver->name);
    add_text(text, &at, "port", use->port);
    add_text(text, &at, "host", use->host);
    if (use->port && *line)
        add_text(text, &at, "line", line);
    add_required(text, &at, driver->bus.options, NULL, use->port || use->host);
    if (at < CHECK_MAX)
        at += (size_t)snprintf(text + at, CHECK_MAX - at,
                               "}],\"devices\":[{\"id\":\"device\",\"bus\":\"bus\","
                               "\"profile\":\"%s\",\"also\":[%s]",
                               use->profile, use->all ? "\"*\"" : "");
    snprintf(number, sizeof(number), "%" PRId64, use->unit);
    if (at < CHECK_MAX && (use->unit >= 0 || unit || takes(driver->device.options, "unit")))
        at += (size_t)snprintf(text + at, CHECK_MAX - at, ",\"unit\":%s",
                               use->unit >= 0       ? number
                               : unit && unit->text ? unit->text
                                                    : "1");
    add_required(text, &at, driver->device.options, profile, false);
    if (at < CHECK_MAX)
        snprintf(text + at, CHECK_MAX - at, "}]}");
}

/* What is told of one profile, in its own words. */
struct narrow {
    config_tell_fn *tell;
    void *context;
    const char *name; /* of the profile; NULL: whatever it is told of */
    const char *path;
    size_t count;
};

/* Whether it is told of the file of that name, wherever. */
static bool is_of(const struct config_error *error, const char *name)
{
    const char *slash = strrchr(error->file, '/'), *file = slash ? slash + 1 : error->file;
    size_t size = strlen(name);

    return strncmp(file, name, size) == 0 && strcmp(file + size, SUFFIX) == 0;
}

/* What the device that tries a profile lacks, the profile lacks. */
static void tell_narrow(void *context, const struct config_error *error)
{
    static const char device[] = "devices[0].";
    struct narrow *narrow = context;
    struct config_error shown = *error;

    if (narrow->name && !is_of(error, narrow->name))
        return;
    if (strncmp(error->key, device, sizeof(device) - 1) == 0 &&
        strncmp(error->sentence, MISSING, sizeof(MISSING) - 1) == 0)
        shown = (struct config_error){narrow->path, 1, 1, error->key + sizeof(device) - 1,
                                      error->sentence};
    narrow->count++;
    narrow->tell(narrow->context, &shown);
}

int catalog_use(struct config **config, const struct catalog_use *use,
                const struct config_parts *parts, config_tell_fn *tell, void *context)
{
    struct catalog *catalog;
    const char *nearest = NULL;
    char text[CHECK_MAX], sentence[256];
    struct narrow narrow = {tell, context, .name = use->profile};
    int error = catalog_open(&catalog, parts, tell_narrow, &narrow);

    *config = NULL;
    if (error)
        return error;
    const struct catalog_profile *profile = catalog_find(catalog, use->profile, &nearest);
    if (profile) {
        compose(text, use->driver ? use->driver : driver_of(parts, profile->root), use,
                profile->root);
        narrow = (struct narrow){tell, context, .path = profile->path};
        error = config_load_text(config, text, profile->path, parts, tell_narrow, &narrow);
    } else if (narrow.count > 0) {
        error = ERR_CONFIG;
    } else {
        snprintf(sentence, sizeof(sentence), "there is no profile \"%.64s\"%s%.64s%s", use->profile,
                 nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
        tell(context, &(struct config_error){use->profile, 0, 0, "", sentence});
        error = ERR_NOT_FOUND;
    }
    catalog_close(catalog);
    return error;
}

int catalog_check(const char *path, const struct config_parts *parts, config_tell_fn *tell,
                  void *context)
{
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
    size_t size = strlen(file);
    char folder[PATH_MAX], name[NAME_MAX + 1], text[CHECK_MAX];
    struct config_parts own = *parts;
    struct config *config = NULL;
    const struct json *root = NULL;
    struct arena *arena;

    if (size <= SUFFIX_LENGTH || size > NAME_MAX ||
        strcmp(file + size - SUFFIX_LENGTH, SUFFIX) != 0) {
        tell(context, &(struct config_error){path, 0, 0, "", "a profile is a file NAME.json"});
        return ERR_CONFIG;
    }
    snprintf(folder, sizeof(folder), "%.*s", slash > path ? (int)(slash - path) : 1,
             slash ? path : ".");
    snprintf(name, sizeof(name), "%.*s", (int)(size - SUFFIX_LENGTH), file);
    int error = arena_open(&arena);
    if (error)
        return error;
    struct findings *findings = findings_open(arena);
    error = findings ? file_read_json(&root, arena, path, findings) : ERR_NOMEM;
    if (error || root->type != JSON_OBJECT) {
        if (!error)
            findings_value(findings, root, "a profile is an object {...}");
        if (findings)
            findings_tell(findings, tell, context);
        error = error && error != ERR_INVALID ? error : ERR_CONFIG;
    } else {
        struct catalog_use use = {.profile = name, .unit = -1, .all = true};
        compose(text, driver_of(parts, root), &use, root);
        own.profile_folders[0] = folder;
        own.profile_folders[1] = NULL;
        struct narrow narrow = {tell, context, .path = path};
        error = config_load_text(&config, text, path, &own, tell_narrow, &narrow);
    }
    config_free(config);
    arena_close(arena);
    return error;
}

/* Whether the profiles in it are ours and not the user's: the last folder, and any that has the
 * vocabulary beside them, as a source tree does. */
static bool is_shipped(const struct config_parts *parts, size_t index)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%.4000s/vocabulary", parts->profile_folders[index]);
    return !parts->profile_folders[index + 1] || access(path, F_OK) == 0;
}

bool catalog_name_valid(const char *name)
{
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

    return size > 0 && size + SUFFIX_LENGTH <= NAME_MAX && name[size] == '\0' && *name != '.';
}

int catalog_file(const struct config_parts *parts, const char *name, char path[PATH_MAX], bool *own)
{
    for (size_t i = 0; catalog_name_valid(name) && parts->profile_folders[i]; i++) {
        int size = snprintf(path, PATH_MAX, "%s/%s" SUFFIX, parts->profile_folders[i], name);

        if (size < PATH_MAX && shelf_has(path)) {
            *own = !is_shipped(parts, i);
            return 0;
        }
    }
    return ERR_NOT_FOUND;
}

const char *catalog_own_folder(const struct config_parts *parts)
{
    for (size_t i = 0; parts->profile_folders[i]; i++) {
        if (!is_shipped(parts, i))
            return parts->profile_folders[i];
    }
    return NULL;
}
