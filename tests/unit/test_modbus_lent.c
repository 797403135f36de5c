/* A Modbus TCP bus that is lent: its connection is let go of, and made again. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/tcp_rig.h"

#define EVERY_NS (20 * NS_PER_MS)
#define FAR_NS   (clock_mono(&clock_system) + 3600 * NS_PER_S)

/* The part of the host that has to do with it. */
static _Atomic bool is_lent;
static _Atomic unsigned rests;

static void note_lent(struct driver_host *host, bool lent)
{
    (void)host;
    atomic_store(&is_lent, lent);
}

static int64_t note_rest(struct driver_host *host)
{
    (void)host;
    atomic_fetch_add(&rests, 1);
    return INT64_MAX;
}

static const struct driver_host_ops lending = {.lent = note_lent, .rest_lent = note_rest};

struct rig {
    struct rig_server server;
    struct rig_bus bus;
    struct driver_engine *engine;
};

static void lend(struct rig *rig, int64_t until_ns)
{
    atomic_store(&rig->bus.host.lent_ns, until_ns);
    driver_modbus_tcp.engine->wake(rig->engine);
}

/* Answers until it is told otherwise. */
static void answer_or_not(struct rig_server *server, int fd, const uint8_t *request)
{
    if (atomic_load(&server->manner) == 0)
        rig_answer(server, fd, request);
}

static struct rig *start_with(int64_t timeout_ns)
{
    static struct rig rig;

    memset(&rig, 0, sizeof rig);
    atomic_store(&is_lent, false);
    atomic_store(&rests, 0);
    rig_start(&rig.server, answer_or_not);
    rig.engine = rig_engine();
    rig_bus(&rig.bus, rig.server.port);
    rig.bus.options.timeout_ns = timeout_ns;
    rig_device(&rig.bus, 1, 3, EVERY_NS);
    rig_ready(&rig.bus);
    rig.bus.host.ops = &lending;
    assert_int_equal(driver_modbus_tcp.engine->join(rig.engine, &rig.bus.bus, &rig.bus.host), 0);
    RIG_AWAIT(rig.bus.good[0] >= 3);
    return &rig;
}

static struct rig *start(void)
{
    return start_with(20 * NS_PER_S);
}

static void stop(struct rig *rig)
{
    rig_leave(&rig->bus, rig->engine);
    driver_modbus_tcp.engine->close(rig->engine);
    rig_stop(&rig->server);
}

static void a_lent_bus_has_no_connection_until_it_comes_back(void **state)
{
    struct rig *rig = start();
    unsigned asked;

    (void)state;
    for (unsigned times = 1; times <= 3; times++) {
        lend(rig, FAR_NS);
        RIG_AWAIT(atomic_load(&is_lent));
        asked = atomic_load(&rig->server.requests);
        driver_modbus_tcp.engine->wake(rig->engine); /* as a command does */
        RIG_AWAIT(atomic_load(&rests) >= 2 * times);
        assert_int_equal(atomic_load(&rig->server.requests), asked);
        assert_int_equal(atomic_load(&rig->server.connections), times);
        lend(rig, 1);
        RIG_AWAIT(atomic_load(&rig->server.connections) == times + 1);
        assert_false(atomic_load(&is_lent));
        assert_true(atomic_load(&rig->bus.host.lent_ns) == 0);
        asked = rig->bus.good[0];
        RIG_AWAIT(rig->bus.good[0] >= asked + 3);
    }
    stop(rig);
}

static void a_lease_ends_by_itself_and_can_be_made_longer(void **state)
{
    struct rig *rig = start();
    unsigned good;

    (void)state;
    lend(rig, clock_mono(&clock_system) + 100 * NS_PER_MS);
    RIG_AWAIT(atomic_load(&is_lent));
    good = rig->bus.good[0];
    RIG_AWAIT(rig->bus.good[0] > good); /* nobody has said that it is over */
    lend(rig, clock_mono(&clock_system) + 100 * NS_PER_MS);
    RIG_AWAIT(atomic_load(&is_lent));
    lend(rig, FAR_NS);
    poll(NULL, 0, 150);
    assert_true(atomic_load(&is_lent));
    stop(rig); /* while it is lent */
}

static void what_is_under_way_comes_to_its_end_first(void **state)
{
    struct rig *rig = start_with(300 * NS_PER_MS);
    int64_t asked_ns;
    unsigned asked;

    (void)state;
    atomic_store(&rig->server.manner, 1);
    asked = atomic_load(&rig->server.requests);
    RIG_AWAIT(atomic_load(&rig->server.requests) > asked + 1);
    asked_ns = clock_mono(&clock_system);
    lend(rig, FAR_NS);
    RIG_AWAIT(atomic_load(&is_lent));
    assert_true(clock_mono(&clock_system) - asked_ns > 100 * NS_PER_MS);
    stop(rig);
}

static void a_lease_that_is_over_before_it_began_changes_nothing(void **state)
{
    struct rig *rig = start();
    unsigned good;

    (void)state;
    lend(rig, 1);
    RIG_AWAIT(atomic_load(&rig->bus.host.lent_ns) == 0);
    good = rig->bus.good[0];
    RIG_AWAIT(rig->bus.good[0] >= good + 3);
    assert_int_equal(atomic_load(&rig->server.connections), 1);
    assert_int_equal(atomic_load(&rests), 0);
    stop(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lent_bus_has_no_connection_until_it_comes_back),
        cmocka_unit_test(a_lease_ends_by_itself_and_can_be_made_longer),
        cmocka_unit_test(what_is_under_way_comes_to_its_end_first),
        cmocka_unit_test(a_lease_that_is_over_before_it_began_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
