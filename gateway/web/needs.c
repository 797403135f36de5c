#include "web/needs.h"

#include <stdlib.h>
#include <string.h>

#include "config/secret.h"
#include "web/files_use.h"

struct needs {
    struct json_writer *writer;
    const struct config_parts *parts;
    size_t count;
    char told[FILES_MAX][FILES_NAME_SIZE];
};

static bool is_told(const struct needs *needs, const char *name)
{
    for (size_t i = 0; i < needs->count; i++)
        if (strcmp(needs->told[i], name) == 0)
            return true;
    return false;
}

static void write_need(void *context, const struct json *value, const char *name)
{
    struct needs *needs = context;

    if (needs->count == FILES_MAX || !value->key || !file_key(needs->parts, value->key) ||
        is_told(needs, name))
        return;
    memcpy(needs->told[needs->count++], name, strlen(name) + 1);
    json_write_text(needs->writer, NULL, name);
}

void needs_write(struct json_writer *writer, const struct config_parts *parts, const char *text,
                 const char *config_path)
{
    struct needs *needs = calloc(1, sizeof *needs);
    struct files_use *use = files_use_open_text(config_path, text);

    json_write_open(writer, "needs", '[');
    if (needs) {
        needs->writer = writer;
        needs->parts = parts;
        files_use_absent(use, write_need, needs);
    }
    json_write_close(writer, ']');
    files_use_close(use);
    free(needs);
}
