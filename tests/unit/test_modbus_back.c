/* A Modbus bus that comes back from a loan: what was known of its devices is known still. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/error.h"
#include "unit/bus_rig.h"

#define BAD     5 /* the register that unit 1 does not have */
#define SETTLED 25
#define LOANS   3

/* The part of the host that lends: whether it is, whether the driver has let go of its port, and
 * whether everybody is told. */
static atomic_bool is_lent, is_gone, is_told;

static void note_lent(struct driver_host *base, bool lent)
{
    struct fixture *fixture = (struct fixture *)base;

    for (unsigned i = 0; i < 2 && lent && atomic_load(&is_told); i++) {
        atomic_store(&fixture->stats[i].up, false);
        atomic_store(&fixture->stats[i].status, STATUS_LENT);
        sink_state(base->sink, &fixture->devices[i], false, STATUS_LENT);
    }
    atomic_store(&is_gone, lent);
}

static int64_t rest_lent(struct driver_host *base)
{
    (void)base;
    return INT64_MAX;
}

/* As the host's, for a driver that has a thread of its own. */
static bool wait_lent(struct driver_host *base)
{
    uint64_t count;

    if (!atomic_load(&is_lent))
        return false;
    assert_int_equal(read(((struct fixture *)base)->stop_fd, &count, sizeof count), sizeof count);
    note_lent(base, true);
    while (atomic_load(&is_lent))
        poll(NULL, 0, 1);
    note_lent(base, false);
    return true;
}

static const struct driver_host_ops lending = {.wait = wait_or_stop,
                                               .learnt = learnt_before,
                                               .lent = note_lent,
                                               .rest_lent = rest_lent,
                                               .wait_lent = wait_lent};

static void await_gone(bool gone)
{
    int64_t until = clock_mono(&clock_system) + PATIENCE_NS;

    while (atomic_load(&is_gone) != gone) {
        assert_true(clock_mono(&clock_system) < until);
        poll(NULL, 0, 1);
    }
}

static void lend_and_take_back(struct fixture *fixture)
{
    uint64_t one = 1;

    atomic_store(&is_lent, true);
    if (fixture->engine) {
        atomic_store(&fixture->base.lent_ns, clock_mono(&clock_system) + PATIENCE_NS);
        fixture->bus.driver->engine->wake(fixture->engine);
    } else {
        assert_int_equal(write(fixture->stop_fd, &one, sizeof one), sizeof one);
    }
    await_gone(true);
    atomic_store(&is_lent, false);
    if (fixture->engine) {
        atomic_store(&fixture->base.lent_ns, 1);
        fixture->bus.driver->engine->wake(fixture->engine);
    }
    await_gone(false);
}

/* Until nothing new is learnt of unit 1. Returns how often it has refused. */
static uint64_t settle(struct fixture *fixture)
{
    uint64_t refused, before;

    do {
        before = atomic_load(&fixture->stats[0].exceptions);
        await(fixture, events_so_far(fixture), 101, EVENT_READING, STATUS_GOOD, SETTLED);
        refused = atomic_load(&fixture->stats[0].exceptions);
    } while (refused == 0 || refused != before);
    return refused;
}

static struct fixture *start_settled(enum hostile_frames frames, uint64_t *refused)
{
    struct fixture *fixture = start_as(frames, frames == HOSTILE_TCP);

    atomic_store(&is_told, false);
    memset(learnt, 0, sizeof learnt);
    fixture->base.ops = &lending;
    atomic_store(&fixture->slave->bad_register, BAD);
    atomic_store(&fixture->slave->dead_unit, 2);
    go(fixture);
    await(fixture, 0, 200, EVENT_STATE, STATUS_TIMEOUT, 1);
    await(fixture, 0, 101 + BAD, EVENT_READING, STATUS_ILLEGAL_ADDRESS, 1);
    *refused = settle(fixture);
    return fixture;
}

static void check_short_loans(enum hostile_frames frames)
{
    uint64_t refused, after;
    struct fixture *fixture = start_settled(frames, &refused);
    size_t from = events_so_far(fixture);

    for (int i = 0; i < LOANS; i++) {
        size_t begun = events_so_far(fixture);

        lend_and_take_back(fixture);
        await(fixture, begun, 101, EVENT_READING, STATUS_GOOD, SETTLED);
    }
    after = atomic_load(&fixture->stats[0].exceptions);
    stop(fixture);
    assert_int_equal(after, refused); /* it was not asked again */
    assert_int_equal(count_events(fixture, from, 100, EVENT_STATE, STATUS_GOOD), 0);
    assert_int_equal(count_events(fixture, from, 200, EVENT_STATE, STATUS_TIMEOUT), 0);
    assert_int_equal(count_events(fixture, from, 101 + BAD, EVENT_READING, STATUS_ILLEGAL_ADDRESS),
                     0);
    assert_values(fixture);
}

/* All were told to be unread: so they are told what they are again. */
static void check_long_loans(enum hostile_frames frames)
{
    uint64_t refused, after;
    struct fixture *fixture = start_settled(frames, &refused);

    atomic_store(&is_told, true);
    for (int i = 0; i < LOANS; i++) {
        size_t begun = events_so_far(fixture);

        lend_and_take_back(fixture);
        await(fixture, begun, 100, EVENT_STATE, STATUS_GOOD, 1);
        await(fixture, begun, 101, EVENT_READING, STATUS_GOOD, SETTLED);
        await(fixture, begun, 101 + BAD, EVENT_READING, STATUS_ILLEGAL_ADDRESS, 1);
        await(fixture, begun, 200, EVENT_STATE, STATUS_TIMEOUT, 1);
        assert_false(atomic_load(&fixture->stats[1].up));
        assert_int_equal(atomic_load(&fixture->stats[1].status), STATUS_TIMEOUT);
    }
    after = atomic_load(&fixture->stats[0].exceptions);
    stop(fixture);
    assert_int_equal(after, refused);
    assert_values(fixture);
}

static void short_loans_teach_nothing_anew(void **state)
{
    (void)state;
    check_short_loans(HOSTILE_RTU);
    check_short_loans(HOSTILE_TCP);
}

static void after_long_loans_all_is_told_and_nothing_refused_is_asked(void **state)
{
    (void)state;
    check_long_loans(HOSTILE_RTU);
    check_long_loans(HOSTILE_TCP);
}

/* A meter that is read every hour is not called unread for an hour because of a minute. */
static void what_is_read_seldom_is_read_when_the_bus_is_back(void **state)
{
    struct fixture *fixture = start_as(HOSTILE_RTU, false);
    size_t begun;

    (void)state;
    atomic_store(&is_told, true);
    memset(learnt, 0, sizeof learnt);
    fixture->base.ops = &lending;
    for (unsigned i = 0; i < POINTS; i++)
        fixture->points[0][i].every_ns = fixture->points[1][i].every_ns = 3600 * NS_PER_S;
    go(fixture);
    await(fixture, 0, 208, EVENT_READING, STATUS_GOOD, 1);
    begun = events_so_far(fixture);
    lend_and_take_back(fixture);
    await(fixture, begun, 101, EVENT_READING, STATUS_GOOD, 1);
    await(fixture, begun, 208, EVENT_READING, STATUS_GOOD, 1);
    stop(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_loans_teach_nothing_anew),
        cmocka_unit_test(after_long_loans_all_is_told_and_nothing_refused_is_asked),
        cmocka_unit_test(what_is_read_seldom_is_read_when_the_bus_is_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
