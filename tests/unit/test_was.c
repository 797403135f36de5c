/* Earlier names of devices and points. */
// links: sluice_daemon
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "daemon/running.h"
#include "web/feed.h"

static const char *const device_was[] = {"heater"};
static const char *const point_was[] = {"durchfluss", "flow1"};

static bool found(const char *stream_device, const char *stream_point, const char *device,
                  const char *point)
{
    struct site_point points[] = {{.id = "flow", .was = {point_was, 2}}, {.id = "mode"}};
    struct site_device devices[] = {
        {.id = "boiler", .was = {device_was, 1}, .points = points, .point_count = 2},
        {.id = "other"},
    };
    struct site_bus bus = {.id = "hall", .devices = devices, .device_count = 2};
    struct config config = {.site = {.buses = &bus, .bus_count = 1}};
    struct generation generation = {.config = &config};
    struct running running = {.current = &generation};
    struct stream stream = {.number = 1};
    struct feed_names *names = feed_names_open();

    pthread_mutex_init(&running.lock, NULL);
    snprintf(stream.device, sizeof stream.device, "%s", stream_device);
    snprintf(stream.point, sizeof stream.point, "%s", stream_point);
    assert_non_null(names);
    running_was(&running, device, point, names);
    feed_names_finish(names);
    bool was = feed_names_has(names, &stream);
    feed_names_close(names);
    pthread_mutex_destroy(&running.lock);
    return was;
}

static void finds_what_was_stored_under_earlier_names(void **state)
{
    static const struct {
        const char *stream_device, *stream_point, *device, *point;
        bool found;
    } cases[] = {
        {"heater", "durchfluss", "boiler", "flow", true},
        {"heater", "flow", "boiler", "flow", true},
        {"boiler", "flow1", "boiler", "flow", true},
        {"boiler", "flow1", NULL, "flow", true},
        {"heater", "anything", "boiler", NULL, true},
        {"heater", "", "boiler", NULL, true},
        {"heater", "", "boiler", "flow", false}, /* what a device says of itself is no point's */
        {"boiler", "", "boiler", "flow", false},
        {"heater", "mode", "boiler", "flow", false},
        {"heater", "flow", "other", NULL, false},
        {"other", "flow1", "boiler", "flow", false},
        {"heater", "flow", "heater", "flow", false}, /* an earlier name is no name any more */
        {"boiler", "flow1", "boiler", "mode", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(
            found(cases[i].stream_device, cases[i].stream_point, cases[i].device, cases[i].point),
            cases[i].found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_stored_under_earlier_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
