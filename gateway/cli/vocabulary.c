#include "cli/vocabulary.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/file.h"
#include "core/shelf.h"

struct vocabulary {
    struct arena *arena;
    const struct json *points;
};

struct vocabulary *vocabulary_open(const struct config_parts *parts)
{
    struct vocabulary *made = calloc(1, sizeof *made);
    char path[PATH_MAX] = "";

    for (size_t i = 0; parts->profile_folders[i] && !shelf_has(path); i++)
        snprintf(path, sizeof path, "%s/vocabulary/points.json", parts->profile_folders[i]);
    if (made && shelf_has(path) && arena_open(&made->arena) == 0) {
        struct findings *findings = findings_open(made->arena);
        const struct json *root = NULL;
        if (findings && file_read_json(&root, made->arena, path, findings) == 0)
            made->points = json_find(root, "points");
    }
    return made;
}

void vocabulary_close(struct vocabulary *vocabulary)
{
    if (vocabulary && vocabulary->arena)
        arena_close(vocabulary->arena);
    free(vocabulary);
}

static bool fits(const char *pattern, const char *id)
{
    for (; *pattern; pattern++) {
        size_t digits = strspn(id, "0123456789");

        if (*pattern == '#' && digits > 0)
            id += digits;
        else if (*pattern != '#' && *pattern == *id)
            id++;
        else
            return false;
    }
    return *id == '\0';
}

const struct json *vocabulary_find(const struct vocabulary *vocabulary, const char *id)
{
    const struct json *point = vocabulary && vocabulary->points ? vocabulary->points->first : NULL;

    for (; point; point = point->next) {
        const struct json *name = json_find(point, "id");
        if (name && name->type == JSON_STRING && fits(name->text, id))
            return point;
    }
    return NULL;
}
