/* The serial driver on a pseudo-terminal whose other end is the test: the sensor. */
// links: driver_serial sluice_field
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/status.h"
#include "field/wait.h"
#include "serial/options.h"
#include "serial/serial.h"

#define EVENTS_MAX  4096
#define PATIENCE_NS (10 * NS_PER_S)
#define POINTS_MAX  2
#define DEVICES_MAX 2

struct rig {
    struct driver_host host; /* first: what the driver gets a pointer to */
    struct driver_stats stats[DEVICES_MAX];
    struct site_bus bus;
    struct site_device devices[DEVICES_MAX];
    struct site_point points[DEVICES_MAX][POINTS_MAX];
    struct serial_bus_options bus_options;
    struct serial_device_options device_options[DEVICES_MAX];
    struct extract_options point_options[DEVICES_MAX][POINTS_MAX];
    char folder[32], port[64];
    int sensor; /* the master's end */
    int stop_fd;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t came;
    struct event events[EVENTS_MAX];
    size_t event_count;
};

static size_t keep_events(void *context, const struct event *events, size_t count, bool again)
{
    struct rig *rig = context;

    (void)again;
    pthread_mutex_lock(&rig->lock);
    for (size_t i = 0; i < count && rig->event_count < EVENTS_MAX; i++)
        rig->events[rig->event_count++] = events[i];
    pthread_cond_broadcast(&rig->came);
    pthread_mutex_unlock(&rig->lock);
    return count;
}

static int rig_wait(struct driver_host *host, int fd, int64_t until_mono_ns)
{
    return wait_readable(fd, ((struct rig *)host)->stop_fd, &clock_system, until_mono_ns);
}

static const struct driver_host_ops rig_ops = {.wait = rig_wait};

static void plug_in(struct rig *rig)
{
    char name[64], target[80];
    int slave;

    assert_int_equal(openpty(&rig->sensor, &slave, name, NULL, NULL), 0);
    close(slave);
    snprintf(target, sizeof(target), "%s.new", rig->port);
    assert_int_equal(symlink(name, target), 0);
    assert_int_equal(rename(target, rig->port), 0);
}

/* Waits until the driver has the port open: what is said before is thrown away. */
static void wait_until_open(const struct rig *rig)
{
    int64_t until_ns = clock_mono(&clock_system) + PATIENCE_NS;
    struct termios line;

    do {
        poll(NULL, 0, 1);
        assert_int_equal(tcgetattr(rig->sensor, &line), 0);
        if (clock_mono(&clock_system) > until_ns)
            fail_msg("the port was not opened");
    } while (line.c_lflag & ICANON);
}

static void set_defaults(struct rig *rig)
{
    rig->bus_options = (struct serial_bus_options){
        .port = rig->port,
        .line = {.baud = 115200, .data_bits = 8, .parity = 'N', .stop_bits = 1},
        .start = "",
        .length_max = 100,
        .checksum_mark = "",
    };
    rig->bus = (struct site_bus){.id = "bus",
                                 .driver = &driver_serial,
                                 .devices = rig->devices,
                                 .device_count = 1,
                                 .options = &rig->bus_options};
    for (size_t i = 0; i < DEVICES_MAX; i++) {
        rig->devices[i] = (struct site_device){.id = i ? "second" : "first",
                                               .points = rig->points[i],
                                               .point_count = 1,
                                               .stream = (uint32_t)(100 * (i + 1)),
                                               .options = &rig->device_options[i]};
        rig->device_options[i] = (struct serial_device_options){.timeout_ns = PATIENCE_NS,
                                                                .silent_after_ns = PATIENCE_NS};
        for (size_t j = 0; j < POINTS_MAX; j++) {
            rig->point_options[i][j] = (struct extract_options){.group = -1,
                                                                .column = 1,
                                                                .at = -1,
                                                                .delimiter = ",",
                                                                .hemisphere = -1,
                                                                .scale = 1,
                                                                .decimals = -1};
            rig->points[i][j] = (struct site_point){.id = j ? "b" : "a",
                                                    .every_ns = 20 * NS_PER_MS,
                                                    .type = VALUE_F64,
                                                    .stream = (uint32_t)(100 * (i + 1) + j + 1),
                                                    .options = &rig->point_options[i][j]};
        }
    }
}

static void fail_check(struct driver_complaints *complaints, const struct site_device *device,
                       const struct site_point *point, const char *key, const char *sentence)
{
    (void)complaints;
    fail_msg("%s.%s: %s: %s", device ? device->id : "bus", point ? point->id : "", key ? key : "",
             sentence);
}

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    if (!rig)
        return -1;
    strcpy(rig->folder, "/tmp/serial-XXXXXX");
    if (!mkdtemp(rig->folder))
        return -1;
    snprintf(rig->port, sizeof(rig->port), "%s/port", rig->folder);
    rig->sensor = -1;
    rig->stop_fd = eventfd(0, EFD_CLOEXEC);
    pthread_mutex_init(&rig->lock, NULL);
    pthread_cond_init(&rig->came, NULL);
    rig->host = (struct driver_host){.ops = &rig_ops, .clock = &clock_system, .stats = rig->stats};
    set_defaults(rig);
    *state = rig;
    return 0;
}

static void *run(void *context)
{
    struct rig *rig = context;

    assert_int_equal(driver_serial.run(&rig->bus, &rig->host), 0);
    return NULL;
}

