/* The serial driver on a pseudo-terminal whose other end is the test: the sensor. */
// links: driver_serial sluice_field
#include "unit/serial_rig.h"

static void publishes_what_a_talker_says(void **state)
{
    struct rig *rig = *state;
    size_t at = 0, states = 0;

    rig->bus_options.frame.start = (struct serial_mark){true, "$"};
    rig->bus_options.frame.checksum = CHECKSUM_NMEA;
    rig->point_options[0][0].match = "^\\$GPXTE,";
    plug_in_and_start(rig);
    say(rig, "se$GPXTE,1.5*58\r\n$GPXTE,9.5*58\r\n$GPYYY,7*");
    say(rig, "55\r\n$GPXTE,2.5*5B\r\n");
    await_reading(rig, 101, &at, 1.5);
    await_reading(rig, 101, &at, 2.5);
    assert_true(await(rig, 100, &states).value.b);
    assert_int_equal(rig->stats[0].corrupt, 1);
}

static void finds_each_talker_among_several(void **state)
{
    struct rig *rig = *state;
    size_t first = 0, second = 0;

    rig->bus.device_count = 2;
    rig->device_options[0].match = "^A";
    rig->device_options[1].match = "^B";
    plug_in_and_start(rig);
    say(rig, "B,2\r\nC,3\r\nA,1\r\nB,4\r\n");
    await_reading(rig, 101, &first, 1);
    await_reading(rig, 201, &second, 2);
    await_reading(rig, 201, &second, 4);
    assert_int_equal(rig->stats[0].unexpected, 1);
}

static void tells_that_a_talker_fell_silent_and_came_back(void **state)
{
    struct rig *rig = *state;
    size_t at = 0, states = 0;

    rig->device_options[0].silent_after_ns = 300 * NS_PER_MS;
    plug_in_and_start(rig);
    say(rig, "T,1\r\n");
    await_reading(rig, 101, &at, 1);
    await_status(rig, 100, &states, STATUS_GOOD);
    await_status(rig, 101, &at, STATUS_TIMEOUT);
    await_status(rig, 100, &states, STATUS_TIMEOUT);
    say(rig, "T,2\r\n");
    await_reading(rig, 101, &at, 2);
    await_status(rig, 100, &states, STATUS_GOOD);
}

static void tells_bytes_that_make_no_line_from_silence(void **state)
{
    struct rig *rig = *state;
    size_t states = 0;

    rig->device_options[0].silent_after_ns = NS_PER_S;
    plug_in_and_start(rig);
    for (int i = 0; i < 30; i++) {
        say(rig, "T,1"); /* no end */
        nanosleep(&(struct timespec){.tv_nsec = 50 * NS_PER_MS}, NULL);
    }
    await_status(rig, 100, &states, STATUS_CORRUPT);
}

static void asks_and_takes_the_reply(void **state)
{
    struct rig *rig = *state;
    size_t at = 0;

    ask_with(rig, "SI\r\n");
    rig->point_options[0][0].column = -1;
    rig->point_options[0][0].group = 1;
    rig->point_options[0][0].match = "^S [SD] +([0-9.]+) g$";
    rig->device_options[0].when[SERIAL_WHEN_BUSY] = "^S I$";
    rig->device_options[0].when[SERIAL_WHEN_OUT_OF_RANGE] = "^S [+-]$";
    rig->device_options[0].when[SERIAL_WHEN_FAILED] = "^E[STL]$";
    plug_in_and_start(rig);
    hear(rig, "SI\r\n");
    say(rig, "S S      1");
    say(rig, "00.25 g\r\n");
    await_reading(rig, 101, &at, 100.25);
    hear(rig, "SI\r\n");
    say(rig, "S I\r\n");
    await_status(rig, 101, &at, STATUS_DEVICE_BUSY);
    hear(rig, "SI\r\n");
    say(rig, "S +\r\n");
    await_status(rig, 101, &at, STATUS_OVERRANGE);
    hear(rig, "SI\r\n");
    say(rig, "ES\r\n");
    await_status(rig, 101, &at, STATUS_SENSOR);
    hear(rig, "SI\r\n");
    say(rig, "S D      100.75 g\r\n");
    await_reading(rig, 101, &at, 100.75);
    assert_true(rig->stats[0].up);
    assert_int_equal(rig->stats[0].exceptions, 3);
}

