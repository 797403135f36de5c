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

static void set_defaults(struct rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    rig->bus_options = (struct serial_bus_options){
        .port = "/dev/ttyS0",
        .line = {.baud = 9600, .data_bits = 8, .parity = 'N', .stop_bits = 1},
        .frame = {.length_max = 100},
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
                                                                .date = -1,
                                                                .scale = 1,
                                                                .decimals_at = -1,
                                                                .decimals = -1};
            rig->points[i][j] =
                (struct site_point){.every_ns = NS_PER_S, .options = &rig->point_options[i][j]};
        }
    }
    ask_with(rig, "?");
}

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    if (!rig)
        return -1;
    set_defaults(rig);
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
    rig->bus_options.frame.end = (struct serial_mark){true, ""};
    rig->bus_options.frame.checksum_form = CHECKSUM_BINARY;
    rig->device_options[0].match = "(";
    rig->point_options[0][0].group = 2;
    rig->point_options[0][1].type = EXTRACT_TEXT;
    rig->point_options[0][1].scale = 2;
    rig->point_options[1][0].column = -1;
    rig->point_options[1][1].format = NUMBER_NMEA_DEGREES;
    expect(rig, "end checksum_form match - group scale match - hemisphere ");
}

static void wants_a_time_and_its_date_together(void **state)
{
    struct rig *rig = *state;

    rig->point_options[0][0].format = NUMBER_NMEA_TIME;
    rig->point_options[1][0].date = 9;
    expect(rig, "date date ");
    rig->point_options[0][0].date = 9;
    rig->point_options[1][0].date = -1;
    expect(rig, "");
    rig->point_options[0][0].column = -1;
    rig->point_options[0][0].at = 3;
    rig->point_options[0][0].length = 6;
    expect(rig, "date ");
}

static void tells_mistakes_in_bytes_exchanges_and_frames_of_devices(void **state)
{
    static const char *const steps[] = {"send ?", "sned ?"}, *const good[] = {"send {address}?"};
    struct rig *rig = *state;

    rig->device_options[0].request = NULL;
    rig->device_options[0].exchange = (struct option_texts){steps, 2};
    rig->device_options[1].address = "a b";
    rig->point_options[0][0].format = NUMBER_U16;
    rig->point_options[0][1].unit_text = "kWh";
    rig->point_options[1][0].order = NUMBER_LITTLE;
    rig->point_options[1][1].mask = 3;
    expect(rig, "exchange format unit_text address order mask ");
    set_defaults(rig);
    rig->device_options[0].exchange = (struct option_texts){good, 1};
    expect(rig, "exchange ");
    rig->device_options[0].request = NULL;
    expect(rig, "exchange ");
    rig->device_options[0].address = "7";
    expect(rig, "");
    rig->point_options[0][0].match = "^{address}";
    rig->point_options[1][0].match = "^{address}";
    expect(rig, "match ");
}

static void lets_a_device_frame_and_check_its_lines(void **state)
{
    struct rig *rig = *state;
    struct serial_frame_options *frame = &rig->device_options[0].frame;

    frame->start = (struct serial_mark){true, "\x02"};
    frame->end = (struct serial_mark){true, "\r"};
    frame->checksum = CHECKSUM_SUM7;
    frame->checksum_form = CHECKSUM_BINARY;
    expect(rig, "checksum_form ");
    frame->checksum_after_end = true;
    expect(rig, "");
    frame->length_field = LINE_LENGTH_U8;
    frame->length = 17;
    expect(rig, "length_field ");
    frame->length_field = LINE_LENGTH_NONE;
    frame->length_max = 16;
    expect(rig, "length ");
    frame->checksum = CHECKSUM_BCC;
    frame->length = 0;
    expect(rig, "checksum ");
}

