/* The table of newest values, by which viewers find what is new to them. */
// links: sluice_web
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/status.h"
#include "web/live_table.h"

static const struct live_set everything;

static struct live_table *make_table(void)
{
    struct live_table *table;

    assert_int_equal(live_table_open(&table), 0);
    assert_int_equal(live_table_add(table, 7, "boiler", "flow", 1), 0);
    assert_int_equal(live_table_add(table, 300, "boiler", "mode", 0), 0);
    assert_int_equal(live_table_add(table, 9, "meter", "flow", 0), 0);
    return table;
}

static void take(struct live_table *table, uint64_t n, uint32_t stream, double f)
{
    struct event event = {.n = n,
                          .stream = stream,
                          .kind = EVENT_READING,
                          .wall_ns = (int64_t)n * NS_PER_MS,
                          .trust = CLOCK_SYNCHRONISED,
                          .value = {.type = VALUE_F64, .f = f}};
    live_table_take(table, &event);
}

static const char *written(const struct live_table *table, const struct live_set *set,
                           uint64_t *place, uint64_t until)
{
    static char out[4096];
    struct text text;

    text_init(&text, out, sizeof out);
    assert_false(live_table_write(table, set, place, until, &text));
    return out;
}

static void shows_each_point_once_with_its_newest_value(void **state)
{
    struct live_table *table = make_table();
    uint64_t place = 0;

    (void)state;
    take(table, 1, 7, 1.04);
    take(table, 2, 9, 5);
    take(table, 3, 7, 2.5);
    take(table, 4, 12, 3); /* of no point */
    assert_string_equal(written(table, &everything, &place, live_table_place(table)),
                        "{\"d\":\"meter\",\"p\":\"flow\",\"t\":2,\"v\":5,\"q\":\"good\"},"
                        "{\"d\":\"boiler\",\"p\":\"flow\",\"t\":3,\"v\":2.5,\"q\":\"good\"}");
    assert_string_equal(written(table, &everything, &place, live_table_place(table)), "");
    take(table, 5, 9, 6);
    assert_string_equal(written(table, &everything, &place, live_table_place(table)),
                        "{\"d\":\"meter\",\"p\":\"flow\",\"t\":5,\"v\":6,\"q\":\"good\"}");
    live_table_close(table);
}

static void a_reading_older_than_the_one_known_changes_nothing(void **state)
{
    struct live_table *table = make_table();
    uint64_t place = 0;

    (void)state;
    take(table, 8, 7, 8);
    take(table, 3, 7, 3);
    assert_string_equal(written(table, &everything, &place, live_table_place(table)),
                        "{\"d\":\"boiler\",\"p\":\"flow\",\"t\":8,\"v\":8,\"q\":\"good\"}");
    live_table_close(table);
}

static void what_has_no_room_comes_the_next_time_and_what_changed_meanwhile_once(void **state)
{
    struct live_table *table = make_table();
    uint64_t place = 0;
    char out[70];
    struct text text;

    (void)state;
    take(table, 1, 7, 1);
    take(table, 2, 300, 2);
    take(table, 3, 9, 3);
    text_init(&text, out, sizeof out);
    assert_true(live_table_write(table, &everything, &place, 3, &text));
    assert_non_null(strstr(out, "boiler\",\"p\":\"flow"));
    take(table, 4, 300, 4);
    const char *rest = written(table, &everything, &place, live_table_place(table));
    assert_string_equal(rest, "{\"d\":\"meter\",\"p\":\"flow\",\"t\":3,\"v\":3,\"q\":\"good\"},"
                              "{\"d\":\"boiler\",\"p\":\"mode\",\"t\":4,\"v\":4,\"q\":\"good\"}");
    live_table_close(table);
}

static void what_is_not_published_yet_is_not_shown(void **state)
{
    struct live_table *table = make_table();
    uint64_t place = 0;

    (void)state;
    take(table, 1, 7, 1);
    uint64_t until = live_table_place(table);
    take(table, 2, 9, 2);
    assert_string_equal(written(table, &everything, &place, until),
                        "{\"d\":\"boiler\",\"p\":\"flow\",\"t\":1,\"v\":1,\"q\":\"good\"}");
    assert_string_equal(written(table, &everything, &place, live_table_place(table)),
                        "{\"d\":\"meter\",\"p\":\"flow\",\"t\":2,\"v\":2,\"q\":\"good\"}");
    live_table_close(table);
}

static void a_set_has_devices_and_points(void **state)
{
    static const struct {
        const char *names;
        const char *points;
    } cases[] = {
        {"all", "boiler/flow boiler/mode meter/flow "},
        {"boiler", "boiler/flow boiler/mode "},
        {"boiler/mode", "boiler/mode "},
        {"meter,boiler/flow", "boiler/flow meter/flow "},
        {"boil", ""},
        {"boiler/", ""},
        {"boiler/mod,none", ""},
        {",,meter,", "meter/flow "},
    };
    static const char *const bad[] = {"", "Boiler", "boiler flow", "\"", "boiler/\xc3\xa4"};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct live_table *table = make_table();
        char seen[256] = "";
        struct live_set set;
        uint64_t place = 0;

        take(table, 1, 7, 1);
        take(table, 2, 300, 1);
        take(table, 3, 9, 1);
        assert_true(live_names_valid(cases[i].names));
        assert_int_equal(live_set_open(&set, table, cases[i].names), 0);
        const char *at = written(table, &set, &place, 3);
        while ((at = strstr(at, "{\"d\":\""))) {
            char device[16], point[16];
            assert_int_equal(sscanf(at, "{\"d\":\"%15[^\"]\",\"p\":\"%15[^\"]\"", device, point),
                             2);
            snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s/%s ", device, point);
            at++;
        }
        assert_string_equal(seen, cases[i].points);
        live_set_close(&set);
        live_table_close(table);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(live_names_valid(bad[i]));
}

