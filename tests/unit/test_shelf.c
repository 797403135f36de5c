/* Files that stand in an archive in place of their folder; the archives are tar's own. */
// links: sluice_core
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/shelf.h"

static char home[] = "/tmp/sluice-shelf-XXXXXX";

static const char *at(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", home, name);
    return path;
}

static void shell(const char *command)
{
    char line[512];

    snprintf(line, sizeof line, "cd %s && %s", home, command);
    assert_int_equal(system(line), 0);
}

/* things/ with a.json, b.json and deep/c.tsv becomes things.tar.gz. */
static int set_up(void **state)
{
    (void)state;
    strcpy(home, "/tmp/sluice-shelf-XXXXXX");
    if (!mkdtemp(home))
        return -1;
    shell("mkdir -p things/deep && printf 1234567 > things/a.json && head -c 600 /dev/zero | tr "
          "'\\0' x > "
          "things/b.json && printf tab > things/deep/c.tsv && : > things/empty.json && "
          "tar --format=ustar --sort=name --mtime=@0 -C things -czf things.tar.gz a.json b.json "
          "deep deep/c.tsv "
          "empty.json && rm -r things");
    return 0;
}

static int tear_down(void **state)
{
    char line[64];

    (void)state;
    snprintf(line, sizeof line, "rm -r %s", home);
    return system(line);
}

static void assert_holds(const char *name, const char *text)
{
    char *data = NULL;
    size_t size = 0;

    assert_true(shelf_has(at(name)));
    assert_int_equal(shelf_read(at(name), 1024, &data, &size), 0);
    assert_int_equal(size, strlen(text));
    assert_string_equal(data, text);
    free(data);
}

static void reads_a_file_by_itself_or_from_the_archive(void **state)
{
    char many[601] = "";

    (void)state;
    memset(many, 'x', 600);
    assert_holds("things/a.json", "1234567");
    assert_holds("things/b.json", many);
    assert_holds("things/deep/c.tsv", "tab");
    assert_holds("things/empty.json", "");
    shell("mkdir things && printf own > things/a.json");
    assert_holds("things/a.json", "own");
    assert_holds("things/deep/c.tsv", "tab");
}

static void finds_nothing_where_nothing_is(void **state)
{
    static const char *const names[] = {"things/d.json", "things/deep",  "things/deep/a.json",
                                        "other/a.json",  "thing/a.json", "things.tar.gz/a.json"};
    char *data;
    size_t size;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_false(shelf_has(at(names[i])));
        assert_int_not_equal(shelf_read(at(names[i]), 1024, &data, &size), 0);
    }
    assert_false(shelf_has("a.json"));
    assert_false(shelf_has(""));
    assert_int_equal(shelf_read(at("things/b.json"), 599, &data, &size), ERR_TOO_LARGE);
}

struct seen {
    char names[256];
    size_t bytes;
    int stop;
};

static int see(void *context, const char *name, const char *text, size_t size)
{
    struct seen *seen = context;

    snprintf(seen->names + strlen(seen->names), sizeof seen->names - strlen(seen->names), "%s ",
             name);
    seen->bytes += strlen(text);
    assert_int_equal(strlen(text), size);
    return seen->stop;
}

static void goes_over_all_in_their_order(void **state)
{
    struct seen seen = {.names = ""};

    (void)state;
    assert_int_equal(shelf_each(at("things"), see, &seen), 0);
    assert_string_equal(seen.names, "a.json b.json deep/c.tsv empty.json ");
    assert_int_equal(seen.bytes, 610);
    seen = (struct seen){.stop = 7};
    assert_int_equal(shelf_each(at("things"), see, &seen), 7);
    assert_string_equal(seen.names, "a.json ");
    assert_int_equal(shelf_each(at("other"), see, &seen), ERR_NOT_FOUND);
}

/* Cut off at any byte, or with any byte changed, it is told as damaged; or it was a byte that means
 * nothing. */
static void a_damaged_archive_is_no_harm(void **state)
{
    static const char all[] = "a.json b.json deep/c.tsv empty.json ";
    char command[128];
    FILE *file = fopen(at("things.tar.gz"), "rb");
    unsigned char bytes[4096];
    size_t size = file ? fread(bytes, 1, sizeof bytes, file) : 0;

    (void)state;
    assert_true(size > 0);
    fclose(file);
    for (size_t cut = 0; cut < size; cut++) {
        struct seen seen = {.names = ""};

        snprintf(command, sizeof command, "head -c %zu things.tar.gz > cut.tar.gz", cut);
        if (cut % 16 == 0) {
            shell(command);
            assert_int_equal(shelf_each(at("cut"), see, &seen), ERR_CORRUPT);
        }
        bytes[cut] ^= 0x41;
        file = fopen(at("bad.tar.gz"), "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, size, file), size);
        fclose(file);
        bytes[cut] ^= 0x41;
        seen = (struct seen){.names = ""};
        int result = shelf_each(at("bad"), see, &seen);
        if (result != ERR_CORRUPT && (result != 0 || strcmp(seen.names, all) != 0))
            fail_msg("byte %zu of %zu: %d", cut, size, result);
    }
    shell("printf 'no archive at all' > plain.tar.gz");
    assert_int_equal(shelf_each(at("plain"), see, &(struct seen){.names = ""}), ERR_CORRUPT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_a_file_by_itself_or_from_the_archive),
        TEST(finds_nothing_where_nothing_is),
        TEST(goes_over_all_in_their_order),
        TEST(a_damaged_archive_is_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
