/* Where a configuration names a file of its folder, however it is written there. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/json.h"
#include "config/secret.h"
#include "core/save.h"
#include "core/text.h"
#include "tls/inspect.h"
#include "web/files_use.h"

struct files_use {
    const char *config_path;
    struct arena *arena;
    struct json *root;
};

/* What is looked for, and what is done with each place. */
struct search {
    const struct files_use *use;
    const char *name;
    struct stat status; /* of the file; st_ino is 0 where there is none */
    struct json_writer *writer;
    char first[FILES_USER_SIZE];
};

static const char *id_of(const struct json *object, const char *key)
{
    const struct json *value = object ? json_find(object, key) : NULL;

    return value && value->type == JSON_STRING ? value->text : "";
}

/* What a ${...} at this place stands for, as the reader of configurations has it. */
static const char *variable(const struct json *root, const struct json *value, const char *name,
                            size_t size)
{
    const struct json *uplink = value;

    if (strncmp(name, "gateway.id", size) == 0 && size == strlen("gateway.id"))
        return id_of(json_find(root, "gateway"), "id");
    if (strncmp(name, "gateway.name", size) == 0 && size == strlen("gateway.name"))
        return id_of(json_find(root, "gateway"), "name");
    if (strncmp(name, "uplink.id", size) != 0 || size != strlen("uplink.id"))
        return "";
    while (uplink->parent && uplink->parent->type != JSON_LIST)
        uplink = uplink->parent;
    return id_of(uplink->parent ? uplink : NULL, "id");
}

static void expand(const struct json *root, const struct json *value, struct text *out)
{
    const char *at = value->text;

    while (*at) {
        const char *end = strncmp(at, "${", 2) == 0 ? strchr(at, '}') : NULL;

        if (end) {
            text_string(out, variable(root, value, at + 2, (size_t)(end - at) - 2));
            at = end + 1;
        } else {
            text_raw(out, at++, 1);
        }
    }
}

/* Under another path, or by way of a link, it is the same file. */
static bool is_same_file(const struct search *search, const char *text)
{
    char path[PATH_MAX];
    struct stat status;

    if (*text == '/')
        snprintf(path, sizeof path, "%s", text);
    else
        files_path(search->use->config_path, text, path, sizeof path);
    return search->status.st_ino && stat(path, &status) == 0 &&
           status.st_ino == search->status.st_ino && status.st_dev == search->status.st_dev;
}

static bool names(const struct search *search, const struct json *value)
{
    char expanded[PATH_MAX];
    struct text text;

    text_init(&text, expanded, sizeof expanded);
    expand(search->use->root, value, &text);
    if (text.cut)
        return false;
    const char *slash = strrchr(expanded, '/');
    /* Most texts of a configuration are no files: these are not looked for on the disk. */
    if (!files_name_valid(slash ? slash + 1 : expanded))
        return false;
    return strcmp(strncmp(expanded, "./", 2) == 0 ? expanded + 2 : expanded, search->name) == 0 ||
           is_same_file(search, expanded);
}

/* Calls `each` for all texts of a tree, those within a value before what follows it. */
static void each_text(const struct json *value,
                      void (*each)(void *context, const struct json *text), void *context)
{
    for (const struct json *item = value->first; item; item = item->next)
        each_text(item, each, context);
    if (value->type == JSON_STRING)
        each(context, value);
}

/* The same of all that a configuration has; none where there is none. */
static void each_text_of(const struct files_use *use,
                         void (*each)(void *context, const struct json *text), void *context)
{
    if (use && use->root)
        each_text(use->root, each, context);
}

static void note_place(void *context, const struct json *value)
{
    struct search *search = context;
    char path[FILES_USER_SIZE];

    if (!names(search, value))
        return;
    json_path(value, path, sizeof path);
    if (search->writer)
        json_write_text(search->writer, NULL, path);
    if (!*search->first)
        memcpy(search->first, path, sizeof path);
}

struct files_use *files_use_open_text(const char *config_path, const char *text)
{
    struct files_use *use = calloc(1, sizeof *use);

    if (!use)
        return NULL;
    use->config_path = config_path;
    if (arena_open(&use->arena) == 0)
        json_read(&use->root, use->arena, text, strlen(text), NULL, NULL);
    return use;
}

struct files_use *files_use_open(const char *config_path)
{
    struct files_use *use;
    char *text;
    size_t size;

    if (save_read(config_path, JSON_SIZE_MAX, &text, &size))
        return files_use_open_text(config_path, "");
    use = files_use_open_text(config_path, text);
    free(text);
    return use;
}

void files_use_close(struct files_use *use)
{
    if (!use)
        return;
    arena_close(use->arena);
    free(use);
}

void files_use_find(const struct files_use *use, const char *name, struct json_writer *writer,
                    char first[FILES_USER_SIZE])
{
    struct search search = {.use = use, .name = name, .writer = writer};
    char path[PATH_MAX];

    if (use) {
        files_path(use->config_path, name, path, sizeof path);
        if (stat(path, &search.status))
            search.status.st_ino = 0;
        each_text_of(use, note_place, &search);
    }
    if (first)
        memcpy(first, search.first, FILES_USER_SIZE);
}

