/* The link against a device that misbehaves: it may fail to read, but must never hand over a wrong
 * value. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "unit/link_rig.h"

struct hostile_case {
    enum hostility hostility;
    int result;      /* of the read that meets it */
    unsigned within; /* how many reads later, at most, all is well again */
};

/* Meets the hostility so many times in a row while it reads other registers with requests of the
 * same shape. Says whether the first of them had the result that it should, and all was well again
 * in time. */
static bool meets(struct fixture *fixture, const struct hostile_case *meeting, int times,
                  unsigned address)
{
    bool expected = read_registers(fixture, UNIT, address++, COUNT) == 0;
    unsigned tries = 0;

    hostile_next(fixture->slave, meeting->hostility, times);
    expected &= read_registers(fixture, UNIT, address++, COUNT) == meeting->result;
    for (int more = 1; more < times; more++)
        read_registers(fixture, UNIT, address++, COUNT);
    for (unsigned good = 0; good < 3 && tries < 100; tries++)
        good = read_registers(fixture, UNIT, address++, COUNT) == 0 ? good + 1 : 0;
    return expected && tries <= meeting->within + (unsigned)times + 2;
}

/* Each hostility once, and three times in a row. What came out is checked at each read; how a fault
 * is told may be another when the machine stalls for longer than the time-out, so that is given
 * three chances. */
static void survive(enum hostile_frames frames, bool network, const struct hostile_case *cases,
                    size_t count)
{
    struct fixture fixture;

    set_up_as(&fixture, frames, network);
    fixture.timeout_ns = TIMEOUT_MS * NS_PER_MS;
    for (size_t i = 0; i < count; i++) {
        for (int times = 1; times <= 3; times += 2) {
            bool met = false;

            for (unsigned chance = 0; chance < 3 && !met; chance++)
                met = meets(&fixture, &cases[i], times, 100 * (unsigned)i + 30 * chance);
            if (!met)
                fail_msg("hostility %d, %d times", cases[i].hostility, times);
        }
    }
    tear_down(&fixture);
}

static void hands_over_no_wrong_value_on_a_serial_line(void **state)
{
    static const struct hostile_case cases[] = {
        {HOSTILE_NOT, 0, 1},
        {HOSTILE_SILENT, ERR_TIMEOUT, 1},
        {HOSTILE_LATE, ERR_TIMEOUT, 9},
        {HOSTILE_LATE_EXCEPTION, ERR_TIMEOUT, 9},
        {HOSTILE_HELD_1, ERR_TIMEOUT, 9},
        {HOSTILE_HELD_2, ERR_TIMEOUT, 9},
        {HOSTILE_HELD_3, ERR_TIMEOUT, 9},
        {HOSTILE_TWICE, ERR_PROTOCOL, 1},
        {HOSTILE_FOREIGN, ERR_PROTOCOL, 1},
        {HOSTILE_FOREIGN_BEFORE, 0, 1},
        {HOSTILE_OTHER_FUNCTION, ERR_PROTOCOL, 1},
        {HOSTILE_SHORTER, ERR_PROTOCOL, 1},
        {HOSTILE_LONGER, ERR_PROTOCOL, 1},
        {HOSTILE_TRUNCATED, ERR_CHECKSUM, 1},
        {HOSTILE_DRIBBLE, 0, 1},
        {HOSTILE_DRIBBLE_LONG, ERR_CHECKSUM, 9},
        {HOSTILE_ECHO, ERR_CHECKSUM, 1},
        {HOSTILE_CORRUPT, ERR_CHECKSUM, 1},
        {HOSTILE_NOISE_BEFORE, ERR_CHECKSUM, 1},
        {HOSTILE_NOISE_AFTER, 0, 1},
        {HOSTILE_GARBAGE, ERR_CHECKSUM, 1},
        {HOSTILE_BUSY, ERR_EXCEPTION, 1},
    };

    (void)state;
    survive(HOSTILE_RTU, false, cases, sizeof cases / sizeof cases[0]);
}