static void a_late_reply_is_not_taken_for_the_next_one(void **state)
{
    struct rig *rig = *state;
    size_t at = 0;

    ask_with(rig, "?");
    rig->device_options[0].timeout_ns = 300 * NS_PER_MS;
    plug_in_and_start(rig);
    hear(rig, "?");
    await_status(rig, 101, &at, STATUS_TIMEOUT);
    say(rig, "v,1\r\n");
    hear(rig, "?");
    say(rig, "v,2\r\n");
    await_reading(rig, 101, &at, 2);
    assert_true(rig->stats[0].timeouts >= 1);
    assert_true(rig->stats[0].unexpected >= 1);
}

static void a_reply_without_the_value_is_in_the_wrong_format(void **state)
{
    struct rig *rig = *state;
    size_t at = 0;

    ask_with(rig, "?");
    rig->device_options[0].timeout_ns = 300 * NS_PER_MS;
    rig->device_options[0].match = "^v";
    rig->point_options[0][0].match = "g$";
    plug_in_and_start(rig);
    hear(rig, "?");
    say(rig, "v,1 oz\r\nv,2 lb\r\n");
    await_status(rig, 101, &at, STATUS_FORMAT);
}

/* Each byte comes long before a time-out between bytes would end, and the whole comes too late. */
static void gives_a_dribbling_reply_one_deadline(void **state)
{
    struct rig *rig = *state;
    int64_t begun_ns, ended_ns;
    size_t at = 0;

    ask_with(rig, "?");
    rig->device_options[0].timeout_ns = 150 * NS_PER_MS;
    begun_ns = clock_mono(&clock_system);
    plug_in_and_start(rig);
    hear(rig, "?");
    do {
        struct pollfd none = {.fd = -1};

        say(rig, "v");
        poll(&none, 1, 10); /* the pace of the bytes, which is the matter here */
        pthread_mutex_lock(&rig->lock);
        ended_ns = rig->event_count > 0 ? rig->events[0].mono_ns : 0;
        pthread_mutex_unlock(&rig->lock);
    } while (!ended_ns && clock_mono(&clock_system) - begun_ns < PATIENCE_NS);
    await_status(rig, 101, &at, STATUS_TIMEOUT);
    assert_true(ended_ns - begun_ns >= 150 * NS_PER_MS);
}

static void a_corrupt_reply_is_bad_for_that_reason(void **state)
{
    struct rig *rig = *state;
    size_t at = 0;

    ask_with(rig, "?");
    rig->bus_options.frame.checksum = CHECKSUM_XOR;
    rig->device_options[0].timeout_ns = 500 * NS_PER_MS;
    plug_in_and_start(rig);
    hear(rig, "?");
    say(rig, "v,1XX\r\n");
    await_status(rig, 101, &at, STATUS_CORRUPT);
    hear(rig, "?");
    say_bytes(rig, "v,1\0006B\r\n", 8);
    await_status(rig, 101, &at, STATUS_CORRUPT);
    hear(rig, "?");
    say(rig, "v,16B\r\n");
    await_reading(rig, 101, &at, 1);
    assert_int_equal(rig->stats[0].corrupt, 2);
    assert_int_equal(rig->stats[0].timeouts, 0);
}

static void a_dead_device_leaves_the_line_to_the_others(void **state)
{
    struct rig *rig = *state;
    size_t first = 0, second = 0, states = 0;
    int answered = 0, asked_dead = 0;

    rig->bus.device_count = 2;
    rig->device_options[0].request = "1";
    rig->device_options[0].timeout_ns = 30 * NS_PER_MS;
    rig->device_options[1].request = "2";
    plug_in_and_start(rig);
    while (answered < 40) {
        struct pollfd fd = {.fd = rig->sensor, .events = POLLIN};
        char heard;

        assert_int_equal(poll(&fd, 1, (int)(PATIENCE_NS / NS_PER_MS)), 1);
        if (read(rig->sensor, &heard, 1) != 1)
            continue;
        if (heard == '1') {
            asked_dead++;
        } else {
            say(rig, "v,5\r\n");
            await_reading(rig, 201, &second, 5);
            answered++;
        }
    }
    await_status(rig, 101, &first, STATUS_TIMEOUT);
    assert_false(await(rig, 100, &states).value.b);
    assert_in_range(asked_dead, 3, 12);
    assert_true(rig->stats[1].up);
    assert_false(rig->stats[0].up);
    assert_true(rig->stats[0].next_probe_ns > 0);
}

static void asks_slower_points_less_often(void **state)
{
    struct rig *rig = *state;
    size_t slow = 0;

    ask_with(rig, "?");
    rig->devices[0].point_count = 2;
    rig->points[0][1].every_ns = 60 * NS_PER_MS;
    plug_in_and_start(rig);
    for (int i = 0; i < 9; i++) {
        size_t at = 0;
        char reply[32];

        hear(rig, "?");
        snprintf(reply, sizeof(reply), "v,%d\r\n", i);
        say(rig, reply);
        while (await(rig, 101, &at).value.f != i)
            ;
    }
    /* Requests that the machine is late for are left out, so a slower point may come a little more
     * often. */
    await_reading(rig, 102, &slow, 0);
    assert_true(await(rig, 102, &slow).value.f >= 1);
}

