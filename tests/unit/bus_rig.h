/* A whole bus, from its configuration to the events it puts, with a device on the other end that
 * can be told to misbehave. Included by the tests that use it. */
#ifndef TESTS_BUS_RIG_H
#define TESTS_BUS_RIG_H

#include <stdio.h>
#include <string.h>

#include "core/status.h"
#include "field/wait.h"
#include "modbus/learn.h"
#include "modbus/modbus.h"
#include "unit/hostile_slave.h"

#define TIMEOUT_MS  80
#define POINTS      8
#define EVENTS_MAX  4096
#define PATIENCE_NS (20 * NS_PER_S)

static pthread_mutex_t events_lock = PTHREAD_MUTEX_INITIALIZER;

/* Two devices, units 1 and 2, with eight registers each from 0 on. */
struct fixture {
    struct driver_host base; /* first */
    struct modbus_bus_options options;
    struct modbus_device_options device_options[2];
    struct modbus_point_options point_options[2][POINTS];
    struct site_point points[2][POINTS];
    uint32_t streams[2][POINTS];
    struct site_device devices[2];
    struct site_bus bus;
    struct driver_stats stats[2];
    struct hostile_slave *slave;
    char port[64];
    int stop_fd;
    pthread_t thread;             /* that runs the bus, or... */
    struct driver_engine *engine; /* ...the engine in which it takes part */
    struct event events[EVENTS_MAX];
    size_t count;
};

static inline int wait_or_stop(struct driver_host *base, int fd, int64_t until_mono_ns)
{
    return wait_readable(fd, ((struct fixture *)base)->stop_fd, base->clock, until_mono_ns);
}

/* What was stored last of a device, or before the start. */
static char learnt[2][LEARN_TEXT_SIZE_MAX];

static inline size_t learnt_before(struct driver_host *base, const struct site_device *device,
                                   char *out, size_t size)
{
    const char *text = learnt[device - ((struct fixture *)base)->devices];

    return (size_t)snprintf(out, size, "%s", text);
}

static const struct driver_host_ops ops = {.wait = wait_or_stop, .learnt = learnt_before};

static inline size_t put(void *context, const struct event *events, size_t count, bool again)
{
    struct fixture *fixture = context;

    (void)again;
    pthread_mutex_lock(&events_lock);
    for (size_t i = 0; i < count; i++) {
        if (fixture->count < EVENTS_MAX)
            fixture->events[fixture->count++] = events[i];
        if (events[i].kind == EVENT_CONFIG)
            snprintf(learnt[events[i].stream / 100 - 1], sizeof learnt[0], "%.*s",
                     (int)events[i].value.size, (const char *)events[i].value.data);
    }
    pthread_mutex_unlock(&events_lock);
    return count;
}

static inline void *run(void *context)
{
    struct fixture *fixture = context;

    return fixture->bus.driver->run(&fixture->bus, &fixture->base) == 0 ? NULL : fixture;
}

static inline void tell(struct driver_complaints *complaints, const struct site_device *device,
                        const struct site_point *point, const char *key, const char *sentence)
{
    (void)complaints;
    (void)device;
    (void)point;
    fail_msg("%s: %s", key, sentence);
}

static inline void describe_device(struct fixture *fixture, unsigned index, int64_t every_ms)
{
    struct site_device *device = &fixture->devices[index];

    fixture->device_options[index] = (struct modbus_device_options){
        .unit = index + 1, .numbering = MODBUS_NUMBERING_0, .order = MODBUS_ABCD, .max_block = 125};
    device->id = index ? "two" : "one";
    device->stream = 100 * (index + 1);
    device->options = &fixture->device_options[index];
    device->points = fixture->points[index];
    device->streams = fixture->streams[index];
    device->point_count = POINTS;
    for (unsigned i = 0; i < POINTS; i++) {
        fixture->point_options[index][i] =
            (struct modbus_point_options){.reg = i, .bit = -1, .scale_reg = -1, .scale = 1};
        fixture->streams[index][i] = device->stream + 1 + i;
        fixture->points[index][i] =
            (struct site_point){.id = "p",
                                .every_ns = every_ms * NS_PER_MS,
                                .options = &fixture->point_options[index][i]};
    }
}

