/* A point goes into a profile of the user's own, and nothing else in it changes. */
// links: sluice_cli
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/profile_edit.h"
#include "config/json.h"

static void a_point_goes_behind_the_last_one(void **state)
{
    static const struct {
        const char *before, *after; /* NULL: nothing to append to */
    } cases[] = {
        {"{\"points\": []}", "{\"points\": [\n    NEW\n  ]}"},
        {"{\n  \"points\": [\n    {\"id\": \"a\"}\n  ]\n}\n",
         "{\n  \"points\": [\n    {\"id\": \"a\"},\n    NEW\n  ]\n}\n"},
        {"{\n  \"points\": [\n    {\"id\": \"a\"}, // first\n  ]\n}\n",
         "{\n  \"points\": [\n    {\"id\": \"a\"}, // first\n    NEW\n  ]\n}\n"},
        {"{\"points\": [{\"id\": \"a\"} /* ] */ ]}",
         "{\"points\": [{\"id\": \"a\"}, /* ] */\n    NEW\n  ]}"},
        {"{\"source\": {\"points\": [1]}, \"notes\": \"\\\"points\\\": [\", \"points\" : [[2], 3]}",
         "{\"source\": {\"points\": [1]}, \"notes\": \"\\\"points\\\": [\", \"points\" : [[2], "
         "3,\n    NEW\n  ]}"},
        {"// \"points\": []\n{\"vendor\": \"points\"}", NULL},
        {"{\"points\": 5}", NULL},
        {"{\"points\": [", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *made = profile_edit_append(cases[i].before, "NEW");

        if (cases[i].after)
            assert_string_equal(made, cases[i].after);
        else
            assert_null(made);
        free(made);
    }
}

static void a_key_is_set_in_place_or_in_front(void **state)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        {"{}", "{\n  \"confirmed\": {\"at\": \"now\"}}"},
        {"// mine\n{\n  \"vendor\": \"A\"\n}\n",
         "// mine\n{\n  \"confirmed\": {\"at\": \"now\"},\n  \"vendor\": \"A\"\n}\n"},
        {"{\"vendor\": \"confirmed\", \"confirmed\": {\"at\": \"then\", \"points\": []}, \"a\": 1}",
         "{\"vendor\": \"confirmed\", \"confirmed\": {\"at\": \"now\"}, \"a\": 1}"},
        {"{\"points\": [{\"confirmed\": 1}], \"confirmed\": 2}",
         "{\"points\": [{\"confirmed\": 1}], \"confirmed\": {\"at\": \"now\"}}"},
        {"[]", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *made = profile_edit_set(cases[i].before, "confirmed", "{\"at\": \"now\"}");

        if (cases[i].after)
            assert_string_equal(made, cases[i].after);
        else
            assert_null(made);
        free(made);
    }
}

static void a_line_is_numbered_as_its_profile_is(void **state)
{
    static const struct {
        struct profile_line line;
        bool zero_based;
        const char *text;
    } cases[] = {
        {{"own", 3, 0, "f32", "CDAB", 1},
         false,
         "{ \"id\": \"own\", \"reg\": 40001, \"type\": \"f32\", \"order\": \"CDAB\" }"},
        {{"own", 4, 9999, "u16", NULL, 0.1},
         false,
         "{ \"id\": \"own\", \"reg\": 310000, \"type\": \"u16\", \"scale\": 0.1 }"},
        {{"own", 4, 9998, "i16", NULL, 1},
         false,
         "{ \"id\": \"own\", \"reg\": 39999, \"type\": \"i16\" }"},
        {{"own", 4, 7, "i16", NULL, 1},
         true,
         "{ \"id\": \"own\", \"reg\": 7, \"table\": \"input\", \"type\": \"i16\" }"},
    };
    const struct config_parts parts = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *made = NULL;
        size_t size;
        FILE *out = open_memstream(&made, &size);

        profile_line_print(out, &cases[i].line, cases[i].zero_based, &parts);
        fclose(out);
        assert_string_equal(made, cases[i].text);
        free(made);
    }
}

static void a_file_keeps_its_rights_and_a_link_goes_on_leading_to_it(void **state)
{
    char folder[] = "/tmp/sluice-profile-XXXXXX", file[64], link[64];
    struct stat seen;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/own.json", folder);
    snprintf(link, sizeof link, "%s/link.json", folder);
    assert_int_equal(profile_edit_write(file, "{}"), 0);
    assert_int_equal(chmod(file, 0640), 0);
    assert_int_equal(symlink("own.json", link), 0);
    assert_int_equal(profile_edit_write(link, "{ }"), 0);
    assert_int_equal(lstat(link, &seen), 0);
    assert_true(S_ISLNK(seen.st_mode));
    assert_int_equal(stat(file, &seen), 0);
    assert_int_equal(seen.st_mode & 07777, 0640);
    char *text = profile_edit_read(file);
    assert_string_equal(text, "{ }");
    free(text);
    unlink(link);
    unlink(file);
    assert_int_equal(rmdir(folder), 0);
}

/* What is not read to its end is not given out: it would be written back cut off. */
static void a_file_is_read_whole_or_not_at_all(void **state)
{
    char path[] = "/tmp/profile-edit-XXXXXX";
    int fd = mkstemp(path);
    char *text;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "{\"points\": []}", 14), 14);
    text = profile_edit_read(path);
    assert_string_equal(text, "{\"points\": []}");
    free(text);
    assert_int_equal(ftruncate(fd, JSON_SIZE_MAX + 1), 0);
    assert_null(profile_edit_read(path));
    assert_int_equal(unlink(path), 0);
    close(fd);
    assert_null(profile_edit_read(path));
    assert_null(profile_edit_read("/tmp")); /* opens, and cannot be read */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_whole_or_not_at_all),
        cmocka_unit_test(a_point_goes_behind_the_last_one),
        cmocka_unit_test(a_key_is_set_in_place_or_in_front),
        cmocka_unit_test(a_line_is_numbered_as_its_profile_is),
        cmocka_unit_test(a_file_keeps_its_rights_and_a_link_goes_on_leading_to_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