static void leaves_out_the_echo(void **state)
{
    struct rig *rig = *state;
    size_t at = 0;

    ask_with(rig, "a,9\r\n");
    rig->bus_options.echo = true;
    plug_in_and_start(rig);
    hear(rig, "a,9\r\n");
    say(rig, "a,9\r\nv,1\r\n");
    await_reading(rig, 101, &at, 1);
    assert_int_equal(rig->stats[0].unexpected, 0);
}

static void waits_for_a_port_that_is_missing(void **state)
{
    struct rig *rig = *state;
    size_t at = 0, states = 0;

    start(rig);
    await_status(rig, 101, &at, STATUS_NO_PORT);
    await_status(rig, 100, &states, STATUS_NO_PORT);
    plug_in(rig);
    wait_until_open(rig);
    say(rig, "T,1\r\n");
    await_reading(rig, 101, &at, 1);
    close(rig->sensor);
    await_status(rig, 101, &at, STATUS_NO_PORT);
    plug_in(rig);
    wait_until_open(rig);
    say(rig, "T,2\r\n");
    await_reading(rig, 101, &at, 2);
    assert_int_equal(rig->stats[0].reconnects, 2);
}

static void hears_a_line_that_nobody_is_configured_for(void **state)
{
    struct rig *rig = *state;
    int64_t until_ns = clock_mono(&clock_system) + PATIENCE_NS;

    rig->bus.device_count = 0;
    plug_in_and_start(rig);
    say(rig, "v,1\r\n");
    while (rig->stats[0].unexpected == 0 && clock_mono(&clock_system) < until_ns)
        poll(NULL, 0, 1);
    assert_int_equal(rig->stats[0].unexpected, 1);
}

static void thins_a_talker_out_when_told(void **state)
{
    struct rig *rig = *state;
    size_t at = 0;

    rig->device_options[0].thin = true;
    rig->points[0][0].every_ns = 3600 * NS_PER_S;
    rig->devices[0].point_count = 2;
    rig->points[0][1].every_ns = NS_PER_MS;
    rig->point_options[0][1].match = "^end";
    plug_in_and_start(rig);
    say(rig, "T,1\r\nT,2\r\nT,3\r\nend,4\r\n");
    await_reading(rig, 102, &at, 4);
    at = 0;
    await_reading(rig, 101, &at, 1);
    pthread_mutex_lock(&rig->lock);
    for (; at < rig->event_count; at++)
        assert_int_not_equal(rig->events[at].stream, 101);
    pthread_mutex_unlock(&rig->lock);
}

static void survives_noise_and_takes_the_good_lines(void **state)
{
    struct rig *rig = *state;
    size_t at = 0;

    rig->bus_options.frame.start = (struct serial_mark){true, "$"};
    rig->bus_options.frame.checksum = CHECKSUM_NMEA;
    plug_in_and_start(rig);
    srand(99);
    for (int i = 0; i < 50; i++) {
        char noise[200];
        size_t size = (size_t)(rand() % 200);

        for (size_t j = 0; j < size; j++)
            noise[j] = (char)rand();
        say_bytes(rig, noise, size);
        say(rig, "$GPXTE,1.5*58\r\n");
        await_reading(rig, 101, &at, 1.5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(publishes_what_a_talker_says),
        TEST(finds_each_talker_among_several),
        TEST(tells_that_a_talker_fell_silent_and_came_back),
        TEST(tells_bytes_that_make_no_line_from_silence),
        TEST(asks_and_takes_the_reply),
        TEST(a_late_reply_is_not_taken_for_the_next_one),
        TEST(a_reply_without_the_value_is_in_the_wrong_format),
        TEST(gives_a_dribbling_reply_one_deadline),
        TEST(a_corrupt_reply_is_bad_for_that_reason),
        TEST(a_dead_device_leaves_the_line_to_the_others),
        TEST(asks_slower_points_less_often),
        TEST(leaves_out_the_echo),
        TEST(waits_for_a_port_that_is_missing),
        TEST(hears_a_line_that_nobody_is_configured_for),
        TEST(thins_a_talker_out_when_told),
        TEST(survives_noise_and_takes_the_good_lines),
    };

    return cmocka_run_group_tests_name("serial", tests, NULL, NULL);
}
