/* A whole bus, from its configuration to the events it puts, with a device on the other end that
 * can be told to misbehave. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/status.h"
#include "field/wait.h"
#include "modbus/devices.h"
#include "modbus/learn.h"
#include "modbus/modbus.h"
#include "modbus/read.h"
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

static int wait_or_stop(struct driver_host *base, int fd, int64_t until_mono_ns)
{
    return wait_readable(fd, ((struct fixture *)base)->stop_fd, base->clock, until_mono_ns);
}

/* What was stored last of a device, or before the start. */
static char learnt[2][LEARN_TEXT_SIZE_MAX];

static size_t learnt_before(struct driver_host *base, const struct site_device *device, char *out,
                            size_t size)
{
    const char *text = learnt[device - ((struct fixture *)base)->devices];

    return (size_t)snprintf(out, size, "%s", text);
}

static const struct driver_host_ops ops = {.wait = wait_or_stop, .learnt = learnt_before};

static size_t put(void *context, const struct event *events, size_t count, bool again)
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

static void *run(void *context)
{
    struct fixture *fixture = context;

    return fixture->bus.driver->run(&fixture->bus, &fixture->base) == 0 ? NULL : fixture;
}

static void tell(struct driver_complaints *complaints, const struct site_device *device,
                 const struct site_point *point, const char *key, const char *sentence)
{
    (void)complaints;
    (void)device;
    (void)point;
    fail_msg("%s: %s", key, sentence);
}

static void describe_device(struct fixture *fixture, unsigned index, int64_t every_ms)
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

static struct fixture *start_as(enum hostile_frames frames, bool network)
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
static struct fixture *start(bool tcp)
{
    return start_as(tcp ? HOSTILE_TCP : HOSTILE_RTU, tcp);
}

static void go(struct fixture *fixture)
{
    const struct driver_engine_ops *engine = fixture->bus.driver->engine;

    if (engine) {
        assert_int_equal(engine->open(&fixture->engine, &clock_system), 0);
        assert_int_equal(engine->join(fixture->engine, &fixture->bus, &fixture->base), 0);
        return;
    }
    assert_int_equal(pthread_create(&fixture->thread, NULL, run, fixture), 0);
}

static void stop(struct fixture *fixture)
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
static size_t count_events(struct fixture *fixture, size_t from, uint32_t stream,
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

static size_t events_so_far(struct fixture *fixture)
{
    size_t count;

    pthread_mutex_lock(&events_lock);
    count = fixture->count;
    pthread_mutex_unlock(&events_lock);
    return count;
}

static void await(struct fixture *fixture, size_t from, uint32_t stream, enum event_kind kind,
                  uint16_t status, size_t at_least)
{
    int64_t until = clock_mono(&clock_system) + PATIENCE_NS;

    while (count_events(fixture, from, stream, kind, status) < at_least) {
        assert_true(clock_mono(&clock_system) < until);
        poll(NULL, 0, 2);
    }
}

/* Every good reading is what its register holds. */
static void assert_values(struct fixture *fixture)
{
    for (size_t i = 0; i < fixture->count; i++) {
        const struct event *event = &fixture->events[i];

        if (event->kind != EVENT_READING || event->status != STATUS_GOOD)
            continue;
        assert_int_equal(event->value.u,
                         hostile_register(event->stream / 100, event->stream % 100 - 1));
    }
}

static void reads_both_devices_over_and_over(void **state)
{
    (void)state;
    for (int tcp = 0; tcp < 2; tcp++) {
        struct fixture *fixture = start(tcp);

        go(fixture);
        await(fixture, 0, 108, EVENT_READING, STATUS_GOOD, 5);
        await(fixture, 0, 208, EVENT_READING, STATUS_GOOD, 5);
        assert_int_equal(count_events(fixture, 0, 100, EVENT_STATE, STATUS_GOOD), 1);
        assert_true(atomic_load(&fixture->stats[0].up));
        stop(fixture);
        assert_values(fixture);
        /* One request for the eight neighbours, and one time for all of them. */
        assert_in_range(atomic_load(&fixture->stats[0].requests), 5,
                        count_events(fixture, 0, 101, EVENT_READING, STATUS_GOOD) + 1);
        assert_int_equal(fixture->events[1].mono_ns, fixture->events[8].mono_ns);
    }
}

static void reads_ascii_and_what_is_behind_a_device_server(void **state)
{
    static const struct {
        enum hostile_frames frames;
        bool network;
    } lines[] = {{HOSTILE_ASCII, false}, {HOSTILE_ASCII, true}, {HOSTILE_RTU, true}};

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct fixture *fixture = start_as(lines[i].frames, lines[i].network);
        struct driver_load load;

        go(fixture);
        await(fixture, 0, 108, EVENT_READING, STATUS_GOOD, 5);
        await(fixture, 0, 208, EVENT_READING, STATUS_GOOD, 5);
        hostile_next(fixture->slave, HOSTILE_HANGS_UP, lines[i].network);
        await(fixture, events_so_far(fixture), 108, EVENT_READING, STATUS_GOOD, 5);
        fixture->bus.driver->load(&fixture->bus, &load);
        assert_true(lines[i].network ? load.busy_share < 0 : load.busy_share > 0);
        stop(fixture);
        assert_values(fixture);
    }
}

