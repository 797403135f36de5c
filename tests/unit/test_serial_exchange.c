/* Exchanges of several steps on a pseudo-terminal: wake-up, speeds, retries, several replies. */
// links: driver_serial sluice_field
#include "unit/serial_rig.h"

#include <sys/ioctl.h>
#include <sys/syscall.h>

/* A pseudo-terminal has no break: when the driver begins and ends one is noted here. */
static _Atomic int64_t break_begun_ns, break_ended_ns;
static _Atomic int break_count;

int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    void *argument;

    va_start(arguments, request);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    if (request == TIOCSBRK) {
        break_begun_ns = clock_mono(&clock_system);
        return 0;
    }
    if (request == TIOCCBRK) {
        break_ended_ns = clock_mono(&clock_system);
        break_count++;
        return 0;
    }
    return (int)syscall(SYS_ioctl, fd, request, argument);
}

static void exchange_with(struct rig *rig, size_t device, const char *const *steps, size_t count)
{
    rig->device_options[device].exchange = (struct option_texts){steps, count};
    rig->device_options[device].longest_wait_ns = PATIENCE_NS;
}

static void take_group(struct rig *rig, size_t device, size_t point, const char *match)
{
    struct extract_options *options = &rig->point_options[device][point];

    options->column = -1;
    options->group = 1;
    options->match = match;
}

static speed_t speed_of(const struct rig *rig)
{
    struct termios line;

    assert_int_equal(tcgetattr(rig->sensor, &line), 0);
    return cfgetospeed(&line);
}

#define SDI12(address)                                                                             \
    "break 12ms", "pause 9ms", "send {address}M!", "expect-line ^{address}([0-9]{3})([0-9])$",     \
        "await-line {1}s ^{address}$", "break 12ms", "pause 9ms", "send {address}D0!"

static const char *const sdi12[] = {SDI12("a")};

static void set_up_sdi12(struct rig *rig, size_t device, const char *address)
{
    exchange_with(rig, device, sdi12, sizeof(sdi12) / sizeof(sdi12[0]));
    rig->device_options[device].address = address;
    rig->device_options[device].match = "^{address}[+-]";
    take_group(rig, device, 0, "^{address}([+-][0-9.]+)");
}

static void measures_as_sdi_12_wants_it(void **state)
{
    struct rig *rig = *state;
    size_t at = 0;

    set_up_sdi12(rig, 0, "3");
    rig->bus_options.frame.checksum = CHECKSUM_SDI12;
    plug_in_and_start(rig);
    hear(rig, "3M!");
    assert_true(break_count >= 1);
    assert_true(break_ended_ns - break_begun_ns >= 12 * NS_PER_MS);
    assert_true(clock_mono(&clock_system) - break_ended_ns >= 8330000);
    say(rig, "30021\r\n"); /* one value in two seconds at most, without a CRC */
    say(rig, "3\r\n");     /* it is ready before */
    hear(rig, "3D0!");
    assert_true(break_count >= 2);
    say(rig, "3-12.5LLO\r\n"); /* a wrong CRC: no value */
    say(rig, "3-12.5DG[\r\n");
    await_reading(rig, 101, &at, -12.5);
    assert_int_equal(rig->stats[0].corrupt, 1);
}

static void asks_for_the_value_when_the_time_is_over_that_the_sensor_named(void **state)
{
    struct rig *rig = *state;
    int64_t begun_ns;
    size_t at = 0;

    set_up_sdi12(rig, 0, "3");
    plug_in_and_start(rig);
    hear(rig, "3M!");
    begun_ns = clock_mono(&clock_system);
    say(rig, "30011\r\n");
    hear(rig, "3D0!");
    assert_true(clock_mono(&clock_system) - begun_ns >= NS_PER_S);
    say(rig, "3+7\r\n");
    await_reading(rig, 101, &at, 7);
}