static void wants_talkers_on_one_line_to_agree(void **state)
{
    struct rig *rig = *state;

    ask_with(rig, NULL);
    rig->device_options[0].match = rig->device_options[1].match = "a";
    expect(rig, "");
    rig->device_options[1].frame.checksum = CHECKSUM_NMEA;
    expect(rig, "- ");
    rig->device_options[0].frame.checksum = CHECKSUM_NMEA;
    expect(rig, "");
    rig->device_options[1].line =
        (struct port_settings){.baud = 300, .data_bits = 7, .parity = 'E', .stop_bits = 1};
    expect(rig, "line ");
}

static void reads_marks_with_escapes(void **state)
{
    static const struct {
        const char *text, *bytes; /* NULL: it is refused */
    } marks[] = {
        {"$", "$"},         {"\\x02", "\x02"},
        {"\\r\\n", "\r\n"}, {"\\x1b\\x1B\\\\", "\x1b\x1b\\"},
        {"", ""},           {"\\x00", NULL},
        {"\\x1", NULL},     {"\\", NULL},
        {"\\q", NULL},      {"12345678901234567", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        struct serial_mark mark = {.given = false};
        char why[200] = "";
        int result = serial_parse_mark(marks[i].text, &mark, why, sizeof(why));

        assert_int_equal(result, marks[i].bytes ? 0 : ERR_INVALID);
        if (marks[i].bytes)
            assert_string_equal(mark.text, marks[i].bytes);
        else
            assert_true(why[0] != 0);
    }
}

static void wants_a_way_to_find_lines_of_fixed_length(void **state)
{
    struct rig *rig = *state;

    ask_with(rig, NULL);
    rig->bus.device_count = 1;
    rig->bus_options.frame.length = 10;
    expect(rig, "length ");
    rig->bus_options.frame.checksum = CHECKSUM_SUM8;
    expect(rig, "");
    rig->bus_options.frame.start = (struct serial_mark){true, "0123456789"};
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
    rig->bus_options.frame.length = 20;
    rig->points[0][0].every_ns = 100 * NS_PER_MS;
    driver_serial.load(&rig->bus, &load);
    assert_true(load.requests_per_s > 9.99 && load.requests_per_s < 10.01);
    assert_true(load.busy_share > 0.2499 && load.busy_share < 0.2501);
    rig->points[0][0].every_ns = 20 * NS_PER_MS;
    driver_serial.load(&rig->bus, &load);
    assert_true(load.busy_share > 1 && load.note[0]);
}

/* What speaks by itself is stored as often as it does, unless it is thinned out. */
static void says_whose_pace_it_is(void **state)
{
    struct rig *rig = *state;
    struct driver_load load;

    ask_with(rig, NULL);
    driver_serial.load(&rig->bus, &load);
    assert_true(load.own_pace);
    assert_non_null(strstr(load.note, "each line is stored"));
    rig->device_options[0].thin = rig->device_options[1].thin = true;
    driver_serial.load(&rig->bus, &load);
    assert_false(load.own_pace);
    assert_null(strstr(load.note, "each line is stored"));
    rig->device_options[0].thin = false;
    ask_with(rig, "SI\r\n");
    driver_serial.load(&rig->bus, &load);
    assert_false(load.own_pace);
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
        TEST(wants_a_time_and_its_date_together),
        TEST(tells_mistakes_in_bytes_exchanges_and_frames_of_devices),
        TEST(lets_a_device_frame_and_check_its_lines),
        TEST(wants_talkers_on_one_line_to_agree),
        TEST(reads_marks_with_escapes),
        TEST(wants_a_way_to_find_lines_of_fixed_length),
        TEST(keeps_asked_devices_and_talkers_apart),
        TEST(wants_the_group_that_is_taken),
        TEST(reckons_what_a_bus_carries),
        TEST(says_whose_pace_it_is),
        TEST(reads_the_notation_of_a_line),
    };

    return cmocka_run_group_tests_name("serial_config", tests, NULL, NULL);
}
