/* Reading a whole configuration: what is told about a bad one. */
// links: sluice_config sluice_core
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "unit/config/complaints.h"

static void tells_thirty_mistakes_each_with_its_line_and_a_useful_sentence(void **state)
{
    (void)state;
    char path[PATH_MAX];
    char *told = complaints_about(corpus_path("thirty_mistakes.json", path));
    char *expected = file_text("thirty_mistakes.txt");
    assert_non_null(told);
    bool same = strcmp(told, expected) == 0;
    if (!same)
        fputs(told, stderr);
    free(told);
    free(expected);
    assert_true(same);
}

static void tells_what_is_wrong_with_single_things(void **state)
{
    static const struct {
        const char *text, *expected; /* a part of what is told */
    } cases[] = {
        {"{\"gateway\":{\"id\":\"g\"}}", ":1:1: version: is missing"},
        {"{\"version\":2,\"gateway\":{\"id\":\"g\"}}",
         ":1:12: version: found version 2; this program reads version 1: the file was written for "
         "a newer one"},
        {"{\"version\":1}", ":1:1: gateway: is missing"},
        {"[]", ":1:1: a configuration is an object"},
        {"{\"version\":1,\"gateway\":7}",
         ":1:24: gateway: found the number 7; an object {...} is expected"},
        {HEAD "\"journal\":{\"keep\":\"1GiB\",\"segment\":\"512MiB\"}}",
         "four segments have to fit"},
        {HEAD "\"journal\":{\"keep\":\"1 kiB\"}}", "units of sizes are"},
        {HEAD "\"web\":{\"https\":0}}", "web.https: found the number 0; allowed: 1 to 65535"},
        {HEAD "\"web\":{\"listen\":[\"eth0\"]}}",
         "web.listen[0]: found \"eth0\"; allowed: addresses as \"192.168.1.5\""},
        {HEAD "\"web\":{\"names\":[\"a b\"]}}", "web.names[0]: found \"a b\"; allowed: host names"},
        {HEAD "\"web\":{\"cert\":\"/etc/passwd\"}}",
         "web.key: a certificate and its key go together"},
        {HEAD "\"web\":{\"enabld\":true}}", "did you mean \"enabled\"?"},
        {HEAD "\"journal\":{\"keep\":\"99999999999TB\"}}", "that is too large"},
        {HEAD "\"journal\":{\"keep\":\"1kB\"}}", "found \"1kB\"; allowed: 1MiB to 1000TB"},
        {HEAD "\"journal\":{\"commit\":null}}", "leave the key out for its default"},
        {HEAD "\"defaults\":{\"report\":{\"dead_band\":-1}}}",
         "found the number -1; allowed: 0 to 1e+15"},
        {HEAD "\"defaults\":{\"report\":{\"dead_band\":\"2\"}}}",
         "a number is expected, or a share as \"2%\""},
        {HEAD "\"defaults\":{\"report\":{\"dead_band\":\"200%\"}}}", "shares are 0% to 100%"},
        {HEAD "\"defaults\":{\"report\":{\"dead_band\":2,\"on_change\":false}}}",
         "a dead band stores changes only, and \"on_change\" beside it is false"},
        {HEAD
         "\"defaults\":{\"report\":{\"on_change\":true,\"at_least\":\"60s\",\"at_most\":\"2m\"}}}",
         "report.at_most: \"at_most\" is longer than \"at_least\" (1m)"},
        {HEAD "\"bus\":[]}", ":1:35: bus: unknown key; did you mean \"buses\"?"},
        {HEAD "\"zzz\":[]}",
         "unknown key; the configuration has: $schema, version, gateway, journal"},
        {HEAD "\"buses\":[{\"id\":\"b\",\"driver\":\"meter-net\",\"host\":\"h\"}],"
              "\"devices\":[{\"id\":\"d\",\"bus\":\"b\",\"unit\":1,\"profile\":\"sunspec\"}]}",
         "\"sluice sunspec HOST > NAME.json\" writes the profile of yours"},
        {HEAD "\"buses\":[7]}", "buses[0]: found the number 7; an object"},
        {HEAD "\"devices\":[{\"id\":\"d\",\"bus\":\"b\",\"regg\":1,\"unit\":2}]}",
         "there is no such bus in \"buses\""},
        {HEAD "\"buses\":[{\"id\":\"b\",\"driver\":\"nmea\",\"port\":\"p\"}],\"devices\":[{\"id\":"
              "\"d\",\"bus\":\"b\",\"was\":[\"d\"]}]}",
         "that id is still in use"},
        {HEAD "\"buses\":[{\"id\":\"b\",\"driver\":\"nmea\",\"port\":\"${nix}\"}]}",
         "there are: ${gateway.id}, ${gateway.name}"},
        {HEAD "\"buses\":[{\"id\":\"b\",\"driver\":\"nmea\",\"port\":\"${gateway.id\"}]}",
         "a ${ without its }"},
        {HEAD "\"buses\":[{\"id\":\"b\",\"driver\":\"nmea\",\"port\":\"p\",\"timeout\":\"2m\"}]}",
         "found \"2m\"; allowed: 1ms to 1m"},
        {HEAD "\"uplinks\":[{\"id\":\"u\",\"url\":\"http://x\"}]}",
         "uplinks[0].url: a broker's URL begins with"},
        {HEAD "\"uplinks\":[{\"id\":\"u\",\"url\":\"mqtt://x\",\"password_file\":\"nix\"}]}",
         "/nix does not exist"},
        {HEAD "\"uplinks\":[{\"id\":\"u\",\"url\":\"mqtt://x\",\"tls\":{\"cafile\":\"x\"}}]}",
         "unknown key; did you mean \"ca\"?"},
        {HEAD "\"devices\":[{\"id\":\"d\",\"bus\":\"b\",\"profile\":\"../good/smallest\"}]}",
         "there is no profile \"../good/smallest\""},
        {HEAD "\"uplinks\":[{\"id\":\"u\",\"url\":7}]}", "write it in quotes: \"7\""},
    };
    (void)state;
    struct folder folder = folder_make();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *told = complaints_about_text(&folder, cases[i].text);
        if (!told || !strstr(told, cases[i].expected))
            fail_msg("%s\ntold: %s", cases[i].text, told ? told : "nothing");
        free(told);
    }
    folder_remove(&folder);
}

