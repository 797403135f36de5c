/* Several requests at once on a Modbus TCP connection: a unit that is dead does not hold up those
 * beside it, and a server that does not take that is left in peace. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/loop.h"
#include "modbus/tcp_bus_inside.h"
#include "unit/tcp_rig.h"

#define DEAD       200
#define SLOW       201
#define SLOW_NS    (250 * NS_PER_MS) /* that the slow unit takes: more than their interval */
#define EVERY_NS   (100 * NS_PER_MS)
#define TIMEOUT_NS (1 * NS_PER_S)
#define AT_IT_NS   (300 * NS_PER_MS) /* that a server is at a request to the dead unit */

/* Of the manners of a server that does one thing at a time. */
struct busy {
    struct rig_server base; /* first */
    int64_t until_ns;
    _Atomic unsigned disturbed; /* requests that came meanwhile */
};

static void answer_the_living(struct rig_server *server, int fd, const uint8_t *request)
{
    if (request[6] != DEAD)
        rig_answer(server, fd, request);
}

/* Its answer comes between those of the others. */
struct slow {
    struct rig_server base; /* first */
    uint8_t request[RIG_REQUEST_SIZE];
    int64_t at_ns; /* 0: none is under way */
};

static void answer_one_slowly(struct rig_server *server, int fd, const uint8_t *request)
{
    struct slow *slow = (struct slow *)server;
    int64_t now_ns = clock_mono(&clock_system);

    if (slow->at_ns && now_ns >= slow->at_ns) {
        rig_answer(server, fd, slow->request);
        slow->at_ns = 0;
    }
    if (request[6] != SLOW) {
        rig_answer(server, fd, request);
        return;
    }
    memcpy(slow->request, request, sizeof slow->request);
    slow->at_ns = now_ns + SLOW_NS;
}

static bool is_at_it(struct rig_server *server, const uint8_t *request)
{
    struct busy *busy = (struct busy *)server;
    int64_t now_ns = clock_mono(&clock_system);

    if (now_ns < busy->until_ns) {
        atomic_fetch_add(&busy->disturbed, 1);
        return true;
    }
    if (request[6] == DEAD)
        busy->until_ns = now_ns + AT_IT_NS;
    return false;
}

static void forget_what_comes_meanwhile(struct rig_server *server, int fd, const uint8_t *request)
{
    if (!is_at_it(server, request))
        answer_the_living(server, fd, request);
}

static void hang_up_when_disturbed(struct rig_server *server, int fd, const uint8_t *request)
{
    if (is_at_it(server, request)) {
        ((struct busy *)server)->until_ns = 0;
        shutdown(fd, SHUT_RDWR);
    } else {
        answer_the_living(server, fd, request);
    }
}

/* Ten units, the first of which may be the dead one. */
static void ten_units(struct rig_bus *bus, uint16_t port, unsigned first, int64_t in_flight)
{
    rig_bus(bus, port);
    bus->options.timeout_ns = TIMEOUT_NS;
    bus->options.in_flight = in_flight;
    rig_device(bus, first, 3, EVERY_NS);
    for (unsigned unit = 1; unit < RIG_DEVICES; unit++)
        rig_device(bus, unit, 3, EVERY_NS);
}

static unsigned least_good(const struct rig_bus *bus)
{
    unsigned least = UINT32_MAX;

    for (size_t i = 1; i < RIG_DEVICES; i++) {
        if (bus->good[i] < least)
            least = bus->good[i];
    }
    return least;
}

static void nine_units_keep_their_intervals_while_the_tenth_is_dead(void **state)
{
    static struct rig_bus with, without; /* the same without a dead unit, on the same machine */
    struct driver_engine *engine = rig_engine();
    static struct rig_server server;
    unsigned least;

    (void)state;
    rig_start(&server, answer_the_living);
    ten_units(&with, server.port, DEAD, 4);
    ten_units(&without, server.port, 100, 1);
    rig_join(&with, engine);
    rig_join(&without, engine);
    /* Three time-outs of the dead one, and probes of it. */
    RIG_AWAIT(least_good(&without) >= 50 && !atomic_load(&with.stats[0].up) &&
              with.stats[0].timeouts >= 3);
    least = least_good(&with);
    assert_int_equal(with.good[0], 0);
    for (size_t i = 1; i < RIG_DEVICES; i++) {
        assert_in_range(least * 10, without.good[i] * 9, without.good[i] * 11);
        assert_int_equal(with.stats[i].timeouts, 0);
    }
    rig_leave(&with, engine);
    rig_leave(&without, engine);
    driver_modbus_tcp.engine->close(engine);
    rig_stop(&server);
}

