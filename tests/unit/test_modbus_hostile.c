/*
 * Every kind of misbehaviour, thousands of replies long: whole buses, from the wire to the sink,
 * and links of each kind of line. Values may be missing, but none is another's. All run at the same
 * time, since most of it is waiting. SLUICE_LONG=1 makes it ten times as long.
 */
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
#include "modbus/link.h"
#include "modbus/modbus.h"
#include "unit/hostile_slave.h"
#include "unit/random.h"

#define UNIT         7
#define BLOCKS       4
#define BLOCK_SIZE   6
#define POINTS       (BLOCKS * BLOCK_SIZE)
#define APART        100 /* from one block to the next: they have the same shape */
#define TIMEOUT_MS   15
#define LATE_MS      20
#define REPLIES      2000 /* of each kind, on a bus... */
#define LINK_REPLIES 2000 /* ...and on a link */
#define EVERY        8    /* of so many replies one is hostile */
#define GOOD_OF      10   /* one value is believed of so many replies at least */
#define PARTIES_MAX  64
/* Between two requests. A device that is down, or of which too much is outstanding, is left alone
 * for a minute; and the machine may be busy. */
#define PATIENCE_NS (DEVICE_PROBE_MOST_NS + 30 * NS_PER_S)

/* A device that misbehaves in one way, and what reads it. */
struct party {
    struct driver_host base; /* first */
    struct hostile_slave *slave;
    enum hostility hostility;
    const char *line;
    struct modbus_bus_options options;
    struct modbus_device_options device_options;
    struct modbus_point_options point_options[POINTS];
    struct site_point points[POINTS];
    uint32_t streams[POINTS];
    struct site_device device;
    struct site_bus bus;
    struct driver_stats stats;
    struct driver_engine *engine;
    struct link *link;
    pthread_t thread;
    int stop_fd;
    unsigned replies;
    _Atomic unsigned good, wrong;
};

static struct party *parties[PARTIES_MAX];
static size_t party_count;

/* What a line can tell from what it should be. */
static const enum hostility on_a_line[] = {
    HOSTILE_SILENT,  HOSTILE_LATE,           HOSTILE_LATE_EXCEPTION, HOSTILE_HELD_1,
    HOSTILE_HELD_2,  HOSTILE_HELD_3,         HOSTILE_TWICE,          HOSTILE_FOREIGN,
    HOSTILE_SHORTER, HOSTILE_FOREIGN_BEFORE, HOSTILE_OTHER_FUNCTION, HOSTILE_LONGER,
    HOSTILE_DRIBBLE, HOSTILE_TRUNCATED,      HOSTILE_DRIBBLE_LONG,   HOSTILE_ECHO,
    HOSTILE_CORRUPT, HOSTILE_NOISE_BEFORE,   HOSTILE_NOISE_AFTER,    HOSTILE_GARBAGE,
    HOSTILE_BUSY,
};

/* TCP does not damage what it carries; but not every device keeps to the frames. */
static const enum hostility over_tcp[] = {
    HOSTILE_SILENT,
    HOSTILE_LATE,
    HOSTILE_LATE_EXCEPTION,
    HOSTILE_HELD_1,
    HOSTILE_HELD_2,
    HOSTILE_HELD_3,
    HOSTILE_TWICE,
    HOSTILE_FOREIGN,
    HOSTILE_SHORTER,
    HOSTILE_FOREIGN_BEFORE,
    HOSTILE_OTHER_FUNCTION,
    HOSTILE_LONGER,
    HOSTILE_DRIBBLE,
    HOSTILE_TRUNCATED,
    HOSTILE_DRIBBLE_LONG,
    HOSTILE_NOISE_BEFORE,
    HOSTILE_GARBAGE,
    HOSTILE_BUSY,
    HOSTILE_OTHER_TRANSACTION,
    HOSTILE_NEWEST_TRANSACTION,
    HOSTILE_OTHER_PROTOCOL,
    HOSTILE_WRONG_SIZE,
    HOSTILE_HANGS_UP,
};

static int wait_or_stop(struct driver_host *base, int fd, int64_t until_mono_ns)
{
    return wait_readable(fd, ((struct party *)base)->stop_fd, base->clock, until_mono_ns);
}

static const struct driver_host_ops ops = {.wait = wait_or_stop};

static void judge(struct party *party, unsigned address, uint64_t value)
{
    if (value == hostile_register(UNIT, address))
        atomic_fetch_add(&party->good, 1);
    else
        atomic_fetch_add(&party->wrong, 1);
}