/* The path of what a text names where that is a regular file. */
static bool find_file(const struct files_use *use, const struct json *value, char path[PATH_MAX])
{
    char expanded[PATH_MAX];
    struct stat status;
    struct text text;

    text_init(&text, expanded, sizeof expanded);
    expand(use->root, value, &text);
    if (text.cut || !*expanded)
        return false;
    if (*expanded == '/')
        snprintf(path, PATH_MAX, "%s", expanded);
    else
        files_path(use->config_path, expanded, path, PATH_MAX);
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* Whether whoever takes the files of the configuration's folder with him has this one. */
static bool is_kept(const struct files_use *use, const char *path)
{
    char folder[PATH_MAX], own[PATH_MAX];
    struct stat status, own_status;
    const char *name = strrchr(path, '/');

    if (!name || !files_name_valid(name + 1))
        return false;
    snprintf(folder, sizeof folder, "%.*s", name == path ? 1 : (int)(name - path), path);
    files_path(use->config_path, ".", own, sizeof own);
    return stat(folder, &status) == 0 && stat(own, &own_status) == 0 &&
           status.st_ino == own_status.st_ino && status.st_dev == own_status.st_dev;
}

struct telling {
    const struct files_use *use;
    void (*each)(void *context, const struct json *value, bool kept);
    void *context;
    const char *told[FILES_MAX];
    size_t count;
};

static bool is_told(const struct telling *telling, const char *text)
{
    for (size_t i = 0; i < telling->count; i++)
        if (strcmp(telling->told[i], text) == 0)
            return true;
    return false;
}

static void tell_file(void *context, const struct json *value)
{
    struct telling *telling = context;
    char path[PATH_MAX];

    if (is_told(telling, value->text) || !find_file(telling->use, value, path))
        return;
    if (telling->count < FILES_MAX)
        telling->told[telling->count++] = value->text;
    telling->each(telling->context, value, is_kept(telling->use, path));
}

void files_use_each(const struct files_use *use,
                    void (*each)(void *context, const struct json *value, bool kept), void *context)
{
    struct telling telling = {.use = use, .each = each, .context = context};

    each_text_of(use, tell_file, &telling);
}

/* Whether anything names a file, and whether an option does that expects a secret. */
struct naming {
    const struct search *search;
    const struct config_parts *parts;
    bool named, secret;
};

static void note_naming(void *context, const struct json *value)
{
    struct naming *naming = context;

    if (!names(naming->search, value))
        return;
    naming->named = true;
    naming->secret |= value->key && secret_kind(naming->parts, value->key) != SECRET_NONE;
}

static bool has_private_key(const char *data, size_t size)
{
    static const char mark[] = "PRIVATE KEY-----";
    struct inspect *inspect;

    if (memmem(data, size, mark, sizeof mark - 1))
        return true;
    inspect = malloc(sizeof *inspect);
    bool has = !inspect || inspect_bytes(inspect, data, size, NULL) != 0 ||
               inspect->kind == INSPECT_KEY || inspect->kind == INSPECT_LOCKED_KEY ||
               inspect->kind == INSPECT_PFX;
    free(inspect);
    return has;
}

bool files_use_secret(const struct files_use *use, const struct config_parts *parts,
                      const char *name, const char *data, size_t size)
{
    struct search search = {.use = use, .name = name};
    struct naming naming = {.search = &search, .parts = parts};
    char path[PATH_MAX];

    if (!use || files_is_secret(name))
        return true;
    files_path(use->config_path, name, path, sizeof path);
    if (stat(path, &search.status))
        search.status = (struct stat){.st_mode = S_IROTH};
    each_text_of(use, note_naming, &naming);
    return naming.secret || (!naming.named && !(search.status.st_mode & S_IROTH)) ||
           has_private_key(data, size);
}

struct absent {
    const struct files_use *use;
    void (*each)(void *context, const struct json *value, const char *name);
    void *context;
};

static void tell_absent(void *context, const struct json *value)
{
    const struct absent *absent = context;
    char name[FILES_NAME_SIZE + 2], path[PATH_MAX];
    struct stat status;
    struct text text;

    text_init(&text, name, sizeof name);
    expand(absent->use->root, value, &text);
    const char *plain = strncmp(name, "./", 2) == 0 ? name + 2 : name;
    if (text.cut || !files_name_valid(plain))
        return;
    files_path(absent->use->config_path, plain, path, sizeof path);
    if (stat(path, &status) != 0)
        absent->each(absent->context, value, plain);
}

void files_use_absent(const struct files_use *use,
                      void (*each)(void *context, const struct json *value, const char *name),
                      void *context)
{
    struct absent absent = {use, each, context};

    each_text_of(use, tell_absent, &absent);
}

void files_user(const char *config_path, const char *name, char out[FILES_USER_SIZE])
{
    struct files_use *use = files_use_open(config_path);

    files_use_find(use, name, NULL, out);
    files_use_close(use);
}