/* What a line asks of its wire does not depend on who has the port; ASCII asks for twice as much.
 */
static void the_load_of_a_line_behind_a_device_server_is_told_when_its_rate_is(void **state)
{
    double shares[2][2];

    (void)state;
    for (int ascii = 0; ascii < 2; ascii++) {
        for (int network = 0; network < 2; network++) {
            struct fixture *fixture = start_as(ascii ? HOSTILE_ASCII : HOSTILE_RTU, network);
            struct driver_load load;

            fixture->options.line =
                (struct port_settings){.baud = 9600, .data_bits = 8, .stop_bits = 1, .parity = 'E'};
            fixture->bus.driver->load(&fixture->bus, &load);
            shares[ascii][network] = load.busy_share;
            go(fixture);
            stop(fixture);
        }
    }
    assert_true(shares[0][0] > 0 && shares[0][0] == shares[0][1]);
    assert_true(shares[1][0] > 1.5 * shares[0][0] && shares[1][0] == shares[1][1]);
}

static void a_dead_device_is_told_once_and_the_other_goes_on(void **state)
{
    (void)state;
    for (int tcp = 0; tcp < 2; tcp++) {
        struct fixture *fixture = start(tcp);
        size_t mark;

        go(fixture);
        await(fixture, 0, 201, EVENT_READING, STATUS_GOOD, 1);
        atomic_store(&fixture->slave->dead_unit, 2);
        await(fixture, 0, 200, EVENT_STATE, STATUS_TIMEOUT, 1);
        mark = events_so_far(fixture);
        /* The probes of a second and more are among these. */
        await(fixture, mark, 101, EVENT_READING, STATUS_GOOD, 80);
        assert_false(atomic_load(&fixture->stats[1].up));
        assert_true(atomic_load(&fixture->stats[1].next_probe_ns) > 0);
        assert_int_equal(count_events(fixture, 0, 200, EVENT_STATE, STATUS_TIMEOUT), 1);
        assert_int_equal(count_events(fixture, 0, 208, EVENT_READING, STATUS_TIMEOUT), 1);
        assert_int_equal(count_events(fixture, mark, 208, EVENT_READING, STATUS_GOOD), 0);
        atomic_store(&fixture->slave->dead_unit, -1);
        mark = events_so_far(fixture);
        await(fixture, mark, 200, EVENT_STATE, STATUS_GOOD, 1);
        await(fixture, mark, 208, EVENT_READING, STATUS_GOOD, 2);
        assert_int_equal(count_events(fixture, 0, 100, EVENT_STATE, STATUS_TIMEOUT), 0);
        stop(fixture);
        assert_values(fixture);
    }
}

