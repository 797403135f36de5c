/* Commands go ahead of polls, between two transactions, however much is due. */
// links: driver_modbus
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/bus_rig.h"

#define COMMANDS 20

static struct driver_command command;
static _Atomic(struct driver_command *) queued;
static _Atomic unsigned taken_at, answered_at; /* after how many requests */
static _Atomic bool answered;

static unsigned asked(struct driver_host *base)
{
    return atomic_load(&((struct fixture *)base)->slave->requests);
}

static struct driver_command *take(struct driver_host *base)
{
    struct driver_command *taken = atomic_exchange(&queued, NULL);

    if (taken)
        atomic_store(&taken_at, asked(base));
    return taken;
}

static void take_answer(struct driver_host *base, struct driver_command *told, uint16_t status,
                        const struct value *value)
{
    (void)status;
    (void)value;
    assert_ptr_equal(told, &command);
    atomic_store(&answered_at, asked(base));
    atomic_store(&answered, true);
}

/* More polls than the bus can do. */
static struct fixture *overload(enum hostile_frames frames, const struct driver_host_ops *taking)
{
    struct fixture *fixture = start_as(frames, frames == HOSTILE_TCP);

    for (unsigned i = 0; i < POINTS; i++)
        fixture->points[0][i].every_ns = fixture->points[1][i].every_ns = NS_PER_MS / 10;
    fixture->base.ops = taking;
    go(fixture);
    await(fixture, 0, fixture->streams[1][0], EVENT_READING, STATUS_GOOD, 1);
    return fixture;
}

static void a_command_waits_for_one_poll_at_most(void **state)
{
    static const enum hostile_frames spoken[] = {HOSTILE_RTU, HOSTILE_ASCII, HOSTILE_TCP};
    struct driver_host_ops taking = ops;

    (void)state;
    taking.take_command = take;
    taking.answer = take_answer;
    for (size_t i = 0; i < sizeof spoken / sizeof spoken[0]; i++) {
        struct fixture *fixture = overload(spoken[i], &taking);

        for (unsigned n = 0; n < COMMANDS; n++) {
            int64_t until = clock_mono(&clock_system) + PATIENCE_NS;

            command = (struct driver_command){
                .device = &fixture->devices[n % 2],
                .point = &fixture->points[n % 2][3],
                .value = {.type = VALUE_U64, .u = n},
                .expires_mono_ns = INT64_MAX,
            };
            atomic_store(&answered, false);
            atomic_store(&queued, &command);
            unsigned after = asked(&fixture->base);
            if (fixture->engine)
                fixture->bus.driver->engine->wake(fixture->engine);
            while (!atomic_load(&answered)) {
                assert_true(clock_mono(&clock_system) < until);
                poll(NULL, 0, 1);
            }
            /* The poll that was under way; then nothing but the write. */
            assert_true((int)(atomic_load(&taken_at) - after) <= 1);
            assert_int_equal(atomic_load(&answered_at) - atomic_load(&taken_at), 1);
        }
        stop(fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_waits_for_one_poll_at_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
