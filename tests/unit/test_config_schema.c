/* The schema that is made from the tables, held against the parser on a corpus and on hundreds of
 * changed copies of it. */
// links: sluice_config sluice_core
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/config/agrees.h"
#include "unit/config/parts.h"

static char profiles[PATH_MAX];

struct verdict {
    char sentence[512];
};

static void keep_first(void *context, const struct config_error *error)
{
    struct verdict *verdict = context;
    if (*verdict->sentence == '\0')
        snprintf(verdict->sentence, sizeof(verdict->sentence), "%s", error->sentence);
}

/* Parses every file of a folder and writes what came of each; counts the good ones. */
static unsigned judge_folder(const char *folder, FILE *verdicts, unsigned *count)
{
    unsigned good = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[PATH_MAX];
        struct verdict verdict = {""};
        struct config *config;
        struct config_parts parts = test_parts(profiles);
        if (!strstr(entry->d_name, ".json"))
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        int error = config_load(&config, path, &parts, keep_first, &verdict);
        config_free(config);
        fprintf(verdicts, "%s\t%s\n", path, error == 0 ? "good" : verdict.sentence);
        good += error == 0;
        ++*count;
    }
    closedir(dir);
    return good;
}

struct work {
    char folder[64], schema[96], verdicts[96], mutants[96];
};

static struct work work_make(void)
{
    struct work work = {.folder = "/tmp/sluice-schema-XXXXXX"};
    struct config_parts parts = test_parts(profiles);
    assert_non_null(mkdtemp(work.folder));
    snprintf(work.schema, sizeof(work.schema), "%s/schema", work.folder);
    snprintf(work.verdicts, sizeof(work.verdicts), "%s/verdicts", work.folder);
    FILE *schema = fopen(work.schema, "w");
    assert_non_null(schema);
    assert_int_equal(config_schema(&parts, schema), 0);
    assert_int_equal(fclose(schema), 0);
    return work;
}

static void work_remove(const struct work *work)
{
    DIR *dir = opendir(work->folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "%s/%s", work->folder, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
    }
    closedir(dir);
    assert_int_equal(rmdir(work->folder), 0);
}

static void agrees_with_the_parser_on_the_corpus(void **state)
{
    static const struct {
        const char *folder;
        bool good;
    } folders[] = {{"good", true}, {"bad", false}, {"parser_only", false}};
    (void)state;
    struct work work = work_make();
    FILE *verdicts = fopen(work.verdicts, "w");
    assert_non_null(verdicts);
    for (size_t i = 0; i < 3; i++) {
        char path[PATH_MAX];
        unsigned count = 0,
                 good = judge_folder(corpus_path(folders[i].folder, path), verdicts, &count);
        assert_true(count >= 5);
        assert_int_equal(good, folders[i].good ? count : 0);
    }
    fclose(verdicts);
    int status = agrees_run("judge", work.schema, work.verdicts);
    work_remove(&work);
    if (status == AGREES_UNKNOWN)
        skip();
    assert_int_equal(status, 0);
}

static void agrees_with_the_parser_on_changed_copies(void **state)
{
    (void)state;
    char every_key[PATH_MAX];
    unsigned count = 0;
    struct work work = work_make();
    if (agrees_run("mutate", work.folder, corpus_path("good/every_key.json", every_key)) != 0) {
        work_remove(&work);
        skip();
    }
    FILE *verdicts = fopen(work.verdicts, "w");
    assert_non_null(verdicts);
    judge_folder(work.folder, verdicts, &count);
    fclose(verdicts);
    assert_int_equal(count, 600);
    int status = agrees_run("judge", work.schema, work.verdicts);
    work_remove(&work);
    if (status == AGREES_UNKNOWN)
        skip();
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_parser_on_the_corpus),
        cmocka_unit_test(agrees_with_the_parser_on_changed_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