static void a_bad_register_does_not_spoil_its_neighbours(void **state)
{
    struct fixture *fixture = start(false);

    (void)state;
    atomic_store(&fixture->slave->bad_register, 5);
    go(fixture);
    await(fixture, 0, 106, EVENT_READING, STATUS_ILLEGAL_ADDRESS, 1);
    await(fixture, 0, 105, EVENT_READING, STATUS_GOOD, 3);
    await(fixture, 0, 107, EVENT_READING, STATUS_GOOD, 3);
    await(fixture, 0, 101, EVENT_READING, STATUS_GOOD, 3);
    stop(fixture);
    for (uint32_t stream = 101; stream <= 108; stream++)
        assert_int_equal(count_events(fixture, 0, stream, EVENT_READING, STATUS_ILLEGAL_ADDRESS),
                         stream == 106);
    assert_int_equal(count_events(fixture, 0, 106, EVENT_READING, STATUS_GOOD), 0);
    assert_values(fixture);
}

static void await_learnt(size_t device)
{
    int64_t until = clock_mono(&clock_system) + PATIENCE_NS;
    bool known = false;

    while (!known) {
        pthread_mutex_lock(&events_lock);
        known = learnt[device][0] != '\0';
        pthread_mutex_unlock(&events_lock);
        assert_true(clock_mono(&clock_system) < until);
        poll(NULL, 0, 2);
    }
}

static void what_was_learnt_is_stored_and_holds_after_a_restart(void **state)
{
    struct fixture *fixture = start(false);
    char folder[] = "/tmp/modbus-bus-XXXXXX", name[64];
    uint64_t refusals;

    (void)state;
    /* The same port, which is how it is known to be the same device. */
    assert_non_null(mkdtemp(folder));
    snprintf(name, sizeof name, "%s/port", folder);
    assert_int_equal(symlink(fixture->port, name), 0);
    fixture->options.port = name;
    atomic_store(&fixture->slave->bad_register, 5);
    go(fixture);
    await_learnt(0);
    refusals = atomic_load(&fixture->stats[0].exceptions);
    assert_true(refusals > 1);
    assert_non_null(strstr(learnt[0], " refused=3:5-5"));
    assert_int_equal(atomic_load(&fixture->stats[0].learnt_refused), 1);
    stop(fixture);
    fixture = start(false);
    unlink(name);
    assert_int_equal(symlink(fixture->port, name), 0);
    fixture->options.port = name;
    atomic_store(&fixture->slave->bad_register, 5);
    go(fixture);
    await(fixture, 0, 105, EVENT_READING, STATUS_GOOD, 10);
    await(fixture, 0, 107, EVENT_READING, STATUS_GOOD, 10);
    stop(fixture);
    /* It may have been tried again, behind what is more urgent; nothing had to be found out. */
    assert_true(atomic_load(&fixture->stats[0].exceptions) <= 1);
    memset(learnt, 0, sizeof learnt);
    unlink(name);
    rmdir(folder);
}

static void patience_is_given_to_a_busy_device(void **state)
{
    struct fixture *fixture = start(false);

    (void)state;
    hostile_next(fixture->slave, HOSTILE_BUSY, 2);
    go(fixture);
    await(fixture, 0, 101, EVENT_READING, STATUS_GOOD, 1);
    await(fixture, 0, 201, EVENT_READING, STATUS_GOOD, 1);
    assert_int_equal(count_events(fixture, 0, 101, EVENT_READING, STATUS_DEVICE_BUSY), 0);
    assert_int_equal(count_events(fixture, 0, 201, EVENT_READING, STATUS_DEVICE_BUSY), 0);
    hostile_next(fixture->slave, HOSTILE_BUSY, 10);
    await(fixture, 0, 101, EVENT_READING, STATUS_DEVICE_BUSY, 1);
    stop(fixture);
    assert_int_equal(count_events(fixture, 0, 100, EVENT_STATE, STATUS_GOOD), 1);
}

static void a_port_that_is_missing_is_waited_for(void **state)
{
    struct fixture *fixture = start(false);
    char folder[] = "/tmp/modbus-bus-XXXXXX", name[64];
    size_t mark;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(name, sizeof name, "%s/port", folder);
    fixture->options.port = name;
    go(fixture);
    await(fixture, 0, 100, EVENT_STATE, STATUS_NO_PORT, 1);
    await(fixture, 0, 208, EVENT_READING, STATUS_NO_PORT, 1);
    mark = events_so_far(fixture);
    assert_int_equal(symlink(fixture->port, name), 0);
    await(fixture, mark, 100, EVENT_STATE, STATUS_GOOD, 1);
    await(fixture, mark, 208, EVENT_READING, STATUS_GOOD, 2);
    stop(fixture);
    assert_int_equal(count_events(fixture, 0, 100, EVENT_STATE, STATUS_NO_PORT), 1);
    unlink(name);
    rmdir(folder);
}