static void start(struct rig *rig)
{
    struct driver_complaints complaints = {.tell = fail_check};

    assert_int_equal(driver_serial.check(&rig->bus, &complaints), 0);
    assert_int_equal(sink_open(&rig->host.sink, &rig->bus, &clock_system, keep_events, rig), 0);
    assert_int_equal(pthread_create(&rig->thread, NULL, run, rig), 0);
}

static void plug_in_and_start(struct rig *rig)
{
    plug_in(rig);
    start(rig);
    wait_until_open(rig);
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    uint64_t one = 1;

    if (rig->thread) {
        if (write(rig->stop_fd, &one, sizeof(one)) < 0)
            return -1;
        pthread_join(rig->thread, NULL);
        sink_close(rig->host.sink);
    }
    if (rig->sensor >= 0)
        close(rig->sensor);
    close(rig->stop_fd);
    unlink(rig->port);
    rmdir(rig->folder);
    free(rig);
    return 0;
}

/* The next event of a stream, from the `from`th on; fails when none comes. */
static struct event await(struct rig *rig, uint32_t stream, size_t *from)
{
    struct timespec until;
    struct event event = {0};
    bool found = false;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_NS / NS_PER_S;
    pthread_mutex_lock(&rig->lock);
    while (!found) {
        while (*from < rig->event_count && !found) {
            event = rig->events[(*from)++];
            found = event.stream == stream;
        }
        if (!found && pthread_cond_timedwait(&rig->came, &rig->lock, &until) != 0)
            break;
    }
    pthread_mutex_unlock(&rig->lock);
    if (!found)
        fail_msg("no event of stream %u", stream);
    return event;
}

/* The next good reading must have this value. */
static void await_reading(struct rig *rig, uint32_t stream, size_t *from, double wanted)
{
    struct event event;

    do
        event = await(rig, stream, from);
    while (event.status != STATUS_GOOD);
    if (event.value.type != VALUE_F64 || event.value.f != wanted)
        fail_msg("stream %u: value %g instead of %g", stream, event.value.f, wanted);
}

static void await_status(struct rig *rig, uint32_t stream, size_t *from, uint16_t status)
{
    struct event event;

    do
        event = await(rig, stream, from);
    while (event.status != status);
    assert_int_equal(event.value.type == VALUE_NONE || event.value.type == VALUE_BOOL, 1);
}

static void say_bytes(struct rig *rig, const char *bytes, size_t size)
{
    assert_int_equal(write(rig->sensor, bytes, size), size);
}

static void say(struct rig *rig, const char *text)
{
    say_bytes(rig, text, strlen(text));
}

/* Reads until the request has come; fails when something else or nothing comes. */
static void hear(struct rig *rig, const char *request)
{
    size_t size = strlen(request), at = 0;
    char heard[64];

    while (at < size) {
        struct pollfd fd = {.fd = rig->sensor, .events = POLLIN};
        ssize_t got;

        if (poll(&fd, 1, (int)(PATIENCE_NS / NS_PER_MS)) != 1)
            fail_msg("no request came");
        got = read(rig->sensor, heard + at, size - at);
        if (got < 0)
            continue; /* nobody has the other end open yet */
        at += (size_t)got;
    }
    assert_memory_equal(heard, request, size);
}

static void ask_with(struct rig *rig, const char *request)
{
    for (size_t i = 0; i < DEVICES_MAX; i++)
        rig->device_options[i].request = request;
}

static void publishes_what_a_talker_says(void **state)
{
    struct rig *rig = *state;
    size_t at = 0, states = 0;

    rig->bus_options.start = "$";
    rig->bus_options.checksum = CHECKSUM_NMEA;
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
    plug_in_and_start(rig);
    hear(rig, "?");
    begun_ns = clock_mono(&clock_system);
    do {
        struct pollfd none = {.fd = -1};

        say(rig, "v");
        poll(&none, 1, 10); /* the pace of the bytes, which is the matter here */
        pthread_mutex_lock(&rig->lock);
        ended_ns = rig->event_count > 0 ? rig->events[0].mono_ns : 0;
        pthread_mutex_unlock(&rig->lock);
    } while (!ended_ns && clock_mono(&clock_system) - begun_ns < PATIENCE_NS);
    await_status(rig, 101, &at, STATUS_TIMEOUT);
    assert_true(ended_ns - begun_ns >= 140 * NS_PER_MS);
}

static void a_corrupt_reply_is_bad_for_that_reason(void **state)
{
    struct rig *rig = *state;
    size_t at = 0;

    ask_with(rig, "?");
    rig->bus_options.checksum = CHECKSUM_XOR;
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

    rig->bus_options.start = "$";
    rig->bus_options.checksum = CHECKSUM_NMEA;
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(publishes_what_a_talker_says),
        TEST(finds_each_talker_among_several),
        TEST(tells_that_a_talker_fell_silent_and_came_back),
        TEST(asks_and_takes_the_reply),
        TEST(a_late_reply_is_not_taken_for_the_next_one),
        TEST(a_reply_without_the_value_is_in_the_wrong_format),
        TEST(gives_a_dribbling_reply_one_deadline),
        TEST(a_corrupt_reply_is_bad_for_that_reason),
        TEST(a_dead_device_leaves_the_line_to_the_others),
        TEST(asks_slower_points_less_often),
        TEST(leaves_out_the_echo),
        TEST(waits_for_a_port_that_is_missing),
        TEST(thins_a_talker_out_when_told),
        TEST(survives_noise_and_takes_the_good_lines),
    };

    return cmocka_run_group_tests_name("serial", tests, NULL, NULL);
}