/* The time of the processor that this thread has had. */
static int64_t worked_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Nobody else is served while it is looked what a viewer wants. */
static void a_long_list_of_names_is_looked_through_in_no_time(void **state)
{
    struct live_table *table;
    char device[16], *names = calloc(1, 32 * 1024);
    struct live_set set;
    size_t size = 0;

    (void)state;
    assert_non_null(names);
    assert_int_equal(live_table_open(&table), 0);
    for (uint32_t i = 0; i < 10000; i++) {
        snprintf(device, sizeof device, "d%u", i / 10);
        assert_int_equal(live_table_add(table, i + 1, device, "flow", 0), 0);
    }
    while (size < 30 * 1024)
        size += (size_t)sprintf(names + size, "d,");
    int64_t begun_ns = worked_ns();
    assert_int_equal(live_set_open(&set, table, names), 0);
    assert_true(worked_ns() - begun_ns < NS_PER_S / 2);
    live_set_close(&set);
    live_table_close(table);
    free(names);
}

static void says_why_a_value_is_not_good_and_cuts_long_texts(void **state)
{
    struct live_table *table = make_table();
    char long_text[LIVE_TEXT_SIZE_MAX + 50];
    struct event event = {.n = 1, .stream = 7, .kind = EVENT_READING, .trust = CLOCK_FREE_RUNNING};
    uint64_t place = 0;

    (void)state;
    memset(long_text, 'x', sizeof long_text);
    event.value = (struct value){.type = VALUE_TEXT, .size = sizeof long_text, .data = long_text};
    live_table_take(table, &event);
    const char *out = written(table, &everything, &place, 1);
    assert_int_equal(strspn(strchr(out, 'x'), "x"), LIVE_TEXT_SIZE_MAX);
    event = (struct event){.n = 2,
                           .stream = 7,
                           .kind = EVENT_READING,
                           .status = STATUS_TIMEOUT,
                           .trust = CLOCK_FREE_RUNNING};
    live_table_take(table, &event);
    assert_string_equal(
        written(table, &everything, &place, 2),
        "{\"d\":\"boiler\",\"p\":\"flow\",\"t\":0,\"v\":null,\"q\":\"bad\",\"why\":\"timeout\"}");
    event = (struct event){.n = 3,
                           .stream = 7,
                           .kind = EVENT_READING,
                           .trust = CLOCK_UNSET,
                           .value = {.type = VALUE_BOOL, .b = true}};
    live_table_take(table, &event);
    assert_string_equal(written(table, &everything, &place, 3),
                        "{\"d\":\"boiler\",\"p\":\"flow\",\"t\":0,\"v\":true,\"q\":\"uncertain\","
                        "\"why\":\"clock unset\"}");
    live_table_close(table);
}

static void a_new_table_takes_the_values_of_the_points_that_stayed(void **state)
{
    struct live_table *before = make_table(), *table;
    struct event event = {
        .n = 2, .stream = 300, .kind = EVENT_READING, .trust = CLOCK_FREE_RUNNING};
    uint64_t place = 0;

    (void)state;
    take(before, 1, 7, 1);
    event.value = (struct value){.type = VALUE_TEXT, .size = 4, .data = "auto"};
    live_table_take(before, &event);
    take(before, 3, 9, 3);
    assert_int_equal(live_table_open(&table), 0);
    assert_int_equal(live_table_add(table, 300, "boiler", "mode", 0), 0);
    assert_int_equal(live_table_add(table, 9, "meter", "flow", 0), 0);
    live_table_take_all(table, before);
    assert_true(live_table_same(table, table));
    assert_false(live_table_same(table, before));
    live_table_close(before);
    assert_string_equal(written(table, &everything, &place, live_table_place(table)),
                        "{\"d\":\"boiler\",\"p\":\"mode\",\"t\":0,\"v\":\"auto\",\"q\":\"good\"},"
                        "{\"d\":\"meter\",\"p\":\"flow\",\"t\":3,\"v\":3,\"q\":\"good\"}");
    live_table_close(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_each_point_once_with_its_newest_value),
        cmocka_unit_test(a_reading_older_than_the_one_known_changes_nothing),
        cmocka_unit_test(what_has_no_room_comes_the_next_time_and_what_changed_meanwhile_once),
        cmocka_unit_test(what_is_not_published_yet_is_not_shown),
        cmocka_unit_test(a_set_has_devices_and_points),
        cmocka_unit_test(a_long_list_of_names_is_looked_through_in_no_time),
        cmocka_unit_test(says_why_a_value_is_not_good_and_cuts_long_texts),
        cmocka_unit_test(a_new_table_takes_the_values_of_the_points_that_stayed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