static void waits_no_longer_than_allowed_whatever_the_sensor_says(void **state)
{
    struct rig *rig = *state;
    int64_t begun_ns;

    set_up_sdi12(rig, 0, "3");
    rig->device_options[0].longest_wait_ns = 50 * NS_PER_MS;
    plug_in_and_start(rig);
    hear(rig, "3M!");
    begun_ns = clock_mono(&clock_system);
    say(rig, "39991\r\n");
    hear(rig, "3D0!");
    assert_true(clock_mono(&clock_system) - begun_ns < PATIENCE_NS / 2);
}

static void asks_sensors_on_one_line_in_turn_and_takes_nobodys_answer_for_anothers(void **state)
{
    struct rig *rig = *state;
    size_t first = 0, second = 0;

    rig->bus.device_count = 2;
    set_up_sdi12(rig, 0, "1");
    set_up_sdi12(rig, 1, "2");
    rig->points[0][0].every_ns = rig->points[1][0].every_ns = 200 * NS_PER_MS;
    plug_in_and_start(rig);
    hear(rig, "1M!");
    say(rig, "10000\r\n");
    hear(rig, "1D0!");
    say(rig, "2+5\r\n"); /* the other one's voice */
    say(rig, "1+6\r\n");
    await_reading(rig, 101, &first, 6);
    assert_int_equal(rig->stats[0].unexpected, 1);
    hear(rig, "2M!");
    say(rig, "20000\r\n");
    hear(rig, "2D0!");
    say(rig, "2+5\r\n");
    await_reading(rig, 201, &second, 5);
}

static void asks_again_before_it_counts_a_reply_as_missed(void **state)
{
    struct rig *rig = *state;
    size_t at = 0, states = 0;

    ask_with(rig, "?");
    rig->device_options[0].retries = 2;
    rig->device_options[0].timeout_ns = 60 * NS_PER_MS;
    rig->points[0][0].every_ns = 100 * NS_PER_MS;
    plug_in_and_start(rig);
    hear(rig, "?");
    hear(rig, "?");
    hear(rig, "?");
    say(rig, "v,3\r\n");
    await_reading(rig, 101, &at, 3);
    assert_int_equal(at, 1); /* nothing bad before */
    assert_true(await(rig, 100, &states).value.b);
    assert_int_equal(rig->stats[0].timeouts, 2);
    /* Down after three replies missed, of three attempts each; then it is probed once at a time. */
    await_status(rig, 100, &states, STATUS_TIMEOUT);
    assert_true(rig->stats[0].requests >= 3 + 9);
}

static void reads_a_meter_that_signs_on_at_300_baud(void **state)
{
    static const char *const steps[] = {
        "send /?!\r\n", "expect-line ^/[A-Z]{3}([0-6])", "pause 20ms", "send \\x060{1}0\r\n",
        "baud {1}",
    };
    static const char telegram[] = "\x02"
                                   "1.8.0(000123.4*kWh)\r\n2.8.0(7*kWh)\r\n!\r\n\x03";
    struct rig *rig = *state;
    uint8_t sum[CHECKSUM_TEXT_MAX];
    const struct checksum bcc = {.kind = CHECKSUM_BCC, .mark = ""};
    size_t import = 0, export = 0;

    exchange_with(rig, 0, steps, sizeof(steps) / sizeof(steps[0]));
    rig->device_options[0].line =
        (struct port_settings){.baud = 300, .data_bits = 7, .parity = 'E', .stop_bits = 1};
    rig->device_options[0].frame.start = (struct serial_mark){true, "\x02"};
    rig->device_options[0].frame.end = (struct serial_mark){true, "\x03"};
    rig->device_options[0].frame.checksum = CHECKSUM_BCC;
    rig->devices[0].point_count = 2;
    for (size_t i = 0; i < 2; i++) {
        rig->point_options[0][i].column = -1;
        rig->point_options[0][i].key = i ? "2.8.0" : "1.8.0";
        rig->points[0][i].every_ns = NS_PER_S;
    }
    plug_in_and_start(rig);
    hear(rig, "/?!\r\n");
    assert_int_equal(speed_of(rig), B300);
    say(rig, "/ISK5ME162-0033\r\n");
    hear(rig, "\x06"
              "050\r\n");
    while (speed_of(rig) != B9600)
        poll(NULL, 0, 1);
    checksum_write(&bcc, (const uint8_t *)telegram, sizeof(telegram) - 1, sum);
    say_bytes(rig, telegram, sizeof(telegram) - 1);
    say_bytes(rig, (const char *)sum, 1);
    await_reading(rig, 101, &import, 123.4);
    await_reading(rig, 102, &export, 7);
    hear(rig, "/?!\r\n");
    assert_int_equal(speed_of(rig), B300);
}

