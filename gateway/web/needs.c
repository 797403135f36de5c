#include "web/needs.h"

#include <stdlib.h>
#include <string.h>

#include "web/files_use.h"

#define PLACE_SIZE 256

struct needs {
    struct json_writer *writer;
    const struct json *mistakes; /* NULL: they cannot be read */
    size_t count;
    char told[FILES_MAX][FILES_NAME_SIZE];
};

/* Whether that is what is wrong there: such a mistake tells the whole path, which in a template may
 * have another gateway's id in it. */
static bool is_about(const struct json *mistake, const char *name)
{
    const struct json *sentence = json_find(mistake, "sentence");
    char end[FILES_NAME_SIZE + 1];

    snprintf(end, sizeof end, "%s ", strrchr(name, '.'));
    return sentence && sentence->type == JSON_STRING && strchr(sentence->text, '/') &&
           strstr(sentence->text, end);
}

static bool is_mistake(const struct needs *needs, const struct json *value, const char *name)
{
    char place[PLACE_SIZE];

    json_path(value, place, sizeof place);
    for (const struct json *item = needs->mistakes ? needs->mistakes->first : NULL; item;
         item = item->next) {
        const struct json *key = json_find(item, "key");

        if (key && key->type == JSON_STRING && strcmp(key->text, place) == 0 &&
            is_about(item, name))
            return true;
    }
    return false;
}

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

    if (needs->count == FILES_MAX || is_told(needs, name) || !is_mistake(needs, value, name))
        return;
    memcpy(needs->told[needs->count++], name, strlen(name) + 1);
    json_write_text(needs->writer, NULL, name);
}

/* The list of mistakes, as it was written; NULL. */
static const struct json *read_mistakes(const struct proposal *proposal, struct arena *arena)
{
    struct json *root = NULL;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    fprintf(out, "[%s]", proposal->told_text ? proposal->told_text : "");
    if (fclose(out) == 0)
        json_read(&root, arena, text, size, NULL, NULL);
    free(text);
    return root;
}

void needs_write(struct json_writer *writer, const struct proposal *proposal, const char *text,
                 const char *config_path)
{
    struct needs *needs = calloc(1, sizeof *needs);
    struct files_use *use = files_use_open_text(config_path, text);
    struct arena *arena = NULL;

    json_write_open(writer, "needs", '[');
    if (needs && arena_open(&arena) == 0) {
        needs->writer = writer;
        needs->mistakes = read_mistakes(proposal, arena);
        files_use_absent(use, write_need, needs);
    }
    json_write_close(writer, ']');
    arena_close(arena);
    files_use_close(use);
    free(needs);
}