static void nine_units_keep_their_intervals_while_the_tenth_is_slow(void **state)
{
    static struct rig_bus with, without;
    static struct slow server;
    static struct rig_server other;
    struct driver_engine *engine = rig_engine();

    (void)state;
    rig_start(&server.base, answer_one_slowly);
    rig_start(&other, rig_answer);
    ten_units(&with, server.base.port, SLOW, 2);
    ten_units(&without, other.port, 100, 1);
    rig_join(&with, engine);
    rig_join(&without, engine);
    RIG_AWAIT(least_good(&without) >= 40);
    for (size_t i = 1; i < RIG_DEVICES; i++)
        assert_in_range(with.good[i] * 10, without.good[i] * 9, without.good[i] * 11);
    assert_true(with.good[0] >= 5);
    assert_true(with.stats[0].up);
    rig_leave(&with, engine);
    rig_leave(&without, engine);
    driver_modbus_tcp.engine->close(engine);
    rig_stop(&server.base);
    rig_stop(&other);
}

/* Nobody goes down for it but the dead one, and the server is disturbed a few times at most. */
static void is_asked_one_at_a_time_afterwards(rig_request_fn *manner, unsigned disturbed_most)
{
    static struct rig_bus bus;
    struct driver_engine *engine = rig_engine();
    static struct busy server;
    unsigned good;

    server = (struct busy){0};
    rig_start(&server.base, manner);
    ten_units(&bus, server.base.port, DEAD, 4);
    bus.options.timeout_ns = AT_IT_NS + 200 * NS_PER_MS;
    rig_join(&bus, engine);
    RIG_AWAIT(bus.stats[0].status == STATUS_TIMEOUT);
    /* From now on it is probed, for less time than the server is at that. */
    assert_in_range(server.disturbed, 1, disturbed_most);
    good = least_good(&bus);
    RIG_AWAIT(least_good(&bus) >= good + 20 && bus.stats[0].timeouts >= 4);
    for (size_t i = 1; i < RIG_DEVICES; i++)
        assert_true(atomic_load(&bus.stats[i].up));
    rig_leave(&bus, engine);
    driver_modbus_tcp.engine->close(engine);
    rig_stop(&server.base);
}

static void a_server_that_forgets_what_comes_meanwhile_is_soon_asked_one_at_a_time(void **state)
{
    (void)state;
    is_asked_one_at_a_time_afterwards(forget_what_comes_meanwhile, 9);
}

static void a_server_that_hangs_up_when_disturbed_is_soon_asked_one_at_a_time(void **state)
{
    (void)state;
    is_asked_one_at_a_time_afterwards(hang_up_when_disturbed, 2);
}

/* Answers until it is told otherwise, takes two requests then, and hangs up. */
static void hang_up_under_two(struct rig_server *server, int fd, const uint8_t *request)
{
    int manner = atomic_load(&server->manner);

    if (manner == 0)
        rig_answer(server, fd, request);
    else if (atomic_fetch_add(&server->manner, 1) == 2)
        shutdown(fd, SHUT_RDWR);
}

/* What is remembered of the first two units. */
struct glance {
    struct tcp_bus *bus;
    struct fence fences[2];
    _Atomic bool taken;
};

static void glance(void *context)
{
    struct glance *glance = context;

    for (unsigned i = 0; i < 2; i++)
        glance->fences[i] = *tcp_bus_fence(glance->bus, i);
    atomic_store(&glance->taken, true);
}

struct opening {
    struct tcp_shared *shared;
    struct rig_bus *rig;
    struct tcp_bus *bus;
    _Atomic bool done;
};

static void open_bus(void *context)
{
    struct opening *opening = context;

    assert_int_equal(
        tcp_bus_open(&opening->bus, opening->shared, &opening->rig->bus, &opening->rig->host), 0);
    atomic_store(&opening->done, true);
}

static void *serve_loop(void *loop)
{
    assert_int_equal(loop_run(loop), 0);
    return NULL;
}

