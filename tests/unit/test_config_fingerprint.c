/* What a reload restarts: fingerprints change exactly when what is configured does. And what a
 * large site costs in memory. */
// links: sluice_config sluice_core
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/config/parts.h"

static char profiles[PATH_MAX];

struct prints {
    uint64_t bus[3], uplink[2];
    char whole[16];
};

static struct prints prints_of(const char *path)
{
    struct prints prints = {0};
    struct config *config;
    struct config_parts parts = test_parts(profiles);
    assert_int_equal(config_load(&config, path, &parts, config_tell_stdio, stderr), 0);
    for (size_t i = 0; i < config->site.bus_count; i++)
        prints.bus[i] = config->site.buses[i].fingerprint;
    for (size_t i = 0; i < config->uplink_count; i++)
        prints.uplink[i] = config->uplinks[i].fingerprint;
    snprintf(prints.whole, sizeof(prints.whole), "%s", config->site.fingerprint);
    config_free(config);
    return prints;
}

static struct prints prints_of_text(const char *text)
{
    char path[] = "/tmp/sluice-config-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    struct prints prints = prints_of(path);
    unlink(path);
    return prints;
}

#define START "{\"version\":1,\"gateway\":{\"id\":\"g\"},"
#define BUS   "\"id\":\"b\",\"driver\":\"meter-line\",\"port\":\"p\""
#define UP    "\"uplinks\":[{\"id\":\"u\",\"url\":\"mqtt://x\"}]}"
#define POINT "\"id\":\"x\",\"reg\":1"
#define SITE(head, bus, device, point, up)                                                         \
    head "\"buses\":[{" bus "},{\"id\":\"c\",\"driver\":\"nmea\",\"port\":\"q\"}],\"devices\":[{"  \
         "\"id\":\"d\",\"bus\":\"b\",\"unit\":1" device ",\"points\":[{" point "}]}]," up

static const char plain[] = SITE(START, BUS, "", POINT, UP);

static void stays_the_same_when_nothing_changes_in_meaning(void **state)
{
    static const char *const same[] = {
        /* comments, white space, order of keys, another notation of a number or a time */
        SITE(START, "\"port\":\"p\", /* c */ \"driver\":\"meter-line\",\n\"id\":\"b\",", "", POINT,
             UP),
        SITE(START, BUS, "", "\"reg\":1.0,\"id\":\"x\"", UP),
        /* defaults that are written out, at each level */
        SITE(START "\"defaults\":{\"every\":\"5s\"},", BUS, "", POINT, UP),
        SITE(START "\"defaults\":{\"report\":{\"on_change\":false}},", BUS, "", POINT, UP),
        SITE(START "\"journal\":{\"commit\":\"0.25s\"},", BUS, "", POINT, UP),
        SITE(START, BUS ",\"timeout\":\"0.5s\",\"line\":\"19200 8E1\"", "", POINT, UP),
        SITE(START, BUS, ",\"numbering\":\"0-based\",\"every\":\"5000ms\"", POINT, UP),
        SITE(START, BUS, "", POINT ",\"scale\":1,\"type\":\"u16\",\"every\":\"5s\",\"report\":{}",
             UP),
        SITE(START, BUS, "", POINT,
             "\"uplinks\":[{\"url\":\"mqtt://x\",\"layout\":\"batch\",\"id\":\"u\"}]}"),
    };
    (void)state;
    struct prints before = prints_of_text(plain);
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        struct prints after = prints_of_text(same[i]);
        if (memcmp(&before, &after, sizeof(before)) != 0)
            fail_msg("%s", same[i]);
    }
}

