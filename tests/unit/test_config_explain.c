/* What `check` says a file means. */
// links: sluice_config sluice_core
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/explain.h"
#include "config/json.h"
#include "core/arena.h"
#include "unit/config/parts.h"

static char profiles[PATH_MAX];

/* The explanation of a file, freed by the caller. */
static char *explain(const char *path, int (*write)(const struct config *config, FILE *out))
{
    struct config *config;
    struct config_parts parts = test_parts(profiles);
    char *text = NULL;
    size_t size;
    assert_int_equal(config_load(&config, path, &parts, config_tell_stdio, stderr), 0);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_int_equal(write(config, out), 0);
    fclose(out);
    config_free(config);
    return text;
}

static void says_what_a_plant_means(void **state)
{
    static const char *const expected[] = {
        "bus rs485-1 (meter-line): 1 device, 3 points, 2 requests/s, 25 % of its time\n",
        "bus hall (meter-net): 1 device, 3 points, 1.2 requests/s\n",
        "bus gps (nmea): 1 device, 1 point\n",
        "events: about 4.2/s, 0.173/s while nothing changes, with a line a second from each device "
        "of "
        "bus gps: one that speaks more often makes more of them; ",
        "uplink cloud: about ",
        " of 500 MB: more than the budget",
        "  begins, where it is new, with all that the journal holds",
        "journal: 8GiB hold 90 days of outage\n", /* max_age, long before it is full */
    };
    (void)state;
    char path[PATH_MAX];
    char *text = explain(corpus_path("plant.json", path), config_explain);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        if (!strstr(text, expected[i]))
            fail_msg("%s\nin: %s", expected[i], text);
    free(text);
}

static void names_the_devices_whose_profile_is_unverified(void **state)
{
    (void)state;
    char path[PATH_MAX];
    char *text = explain(corpus_path("good/profile_points.json", path), config_explain);
    char *json = explain(path, config_explain_json);
    assert_non_null(strstr(text, "  device plain: the profile acme-wide is unverified; "));
    assert_null(strstr(text, "device more:"));
    assert_null(strstr(text, "device certain:"));
    assert_non_null(strstr(json, "\"unverified\": ["));
    free(text);
    free(json);
}

static double number_at(const struct json *object, const char *key)
{
    const struct json *value = json_find(object, key);
    assert_non_null(value);
    assert_int_equal(value->type, JSON_NUMBER);
    return value->number;
}

static void fail_on_error(void *context, struct json_place at, const char *sentence)
{
    (void)context;
    fail_msg("%u:%u %s", at.line, at.column, sentence);
}

static void says_the_same_to_machines(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct arena *arena;
    struct json *root;
    char *text = explain(corpus_path("plant.json", path), config_explain_json);
    assert_int_equal(arena_open(&arena), 0);
    assert_int_equal(json_read(&root, arena, text, strlen(text), fail_on_error, NULL), 0);
    const struct json *cloud = json_find(root, "uplinks")->first;
    const struct json *line = json_find(root, "buses")->first;
    assert_true(number_at(line, "busy_share") == 0.25);
    assert_int_equal(json_find(line->next, "busy_share")->type, JSON_NULL);
    assert_true(number_at(root, "events_per_s") > number_at(root, "events_per_s_unchanged"));
    /* 3.3 events of 95 bytes a second, and no more than as much again around them. */
    assert_true(number_at(cloud, "bytes_per_month") > 3.3 * 95 * 2629800);
    assert_true(number_at(cloud, "bytes_per_month") < 3.3 * 95 * 2629800 * 6);
    assert_true(number_at(cloud, "budget_bytes_per_month") == 5e8);
    assert_true(number_at(json_find(root, "journal"), "outage_days") == 90);
    arena_close(arena);
    free(text);
}

static void names_the_devices_of_which_nothing_is_read(void **state)
{
    char path[] = "/tmp/sluice-explain-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    dprintf(fd, "{\"version\":1,\"gateway\":{\"id\":\"g\"},"
                "\"buses\":[{\"id\":\"b\",\"driver\":\"meter-net\",\"host\":\"h\"}],"
                "\"devices\":[{\"id\":\"idle\",\"bus\":\"b\",\"unit\":1,\"points\":[]},"
                "{\"id\":\"busy\",\"bus\":\"b\",\"unit\":2,\"points\":[{\"id\":\"p\",\"reg\":1,"
                "\"type\":\"u16\"}]}]}");
    close(fd);
    char *text = explain(path, config_explain);
    char *json = explain(path, config_explain_json);
    assert_non_null(strstr(text, "  device idle: it has no points, so nothing is read of it\n"));
    assert_null(strstr(text, "device busy"));
    assert_non_null(strstr(json, "\"without_points\": [\n"));
    assert_non_null(strstr(json, "\"idle\""));
    assert_null(strstr(json, "\"busy\""));
    unlink(path);
    free(text);
    free(json);
}