/* What stands behind the end, and the end, is no content: the last column would hold it. */
static void cuts_off_a_checksum_behind_the_end(void **state)
{
    struct rig *rig = *state;
    size_t at = 0;

    rig->device_options[0].frame = (struct serial_frame_options){
        .start = {true, "\x02"},
        .end = {true, "\r"},
        .checksum = CHECKSUM_SUM7,
        .checksum_form = CHECKSUM_BINARY,
        .checksum_after_end = true,
    };
    plug_in_and_start(rig);
    say_bytes(rig, "\x02v,1\r\x1b", 6); /* the sum is another */
    say_bytes(rig, "\x02v,2\r\x1d", 6);
    await_reading(rig, 101, &at, 2);
    assert_int_equal(rig->stats[0].corrupt, 1);
}

static void takes_each_reply_of_an_exchange_for_the_points_that_stand_in_it(void **state)
{
    static const char *const steps[] = {"send a", "read", "send b", "read"};
    struct rig *rig = *state;
    size_t first = 0, second = 0;

    exchange_with(rig, 0, steps, 4);
    rig->devices[0].point_count = 2;
    rig->point_options[0][0].reply = 1;
    rig->point_options[0][1].reply = 2;
    plug_in_and_start(rig);
    hear(rig, "a");
    say(rig, "v,1\r\n");
    hear(rig, "b");
    say(rig, "v,2\r\n");
    await_reading(rig, 101, &first, 1);
    await_reading(rig, 102, &second, 2);
}

static void is_content_without_what_is_optional(void **state)
{
    struct rig *rig = *state;
    size_t at = 0, other = 0;

    ask_with(rig, "?");
    rig->devices[0].point_count = 2;
    take_group(rig, 0, 0, "^v,([0-9]+)");
    take_group(rig, 0, 1, ";([0-9]+)");
    rig->point_options[0][1].optional = true;
    plug_in_and_start(rig);
    hear(rig, "?");
    say(rig, "v,1\r\n");
    await_reading(rig, 101, &at, 1);
    hear(rig, "?");
    say(rig, "v,2;9\r\n");
    await_reading(rig, 102, &other, 9);
    assert_int_equal(rig->stats[0].timeouts, 0);
}

static void ends_a_binary_reply_by_its_length_field(void **state)
{
    struct rig *rig = *state;
    size_t at = 0;

    ask_with(rig, "\\x05{crc16-x25 binary-low-first}");
    rig->device_options[0].frame = (struct serial_frame_options){
        .start = {true, "#"},
        .length_field = LINE_LENGTH_U8,
        .length_at = 1,
        .length_plus = 4,
        .checksum = CHECKSUM_CRC16_X25,
        .checksum_form = CHECKSUM_BINARY_LOW_FIRST,
    };
    rig->point_options[0][0].column = -1;
    rig->point_options[0][0].at = 2;
    rig->point_options[0][0].format = NUMBER_U16;
    plug_in_and_start(rig);
    hear(rig, "\x05\xd5\xa7");
    say_bytes(rig, "#\x02\x00\x00\x00\x00", 6); /* the CRC is wrong */
    say_bytes(rig, "#\x02\x00\x07\x47\x97", 6);
    await_reading(rig, 101, &at, 7);
    assert_int_equal(rig->stats[0].corrupt, 1);
}

