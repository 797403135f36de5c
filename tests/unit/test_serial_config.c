/* What the serial driver says about a configuration before anything runs. */
// links: driver_serial sluice_field
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "serial/options.h"
#include "serial/serial.h"

/* Two devices with two points each, all of them right. */
struct rig {
    struct site_bus bus;
    struct site_device devices[2];
    struct site_point points[2][2];
    struct serial_bus_options bus_options;
    struct serial_device_options device_options[2];
    struct extract_options point_options[2][2];
};

static void ask_with(struct rig *rig, const char *request)
{
    rig->device_options[0].request = rig->device_options[1].request = request;
}

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    if (!rig)
        return -1;
    rig->bus_options = (struct serial_bus_options){
        .port = "/dev/ttyS0",
        .line = {.baud = 9600, .data_bits = 8, .parity = 'N', .stop_bits = 1},
        .start = "",
        .length_max = 100,
        .checksum_mark = "",
    };
    rig->bus = (struct site_bus){
        .id = "bus", .devices = rig->devices, .device_count = 2, .options = &rig->bus_options};
    for (size_t i = 0; i < 2; i++) {
        rig->devices[i] = (struct site_device){
            .points = rig->points[i], .point_count = 2, .options = &rig->device_options[i]};
        for (size_t j = 0; j < 2; j++) {
            rig->point_options[i][j] = (struct extract_options){.group = -1,
                                                                .column = 1,
                                                                .at = -1,
                                                                .delimiter = ",",
                                                                .hemisphere = -1,
                                                                .scale = 1,
                                                                .decimals = -1};
            rig->points[i][j] =
                (struct site_point){.every_ns = NS_PER_S, .options = &rig->point_options[i][j]};
        }
    }
    ask_with(rig, "?");
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

struct counting {
    struct driver_complaints base;
    char keys[256];
};

static void count(struct driver_complaints *complaints, const struct site_device *device,
                  const struct site_point *point, const char *key, const char *sentence)
{
    struct counting *counting = (struct counting *)complaints;

    (void)device;
    (void)point;
    assert_true(strlen(sentence) > 5);
    strcat(counting->keys, key ? key : "-");
    strcat(counting->keys, " ");
}

static void expect(struct rig *rig, const char *keys)
{
    struct counting counting = {.base = {.tell = count}};

    assert_int_equal(driver_serial.check(&rig->bus, &counting.base), keys[0] ? ERR_CONFIG : 0);
    assert_string_equal(counting.keys, keys);
}

static void takes_what_can_work(void **state)
{
    struct rig *rig = *state;

    expect(rig, "");
    assert_int_equal(rig->points[0][0].type, VALUE_F64);
}

static void tells_every_mistake(void **state)
{
    struct rig *rig = *state;

    ask_with(rig, NULL);
    rig->bus_options.end = "";
    rig->bus_options.checksum_form = CHECKSUM_BINARY;
    rig->device_options[0].match = "(";
    rig->point_options[0][0].group = 2;
    rig->point_options[0][1].type = EXTRACT_TEXT;
    rig->point_options[0][1].scale = 2;
    rig->point_options[1][0].column = -1;
    rig->point_options[1][1].format = EXTRACT_NMEA_DEGREES;
    expect(rig, "end checksum_form match - group scale match - hemisphere ");
}

static void wants_a_way_to_find_lines_of_fixed_length(void **state)
{
    struct rig *rig = *state;

    ask_with(rig, NULL);
    rig->bus.device_count = 1;
    rig->bus_options.length = 10;
    expect(rig, "length ");
    rig->bus_options.checksum = CHECKSUM_SUM8;
    expect(rig, "");
    rig->bus_options.start = "0123456789";
    expect(rig, "length ");
}

static void keeps_asked_devices_and_talkers_apart(void **state)
{
    struct rig *rig = *state;

    rig->device_options[1].request = NULL;
    expect(rig, "request ");
}

static void wants_the_group_that_is_taken(void **state)
{
    struct rig *rig = *state;

    rig->point_options[0][0].column = -1;
    rig->point_options[0][0].group = 2;
    rig->point_options[0][0].match = "(a)";
    expect(rig, "group ");
    rig->point_options[0][0].match = "(a)(b)";
    expect(rig, "");
}

static void reckons_what_a_bus_carries(void **state)
{
    struct rig *rig = *state;
    struct driver_load load;

    ask_with(rig, "SI\r\n");
    rig->bus.device_count = 1;
    rig->bus_options.length = 20;
    rig->points[0][0].every_ns = 100 * NS_PER_MS;
    driver_serial.load(&rig->bus, &load);
    assert_true(load.requests_per_s > 9.99 && load.requests_per_s < 10.01);
    assert_true(load.busy_share > 0.2499 && load.busy_share < 0.2501);
    rig->points[0][0].every_ns = 20 * NS_PER_MS;
    driver_serial.load(&rig->bus, &load);
    assert_true(load.busy_share > 1 && load.note[0]);
}

static void reads_the_notation_of_a_line(void **state)
{
    static const struct {
        const char *text;
        int result;
        int64_t byte_ns;
    } cases[] = {
        {"9600 8N1", 0, 1041666},     {"19200 8E1", 0, 572916},     {"4800 7O2", 0, 2291666},
        {"9600", ERR_INVALID, 0},     {"9601 8N1", ERR_INVALID, 0}, {"9600 9N1", ERR_INVALID, 0},
        {"9600 8X1", ERR_INVALID, 0}, {"9600 8N3", ERR_INVALID, 0}, {"9600 8N1 ", ERR_INVALID, 0},
        {"", ERR_INVALID, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct port_settings settings = {0};
        char why[200] = "";

        assert_int_equal(port_parse_settings(cases[i].text, &settings, why, sizeof(why)),
                         cases[i].result);
        if (cases[i].result == 0)
            assert_int_equal(port_byte_ns(&settings), cases[i].byte_ns);
        else
            assert_true(why[0] != 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(takes_what_can_work),
        TEST(tells_every_mistake),
        TEST(wants_a_way_to_find_lines_of_fixed_length),
        TEST(keeps_asked_devices_and_talkers_apart),
        TEST(wants_the_group_that_is_taken),
        TEST(reckons_what_a_bus_carries),
        TEST(reads_the_notation_of_a_line),
    };

    return cmocka_run_group_tests_name("serial_config", tests, NULL, NULL);
}