/* The end of a bus: what would be published. */
static size_t put(void *context, const struct event *events, size_t count, bool again)
{
    struct party *party = context;

    (void)again;
    for (size_t i = 0; i < count; i++) {
        unsigned index = events[i].stream - 1;

        if (events[i].kind == EVENT_READING && index < POINTS && events[i].status == STATUS_GOOD)
            judge(party, (unsigned)party->point_options[index].reg, events[i].value.u);
    }
    return count;
}

static void tell(struct driver_complaints *complaints, const struct site_device *device,
                 const struct site_point *point, const char *key, const char *sentence)
{
    (void)complaints;
    (void)device;
    (void)point;
    fail_msg("%s: %s", key, sentence);
}

static struct party *invite(const char *line, enum hostile_frames frames, bool network,
                            enum hostility hostility, unsigned replies)
{
    struct party *party = calloc(1, sizeof *party);

    assert_non_null(party);
    assert_true(party_count < PARTIES_MAX);
    parties[party_count++] = party;
    party->line = line;
    party->hostility = hostility;
    party->replies = getenv("SLUICE_LONG") ? 10 * replies : replies;
    party->slave = hostile_start_as(frames, network, LATE_MS);
    atomic_store(&party->slave->hostility, (int)hostility);
    atomic_store(&party->slave->every, EVERY);
    party->stop_fd = eventfd(0, EFD_CLOEXEC);
    party->base = (struct driver_host){.ops = &ops, .clock = &clock_system, .stats = &party->stats};
    party->options = (struct modbus_bus_options){
        .port = network ? NULL : party->slave->port,
        .line = {.baud = network ? 0 : 115200, .data_bits = 8, .stop_bits = 1, .parity = 'N'},
        .ascii = frames == HOSTILE_ASCII,
        .timeout_ns = TIMEOUT_MS * NS_PER_MS,
        .connect_timeout_ns = 5 * NS_PER_S,
        .host.port = party->slave->tcp_port,
    };
    strcpy(party->options.host.name, network ? "127.0.0.1" : "");
    return party;
}

static void describe_bus(struct party *party, const struct driver *driver)
{
    struct driver_complaints complaints = {.tell = tell};

    for (unsigned i = 0; i < POINTS; i++) {
        unsigned reg = i / BLOCK_SIZE * APART + i % BLOCK_SIZE;

        party->point_options[i] =
            (struct modbus_point_options){.reg = reg, .bit = -1, .scale_reg = -1, .scale = 1};
        party->points[i] = (struct site_point){
            .id = "p", .every_ns = NS_PER_MS, .options = &party->point_options[i]};
        party->streams[i] = 1 + i;
    }
    party->device_options = (struct modbus_device_options){
        .unit = UNIT, .numbering = MODBUS_NUMBERING_0, .order = MODBUS_ABCD, .max_block = 125};
    party->device = (struct site_device){.id = "device",
                                         .stream = 100,
                                         .options = &party->device_options,
                                         .points = party->points,
                                         .streams = party->streams,
                                         .point_count = POINTS};
    party->bus = (struct site_bus){.id = "bus",
                                   .driver = driver,
                                   .devices = &party->device,
                                   .device_count = 1,
                                   .options = &party->options};
    assert_int_equal(driver->check(&party->bus, &complaints), 0);
    assert_int_equal(sink_open(&party->base.sink, &party->bus, &clock_system, put, party), 0);
}

static void *run_bus(void *context)
{
    struct party *party = context;

    party->bus.driver->run(&party->bus, &party->base);
    return NULL;
}

static void *run_link(void *context)
{
    struct party *party = context;
    uint64_t random = (uint64_t)party->hostility;
    struct link_reply reply;
    int result = 0;

    while (result != ERR_CLOSED) {
        struct modbus_request request = {
            .unit = UNIT,
            .function = MODBUS_HOLDING_REGISTERS,
            .address = (uint16_t)random_below(&random, 1000),
            .count = (uint16_t)(1 + random_below(&random, 3)),
            .timeout_ns = party->options.timeout_ns,
        };

        if (!party->link->open && (result = party->link->ops->open(party->link)) != 0)
            continue;
        result = party->link->ops->transact(party->link, &request, &reply);
        for (unsigned i = 0; result == 0 && i < request.count; i++)
            judge(party, request.address + i,
                  (uint64_t)(reply.data[2 * i] << 8 | reply.data[2 * i + 1]));
        if (result == ERR_TIMEOUT && reply.requests == 0) /* the unit is to be left alone */
            result = host_wait(&party->base, -1, clock_mono(&clock_system) + NS_PER_S);
    }
    return NULL;
}

