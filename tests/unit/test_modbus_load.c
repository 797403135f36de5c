/* What the points of a bus ask of its line, and what to change when that is more than there is. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "modbus/load.h"
#include "unit/modbus_plan_kit.h"

static void counts_the_bytes_on_the_wire(void **state)
{
    struct fixture fixture;
    struct driver_load load;

    (void)state;
    /* 8 + 5 + 20 bytes of 11 bits, two silences of 38.5 bits, 5 ms: at 9600 baud 50.8 ms. */
    make(&fixture, "3@0+10/1000; 3@0+10/500", 125, 0);
    modbus_rtu_load(&fixture.bus, &load);
    assert_true(load.requests_per_s > 2.999 && load.requests_per_s < 3.001);
    assert_true(load.busy_share > 3 * 0.0508 && load.busy_share < 3 * 0.0509);
    assert_string_equal(load.note, "");
    modbus_tcp_load(&fixture.bus, &load);
    assert_true(load.requests_per_s > 2.999 && load.busy_share < 0);
    plan_free(&fixture.plan);
}

/* One point each second, and one beside it each 5 s or 3 s: by multiples, and round by round. */
static void counts_what_is_read_together_once(void **state)
{
    static const struct {
        const char *points;
        double reads_per_s, registers_per_s;
    } cases[] = {
        {"3@0+1/1000 3@1+1/5000", 1, 1 + 1.0 / 5},
        {"3@0+1/1000 3@1+1/5000 3@2+1/86400000", 1, 1 + 1.0 / 5 + 1.0 / 86400},
        {"3@0+1/2000 3@1+1/3000", 4.0 / 6, 3.0 / 6 + 2.0 / 6},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture fixture;
        struct driver_load load;
        double character_s = 11.0 / 9600, share;

        make(&fixture, cases[i].points, 125, 125);
        modbus_rtu_load(&fixture.bus, &load);
        share = cases[i].reads_per_s * (20 * character_s + 0.005) +
                cases[i].registers_per_s * 2 * character_s;
        assert_true(load.requests_per_s > cases[i].reads_per_s * 0.9999 &&
                    load.requests_per_s < cases[i].reads_per_s * 1.0001);
        assert_true(load.busy_share > share * 0.9999 && load.busy_share < share * 1.0001);
        plan_free(&fixture.plan);
    }
}

static void says_what_to_do_when_a_line_cannot_keep_up(void **state)
{
    static const struct {
        const char *points, *note;
    } cases[] = {
        {"3@0+100/200; 3@0+1/1000",
         "this line needs 1.3 s each second: raise the baud to 19200, or poll first every 500 ms"},
        {"3@0+100/100; 3@0+1/1000",
         "this line needs 2.6 s each second: raise the baud to 38400, or poll first every 500 ms"},
        {"3@0+100/200; 3@0+100/200",
         "this line needs 2.6 s each second: raise the baud to 38400, or poll first and second "
         "every 1 s"},
        {"3@0+100/10; 3@0+1/1000", "this line needs 25.7 s each second: poll first every 500 ms"},
        /* At 19200 baud all would fit, but without any room for retries and probes. */
        {"3@0+100/150; 3@0+1/1000",
         "this line needs 1.7 s each second: raise the baud to 38400, or poll first every 500 ms"},
        /* What is slow already is not slowed down. */
        {"3@0+100/200 4@0+100/60000; 3@0+1/1000",
         "this line needs 1.3 s each second: raise the baud to 19200, or poll first every 500 ms"},
        {"3@0+125/1; 3@0+125/1",
         "this line needs 628.7 s each second: poll first and second every 1 s"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture fixture;
        struct driver_load load;

        make(&fixture, cases[i].points, 125, 0);
        modbus_rtu_load(&fixture.bus, &load);
        assert_string_equal(load.note, cases[i].note);
        plan_free(&fixture.plan);
    }
}

/* Its advice holds: with the rate or the interval that it names there is nothing to tell. */
static void its_advice_helps(void **state)
{
    struct fixture fixture;
    struct driver_load load;

    (void)state;
    make(&fixture, "3@0+100/500; 3@0+100/500", 125, 0);
    modbus_rtu_load(&fixture.bus, &load);
    assert_string_equal(
        load.note,
        "this line needs 1.0 s each second: raise the baud to 19200, or poll first every "
        "1 s");
    fixture.bus_options.line.baud = 19200;
    modbus_rtu_load(&fixture.bus, &load);
    assert_string_equal(load.note, "");
    assert_true(load.busy_share < 0.8);
    fixture.bus_options.line.baud = 9600;
    fixture.points[0].every_ns = NS_PER_S;
    modbus_rtu_load(&fixture.bus, &load);
    assert_string_equal(load.note, "");
    assert_true(load.busy_share < 0.8);
    plan_free(&fixture.plan);
}

static void warns_of_reads_that_others_cannot_wait_for(void **state)
{
    struct fixture fixture;
    struct driver_load load;

    (void)state;
    make_on(&fixture, "3@0+125/60000; 3@0+1/1000", 125, 0, 1200);
    modbus_rtu_load(&fixture.bus, &load);
    assert_string_equal(load.note,
                        "a read of first takes 2.48 s, and point is wanted every 1.00 s: lower "
                        "\"max_block\" of first, or poll it less often");
    plan_free(&fixture.plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_the_bytes_on_the_wire),
        cmocka_unit_test(counts_what_is_read_together_once),
        cmocka_unit_test(says_what_to_do_when_a_line_cannot_keep_up),
        cmocka_unit_test(its_advice_helps),
        cmocka_unit_test(warns_of_reads_that_others_cannot_wait_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
