/* How links begin and end, and what is special about their lines: deadlines, echoes, adapters that
 * are pulled out, connections that are silent or cannot be made, descriptors. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <sys/resource.h>

#include <cmocka.h>

#include "unit/link_rig.h"

static void keeps_one_deadline_for_the_whole_reply(void **state)
{
    struct fixture fixture;

    (void)state;
    for (int tcp = 0; tcp < 2; tcp++) {
        set_up(&fixture, tcp);
        fixture.timeout_ns = 300 * NS_PER_MS;
        fixture.slave->late_ms = 3000;
        hostile_next(fixture.slave, HOSTILE_DRIBBLE_LONG, 1);
        int64_t start = clock_mono(&clock_system);
        assert_int_equal(read_registers(&fixture, UNIT, 10, COUNT), ERR_CHECKSUM);
        assert_in_range(clock_mono(&clock_system) - start, 300 * NS_PER_MS, 1500 * NS_PER_MS);
        tear_down(&fixture);
    }
}

static void skips_the_echo_of_an_adapter_that_hears_itself(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, false);
    fixture.options.echo = true;
    hostile_next(fixture.slave, HOSTILE_ECHO, 3);
    for (unsigned address = 0; address < 3; address++)
        assert_int_equal(read_registers(&fixture, UNIT, address, COUNT), 0);
    tear_down(&fixture);
}

static void returns_at_once_when_the_bus_is_to_stop(void **state)
{
    uint64_t one = 1;

    (void)state;
    for (int tcp = 0; tcp < 2; tcp++) {
        struct fixture fixture;

        set_up(&fixture, tcp);
        hostile_next(fixture.slave, HOSTILE_SILENT, 1);
        assert_int_equal(write(fixture.stop_fd, &one, sizeof one), sizeof one);
        assert_int_equal(read_registers(&fixture, UNIT, 0, COUNT), ERR_CLOSED);
        tear_down(&fixture);
    }
}

static void closes_when_the_adapter_is_pulled_out(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, false);
    assert_int_equal(read_registers(&fixture, UNIT, 0, COUNT), 0);
    hostile_stop(fixture.slave);
    assert_int_equal(read_registers(&fixture, UNIT, 0, COUNT), ERR_IO);
    assert_false(fixture.link->open);
    assert_int_equal(fixture.link->ops->open(fixture.link), ERR_NOT_FOUND);
    assert_non_null(strstr(fixture.link->why, fixture.port));
    fixture.slave = hostile_start(false, LATE_MS);
    tear_down(&fixture);
}

static void takes_a_connection_that_stays_silent_for_dead(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, true);
    hostile_next(fixture.slave, HOSTILE_SILENT, 3);
    for (int i = 0; i < 3; i++) {
        assert_true(fixture.link->open);
        assert_int_equal(read_registers(&fixture, UNIT, 0, COUNT), ERR_TIMEOUT);
    }
    assert_false(fixture.link->open);
    assert_int_equal(read_registers(&fixture, UNIT, 0, COUNT), 0);
    tear_down(&fixture);
}

/* A server that has lost a byte does not find it again. */
static void hangs_up_where_only_comes_what_answers_nothing(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, true);
    hostile_next(fixture.slave, HOSTILE_OUT_OF_STEP, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(fixture.link->open);
        assert_int_equal(read_registers(&fixture, UNIT, 0, COUNT), ERR_TIMEOUT);
        assert_int_equal(fixture.reply.strays, 1);
    }
    assert_false(fixture.link->open);
    assert_int_equal(read_registers(&fixture, UNIT, 0, COUNT), 0);
    tear_down(&fixture);
}

/* Each answer comes behind the time-out: while the next request has no answer yet, or before that
 * one leaves. */
static void keeps_a_connection_on_which_answers_come_late(void **state)
{
    static const int pauses_ms[] = {0, 100};

    (void)state;
    for (size_t i = 0; i < sizeof pauses_ms / sizeof pauses_ms[0]; i++) {
        struct fixture fixture;

        set_up(&fixture, true);
        fixture.timeout_ns = 400 * NS_PER_MS;
        fixture.slave->late_ms = 450;
        hostile_next(fixture.slave, HOSTILE_LATE, 4);
        for (unsigned j = 0; j < 4; j++) {
            assert_int_equal(read_registers(&fixture, UNIT, 10 * j, COUNT), ERR_TIMEOUT);
            assert_int_equal(fixture.reply.strays, j > 0);
            assert_true(fixture.link->open);
            poll(NULL, 0, pauses_ms[i]);
        }
        tear_down(&fixture);
    }
}

static void says_why_nobody_can_be_reached(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, true);
    fixture.link->ops->close(fixture.link);
    hostile_stop(fixture.slave);
    assert_int_equal(fixture.link->ops->open(fixture.link), ERR_REFUSED);
    assert_non_null(strstr(fixture.link->why, "127.0.0.1"));
    strcpy(fixture.options.host.name, "999.0.0.1");
    assert_int_equal(fixture.link->ops->open(fixture.link), ERR_NAME);
    fixture.slave = hostile_start(true, LATE_MS);
    tear_down(&fixture);
}

static void serves_a_descriptor_that_select_cannot_take(void **state)
{
    struct rlimit before, limit;
    int fds[1100], count = 0;
    struct fixture fixture;

    (void)state;
    set_up(&fixture, false);
    fixture.link->ops->close(fixture.link);
    /* An answer that comes in time is sooner than its bytes could be: so it is seen that this is no
     * wire, on which the answer behind a lost one would be believed only when it is not so soon. */
    fixture.options.line.baud = 300;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = before.rlim_max < 1100 ? before.rlim_max : 1100;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur == 1100) {
        do {
            fds[count] = dup(STDERR_FILENO);
            assert_true(fds[count] >= 0);
        } while (fds[count++] < 1023);
        assert_int_equal(read_registers(&fixture, UNIT, 10, COUNT), 0);
        hostile_next(fixture.slave, HOSTILE_CORRUPT, 1);
        assert_int_equal(read_registers(&fixture, UNIT, 20, COUNT), ERR_CHECKSUM);
        assert_int_equal(read_registers(&fixture, UNIT, 30, COUNT), 0);
    }
    while (count > 0)
        close(fds[--count]);
    setrlimit(RLIMIT_NOFILE, &before);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_one_deadline_for_the_whole_reply),
        cmocka_unit_test(skips_the_echo_of_an_adapter_that_hears_itself),
        cmocka_unit_test(returns_at_once_when_the_bus_is_to_stop),
        cmocka_unit_test(closes_when_the_adapter_is_pulled_out),
        cmocka_unit_test(takes_a_connection_that_stays_silent_for_dead),
        cmocka_unit_test(hangs_up_where_only_comes_what_answers_nothing),
        cmocka_unit_test(keeps_a_connection_on_which_answers_come_late),
        cmocka_unit_test(says_why_nobody_can_be_reached),
        cmocka_unit_test(serves_a_descriptor_that_select_cannot_take),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