static void explains_a_gateway_without_devices(void **state)
{
    (void)state;
    char path[PATH_MAX];
    char *text = explain(corpus_path("good/smallest.json", path), config_explain);
    char *json = explain(path, config_explain_json);
    assert_non_null(strstr(text, "events: at most 0/s"));
    assert_null(strstr(text, "outage"));
    assert_non_null(strstr(json, "\"outage_days\": null"));
    free(text);
    free(json);
}

/* The bounds of a point's rate: what its report allows, and its device's heartbeat. */
static void reckons_with_what_is_reported(void **state)
{
    static const struct {
        const char *report, *heartbeat, *expected;
    } cases[] = {
        {"{}", "60s", "events: at most 1/s;"},
        {"{\"on_change\":true}", "50s", "at most 1/s, 0.02/s while nothing changes"},
        {"{\"dead_band\":\"2%\"}", "0s", "at most 1/s, 0/s while nothing changes"},
        {"{\"dead_band\":1,\"at_least\":\"10s\"}", "50s", "at most 1/s, 0.1/s while nothing"},
        {"{\"at_most\":\"4s\"}", "50s", "events: at most 0.25/s;"},
        {"{\"on_change\":true,\"at_most\":\"4s\"}", "50s", "at most 0.25/s, 0.02/s while"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[] = "/tmp/sluice-explain-XXXXXX";
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        dprintf(fd,
                "{\"version\":1,\"gateway\":{\"id\":\"g\"},\"defaults\":{\"every\":\"1s\","
                "\"report\":%s,"
                "\"heartbeat\":\"%s\"},\"buses\":[{\"id\":\"b\",\"driver\":\"meter-net\",\"host\":"
                "\"h\"}],"
                "\"devices\":[{\"id\":\"d\",\"bus\":\"b\",\"unit\":1,\"points\":[{\"id\":\"p\","
                "\"reg\":1,"
                "\"type\":\"u16\"}]}]}",
                cases[i].report, cases[i].heartbeat);
        close(fd);
        char *text = explain(path, config_explain);
        unlink(path);
        if (!strstr(text, cases[i].expected))
            fail_msg("%s\nin: %s", cases[i].expected, text);
        free(text);
    }
}

/* What fits less than a day is no fraction of one. */
static void tells_short_outages_in_hours_and_minutes(void **state)
{
    static const struct {
        const char *journal, *every, *expected;
    } cases[] = {
        {"\"keep\":\"1GiB\"", "1s", " days of outage"},
        {"\"keep\":\"1MiB\"", "1s", " hours of outage"},
        {"\"keep\":\"1MiB\"", "1ms", " minutes of outage"},
        {"\"max_age\":\"1d\"", "1s", " hold 1 day of outage"},
        {"\"max_age\":\"1h\"", "1s", " hold 1 hour of outage"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[] = "/tmp/sluice-explain-XXXXXX";
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        dprintf(fd,
                "{\"version\":1,\"gateway\":{\"id\":\"g\"},\"journal\":{%s},"
                "\"defaults\":{\"every\":\"%s\"},\"buses\":[{\"id\":\"b\",\"driver\":"
                "\"meter-net\",\"host\":\"h\"}],\"devices\":[{\"id\":\"d\",\"bus\":\"b\","
                "\"unit\":1,\"points\":[{\"id\":\"p\",\"reg\":1,\"type\":\"u16\"}]}]}",
                cases[i].journal, cases[i].every);
        close(fd);
        char *text = explain(path, config_explain);
        unlink(path);
        if (!strstr(text, cases[i].expected) || strstr(text, "hold 0"))
            fail_msg("%s\nin: %s", cases[i].expected, text);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_a_plant_means),
        cmocka_unit_test(names_the_devices_whose_profile_is_unverified),
        cmocka_unit_test(says_the_same_to_machines),
        cmocka_unit_test(names_the_devices_of_which_nothing_is_read),
        cmocka_unit_test(explains_a_gateway_without_devices),
        cmocka_unit_test(reckons_with_what_is_reported),
        cmocka_unit_test(tells_short_outages_in_hours_and_minutes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
