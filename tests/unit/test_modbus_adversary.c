/* Links against a line that does all that it may do wrong, a hundred thousand times: it may fail to
 * answer, but never hands over what is not the answer. The bench does it a million times. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "unit/adversary.h"

#define SEED    UINT64_C(20261126)
#define REPLIES 20000 /* of each kind of line */

static void survive(enum adversary_line line)
{
    static struct adversary adversary;

    adversary_start(&adversary, line, SEED);
    while (adversary.replies < REPLIES && adversary.wrong == 0)
        adversary_ask(&adversary);
    if (adversary.wrong)
        fail_msg("wrong at reply %llu, seed %llu", (unsigned long long)adversary.replies,
                 (unsigned long long)SEED);
    for (int kind = 0; kind < ADVERSARY_KINDS; kind++)
        assert_true(adversary.met[kind] > REPLIES / 100);
    /* And it is not right by saying nothing. */
    assert_true(adversary.good > REPLIES / 10);
    /* Nor by leaving a unit alone for ever. */
    for (unsigned unit = 1; unit <= ADVERSARY_UNITS; unit++)
        assert_true(adversary.good_of[unit] > REPLIES / 40);
    adversary_stop(&adversary);
}

static void hands_over_no_wrong_value_by_rtu_on_a_serial_line(void **state)
{
    (void)state;
    survive(ADVERSARY_RTU_SERIAL);
}

static void hands_over_no_wrong_value_by_rtu_over_a_device_server(void **state)
{
    (void)state;
    survive(ADVERSARY_RTU_NETWORK);
}

static void hands_over_no_wrong_value_by_ascii_on_a_serial_line(void **state)
{
    (void)state;
    survive(ADVERSARY_ASCII_SERIAL);
}

static void hands_over_no_wrong_value_by_ascii_over_a_device_server(void **state)
{
    (void)state;
    survive(ADVERSARY_ASCII_NETWORK);
}

static void hands_over_no_wrong_value_by_modbus_tcp(void **state)
{
    (void)state;
    survive(ADVERSARY_MBAP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_over_no_wrong_value_by_rtu_on_a_serial_line),
        cmocka_unit_test(hands_over_no_wrong_value_by_rtu_over_a_device_server),
        cmocka_unit_test(hands_over_no_wrong_value_by_ascii_on_a_serial_line),
        cmocka_unit_test(hands_over_no_wrong_value_by_ascii_over_a_device_server),
        cmocka_unit_test(hands_over_no_wrong_value_by_modbus_tcp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
