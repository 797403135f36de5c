#include "web/needs.h"

#include <stdlib.h>
#include <string.h>

#include "config/secret.h"
#include "web/files_use.h"

struct need {
    char name[FILES_NAME_SIZE];
    enum secret_kind secret;
};

struct needs {
    const struct config_parts *parts;
    struct need files[FILES_MAX];
    size_t count;
};

/* The one of that name, which may be new; NULL: there is no room. */
static struct need *need_of(struct needs *needs, const char *name)
{
    for (size_t i = 0; i < needs->count; i++)
        if (strcmp(needs->files[i].name, name) == 0)
            return &needs->files[i];
    if (needs->count == FILES_MAX)
        return NULL;
    struct need *need = &needs->files[needs->count++];
    memcpy(need->name, name, strlen(name) + 1);
    return need;
}

static void take(void *context, const struct json *value, const char *name)
{
    struct needs *needs = context;
    struct need *need =
        value->key && file_key(needs->parts, value->key) ? need_of(needs, name) : NULL;

    /* A certificate may lie in one file with its key. */
    if (need && need->secret == SECRET_NONE)
        need->secret = secret_kind(needs->parts, value->key);
}

/* Those that hold such a secret; `list` "needs": all. */
static void write_list(struct json_writer *writer, const char *list, const struct needs *needs,
                       enum secret_kind secret)
{
    json_write_open(writer, list, '[');
    for (size_t i = 0; needs && i < needs->count; i++)
        if (secret == SECRET_NONE || needs->files[i].secret == secret)
            json_write_text(writer, NULL, needs->files[i].name);
    json_write_close(writer, ']');
}

void needs_write(struct json_writer *writer, const struct config_parts *parts, const char *text,
                 const char *config_path)
{
    struct needs *needs = calloc(1, sizeof *needs);
    struct files_use *use = files_use_open_text(config_path, text);

    if (needs) {
        needs->parts = parts;
        files_use_absent(use, take, needs);
    }
    write_list(writer, "needs", needs, SECRET_NONE);
    write_list(writer, "keys", needs, SECRET_PRIVATE_KEY);
    write_list(writer, "passwords", needs, SECRET_PASSWORD);
    files_use_close(use);
    free(needs);
}