static void ends_a_reply_by_silence(void **state)
{
    struct rig *rig = *state;
    size_t at = 0;

    ask_with(rig, "?");
    rig->bus_options.frame.silence_ns = 50 * NS_PER_MS;
    plug_in_and_start(rig);
    hear(rig, "?");
    say(rig, "v,1");
    say(rig, "25");
    await_reading(rig, 101, &at, 125);
    hear(rig, "?");
    say(rig, "v,2");
    await_reading(rig, 101, &at, 2);
}

/* What stands in the middle of a reply is no end of it. */
static void a_pause_that_is_shorter_than_the_silence_ends_no_reply(void **state)
{
    struct rig *rig = *state;
    size_t at = 0;

    ask_with(rig, "?");
    rig->bus_options.frame.silence_ns = 2 * NS_PER_S;
    plug_in_and_start(rig);
    hear(rig, "?");
    say(rig, "v,1");
    poll(NULL, 0, 50); /* so that the two pieces do not meet in the port */
    say(rig, "25");
    await_reading(rig, 101, &at, 125);
}

static void tells_what_a_device_refuses_in_the_middle_of_an_exchange(void **state)
{
    static const char *const steps[] = {"send a", "expect ^ok", "send b"};
    struct rig *rig = *state;
    size_t at = 0;

    exchange_with(rig, 0, steps, 3);
    rig->device_options[0].when[SERIAL_WHEN_BUSY] = "^busy";
    plug_in_and_start(rig);
    hear(rig, "a");
    say(rig, "busy\r\n");
    await_status(rig, 101, &at, STATUS_DEVICE_BUSY);
    hear(rig, "a");
    say(rig, "ok\r\n");
    hear(rig, "b");
    say(rig, "v,4\r\n");
    await_reading(rig, 101, &at, 4);
}

static void gives_the_quality_that_a_line_states(void **state)
{
    struct rig *rig = *state;
    struct event event;
    size_t at = 0;

    rig->point_options[0][0].when[EXTRACT_WHEN_UNSTABLE] = "^D";
    rig->point_options[0][0].when[EXTRACT_WHEN_NOT_AVAILABLE] = "^N";
    plug_in_and_start(rig);
    say(rig, "D,5\r\nN,6\r\nS,7\r\n");
    event = await(rig, 101, &at);
    assert_int_equal(event.status, STATUS_UNSTABLE);
    assert_true(event.value.f == 5);
    event = await(rig, 101, &at);
    assert_int_equal(event.status, STATUS_NOT_AVAILABLE);
    assert_int_equal(event.value.type, VALUE_NONE);
    await_reading(rig, 101, &at, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(measures_as_sdi_12_wants_it),
        TEST(asks_for_the_value_when_the_time_is_over_that_the_sensor_named),
        TEST(waits_no_longer_than_allowed_whatever_the_sensor_says),
        TEST(asks_sensors_on_one_line_in_turn_and_takes_nobodys_answer_for_anothers),
        TEST(asks_again_before_it_counts_a_reply_as_missed),
        TEST(reads_a_meter_that_signs_on_at_300_baud),
        TEST(cuts_off_a_checksum_behind_the_end),
        TEST(takes_each_reply_of_an_exchange_for_the_points_that_stand_in_it),
        TEST(is_content_without_what_is_optional),
        TEST(ends_a_binary_reply_by_its_length_field),
        TEST(ends_a_reply_by_silence),
        TEST(a_pause_that_is_shorter_than_the_silence_ends_no_reply),
        TEST(tells_what_a_device_refuses_in_the_middle_of_an_exchange),
        TEST(gives_the_quality_that_a_line_states),
    };

    return cmocka_run_group_tests_name("serial_exchange", tests, NULL, NULL);
}