static void changes_for_exactly_what_changed(void **state)
{
    static const struct {
        const char *text;
        bool bus, other_bus, uplink;
    } cases[] = {
        {SITE(START, BUS ",\"timeout\":\"1s\"", "", POINT, UP), true, false, false},
        {SITE(START, BUS ",\"line\":\"9600 8E1\"", "", POINT, UP), true, false, false},
        {SITE(START, BUS, ",\"name\":\"D\"", POINT, UP), true, false, false},
        {SITE(START, BUS, "", POINT ",\"scale\":2", UP), true, false, false},
        {SITE(START, BUS, "", POINT ",\"unit\":\"V\"", UP), true, false, false},
        {SITE(START, BUS, "", POINT ",\"enum\":{\"0\":\"off\"}", UP), true, false, false},
        {SITE(START, BUS, "", POINT ",\"sentinel\":[1,2]", UP), true, false, false},
        {SITE(START, BUS, "", POINT "},{\"id\":\"y\",\"reg\":1", UP), true, false, false},
        {SITE(START "\"defaults\":{\"every\":\"6s\"},", BUS, "", POINT, UP), true, false, false},
        {SITE(START, BUS, "", POINT ",\"report\":{\"on_change\":true}", UP), true, false, false},
        {SITE(START, BUS, "", POINT, "\"uplinks\":[{\"id\":\"u\",\"url\":\"mqtt://y\"}]}"), false,
         false, true},
        {SITE(START, BUS, "", POINT,
              "\"uplinks\":[{\"id\":\"u\",\"url\":\"mqtt://x\",\"tls\":{}}]}"),
         false, false, true},
        {SITE(START "\"journal\":{\"keep\":\"2GiB\"},", BUS, "", POINT, UP), false, false, false},
        {SITE("{\"version\":1,\"gateway\":{\"id\":\"h\"},", BUS, "", POINT, UP), true, true, true},
        {SITE("{\"version\":1,\"gateway\":{\"id\":\"g\",\"name\":\"G\"},", BUS, "", POINT, UP),
         false, false, false},
    };
    (void)state;
    struct prints before = prints_of_text(plain);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct prints after = prints_of_text(cases[i].text);
        if (strcmp(before.whole, after.whole) == 0 ||
            (before.bus[0] != after.bus[0]) != cases[i].bus ||
            (before.bus[1] != after.bus[1]) != cases[i].other_bus ||
            (before.uplink[0] != after.uplink[0]) != cases[i].uplink)
            fail_msg("%s", cases[i].text);
    }
}

/* The first uplink has the gateway's plain id as its client id. */
static void sees_that_another_uplink_came_first(void **state)
{
    static const char u[] = "{\"id\":\"u\",\"url\":\"mqtt://x\"}",
                      v[] = "{\"id\":\"v\",\"url\":\"mqtt://x\"}";
    (void)state;
    char one[512], other[512];
    snprintf(one, sizeof(one), START "\"uplinks\":[%s,%s]}", u, v);
    snprintf(other, sizeof(other), START "\"uplinks\":[%s,%s]}", v, u);
    struct prints before = prints_of_text(one), after = prints_of_text(other);
    assert_true(before.uplink[0] != after.uplink[1]);
    assert_true(before.uplink[1] != after.uplink[0]);
}

static void sees_a_renewed_secret_as_a_change_of_its_uplink(void **state)
{
    (void)state;
    char secret[] = "/tmp/sluice-secret-XXXXXX", text[512];
    int fd = mkstemp(secret);
    assert_true(fd >= 0);
    snprintf(text, sizeof(text),
             START "\"uplinks\":[{\"id\":\"u\",\"url\":\"mqtt://x\",\"password_file\":\"%s\"}]}",
             secret);
    struct prints before = prints_of_text(text);
    assert_int_equal(write(fd, "new", 3), 3);
    struct prints after = prints_of_text(text);
    assert_true(before.uplink[0] != after.uplink[0]);
    close(fd);
    unlink(secret);
}

static size_t resident_bytes(void)
{
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &pages, &resident), 2);
    fclose(file);
    return (size_t)resident * (size_t)sysconf(_SC_PAGESIZE);
}

static void holds_ten_thousand_points_in_little_memory(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* what is resident is the sanitizer's */
#endif
    char path[] = "/tmp/sluice-config-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    fputs(START "\"buses\":[{" BUS "}],\"devices\":[", file);
    for (int d = 0; d < 100; d++) {
        fprintf(file, "{\"id\":\"device_%d\",\"bus\":\"b\",\"unit\":1,\"points\":[", d);
        for (int p = 0; p < 100; p++)
            fprintf(file,
                    "{\"id\":\"point_%d\",\"name\":\"Point %d of device "
                    "%d\",\"reg\":%d,\"type\":\"i16\","
                    "\"scale\":0.1,\"unit\":\"kW\",\"class\":\"power\",\"state\":\"measurement\"},",
                    p, p, d, p);
        fputs("]},\n", file);
    }
    fputs("]}", file);
    fclose(file);
    struct config *config;
    struct config_parts parts = test_parts(profiles);
    size_t before = resident_bytes();
    assert_int_equal(config_load(&config, path, &parts, config_tell_stdio, stderr), 0);
    size_t grown = resident_bytes() - before;
    unlink(path);
    assert_int_equal(config->site.buses[0].device_count, 100);
    if (grown > 3000000)
        fail_msg("%zu bytes", grown);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stays_the_same_when_nothing_changes_in_meaning),
        cmocka_unit_test(changes_for_exactly_what_changed),
        cmocka_unit_test(sees_that_another_uplink_came_first),
        cmocka_unit_test(sees_a_renewed_secret_as_a_change_of_its_uplink),
        cmocka_unit_test(holds_ten_thousand_points_in_little_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
