/* What devices have in common is kept once, and what differs is not mixed up. */
// links: sluice_config sluice_core driver_modbus driver_serial
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "core/event.h"
#include "core/pool.h"
#include "field/driver.h"
#include "modbus/modbus.h"
#include "modbus/options.h"

#define BUS "{\"id\":\"hall\",\"driver\":\"modbus-tcp\",\"host\":\"127.0.0.1\"}"
#define DEVICE(id, unit, more, points)                                                             \
    "{\"id\":\"" id "\",\"bus\":\"hall\",\"unit\":" unit ",\"numbering\":\"0-based\"" more         \
    ",\"points\":[" points "]}"
#define POINTS                                                                                     \
    "{\"id\":\"t\",\"name\":\"Vorlauf\",\"unit\":\"°C\",\"reg\":1,\"na\":[-1,-2],\"type\":"       \
    "\"i16\"},"                                                                                    \
    "{\"id\":\"m\",\"reg\":2,\"enum\":{\"0\":\"off\",\"1\":\"on\"},\"write\":{\"min\":0,\"max\":"  \
    "1}}"
#define TWO_BARE "{\"id\":\"t\",\"reg\":1},{\"id\":\"m\",\"reg\":2}"
#define LONG     "{\"id\":\"t\",\"reg\":1,\"type\":\"u32\"}"

static struct config *load(const char *devices)
{
    static const struct driver *const drivers[] = {&driver_modbus_tcp, NULL};
    struct config_parts parts = {.drivers = drivers};
    struct config *config;
    char text[4096];

    snprintf(text, sizeof text,
             "{\"version\":1,\"gateway\":{\"id\":\"g\"},\"buses\":[" BUS "],\"devices\":[%s]}",
             devices);
    assert_int_equal(
        config_load_text(&config, text, "sluice.json", &parts, config_tell_stdio, stderr), 0);
    return config;
}

static void devices_that_are_described_alike_have_one_list_of_points(void **state)
{
    struct config *config = load(DEVICE("a", "1", "", POINTS) "," DEVICE("b", "2", "", POINTS));
    struct site_device *devices = config->site.buses[0].devices;

    (void)state;
    assert_int_equal(devices[1].point_count, 2);
    assert_ptr_equal(devices[0].points, devices[1].points);
    assert_ptr_not_equal(devices[0].streams, devices[1].streams);
    assert_string_equal(devices[1].points[0].name, "Vorlauf");
    assert_string_equal(devices[1].points[1].enums[1].text, "on");
    assert_int_equal(((struct modbus_point_options *)devices[1].points[1].options)->address, 2);
    devices[0].streams[1] = 7;
    devices[1].streams[1] = 8;
    assert_int_equal(site_point_stream(&devices[0], &devices[0].points[1]), 7);
    assert_int_equal(site_point_stream(&devices[1], &devices[1].points[1]), 8);
    config_free(config);
}

/* Whatever differs, in the point or in what its device makes of it. */
static void what_differs_is_kept_apart(void **state)
{
    static const char *const pairs[] = {
        DEVICE("a", "1", "", POINTS) "," DEVICE("b", "2", ",\"every\":\"7s\"", POINTS),
        DEVICE("a", "1", "", POINTS) "," DEVICE("b", "2", "", POINTS ",{\"id\":\"x\",\"reg\":9}"),
        DEVICE("a", "1", "", POINTS) "," DEVICE("b", "2", "", TWO_BARE),
        DEVICE("a", "1", "", LONG) "," DEVICE("b", "2", ",\"order\":\"CDAB\"", LONG),
    };

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct config *config = load(pairs[i]);
        const struct site_device *devices = config->site.buses[0].devices;

        assert_ptr_not_equal(devices[0].points, devices[1].points);
        config_free(config);
    }
}

static void a_point_in_another_list_still_has_its_options_in_common(void **state)
{
    struct config *config = load(DEVICE("a", "1", "", POINTS) "," DEVICE(
        "b", "2", "", "{\"id\":\"first\",\"reg\":0}," POINTS));
    const struct site_device *devices = config->site.buses[0].devices;

    (void)state;
    assert_ptr_equal(devices[0].points[0].options, devices[1].points[1].options);
    assert_ptr_equal(devices[0].points[1].enums, devices[1].points[2].enums);
    config_free(config);
}

static void a_pool_keeps_each_piece_once(void **state)
{
    struct pool pool = {0};
    const void *kept[1000];

    (void)state;
    assert_int_equal(arena_open(&pool.arena), 0);
    for (uint64_t i = 0; i < 1000; i++) {
        kept[i] = pool_keep(&pool, &i, sizeof i);
        assert_memory_equal(kept[i], &i, sizeof i);
    }
    for (uint64_t i = 0; i < 1000; i++)
        assert_ptr_equal(pool_keep(&pool, &i, sizeof i), kept[i]);
    assert_ptr_not_equal(pool_keep(&pool, &(uint32_t){0}, sizeof(uint32_t)), kept[0]);
    assert_null(pool_keep(&pool, "", 0));
    pool_clear(&pool);
    arena_close(pool.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_that_are_described_alike_have_one_list_of_points),
        cmocka_unit_test(what_differs_is_kept_apart),
        cmocka_unit_test(a_point_in_another_list_still_has_its_options_in_common),
        cmocka_unit_test(a_pool_keeps_each_piece_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
