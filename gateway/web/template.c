/* Templates: a configuration less what belongs to one gateway alone, and that put back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "web/export_api.h"

/* Makes edits, given as JSON, to a text. */
static char *edited(const char *text, const char *edits, char why[EDIT_WHY_SIZE])
{
    struct arena *arena;
    struct json *root;
    char *made = NULL;
    size_t size;

    if (arena_open(&arena)) {
        snprintf(why, EDIT_WHY_SIZE, "%s", error_text(ERR_NOMEM));
        return NULL;
    }
    if (json_read(&root, arena, edits, strlen(edits), NULL, NULL) == 0)
        edit_text(root, text, strlen(text), &made, &size, why);
    arena_close(arena);
    return made;
}

/* What belongs to one gateway, as steps below the root. */
static const struct {
    const char *object, *key, *template; /* what a template has in its place; NULL: nothing */
} own_keys[] = {
    {"gateway", "id", "\"template\""},
    {"gateway", "name", NULL},
    {"gateway", "hw", NULL},
    {"web", "listen", NULL},
    {"web", "names", NULL},
    {"web", "cert", NULL},
    {"web", "key", NULL},
};

bool export_own(const struct json *value)
{
    const struct json *object = value->parent;

    for (size_t i = 0; i < sizeof own_keys / sizeof *own_keys; i++)
        if (object && object->parent && !object->parent->parent && value->key && object->key &&
            strcmp(value->key, own_keys[i].key) == 0 &&
            strcmp(object->key, own_keys[i].object) == 0)
            return true;
    return false;
}

/* Sets the own keys to what `from` has of them, or to what a template has where it is NULL. */
static char *with_keys(const char *text, const struct json *root, const struct json *from,
                       char why[EDIT_WHY_SIZE])
{
    char *edits = NULL, *made;
    size_t size;
    bool more = false;
    FILE *out = open_memstream(&edits, &size);

    if (!out)
        return NULL;
    fputs("[", out);
    for (size_t i = 0; i < sizeof own_keys / sizeof *own_keys; i++) {
        const char *object = own_keys[i].object, *key = own_keys[i].key;
        const struct json *has = json_find(json_find(root, object), key),
                          *own = from ? json_find(json_find(from, object), key) : NULL;
        char *printed = own ? edit_print(own) : NULL;
        const char *value = from ? printed : own_keys[i].template;

        if (value)
            fprintf(out, "%s{\"at\":[\"%s\",\"%s\"],\"set\":%s}", more ? "," : "", object, key,
                    value);
        else if (has)
            fprintf(out, "%s{\"at\":[\"%s\",\"%s\"],\"remove\":true}", more ? "," : "", object,
                    key);
        more |= value || has;
        free(printed);
    }
    fputs("]", out);
    fclose(out);
    made = edited(text, edits, why);
    free(edits);
    return made;
}

static char *personal(const char *text, const struct json *from, char why[EDIT_WHY_SIZE])
{
    struct arena *arena;
    struct json *root = NULL;
    char *made = NULL;

    why[0] = '\0';
    if (arena_open(&arena)) {
        snprintf(why, EDIT_WHY_SIZE, "%s", error_text(ERR_NOMEM));
        return NULL;
    }
    if (json_read(&root, arena, text, strlen(text), NULL, NULL) == 0)
        made = with_keys(text, root, from, why);
    arena_close(arena);
    if (!made && !*why)
        snprintf(why, EDIT_WHY_SIZE, "the configuration cannot be read: it has mistakes");
    return made;
}

char *export_template(const char *text, char why[EDIT_WHY_SIZE])
{
    return personal(text, NULL, why);
}

char *export_personal(const char *text, const struct json *own, char why[EDIT_WHY_SIZE])
{
    return personal(text, own, why);
}