/* A colon begins a frame wherever it stands, so noise and echoes before one do no harm. */
static void hands_over_no_wrong_value_by_ascii(void **state)
{
    static const struct hostile_case cases[] = {
        {HOSTILE_ECHO, 0, 1}, /* first: while a reply is in doubt, an echo is one frame too many */

        {HOSTILE_LATE, ERR_TIMEOUT, 9},
        {HOSTILE_TWICE, ERR_PROTOCOL, 1},
        {HOSTILE_FOREIGN, ERR_PROTOCOL, 1},
        {HOSTILE_FOREIGN_BEFORE, 0, 1},
        {HOSTILE_OTHER_FUNCTION, ERR_PROTOCOL, 1},
        {HOSTILE_TRUNCATED, ERR_CHECKSUM, 1},
        {HOSTILE_DRIBBLE, 0, 1},

        {HOSTILE_CORRUPT, ERR_CHECKSUM, 1},
        {HOSTILE_NOISE_BEFORE, 0, 1},
        {HOSTILE_NOISE_AFTER, 0, 1},
        {HOSTILE_BUSY, ERR_EXCEPTION, 1},
    };

    (void)state;
    survive(HOSTILE_ASCII, false, cases, sizeof cases / sizeof cases[0]);
}

static void hands_over_no_wrong_value_over_a_device_server(void **state)
{
    static const struct hostile_case cases[] = {
        {HOSTILE_LATE, ERR_TIMEOUT, 9},       {HOSTILE_HELD_1, ERR_TIMEOUT, 9},
        {HOSTILE_TWICE, ERR_PROTOCOL, 1},     {HOSTILE_FOREIGN_BEFORE, 0, 1},
        {HOSTILE_TRUNCATED, ERR_CHECKSUM, 1}, {HOSTILE_CORRUPT, ERR_CHECKSUM, 1},
        {HOSTILE_HANGS_UP, ERR_IO, 9},        {HOSTILE_NOISE_AFTER, 0, 1},
    };

    (void)state;
    survive(HOSTILE_RTU, true, cases, sizeof cases / sizeof cases[0]);
}

static void hands_over_no_wrong_value_over_tcp(void **state)
{
    static const struct hostile_case cases[] = {
        {HOSTILE_NOT, 0, 1},
        {HOSTILE_SILENT, ERR_TIMEOUT, 1},
        {HOSTILE_LATE, ERR_TIMEOUT, 9},
        {HOSTILE_LATE_EXCEPTION, ERR_TIMEOUT, 9},
        {HOSTILE_HELD_1, ERR_TIMEOUT, 9},
        {HOSTILE_HELD_2, ERR_TIMEOUT, 9},
        {HOSTILE_HELD_3, ERR_TIMEOUT, 9},
        {HOSTILE_TWICE, 0, 1},
        {HOSTILE_FOREIGN, ERR_PROTOCOL, 1},
        {HOSTILE_FOREIGN_BEFORE, 0, 1},
        {HOSTILE_OTHER_FUNCTION, ERR_PROTOCOL, 1},
        {HOSTILE_SHORTER, ERR_PROTOCOL, 1},
        {HOSTILE_LONGER, ERR_PROTOCOL, 1},
        {HOSTILE_TRUNCATED, ERR_CHECKSUM, 1},
        {HOSTILE_DRIBBLE, 0, 1},
        {HOSTILE_DRIBBLE_LONG, ERR_CHECKSUM, 9},
        {HOSTILE_GARBAGE, ERR_IO, 1},
        {HOSTILE_BUSY, ERR_EXCEPTION, 1},
        {HOSTILE_OTHER_TRANSACTION, ERR_PROTOCOL, 1},
        {HOSTILE_OTHER_PROTOCOL, ERR_IO, 1},
        {HOSTILE_WRONG_SIZE, ERR_CHECKSUM, 1},
        {HOSTILE_HANGS_UP, ERR_IO, 1},
    };

    (void)state;
    survive(HOSTILE_TCP, true, cases, sizeof cases / sizeof cases[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_over_no_wrong_value_on_a_serial_line),
        cmocka_unit_test(hands_over_no_wrong_value_by_ascii),
        cmocka_unit_test(hands_over_no_wrong_value_over_a_device_server),
        cmocka_unit_test(hands_over_no_wrong_value_over_tcp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
