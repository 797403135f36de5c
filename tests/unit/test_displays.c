/* What displays showed: numbers as people type them, what is kept of it, and a file that is none.
 */
// links: sluice_web
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/error.h"
#include "core/save.h"
#include "web/displays.h"

static char path[64];

static int begin(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/sluice-displays-XXXXXX");
    int fd = mkstemp(path);
    close(fd);
    unlink(path);
    return fd < 0 ? -1 : 0;
}

static int end(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static struct display shown(const char *point, const char *text, const char *value, int64_t at_ms)
{
    struct display display = {.device = "meter", .by = "anna", .from = "192.168.7.20"};

    snprintf(display.point, sizeof display.point, "%s", point);
    snprintf(display.shown, sizeof display.shown, "%s", text);
    snprintf(display.value, sizeof display.value, "%s", value);
    display.at_ms = at_ms;
    display.read_ms = at_ms - 100;
    return display;
}

/* The list as it is written, without blanks and line ends; freed by the caller. */
static char *written(int expected)
{
    char *text = NULL;
    size_t size, kept = 0;
    struct json_writer writer = {.out = open_memstream(&text, &size)};

    json_write_open(&writer, NULL, '{');
    assert_int_equal(displays_write(path, &writer, "displays"), expected);
    json_write_close(&writer, '}');
    fclose(writer.out);
    for (size_t i = 0; i < size; i++)
        if (!strchr(" \n", text[i]))
            text[kept++] = text[i];
    text[kept] = '\0';
    return text;
}

static void check_written(const char *expected)
{
    char *text = written(0);

    assert_string_equal(text, expected);
    free(text);
}

static void numbers_are_read_as_people_type_them(void **state)
{
    static const struct {
        const char *text;
        bool valid;
        double number;
    } cases[] = {
        {"231", true, 231},     {"231.4", true, 231.4},
        {"231,4", true, 231.4}, {" -12,50 ", true, -12.5},
        {"+7", true, 7},        {"007.5", true, 7.5},
        {"0", true, 0},         {"-0,3", true, -0.3},
        {"00", true, 0},        {"1e3", true, 1000},
        {"", false, 0},         {"231 V", false, 0},
        {"1.234,5", false, 0},  {"1,234,5", false, 0},
        {"0x10", false, 0},     {"nan", false, 0},
        {"1e999", false, 0},    {"--7", false, 0},
        {"auto", false, 0},     {"+-7", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double number = 0;
        if (display_number(cases[i].text, &number) != cases[i].valid ||
            (cases[i].valid && number != cases[i].number))
            fail_msg("\"%s\" is %g", cases[i].text, number);
    }
}

static void a_difference_has_no_digits_of_its_own(void **state)
{
    (void)state;
    double difference;
    struct display display = shown("voltage", "231,4", "231.5", 1);

    assert_true(display_difference(&display, &difference));
    assert_true(difference == 0.1);
    static const char *const none[] = {"null", "true", "\"231.5\""};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        display = shown("voltage", "231,4", none[i], 1);
        assert_false(display_difference(&display, &difference));
    }
    display = shown("mode", "auto", "1", 1);
    assert_false(display_difference(&display, &difference));
}

static void the_newest_of_a_point_is_kept(void **state)
{
    (void)state;
    struct display first = shown("voltage", "231.4", "231.5", 1000),
                   mode = shown("mode", "auto \"1\"", "\"a\\\"b\"", 2000),
                   second = shown("voltage", "230", "231.5", 3000);

    check_written("{\"displays\":[]}");
    assert_int_equal(displays_put(path, &first), 0);
    assert_int_equal(displays_put(path, &mode), 0);
    snprintf(second.unit, sizeof second.unit, "V");
    assert_int_equal(displays_put(path, &second), 0);
    check_written("{\"displays\":[{\"d\":\"meter\",\"p\":\"voltage\",\"shown\":\"230\",\"at\":3000,"
                  "\"by\":\"anna\",\"from\":\"192.168.7.20\",\"v\":231.5,\"t\":2900,\"unit\":\"V\","
                  "\"difference\":1.5},{\"d\":\"meter\",\"p\":\"mode\",\"shown\":\"auto\\\"1\\\"\","
                  "\"at\":2000,\"by\":\"anna\",\"from\":\"192.168.7.20\",\"v\":\"a\\\"b\","
                  "\"t\":1900}]}");
    assert_int_equal(displays_remove(path, "meter", "voltage"), 0);
    assert_int_equal(displays_remove(path, "meter", "voltage"), ERR_NOT_FOUND);
    char *text = written(0);
    assert_null(strstr(text, "voltage"));
    assert_non_null(strstr(text, "mode"));
    free(text);
}

static void merge(const char *list)
{
    struct arena *arena;
    struct json *root;

    assert_int_equal(arena_open(&arena), 0);
    assert_int_equal(json_read(&root, arena, list, strlen(list), NULL, NULL), 0);
    assert_int_equal(displays_merge(path, root), 0);
    arena_close(arena);
}

static void a_backup_brings_what_is_newer(void **state)
{
    (void)state;
    struct display mine = shown("voltage", "231.4", "231.5", 1000);

#define ONE(point, shown, at)                                                                      \
    "{\"d\":\"meter\",\"p\":\"" point "\",\"shown\":\"" shown "\",\"at\":" at                      \
    ",\"by\":\"ben\",\"from\":\"socket\",\"v\":null}"
    assert_int_equal(displays_put(path, &mine), 0);
    assert_int_equal(displays_merge(path, NULL), 0);
    merge("[" ONE("voltage", "1", "999") "," ONE("current", "2", "5") ",7,{\"d\":\"meter\"}," ONE(
        "Not An Id", "3", "5") "," ONE("power", "4", "\"x\"") "]");
    char *text = written(0);
    assert_non_null(strstr(text, "\"shown\":\"231.4\""));
    assert_non_null(strstr(text, "\"p\":\"current\",\"shown\":\"2\",\"at\":5,\"by\":\"ben\""));
    assert_null(strstr(text, "\"3\""));
    assert_null(strstr(text, "power"));
    free(text);
    merge("[" ONE("voltage", "9", "1001") "]");
    text = written(0);
    assert_non_null(strstr(text, "\"shown\":\"9\""));
    assert_null(strstr(text, "231.4"));
    free(text);
}

static void a_file_that_cannot_be_understood_stays(void **state)
{
    static const char *const files[] = {
        "{",
        "[]",
        "{\"schema\":2,\"displays\":[]}",
        "{\"schema\":1,\"displays\":[7]}",
        "{\"schema\":1,\"displays\":[{\"d\":\"meter\",\"p\":\"x\",\"shown\":\"1\",\"at\":1,"
        "\"by\":\"anna\",\"from\":\"socket\",\"v\":[]}]",
        "\xff",
    };
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct display display = shown("voltage", "231.4", "231.5", 1000);
        char *text;
        size_t size;

        assert_int_equal(save_file(path, files[i], strlen(files[i]), 0600), 0);
        assert_int_equal(displays_put(path, &display), ERR_CORRUPT);
        assert_int_equal(displays_remove(path, "meter", "voltage"), ERR_CORRUPT);
        free(written(ERR_CORRUPT));
        assert_int_equal(save_read(path, 4096, &text, &size), 0);
        assert_string_equal(text, files[i]);
        free(text);
    }
}