/* One late reply can come of each: not two of the one at which the break was noticed. */
static void a_connection_that_breaks_under_two_requests_loses_each_once(void **state)
{
    static struct rig_bus bus;
    static struct rig_server server;
    static struct tcp_shared shared;
    struct opening opening = {.shared = &shared, .rig = &bus};
    struct glance seen = {0};
    pthread_t thread;

    (void)state;
    rig_start(&server, hang_up_under_two);
    rig_bus(&bus, server.port);
    bus.options.in_flight = 2;
    rig_device(&bus, 1, 3, EVERY_NS);
    rig_device(&bus, 2, 3, EVERY_NS);
    rig_ready(&bus);
    shared.clock = &clock_system;
    assert_int_equal(loop_open(&shared.loop), 0);
    assert_int_equal(pthread_create(&thread, NULL, serve_loop, shared.loop), 0);
    assert_int_equal(loop_post(shared.loop, open_bus, &opening), 0);
    RIG_AWAIT(atomic_load(&opening.done) && bus.good[0] >= 3 && bus.good[1] >= 3);
    atomic_store(&server.manner, 1);
    RIG_AWAIT(atomic_load(&server.connections) == 2);
    seen.bus = opening.bus;
    assert_int_equal(loop_post(shared.loop, glance, &seen), 0);
    RIG_AWAIT(atomic_load(&seen.taken));
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(seen.fences[i].count, 1);
        assert_false(seen.fences[i].lost[0].settled);
        assert_int_equal(seen.fences[i].lost[0].times, 1);
    }
    loop_stop(shared.loop);
    pthread_join(thread, NULL);
    tcp_bus_close(opening.bus);
    sink_close(bus.host.sink);
    dial_look_ups_close(&shared.look_ups);
    loop_close(shared.loop);
    rig_stop(&server);
}

static struct driver_command command;
static _Atomic(struct driver_command *) queued;
static _Atomic unsigned writes, answers;
static _Atomic uint16_t answered_with;

static struct driver_command *take_command(struct driver_host *host)
{
    (void)host;
    return atomic_exchange(&queued, NULL);
}

static void take_answer(struct driver_host *host, struct driver_command *told, uint16_t status,
                        const struct value *value)
{
    (void)host;
    (void)value;
    assert_ptr_equal(told, &command);
    atomic_store(&answered_with, status);
    atomic_fetch_add(&answers, 1);
}

/* A write has no answer, and the next poll beside it ends the connection. */
static void hang_up_beside_a_write(struct rig_server *server, int fd, const uint8_t *request)
{
    if (request[7] == PDU_WRITE_REGISTER) {
        atomic_fetch_add(&writes, 1);
        atomic_store(&server->manner, 1);
    } else if (atomic_exchange(&server->manner, 0) == 0) {
        rig_answer(server, fd, request);
    } else {
        shutdown(fd, SHUT_RDWR);
    }
}

/* It may have been done: whoever sent it decides about another try. */
static void a_write_beside_which_the_connection_breaks_is_not_sent_again(void **state)
{
    static const struct driver_host_ops taking = {.take_command = take_command,
                                                  .answer = take_answer};
    static struct rig_bus bus;
    static struct rig_server server;
    struct driver_engine *engine = rig_engine();
    unsigned good;

    (void)state;
    rig_start(&server, hang_up_beside_a_write);
    rig_bus(&bus, server.port);
    bus.options.in_flight = 2;
    rig_device(&bus, 1, 3, EVERY_NS);
    rig_device(&bus, 2, 3, EVERY_NS);
    rig_ready(&bus);
    bus.host.ops = &taking;
    assert_int_equal(driver_modbus_tcp.engine->join(engine, &bus.bus, &bus.host), 0);
    RIG_AWAIT(bus.good[0] >= 3 && bus.good[1] >= 3);
    command = (struct driver_command){.device = &bus.devices[0],
                                      .point = &bus.points[0],
                                      .value = {.type = VALUE_U64, .u = 4711},
                                      .expires_mono_ns = INT64_MAX};
    atomic_store(&queued, &command);
    driver_modbus_tcp.engine->wake(engine);
    RIG_AWAIT(answers > 0 && server.connections == 2);
    good = bus.good[0];
    RIG_AWAIT(bus.good[0] >= good + 3);
    assert_int_equal(writes, 1);
    assert_int_equal(answers, 1);
    assert_int_equal(answered_with, STATUS_COMMUNICATION);
    rig_leave(&bus, engine);
    driver_modbus_tcp.engine->close(engine);
    rig_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nine_units_keep_their_intervals_while_the_tenth_is_dead),
        cmocka_unit_test(nine_units_keep_their_intervals_while_the_tenth_is_slow),
        cmocka_unit_test(a_server_that_forgets_what_comes_meanwhile_is_soon_asked_one_at_a_time),
        cmocka_unit_test(a_server_that_hangs_up_when_disturbed_is_soon_asked_one_at_a_time),
        cmocka_unit_test(a_connection_that_breaks_under_two_requests_loses_each_once),
        cmocka_unit_test(a_write_beside_which_the_connection_breaks_is_not_sent_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