static inline struct fixture *start_as(enum hostile_frames frames, bool network)
{
    static const struct driver *const drivers[] = {[HOSTILE_RTU] = &driver_modbus_rtu,
                                                   [HOSTILE_ASCII] = &driver_modbus_ascii,
                                                   [HOSTILE_TCP] = &driver_modbus_tcp};
    static struct fixture made;
    struct fixture *fixture = &made;
    struct driver_complaints complaints = {.tell = tell};

    memset(fixture, 0, sizeof *fixture);
    fixture->slave = hostile_start_as(frames, network, 2 * TIMEOUT_MS);
    fixture->stop_fd = eventfd(0, EFD_CLOEXEC);
    strcpy(fixture->port, fixture->slave->port);
    strcpy(fixture->options.host.name, network ? "127.0.0.1" : "");
    fixture->options.port = network ? NULL : fixture->port;
    fixture->options.host.port = fixture->slave->tcp_port;
    fixture->options.timeout_ns = TIMEOUT_MS * NS_PER_MS;
    fixture->options.connect_timeout_ns = NS_PER_S;
    if (!network)
        fixture->options.line =
            (struct port_settings){.baud = 115200, .data_bits = 8, .stop_bits = 1, .parity = 'N'};
    fixture->bus = (struct site_bus){.id = "bus",
                                     .driver = drivers[frames],
                                     .devices = fixture->devices,
                                     .device_count = 2,
                                     .options = &fixture->options};
    describe_device(fixture, 0, 20);
    describe_device(fixture, 1, 20);
    assert_int_equal(fixture->bus.driver->check(&fixture->bus, &complaints), 0);
    fixture->base =
        (struct driver_host){.ops = &ops, .clock = &clock_system, .stats = fixture->stats};
    assert_int_equal(sink_open(&fixture->base.sink, &fixture->bus, &clock_system, put, fixture), 0);
    return fixture;
}

/* As Modbus TCP, or as RTU on a port. */
static inline struct fixture *start(bool tcp)
{
    return start_as(tcp ? HOSTILE_TCP : HOSTILE_RTU, tcp);
}

static inline void go(struct fixture *fixture)
{
    const struct driver_engine_ops *engine = fixture->bus.driver->engine;

    if (engine) {
        assert_int_equal(engine->open(&fixture->engine, &clock_system), 0);
        assert_int_equal(engine->join(fixture->engine, &fixture->bus, &fixture->base), 0);
        return;
    }
    assert_int_equal(pthread_create(&fixture->thread, NULL, run, fixture), 0);
}

static inline void stop(struct fixture *fixture)
{
    uint64_t one = 1;
    void *result;

    if (fixture->engine) {
        fixture->bus.driver->engine->leave(fixture->engine, &fixture->base);
        fixture->bus.driver->engine->close(fixture->engine);
    } else {
        assert_int_equal(write(fixture->stop_fd, &one, sizeof one), sizeof one);
        pthread_join(fixture->thread, &result);
        assert_null(result);
    }
    sink_close(fixture->base.sink);
    hostile_stop(fixture->slave);
    close(fixture->stop_fd);
}

/* How many events since `from` are of that stream, kind and status. */
static inline size_t count_events(struct fixture *fixture, size_t from, uint32_t stream,
                                  enum event_kind kind, uint16_t status)
{
    size_t found = 0;

    pthread_mutex_lock(&events_lock);
    for (size_t i = from; i < fixture->count; i++) {
        const struct event *event = &fixture->events[i];

        found += event->stream == stream && event->kind == kind && event->status == status;
    }
    pthread_mutex_unlock(&events_lock);
    return found;
}

static inline size_t events_so_far(struct fixture *fixture)
{
    size_t count;

    pthread_mutex_lock(&events_lock);
    count = fixture->count;
    pthread_mutex_unlock(&events_lock);
    return count;
}

static inline void await(struct fixture *fixture, size_t from, uint32_t stream,
                         enum event_kind kind, uint16_t status, size_t at_least)
{
    int64_t until = clock_mono(&clock_system) + PATIENCE_NS;

    while (count_events(fixture, from, stream, kind, status) < at_least) {
        assert_true(clock_mono(&clock_system) < until);
        poll(NULL, 0, 2);
    }
}

/* Every good reading is what its register holds. */
static inline void assert_values(struct fixture *fixture)
{
    for (size_t i = 0; i < fixture->count; i++) {
        const struct event *event = &fixture->events[i];

        if (event->kind != EVENT_READING || event->status != STATUS_GOOD)
            continue;
        assert_int_equal(event->value.u,
                         hostile_register(event->stream / 100, event->stream % 100 - 1));
    }
}

#endif
