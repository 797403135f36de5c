/* A whole bus, from its configuration to the events it puts, with a device on the other end that
 * can be told to misbehave. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "unit/bus_rig.h"

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

/* A detour around a request that may still be answered is answered as well. */
static void every_answer_counts_as_one(void **state)
{
    (void)state;
    for (int tcp = 0; tcp < 2; tcp++) {
        struct fixture *fixture = start(tcp);
        uint64_t requests = 0, replies = 0;

        go(fixture);
        await(fixture, 0, 108, EVENT_READING, STATUS_GOOD, 3);
        for (int i = 0; i < 3; i++) {
            hostile_next(fixture->slave, HOSTILE_SILENT, 1);
            await(fixture, events_so_far(fixture), 108, EVENT_READING, STATUS_GOOD, 3);
        }
        stop(fixture);
        for (int i = 0; i < 2; i++) {
            requests += atomic_load(&fixture->stats[i].requests);
            replies += atomic_load(&fixture->stats[i].replies);
        }
        assert_in_range(requests - replies, 3, 4); /* one was under way when it was stopped */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_both_devices_over_and_over),
        cmocka_unit_test(reads_ascii_and_what_is_behind_a_device_server),
        cmocka_unit_test(the_load_of_a_line_behind_a_device_server_is_told_when_its_rate_is),
        cmocka_unit_test(a_dead_device_is_told_once_and_the_other_goes_on),
        cmocka_unit_test(a_bad_register_does_not_spoil_its_neighbours),
        cmocka_unit_test(every_answer_counts_as_one),
        cmocka_unit_test(what_was_learnt_is_stored_and_holds_after_a_restart),
        cmocka_unit_test(patience_is_given_to_a_busy_device),
        cmocka_unit_test(a_port_that_is_missing_is_waited_for),
        cmocka_unit_test(a_connection_that_breaks_is_made_again_unnoticed),
        cmocka_unit_test(devices_that_are_silent_behind_a_connection_are_told_for_that),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