static void a_connection_that_breaks_is_made_again_unnoticed(void **state)
{
    struct fixture *fixture = start(true);
    size_t mark;

    (void)state;
    go(fixture);
    await(fixture, 0, 101, EVENT_READING, STATUS_GOOD, 1);
    hostile_next(fixture->slave, HOSTILE_HANGS_UP, 1);
    mark = events_so_far(fixture);
    await(fixture, mark, 101, EVENT_READING, STATUS_GOOD, 5);
    await(fixture, mark, 201, EVENT_READING, STATUS_GOOD, 5);
    stop(fixture);
    assert_int_equal(
        atomic_load(&fixture->stats[0].reconnects) + atomic_load(&fixture->stats[1].reconnects), 1);
    assert_int_equal(count_events(fixture, 0, 100, EVENT_STATE, STATUS_COMMUNICATION), 0);
    assert_values(fixture);
}

static void await_reconnects(struct fixture *fixture, uint64_t at_least)
{
    int64_t until = clock_mono(&clock_system) + 4 * PATIENCE_NS;

    while (atomic_load(&fixture->stats[0].reconnects) + atomic_load(&fixture->stats[1].reconnects) <
           at_least) {
        assert_true(clock_mono(&clock_system) < until);
        poll(NULL, 0, 2);
    }
}

static void devices_that_are_silent_behind_a_connection_are_told_for_that(void **state)
{
    struct fixture *fixture = start(true);

    (void)state;
    go(fixture);
    await(fixture, 0, 101, EVENT_READING, STATUS_GOOD, 1);
    hostile_next(fixture->slave, HOSTILE_SILENT, 100000);
    await_reconnects(fixture, 4);
    stop(fixture);
    assert_int_equal(count_events(fixture, 0, 100, EVENT_STATE, STATUS_TIMEOUT), 1);
    assert_int_equal(count_events(fixture, 0, 200, EVENT_STATE, STATUS_TIMEOUT), 1);
    assert_int_equal(count_events(fixture, 0, 100, EVENT_STATE, STATUS_COMMUNICATION), 0);
    assert_int_equal(count_events(fixture, 0, 200, EVENT_STATE, STATUS_COMMUNICATION), 0);
}

/* A clock that stands still, a device list without a bus: the arithmetic of probes. */
static int64_t still_ns;

static int64_t still(void *context)
{
    (void)context;
    return still_ns;
}

