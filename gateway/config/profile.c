/* Device profiles: NAME.json in one of the folders that the daemon gives. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/assign.h"
#include "config/catalog.h"
#include "config/file.h"
#include "config/load.h"
#include "core/nearest.h"
#include "core/shelf.h"

#define FOLDERS_MAX 5

/* The name that comes nearest, copied: `best`. */
struct search {
    struct nearest nearest;
    char best[NAME_MAX + 1];
};

static int offer_file(void *context, const char *file, const char *text, size_t text_size)
{
    struct search *search = context;
    char name[NAME_MAX + 1];
    size_t size = strlen(file);

    (void)text, (void)text_size;
    if (size < 6 || size > NAME_MAX || strcmp(file + size - 5, ".json") != 0 || strchr(file, '/'))
        return 0;
    snprintf(name, sizeof(name), "%.*s", (int)(size - 5), file);
    nearest_offer_part(&search->nearest, name);
    if (search->nearest.best == name) {
        memcpy(search->best, name, sizeof(name));
        search->nearest.best = search->best;
    }
    return 0;
}

static void nearest_in(const char *folder, struct search *search)
{
    DIR *dir = opendir(folder);
    if (!dir) {
        shelf_each(folder, offer_file, search);
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir));)
        offer_file(search, entry->d_name, NULL, 0);
    closedir(dir);
}

static void tell_absent(struct loader *loader, const struct json *value, const char *name)
{
    char folders[256] = "";
    struct search search;
    nearest_init(&search.nearest, name);
    size_t at = 0;
    for (size_t i = 0; i < FOLDERS_MAX && loader->parts->profile_folders[i]; i++) {
        const char *folder = loader->parts->profile_folders[i];
        nearest_in(folder, &search);
        if (at < sizeof(folders))
            at += (size_t)snprintf(folders + at, sizeof(folders) - at, "%s%s", at > 0 ? ", " : "",
                                   folder);
    }
    if (strcmp(name, "sunspec") == 0)
        findings_value(loader->decoder.findings, value,
                       "there is no profile \"%s\": such devices describe themselves; \"sluice "
                       "sunspec HOST > NAME.json\" writes the profile of yours",
                       name);
    else if (search.nearest.best)
        findings_value(loader->decoder.findings, value,
                       "there is no profile \"%s\"; did you mean \"%s\"?", name,
                       search.nearest.best);
    else
        findings_value(loader->decoder.findings, value, "there is no profile \"%s\" in %s", name,
                       at > 0 ? folders : "this gateway");
}

/* The path of the first file of that name; NULL where there is none. */
static const char *find_file(struct loader *loader, const char *name)
{
    char path[PATH_MAX];
    bool own;

    if (catalog_file(loader->parts, name, path, &own))
        return NULL;
    return arena_text(loader->scratch, path, strlen(path));
}

static const struct json *read_profile(struct loader *loader, const char *path)
{
    const struct json *root;
    if (file_read_json(&root, loader->scratch, path, loader->decoder.findings) != 0)
        return NULL;
    if (root->type == JSON_OBJECT)
        return root;
    findings_value(loader->decoder.findings, root, "a profile is an object {...}");
    return NULL;
}

/* A part that only says something. */
static void check_facts(struct loader *loader, const struct json *object, const struct shape *shape,
                        const char *key, struct profile_options *options)
{
    struct decoder *decoder = &loader->decoder;
    const struct json *part = decode_part(decoder, object, shape, key);
    const struct shape *facts = part_find(shape->parts, key)->shape;
    struct layers layers = {.objects = {part}};
    if (!part)
        return;
    decode_keys(decoder, part, facts, NULL, NULL, NULL);
    decode_options(decoder, facts->options, options, &layers);
}

/* What the rows of "assign" cannot say of its list. */
static void check_bauds(struct loader *loader, const struct json *assign)
{
    const struct json *bauds = json_find(assign, "bauds"), *reg = json_find(assign, "baud_reg");
    int32_t baud;
    uint16_t code;

    for (const struct json *item = bauds ? bauds->first : NULL; item; item = item->next) {
        if (item->type == JSON_STRING && !config_assign_baud(item->text, &baud, &code))
            findings_value(loader->decoder.findings, item,
                           "allowed is BAUD=CODE, as \"9600=2\": a baud of 300 to 921600, and "
                           "what the register holds for it, 0 to 65535");
    }
    if ((bauds != NULL) != (reg != NULL))
        findings_value(loader->decoder.findings, assign,
                       "\"baud_reg\" and \"bauds\" are needed together, or neither");
}

/* The same of the formats, which need one code or two. */
static void check_formats(struct loader *loader, const struct json *assign)
{
    const struct json *formats = json_find(assign, "formats"),
                      *reg = json_find(assign, "format_reg"), *stop = json_find(assign, "stop_reg");
    struct assign_format format;

    for (const struct json *item = formats ? formats->first : NULL; item; item = item->next) {
        if (item->type == JSON_STRING && (!config_assign_format(item->text, &format) ||
                                          (format.stop_code >= 0) != (stop != NULL)))
            findings_value(loader->decoder.findings, item,
                           stop ? "allowed is FORMAT=PARITY/STOP, as \"8E1=2/1\": what the two "
                                  "registers hold for it, 0 to 65535"
                                : "allowed is FORMAT=CODE, as \"8E1=1\": what the register holds "
                                  "for it, 0 to 65535");
    }
    if ((formats != NULL) != (reg != NULL) || (stop && !reg))
        findings_value(loader->decoder.findings, assign,
                       "\"format_reg\" and \"formats\" are needed together, or neither");
}

/* What it says of itself, and what its points do not give to the points of a device. */
static void check_profile(struct loader *loader, const struct json *root,
                          struct profile_options *options)
{
    struct layers layers = {.objects = {root}};
    decode_options(&loader->decoder, shape_profile.options, options, &layers);
    check_facts(loader, root, &shape_profile, "source", options);
    check_facts(loader, root, &shape_profile, "factory", options);
    check_facts(loader, root, &shape_profile, "assign", options);
    if (json_find(root, "assign")) {
        check_bauds(loader, json_find(root, "assign"));
        check_formats(loader, json_find(root, "assign"));
    }
    check_facts(loader, root, &shape_profile, "confirmed", options);
    const struct json *points = json_find(root, "points");
    for (const struct json *point = points ? points->first : NULL; point; point = point->next) {
        const struct option rows[2] = {*profile_read_row, {0}};
        struct layers point_layers = {.objects = {point}};
        struct profile_options of_point;
        decode_options(&loader->decoder, rows, &of_point, &point_layers);
        check_facts(loader, point, &shape_profile_point, "write", &of_point);
    }
}

const struct profile *load_profile(struct loader *loader, const struct json *value,
                                   const char *name)
{
    for (size_t i = 0; i < loader->profile_count; i++)
        if (strcmp(loader->profiles[i].name, name) == 0)
            return loader->profiles[i].root ? &loader->profiles[i] : NULL;
    const char *path = find_file(loader, name);
    if (!path) {
        tell_absent(loader, value, name);
        return NULL;
    }
    if (loader->profile_count == PROFILES_MAX) {
        findings_value(loader->decoder.findings, value, "more than %d different profiles",
                       PROFILES_MAX);
        return NULL;
    }
    struct profile *profile = &loader->profiles[loader->profile_count++];
    *profile = (struct profile){.name = name, .root = read_profile(loader, path)};
    if (!profile->root)
        return NULL;
    check_profile(loader, profile->root, &profile->options);
    return profile;
}