static void refuses_a_secret_that_everybody_may_read(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char secret[96];
    static const char text[] =
        HEAD "\"uplinks\":[{\"id\":\"u\",\"url\":\"mqtt://x\",\"password_file\":\"secret\"}]}";
    snprintf(secret, sizeof(secret), "%s/secret", folder.path);
    write_file(secret, "s3cret");
    assert_int_equal(chmod(secret, 0644), 0);
    char *told = complaints_about_text(&folder, text);
    assert_non_null(told);
    assert_non_null(strstr(told, "can be read by everybody"));
    assert_null(strstr(told, "s3cret"));
    free(told);
    assert_int_equal(chmod(secret, 0640), 0);
    assert_null(complaints_about_text(&folder, text));
    folder_remove(&folder);
}

static void tells_a_faulty_profile_once_however_many_use_it(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char *told = complaints_about_text(
        &folder,
        HEAD "\"buses\":[{\"id\":\"b\",\"driver\":\"meter-net\",\"host\":\"h\"}],\"devices\":["
             "{\"id\":\"d\",\"bus\":\"b\",\"unit\":1,\"profile\":\"faulty\"},"
             "{\"id\":\"e\",\"bus\":\"b\",\"unit\":2,\"profile\":\"faulty\"}]}");
    assert_non_null(told);
    assert_non_null(strstr(told, "profiles/faulty.json:4:45: points[0].type: "));
    assert_null(strchr(strchr(told, '\n') + 1, '\n'));
    free(told);
    folder_remove(&folder);
}

static void tells_at_most_a_hundred_errors_and_how_many_more(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    FILE *file = fopen(folder.file, "w");
    assert_non_null(file);
    fputs(HEAD, file);
    for (int i = 0; i < 150; i++)
        fprintf(file, "\n\"key%d\": 1,", i);
    fputs("}\n", file);
    assert_int_equal(fclose(file), 0);
    char *told = complaints_about(folder.file);
    unsigned lines = 0;
    assert_non_null(told);
    for (const char *at = told; (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, 101);
    assert_non_null(strstr(told, "50 more errors are not shown"));
    free(told);
    folder_remove(&folder);
}

static void says_when_a_file_cannot_be_read(void **state)
{
    (void)state;
    struct config *config;
    struct config_parts parts = test_parts(profiles);
    char *told = NULL;
    size_t size;
    FILE *out = open_memstream(&told, &size);
    assert_non_null(out);
    assert_int_equal(config_load(&config, "/nowhere/sluice.json", &parts, config_tell_stdio, out),
                     ERR_NOT_FOUND);
    assert_int_equal(config_load(&config, "/tmp", &parts, config_tell_stdio, out), ERR_IO);
    fclose(out);
    assert_string_equal(told, "/nowhere/sluice.json: cannot be read: No such file or directory\n"
                              "/tmp: cannot be read: Is a directory\n");
    free(told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_thirty_mistakes_each_with_its_line_and_a_useful_sentence),
        cmocka_unit_test(tells_what_is_wrong_with_single_things),
        cmocka_unit_test(refuses_a_secret_that_everybody_may_read),
        cmocka_unit_test(tells_a_faulty_profile_once_however_many_use_it),
        cmocka_unit_test(tells_at_most_a_hundred_errors_and_how_many_more),
        cmocka_unit_test(says_when_a_file_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