static void probes_stay_out_of_the_way_of_others(void **state)
{
    static const struct clock clock = {.wall_ns = still, .mono_ns = still};
    struct fixture *fixture = start(false);
    struct devices devices;
    struct plan plan;
    struct plan_block *block;
    int64_t wake, probe;

    (void)state;
    still_ns = 1000 * NS_PER_S;
    fixture->base.clock = &clock;
    assert_int_equal(plan_make(&plan, &fixture->bus), 0);
    assert_int_equal(devices_make(&devices, &plan, &fixture->base), 0);
    for (int i = 0; i < DEVICE_FAILURES_MAX; i++) {
        assert_false(devices.items[1].down);
        devices_failed(&devices, 1, STATUS_TIMEOUT);
    }
    assert_true(devices.items[1].down);
    probe = devices.items[1].probe_ns;
    assert_in_range(probe - still_ns, NS_PER_S * 3 / 4, NS_PER_S * 5 / 4);
    wake = INT64_MAX;
    assert_null(devices_probe(&devices, probe - 1, INT64_MAX, &wake));
    assert_int_equal(wake, probe);
    /* It has not been heard yet, so that it may take the whole time-out: that has to fit. */
    assert_null(devices_probe(&devices, probe, probe + TIMEOUT_MS * NS_PER_MS, &wake));
    block = devices_probe(&devices, probe, probe + (TIMEOUT_MS + 1) * NS_PER_MS, &wake);
    assert_non_null(block);
    assert_int_equal(block->points, 1);
    assert_ptr_equal(plan_point(&plan, block, 0), &fixture->points[1][0]);
    assert_int_equal(devices_timeout_ns(&devices, block), TIMEOUT_MS * NS_PER_MS);
    /* A twentieth of the time, while another is up. */
    devices_probed(&devices, probe, 10 * NS_PER_MS);
    wake = INT64_MAX;
    assert_null(devices_probe(&devices, probe, INT64_MAX, &wake));
    assert_int_equal(wake, probe + 190 * NS_PER_MS);
    assert_non_null(devices_probe(&devices, probe + 190 * NS_PER_MS, INT64_MAX, &wake));
    /* When there is no pause for twenty times the time-out from then on it must be without one. */
    assert_null(devices_probe(&devices, probe + 1789 * NS_PER_MS, probe, &wake));
    assert_non_null(devices_probe(&devices, probe + 1790 * NS_PER_MS, probe, &wake));
    /* The back-off doubles up to a minute. */
    for (int i = 0; i < 10; i++)
        devices_failed(&devices, 1, STATUS_TIMEOUT);
    assert_in_range(devices.items[1].probe_ns - still_ns, 45 * NS_PER_S, 75 * NS_PER_S);
    devices_answered(&devices, 1);
    assert_false(devices.items[1].down);
    devices_free(&devices);
    plan_free(&plan);
    fixture->base.clock = &clock_system;
    go(fixture);
    stop(fixture);
}

/* Of one that was heard, and of one that was not where another was. */
static void probes_wait_no_longer_than_devices_were_seen_to_take(void **state)
{
    static const struct clock clock = {.wall_ns = still, .mono_ns = still};
    struct fixture *fixture = start(false);
    struct devices devices;
    struct plan plan;
    int64_t wake = INT64_MAX, short_ns;
    struct plan_block heard = {.device = 0, .group = PLAN_NONE};

    (void)state;
    still_ns = 1000 * NS_PER_S;
    fixture->base.clock = &clock;
    assert_int_equal(plan_make(&plan, &fixture->bus), 0);
    assert_int_equal(devices_make(&devices, &plan, &fixture->base), 0);
    devices_heard(&devices, &heard, 2, 5 * NS_PER_MS);
    short_ns = 4 * (5 * NS_PER_MS - 7 * plan.byte_ns) + 20 * NS_PER_MS + 7 * plan.byte_ns;
    for (uint32_t unit = 0; unit < 2; unit++) {
        for (int i = 0; i < DEVICE_FAILURES_MAX; i++)
            devices_failed(&devices, unit, STATUS_TIMEOUT);
        for (int i = 1; i <= 16; i++) {
            struct plan_block *block =
                devices_probe(&devices, devices.items[unit].probe_ns, INT64_MAX, &wake);

            assert_non_null(block);
            assert_int_equal(block->device, unit);
            assert_int_equal(devices_timeout_ns(&devices, block),
                             i % 8 == 0 ? TIMEOUT_MS * NS_PER_MS : short_ns);
            /* Asking changes nothing; having asked the device does. */
            assert_ptr_equal(
                devices_probe(&devices, devices.items[unit].probe_ns, INT64_MAX, &wake), block);
            devices_probed(&devices, devices.items[unit].probe_ns, 0);
            devices.items[unit].probe_ns += NS_PER_S;
        }
        devices.items[unit].probe_ns = INT64_MAX / 2;
    }
    devices_free(&devices);
    plan_free(&plan);
    fixture->base.clock = &clock_system;
    go(fixture);
    stop(fixture);
}

struct seen {
    int64_t regs[300];
    struct value values[300];
    size_t count;
};

static void see(void *context, int64_t reg, const struct value *value, uint16_t status)
{
    struct seen *seen = context;

    assert_int_equal(status, STATUS_GOOD);
    seen->regs[seen->count] = reg;
    seen->values[seen->count++] = *value;
}