static void start_bus(struct party *party, const struct driver *driver,
                      struct driver_engine *engine)
{
    describe_bus(party, driver);
    party->engine = engine;
    if (engine)
        assert_int_equal(driver->engine->join(engine, &party->bus, &party->base), 0);
    else
        assert_int_equal(pthread_create(&party->thread, NULL, run_bus, party), 0);
}

static void start_link(struct party *party)
{
    bool tcp = party->slave->frames == HOSTILE_TCP;

    assert_int_equal(
        (tcp ? link_new_tcp : link_new_line)(&party->link, &party->options, &party->base), 0);
    assert_int_equal(pthread_create(&party->thread, NULL, run_link, party), 0);
}

/* How far it has come: the requests, until they are enough, and then the values that were believed,
 * of which a busy machine lets few be in time. */
static unsigned progress(const struct party *party, bool *done)
{
    unsigned requests = atomic_load(&party->slave->requests), good = atomic_load(&party->good);

    *done = requests >= party->replies && good >= party->replies / GOOD_OF;
    return requests < party->replies ? requests : party->replies + good;
}

/* Until it has been asked and answered often enough. False when that does not go on. */
static bool await(const struct party *party)
{
    struct timespec moment = {.tv_nsec = 5 * NS_PER_MS};
    int64_t moved_ns = clock_mono(&clock_system);
    unsigned before = 0;

    for (;;) {
        bool done;
        unsigned come = progress(party, &done);

        if (done)
            return true;
        if (come != before)
            moved_ns = clock_mono(&clock_system);
        before = come;
        if (clock_mono(&clock_system) - moved_ns > PATIENCE_NS)
            return false;
        nanosleep(&moment, NULL);
    }
}

static void leave(struct party *party)
{
    uint64_t one = 1;

    assert_int_equal(write(party->stop_fd, &one, sizeof one), sizeof one);
    if (party->engine)
        party->bus.driver->engine->leave(party->engine, &party->base);
    else
        pthread_join(party->thread, NULL);
    link_free(party->link);
    sink_close(party->base.sink);
    hostile_stop(party->slave);
    close(party->stop_fd);
}

/* Ends all of them and looks at what they saw. Those that failed end as well: nothing of them is
 * left behind for the next test. */
static void conclude(void)
{
    unsigned failed = 0;

    for (size_t i = 0; i < party_count; i++) {
        if (await(parties[i]))
            continue;
        print_error("%s, hostility %d: does not go on after %u requests and %u values\n",
                    parties[i]->line, parties[i]->hostility,
                    atomic_load(&parties[i]->slave->requests), atomic_load(&parties[i]->good));
        failed++;
    }
    for (size_t i = 0; i < party_count; i++)
        leave(parties[i]);
    for (size_t i = 0; i < party_count; i++) {
        struct party *party = parties[i];

        if (party->wrong) {
            print_error("%s, hostility %d: %u values wrong, %u right\n", party->line,
                        party->hostility, party->wrong, party->good);
            failed++;
        }
        free(party);
    }
    party_count = 0;
    assert_int_equal(failed, 0);
}

static void no_bus_publishes_a_wrong_value(void **state)
{
    struct driver_engine *engine;

    (void)state;
    assert_int_equal(driver_modbus_tcp.engine->open(&engine, &clock_system), 0);
    for (size_t i = 0; i < sizeof on_a_line / sizeof on_a_line[0]; i++)
        start_bus(invite("RTU bus", HOSTILE_RTU, false, on_a_line[i], REPLIES), &driver_modbus_rtu,
                  NULL);
    for (size_t i = 0; i < sizeof over_tcp / sizeof over_tcp[0]; i++)
        start_bus(invite("TCP bus", HOSTILE_TCP, true, over_tcp[i], REPLIES), &driver_modbus_tcp,
                  engine);
    conclude();
    driver_modbus_tcp.engine->close(engine);
}

static void survive(const char *line, enum hostile_frames frames, bool network,
                    const enum hostility *kinds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        start_link(invite(line, frames, network, kinds[i], LINK_REPLIES));
    conclude();
}

static void no_link_hands_over_a_wrong_value(void **state)
{
    size_t on_line = sizeof on_a_line / sizeof on_a_line[0];

    (void)state;
    survive("RTU over TCP", HOSTILE_RTU, true, on_a_line, on_line);
    survive("ASCII", HOSTILE_ASCII, false, on_a_line, on_line);
    survive("ASCII over TCP", HOSTILE_ASCII, true, on_a_line, on_line);
    survive("TCP", HOSTILE_TCP, true, over_tcp, sizeof over_tcp / sizeof over_tcp[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bus_publishes_a_wrong_value),
        cmocka_unit_test(no_link_hands_over_a_wrong_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