static void there_is_a_bound(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    struct json_writer writer = {.out = open_memstream(&text, &size)};

    json_write_open(&writer, NULL, '{');
    json_write_integer(&writer, "schema", 1);
    json_write_open(&writer, "displays", '[');
    for (int i = 0; i < DISPLAYS_MAX; i++) {
        char point[16];
        snprintf(point, sizeof point, "p%d", i);
        struct display display = shown(point, "1", "1", 1000);
        json_write_open(&writer, NULL, '{');
        display_write(&writer, &display);
        json_write_close(&writer, '}');
    }
    json_write_close(&writer, ']');
    json_write_close(&writer, '}');
    fclose(writer.out);
    assert_int_equal(save_file(path, text, size, 0600), 0);
    free(text);
    struct display more = shown("more", "1", "1", 1000), again = shown("p7", "2", "1", 2000);
    assert_int_equal(displays_put(path, &more), ERR_FULL);
    assert_int_equal(displays_put(path, &again), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_as_people_type_them),
        cmocka_unit_test(a_difference_has_no_digits_of_its_own),
        cmocka_unit_test_setup_teardown(the_newest_of_a_point_is_kept, begin, end),
        cmocka_unit_test_setup_teardown(a_backup_brings_what_is_newer, begin, end),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_understood_stays, begin, end),
        cmocka_unit_test_setup_teardown(there_is_a_bound, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