static void reads_once_without_a_gateway(void **state)
{
    struct hostile_slave *slave = hostile_start(true, 100);
    struct seen seen = {.count = 0};
    char why[200] = "", host[32];
    struct modbus_read read = {.unit = 3, .reg = 40011, .count = 200, .timeout_ns = NS_PER_S};

    (void)state;
    snprintf(host, sizeof host, "127.0.0.1:%u", slave->tcp_port);
    read.host = host;
    assert_int_equal(modbus_read_once(&read, see, &seen, why, sizeof why), 0);
    assert_int_equal(seen.count, 200);
    for (unsigned i = 0; i < 200; i++) {
        assert_int_equal(seen.regs[i], 40011 + i);
        assert_int_equal(seen.values[i].u, hostile_register(3, 10 + i));
    }
    read.type = "u32";
    read.order = "CDAB";
    read.table = "input";
    read.reg = 4;
    read.count = 1;
    seen.count = 0;
    assert_int_equal(modbus_read_once(&read, see, &seen, why, sizeof why), 0);
    assert_int_equal(seen.values[0].u,
                     (uint32_t)hostile_register(3, 5) << 16 | hostile_register(3, 4));
    read.type = "u61";
    assert_int_equal(modbus_read_once(&read, see, &seen, why, sizeof why), ERR_INVALID);
    assert_non_null(strstr(why, "u61"));
    read.type = NULL;
    read.order = NULL;
    atomic_store(&slave->bad_register, 4);
    assert_int_equal(modbus_read_once(&read, see, &seen, why, sizeof why), ERR_EXCEPTION);
    assert_non_null(strstr(why, "exception 2"));
    hostile_stop(slave);
}

static void reads_once_whatever_is_spoken(void **state)
{
    static const struct {
        enum hostile_frames frames;
        bool network;
        const char *text;
    } ways[] = {{HOSTILE_RTU, false, NULL},
                {HOSTILE_RTU, true, "rtu"},
                {HOSTILE_ASCII, false, "ascii"},
                {HOSTILE_ASCII, true, "ascii"},
                {HOSTILE_TCP, true, "tcp"}};

    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct hostile_slave *slave = hostile_start_as(ways[i].frames, ways[i].network, 100);
        struct seen seen = {.count = 0};
        char why[200] = "", host[32];
        struct modbus_read read = {
            .unit = 3, .reg = 40011, .count = 20, .frames = ways[i].text, .timeout_ns = NS_PER_S};

        snprintf(host, sizeof host, "127.0.0.1:%u", slave->tcp_port);
        if (ways[i].network)
            read.host = host;
        else
            read.port = slave->port;
        assert_int_equal(modbus_read_once(&read, see, &seen, why, sizeof why), 0);
        assert_int_equal(seen.count, 20);
        assert_int_equal(seen.values[19].u, hostile_register(3, 29));
        read.frames = ways[i].network ? "morse" : "tcp";
        assert_int_equal(modbus_read_once(&read, see, &seen, why, sizeof why), ERR_INVALID);
        assert_non_null(strstr(why, "frames"));
        hostile_stop(slave);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_both_devices_over_and_over),
        cmocka_unit_test(reads_ascii_and_what_is_behind_a_device_server),
        cmocka_unit_test(the_load_of_a_line_behind_a_device_server_is_told_when_its_rate_is),
        cmocka_unit_test(a_dead_device_is_told_once_and_the_other_goes_on),
        cmocka_unit_test(a_bad_register_does_not_spoil_its_neighbours),
        cmocka_unit_test(what_was_learnt_is_stored_and_holds_after_a_restart),
        cmocka_unit_test(patience_is_given_to_a_busy_device),
        cmocka_unit_test(a_port_that_is_missing_is_waited_for),
        cmocka_unit_test(a_connection_that_breaks_is_made_again_unnoticed),
        cmocka_unit_test(devices_that_are_silent_behind_a_connection_are_told_for_that),
        cmocka_unit_test(probes_stay_out_of_the_way_of_others),
        cmocka_unit_test(probes_wait_no_longer_than_devices_were_seen_to_take),
        cmocka_unit_test(reads_once_without_a_gateway),
        cmocka_unit_test(reads_once_whatever_is_spoken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
