/* What is told about a configuration of the tests' own, as a person sees it. */
#ifndef TESTS_UNIT_CONFIG_COMPLAINTS_H
#define TESTS_UNIT_CONFIG_COMPLAINTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/config/parts.h"

#define HEAD "{\"version\":1,\"gateway\":{\"id\":\"g\"},"

static char profiles[PATH_MAX];

/* Errors as a person sees them, but with file names as they are in the corpus. */
static inline void tell_shortened(void *context, const struct config_error *error)
{
    char folder[PATH_MAX], sentence[1024], *at;
    struct config_error shown = *error;
    corpus_path("", folder);
    size_t size = strlen(folder);
    snprintf(sentence, sizeof(sentence), "%s", error->sentence);
    while ((at = strstr(sentence, folder)))
        memmove(at, at + size, strlen(at + size) + 1);
    shown.sentence = sentence;
    if (strncmp(error->file, folder, size) == 0)
        shown.file = error->file + size;
    config_tell_stdio(context, &shown);
}

/* What is told about a configuration; NULL when it is a good one. Freed by the caller. */
static inline char *complaints_about(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    struct config *config;
    struct config_parts parts = test_parts(profiles);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    int error = config_load(&config, path, &parts, tell_shortened, out);
    fclose(out);
    assert_int_equal(error == 0, config != NULL);
    assert_int_equal(error == 0, size == 0);
    config_free(config);
    if (error == 0) {
        free(text);
        text = NULL;
    }
    return text;
}

static inline char *file_text(const char *name)
{
    char path[PATH_MAX];
    FILE *file = fopen(corpus_path(name, path), "r");
    assert_non_null(file);
    char *text = calloc(1, 64 * 1024);
    assert_non_null(text);
    assert_true(fread(text, 1, 64 * 1024 - 1, file) > 0);
    fclose(file);
    return text;
}

/* A configuration of the test's own, below a folder that is removed at the end. */
struct folder {
    char path[64], file[80];
};

static inline struct folder folder_make(void)
{
    struct folder folder = {.path = "/tmp/sluice-config-XXXXXX"};
    assert_non_null(mkdtemp(folder.path));
    snprintf(folder.file, sizeof(folder.file), "%s/sluice.json", folder.path);
    return folder;
}

static inline void folder_remove(const struct folder *folder)
{
    char secret[96];
    snprintf(secret, sizeof(secret), "%s/secret", folder->path);
    unlink(secret);
    unlink(folder->file);
    assert_int_equal(rmdir(folder->path), 0);
}

static inline void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static inline char *complaints_about_text(const struct folder *folder, const char *text)
{
    write_file(folder->file, text);
    return complaints_about(folder->file);
}

#endif
