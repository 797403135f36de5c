/* When devices that are down are probed, and for how long. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "modbus/devices.h"
#include "unit/bus_rig.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probes_stay_out_of_the_way_of_others),
        cmocka_unit_test(probes_wait_no_longer_than_devices_were_seen_to_take),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
