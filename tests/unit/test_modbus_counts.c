/* What is counted of each device on a bus: its errors by kind, and its share of the wire. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/error.h"
#include "modbus/polling.h"
#include "unit/bus_rig.h"

/* A clock that stands still, and a bus that nothing runs. */
static int64_t still_ns;

static int64_t still(void *context)
{
    (void)context;
    return still_ns;
}

static enum clock_trust unset(void *context)
{
    (void)context;
    return CLOCK_UNSET;
}

static const struct clock still_clock = {.wall_ns = still, .mono_ns = still, .trust = unset};

static struct fixture *start_still(void)
{
    struct fixture *fixture = start(false);

    still_ns = 1000 * NS_PER_S;
    fixture->base.clock = &still_clock;
    return fixture;
}

static void stop_still(struct fixture *fixture)
{
    sink_close(fixture->base.sink);
    hostile_stop(fixture->slave);
    close(fixture->stop_fd);
}

static void assert_counts(const struct driver_stats *stats, uint64_t timeouts, uint64_t corrupt,
                          uint64_t exceptions, uint64_t unexpected)
{
    assert_int_equal(atomic_load(&stats->timeouts), timeouts);
    assert_int_equal(atomic_load(&stats->corrupt), corrupt);
    assert_int_equal(atomic_load(&stats->exceptions), exceptions);
    assert_int_equal(atomic_load(&stats->unexpected), unexpected);
}

/* Of a read and of another request. */
static void each_error_is_counted_by_its_kind(void **state)
{
    static const struct {
        int result;
        uint8_t exception, strays;
    } outcomes[] = {
        {ERR_TIMEOUT, 0, 0}, {ERR_CHECKSUM, 0, 0}, {ERR_EXCEPTION, 6, 0}, {ERR_PROTOCOL, 0, 1}};
    struct fixture *fixture = start_still();
    struct polling_scratch scratch;
    struct polling polling;
    struct polling_turn turn;
    int64_t wake;
    uint64_t timeouts = 0, corrupt = 0, exceptions = 0, unexpected = 0;

    (void)state;
    assert_int_equal(polling_make(&polling, &fixture->bus, &fixture->base, &scratch, 10 * NS_PER_S),
                     0);
    polling_opened(&polling);
    assert_true(polling_next(&polling, still_ns, &turn, &wake));
    const struct driver_stats *stats = &fixture->stats[turn.block->device];
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        const struct link_reply reply = {.mono_ns = still_ns,
                                         .sent_ns = still_ns - NS_PER_MS,
                                         .requests = 1,
                                         .exception = outcomes[i].exception,
                                         .strays = outcomes[i].strays};

        polling_heard(&polling, turn.block->device, outcomes[i].result, &reply, NS_PER_MS, false);
        polling_put_back(&polling, &turn, outcomes[i].result, &reply, NS_PER_MS);
        timeouts += outcomes[i].result == ERR_TIMEOUT ? 2 : 0;
        corrupt += outcomes[i].result == ERR_CHECKSUM ? 2 : 0;
        exceptions += outcomes[i].result == ERR_EXCEPTION ? 2 : 0;
        unexpected += outcomes[i].strays ? 2 : 0;
        assert_counts(stats, timeouts, corrupt, exceptions, unexpected);
    }
    assert_counts(&fixture->stats[!turn.block->device], 0, 0, 0, 0);
    assert_int_equal(atomic_load(&stats->round_trip_ns), NS_PER_MS);
    polling_free(&polling);
    stop_still(fixture);
}

/* Not of all time: a device that was dear an hour ago need not be so now. */
static void the_share_of_the_bus_is_that_since_the_last_look(void **state)
{
    static const struct {
        int64_t busy_ms[2];
        uint32_t share_ppm[2];
    } looks[] = {{{2500, 100}, {250000, 10000}}, {{500, 100}, {50000, 10000}}, {{0, 0}, {0, 0}}};
    struct fixture *fixture = start_still();
    struct devices devices;
    struct plan plan;

    (void)state;
    assert_int_equal(plan_make(&plan, &fixture->bus), 0);
    assert_int_equal(devices_make(&devices, &plan, &fixture->base), 0);
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
        int64_t wake = INT64_MAX;

        for (int device = 0; device < 2; device++)
            atomic_fetch_add(&fixture->stats[device].busy_ns, looks[i].busy_ms[device] * NS_PER_MS);
        still_ns += 10 * NS_PER_S;
        assert_null(devices_probe(&devices, still_ns, INT64_MAX, &wake));
        for (int device = 0; device < 2; device++)
            assert_int_equal(atomic_load(&fixture->stats[device].share_ppm),
                             looks[i].share_ppm[device]);
    }
    devices_free(&devices);
    plan_free(&plan);
    stop_still(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_error_is_counted_by_its_kind),
        cmocka_unit_test(the_share_of_the_bus_is_that_since_the_last_look),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
