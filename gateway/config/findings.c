#include "config/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/utf8.h"

#define FILES_MAX 1024 /* profiles and tables beyond are told under the name of the configuration itself */

struct file {
    const struct json *root;
    const char *name;
};

struct findings {
    struct arena *arena;
    struct file files[FILES_MAX];
    size_t file_count, count, more;
    struct config_error errors[FINDINGS_MAX];
};

struct findings *findings_open(struct arena *arena)
{
    struct findings *findings = arena_alloc(arena, sizeof(*findings));
    if (findings)
        findings->arena = arena;
    return findings;
}

void findings_file(struct findings *findings, const struct json *root, const char *file)
{
    if (findings->file_count < FILES_MAX)
        findings->files[findings->file_count++] = (struct file){root, file};
}

static const char *file_of(const struct findings *findings, const struct json *value)
{
    while (value->parent)
        value = value->parent;
    for (size_t i = 0; i < findings->file_count; i++)
        if (findings->files[i].root == value)
            return findings->files[i].name;
    return findings->file_count > 0 ? findings->files[0].name : "";
}

static void add(struct findings *findings, const char *file, struct json_place at, const char *key,
                const char *format, va_list list)
{
    char sentence[FINDINGS_TEXT_MAX];
    vsnprintf(sentence, sizeof(sentence), format, list);
    utf8_cut(sentence);
    for (size_t i = 0; i < findings->count; i++) {
        const struct config_error *error = &findings->errors[i];
        if (error->line == (int)at.line && error->column == (int)at.column &&
            strcmp(error->sentence, sentence) == 0 && strcmp(error->file, file) == 0)
            return;
    }
    if (findings->count == FINDINGS_MAX) {
        findings->more++;
        return;
    }
    const char *kept_key = arena_text(findings->arena, key, strlen(key));
    const char *kept = arena_text(findings->arena, sentence, strlen(sentence));
    if (kept_key && kept)
        findings->errors[findings->count++] =
            (struct config_error){file, (int)at.line, (int)at.column, kept_key, kept};
}

void findings_key(struct findings *findings, const struct json *value, const char *format, ...)
{
    char path[FINDINGS_TEXT_MAX];
    va_list list;
    json_doubt(value);
    json_path(value, path, sizeof(path));
    va_start(list, format);
    add(findings, file_of(findings, value), value->key ? value->key_at : value->at, path, format,
        list);
    va_end(list);
}

void findings_value(struct findings *findings, const struct json *value, const char *format, ...)
{
    char path[FINDINGS_TEXT_MAX];
    va_list list;
    if (value->type == JSON_BAD)
        return;
    json_doubt(value);
    json_path(value, path, sizeof(path));
    va_start(list, format);
    add(findings, file_of(findings, value), value->at, path, format, list);
    va_end(list);
}

void findings_missing(struct findings *findings, const struct json *object, const char *key,
                      const char *format, ...)
{
    char path[FINDINGS_TEXT_MAX];
    va_list list;
    json_path(object, path, sizeof(path));
    size_t size = strlen(path);
    snprintf(path + size, sizeof(path) - size, size > 0 ? ".%s" : "%s", key);
    va_start(list, format);
    add(findings, file_of(findings, object), object->at, path, format, list);
    va_end(list);
}

void findings_place(struct findings *findings, const char *file, struct json_place at,
                    const char *format, ...)
{
    va_list list;
    va_start(list, format);
    add(findings, file, at, "", format, list);
    va_end(list);
}

size_t findings_count(const struct findings *findings)
{
    return findings->count + findings->more;
}

static size_t file_order(const struct findings *findings, const char *name)
{
    size_t i = 0;
    while (i < findings->file_count && strcmp(findings->files[i].name, name) != 0)
        i++;
    return i;
}

static int compare(const void *one, const void *two, void *context)
{
    const struct config_error *a = one, *b = two;
    size_t a_file = file_order(context, a->file), b_file = file_order(context, b->file);
    if (a_file != b_file)
        return a_file < b_file ? -1 : 1;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return strcmp(a->key, b->key);
}

void findings_tell(struct findings *findings, config_tell_fn *tell, void *context)
{
    qsort_r(findings->errors, findings->count, sizeof(findings->errors[0]), compare, findings);
    for (size_t i = 0; i < findings->count; i++)
        tell(context, &findings->errors[i]);
    if (findings->more > 0) {
        char sentence[64];
        snprintf(sentence, sizeof(sentence), "%zu more errors are not shown", findings->more);
        const char *file = findings->file_count > 0 ? findings->files[0].name : "";
        tell(context, &(struct config_error){file, 0, 0, "", sentence});
    }
}
