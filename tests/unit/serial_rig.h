/*
 * A serial bus on a pseudo-terminal whose other end is the test: the sensor. Included by the tests
 * of what the driver does on the wire.
 */
#ifndef SLUICE_UNIT_SERIAL_RIG_H
#define SLUICE_UNIT_SERIAL_RIG_H

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
    uint32_t streams[DEVICES_MAX][POINTS_MAX];
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

static inline size_t keep_events(void *context, const struct event *events, size_t count,
                                 bool again)
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

static inline int rig_wait(struct driver_host *host, int fd, int64_t until_mono_ns)
{
    return wait_readable(fd, ((struct rig *)host)->stop_fd, &clock_system, until_mono_ns);
}

static const struct driver_host_ops rig_ops = {.wait = rig_wait};

static inline void plug_in(struct rig *rig)
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
static inline void wait_until_open(const struct rig *rig)
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

static inline void set_defaults(struct rig *rig)
{
    rig->bus_options = (struct serial_bus_options){
        .port = rig->port,
        .line = {.baud = 115200, .data_bits = 8, .parity = 'N', .stop_bits = 1},
        .frame = {.length_max = 100},
    };
    rig->bus = (struct site_bus){.id = "bus",
                                 .driver = &driver_serial,
                                 .devices = rig->devices,
                                 .device_count = 1,
                                 .options = &rig->bus_options};
    for (size_t i = 0; i < DEVICES_MAX; i++) {
        rig->devices[i] = (struct site_device){.id = i ? "second" : "first",
                                               .points = rig->points[i],
                                               .streams = rig->streams[i],
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
                                                                .date = -1,
                                                                .scale = 1,
                                                                .decimals_at = -1,
                                                                .decimals = -1};
            rig->streams[i][j] = (uint32_t)(100 * (i + 1) + j + 1);
            rig->points[i][j] = (struct site_point){.id = j ? "b" : "a",
                                                    .every_ns = 20 * NS_PER_MS,
                                                    .type = VALUE_F64,
                                                    .options = &rig->point_options[i][j]};
        }
    }
}

static inline void fail_check(struct driver_complaints *complaints,
                              const struct site_device *device, const struct site_point *point,
                              const char *key, const char *sentence)
{
    (void)complaints;
    fail_msg("%s.%s: %s: %s", device ? device->id : "bus", point ? point->id : "", key ? key : "",
             sentence);
}

static inline int set_up(void **state)
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

static inline void *run(void *context)
{
    struct rig *rig = context;

    assert_int_equal(driver_serial.run(&rig->bus, &rig->host), 0);
    return NULL;
}

static inline void start(struct rig *rig)
{
    struct driver_complaints complaints = {.tell = fail_check};

    assert_int_equal(driver_serial.check(&rig->bus, &complaints), 0);
    assert_int_equal(sink_open(&rig->host.sink, &rig->bus, &clock_system, keep_events, rig), 0);
    assert_int_equal(pthread_create(&rig->thread, NULL, run, rig), 0);
}

static inline void plug_in_and_start(struct rig *rig)
{
    plug_in(rig);
    start(rig);
    wait_until_open(rig);
}

static inline int tear_down(void **state)
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
static inline struct event await(struct rig *rig, uint32_t stream, size_t *from)
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
static inline void await_reading(struct rig *rig, uint32_t stream, size_t *from, double wanted)
{
    struct event event;

    do
        event = await(rig, stream, from);
    while (event.status != STATUS_GOOD);
    if (event.value.type != VALUE_F64 || event.value.f != wanted)
        fail_msg("stream %u: value %g instead of %g", stream, event.value.f, wanted);
}

static inline void await_status(struct rig *rig, uint32_t stream, size_t *from, uint16_t status)
{
    struct event event;

    do
        event = await(rig, stream, from);
    while (event.status != status);
    assert_int_equal(event.value.type == VALUE_NONE || event.value.type == VALUE_BOOL, 1);
}

static inline void say_bytes(struct rig *rig, const char *bytes, size_t size)
{
    assert_int_equal(write(rig->sensor, bytes, size), size);
}

static inline void say(struct rig *rig, const char *text)
{
    say_bytes(rig, text, strlen(text));
}

/* Reads until the request has come; fails when something else or nothing comes. */
static inline void hear(struct rig *rig, const char *request)
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

static inline void ask_with(struct rig *rig, const char *request)
{
    for (size_t i = 0; i < DEVICES_MAX; i++)
        rig->device_options[i].request = request;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
