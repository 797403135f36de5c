/* How points become reads, and which read is next. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "unit/modbus_plan_kit.h"

static void merges_neighbours_into_one_read(void **state)
{
    static const struct {
        const char *points;
        int64_t max_block, gap;
        const char *reads;
    } cases[] = {
        {"3@100+1/1000 3@101+2/1000 3@103+4/1000", 125, 0, "3@100+7"},
        {"3@103+4/1000 3@100+1/1000 3@101+2/1000", 125, 0, "3@100+7"},
        {"3@100+1/1000 3@102+1/1000", 125, 0, "3@100+1 3@102+1"},
        {"3@100+1/1000 3@102+1/1000", 125, 1, "3@100+3"},
        {"3@100+1/1000 3@103+1/1000", 125, 1, "3@100+1 3@103+1"},
        {"3@100+2/1000 3@100+1/1000 3@101+1/1000", 125, 0, "3@100+2"},
        {"3@100+4/1000 3@101+1/1000 3@104+1/1000", 125, 0, "3@100+5"},
        {"3@100+1/1000 4@101+1/1000", 125, 125, "3@100+1 4@101+1"},
        {"3@100+1/1000; 3@101+1/1000", 125, 125, "3@100+1 3@101+1"},
        {"3@0+100/1000 3@100+25/1000 3@125+1/1000", 125, 0, "3@0+100 3@100+26"},
        {"3@0+2/1000 3@2+2/1000 3@4+2/1000", 5, 0, "3@0+2 3@2+4"},
        {"3@65534+1/1000 3@65535+1/1000", 125, 0, "3@65534+2"},
        {"1@0+1/1000 1@15+1/1000 1@16+1/1000", 1, 1, "1@0+1 1@15+2"},
        {"1@0+1/1000 1@17+1/1000", 125, 1, "1@0+18"},
        {"1@0+1/1000 1@18+1/1000", 125, 1, "1@0+1 1@18+1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture fixture;

        make(&fixture, cases[i].points, cases[i].max_block, cases[i].gap);
        plan_start(&fixture.plan, MOMENT);
        assert_reads(&fixture, MOMENT, cases[i].reads);
        plan_free(&fixture.plan);
    }
}

/* At 9600 8E1 a second request costs 13 bytes, 3.5 characters of silence on either side and 5 ms:
 * 24.4 characters, as much as 12 registers. */
static void reads_over_a_gap_where_that_is_cheaper_than_another_request(void **state)
{
    static const struct {
        const char *points;
        int32_t baud;
        const char *reads;
    } cases[] = {
        {"3@0+1/1000 3@13+1/1000", 9600, "3@0+14"},
        {"3@0+1/1000 3@14+1/1000", 9600, "3@0+1 3@14+1"},
        {"3@0+1/1000 3@52+1/1000", 115200, "3@0+53"},
        {"3@0+1/1000 3@53+1/1000", 115200, "3@0+1 3@53+1"},
        {"1@0+1/1000 1@190+1/1000", 9600, "1@0+191"},
        {"1@0+1/1000 1@220+1/1000", 9600, "1@0+1 1@220+1"},
        {"3@0+1/1000 3@124+1/1000", 0, "3@0+125"},
        {"3@0+1/1000 3@125+1/1000", 0, "3@0+1 3@125+1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture fixture;

        make_on(&fixture, cases[i].points, 125, 125, cases[i].baud);
        plan_start(&fixture.plan, MOMENT);
        assert_reads(&fixture, MOMENT, cases[i].reads);
        plan_free(&fixture.plan);
    }
}

static void reads_each_point_of_a_device_by_itself_that_wants_it_so(void **state)
{
    struct fixture fixture;

    (void)state;
    make(&fixture, "3@0+1/1000 3@1+2/1000 3@1+1/1000", 125, 125);
    plan_free(&fixture.plan);
    fixture.device_options[0].alone = true;
    assert_int_equal(plan_make(&fixture.plan, &fixture.bus), 0);
    plan_start(&fixture.plan, MOMENT);
    assert_reads(&fixture, MOMENT, "3@0+1 3@1+1 3@1+2");
    plan_free(&fixture.plan);
}

static void plans_anew_when_a_device_takes_longer_than_was_thought(void **state)
{
    struct fixture fixture;

    (void)state;
    make(&fixture, "3@0+1/1000 3@30+1/1000", 125, 125);
    plan_start(&fixture.plan, MOMENT);
    assert_reads(&fixture, MOMENT, "3@0+1 3@30+1");
    plan_latency(&fixture.plan, 0, 50 * NS_PER_MS);
    assert_reads(&fixture, MOMENT + NS_PER_S, "3@0+31");
    plan_latency(&fixture.plan, 0, 51 * NS_PER_MS);
    assert_reads(&fixture, MOMENT + 2 * NS_PER_S, "3@0+31");
    plan_free(&fixture.plan);
}

static void never_asks_for_more_than_the_protocol_allows(void **state)
{
    struct fixture fixture;
    char text[POINTS_MAX * 16] = "";
    size_t length = 0;

    (void)state;
    for (int i = 0; i < 250; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, " 3@%d+1/1000", i);
    make(&fixture, text, 125, 125);
    plan_start(&fixture.plan, MOMENT);
    assert_reads(&fixture, MOMENT, "3@0+125 3@125+125");
    plan_free(&fixture.plan);
}

static void a_slow_point_comes_with_its_fast_neighbours_when_it_is_due(void **state)
{
    struct fixture fixture;

    (void)state;
    make(&fixture, "3@0+10/1000 3@10+2/3000 3@300+1/3000", 125, 125);
    plan_start(&fixture.plan, MOMENT);
    for (int second = 0; second < 9; second++)
        assert_reads(&fixture, MOMENT + second * NS_PER_S,
                     second % 3 == 0 ? "3@0+12 3@300+1" : "3@0+10");
    plan_free(&fixture.plan);
}

static void passes_over_points_that_are_not_due(void **state)
{
    struct fixture fixture;
    struct plan_block *block;
    int64_t wake_ns;

    (void)state;
    make(&fixture, "3@0+1/1000 3@1+1/5000 3@2+1/1000", 125, 0);
    plan_start(&fixture.plan, MOMENT);
    for (int second = 0; second < 6; second++) {
        block = plan_next(&fixture.plan, MOMENT + second * NS_PER_S, &wake_ns);
        assert_int_equal(block->count, 3);
        assert_int_equal(block->points, 3);
        assert_ptr_equal(plan_point(&fixture.plan, block, 0), &fixture.points[0]);
        assert_ptr_equal(plan_point(&fixture.plan, block, 1),
                         second % 5 == 0 ? &fixture.points[1] : NULL);
        assert_ptr_equal(plan_point(&fixture.plan, block, 2), &fixture.points[2]);
        plan_done(&fixture.plan, block, MOMENT + second * NS_PER_S);
    }
    plan_free(&fixture.plan);
}

/* Intervals with nothing in common: each keeps its own, and they share what falls together. */
static void keeps_each_of_many_intervals(void **state)
{
    static const unsigned every_s[] = {1,  2,  3,  5,  7,  11, 13, 17, 19, 23,
                                       29, 31, 37, 41, 43, 47, 53, 59, 61, 67};
    enum { COUNT = sizeof every_s / sizeof every_s[0] };
    struct fixture fixture;
    unsigned reads[COUNT] = {0};
    char text[COUNT * 16] = "";
    size_t length = 0;
    int64_t wake_ns;

    (void)state;
    for (unsigned i = 0; i < COUNT; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, " 3@%u+1/%u", i,
                                   every_s[i] * 1000);
    make(&fixture, text, 125, 125);
    plan_start(&fixture.plan, MOMENT);
    for (int64_t second = 0; second < 1000; second++) {
        struct plan_block *block;

        while ((block = plan_next(&fixture.plan, MOMENT + second * NS_PER_S, &wake_ns))) {
            for (uint32_t i = 0; i < block->points; i++) {
                const struct site_point *point = plan_point(&fixture.plan, block, i);

                if (point)
                    reads[point - fixture.points]++;
            }
            plan_done(&fixture.plan, block, MOMENT + second * NS_PER_S);
        }
    }
    for (unsigned i = 0; i < COUNT; i++) /* and once when it all begins */
        assert_in_range(reads[i], 1000 / every_s[i], 1000 / every_s[i] + 2);
    plan_free(&fixture.plan);
}

static void reads_the_earliest_deadline_first(void **state)
{
    struct fixture fixture;
    int64_t wake_ns;

    (void)state;
    make(&fixture, "3@0+1/60000 4@1+1/1000; 3@2+1/5000", 125, 0);
    assert_null(plan_next(&fixture.plan, MOMENT, &wake_ns));
    plan_start(&fixture.plan, MOMENT);
    for (int64_t wanted = 1000; wanted; wanted = wanted == 1000   ? 5000
                                                 : wanted == 5000 ? 60000
                                                                  : 0) {
        struct plan_block *block = plan_next(&fixture.plan, MOMENT, &wake_ns);

        assert_non_null(block);
        assert_int_equal(block->every_ns, wanted * NS_PER_MS);
        plan_done(&fixture.plan, block, MOMENT);
    }
    assert_null(plan_next(&fixture.plan, MOMENT, &wake_ns));
    assert_int_equal(wake_ns, MOMENT + NS_PER_S);
    plan_free(&fixture.plan);
}

/* Fifty reads that are due each minute take longer than the second that one of them is due in. */
static void a_fast_read_goes_ahead_of_many_slow_ones_of_its_own_table(void **state)
{
    struct fixture fixture;
    char text[51 * 20] = "3@60000+1/1000";
    size_t length = strlen(text);
    int64_t moment = MOMENT, last = MOMENT - NS_PER_S, wake_ns;

    (void)state;
    for (int i = 0; i < 50; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, " 3@%d+1/60000", 200 * i);
    make(&fixture, text, 125, 125);
    plan_start(&fixture.plan, MOMENT);
    while (moment < MOMENT + 60 * NS_PER_S) {
        struct plan_block *block = plan_next(&fixture.plan, moment, &wake_ns);

        if (!block) {
            moment = wake_ns;
            continue;
        }
        if (block->address == 60000) {
            assert_true(moment - last <= 1200 * NS_PER_MS);
            last = moment;
        }
        moment += 200 * NS_PER_MS;
        plan_done(&fixture.plan, block, moment);
    }
    plan_free(&fixture.plan);
}

static void does_not_starve_a_slow_block_on_a_line_that_is_too_busy(void **state)
{
    struct fixture fixture;
    int64_t wake_ns, moment = MOMENT;
    unsigned slow = 0;

    (void)state;
    make(&fixture, "3@0+1/100 4@1+1/100; 3@2+1/5000", 125, 0);
    plan_start(&fixture.plan, moment);
    for (int i = 0; i < 200; i++) {
        struct plan_block *block = plan_next(&fixture.plan, moment, &wake_ns);

        moment += 100 * NS_PER_MS;
        if (!block)
            continue;
        slow += block->every_ns == 5 * NS_PER_S;
        plan_done(&fixture.plan, block, moment);
    }
    assert_in_range(slow, 3, 4);
    plan_free(&fixture.plan);
}

/* Done so late, when is it due again? */
static void keeps_the_interval_without_drift(void **state)
{
    static const struct {
        int64_t done_ms, due_ms;
    } cases[] = {{0, 1000}, {999, 1000}, {1000, 1000}, {1999, 1999}, {2000, 2000}, {7300, 7300}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture fixture;
        struct plan_block *block;
        int64_t done_ns = MOMENT + cases[i].done_ms * NS_PER_MS, wake_ns;

        make(&fixture, "3@0+1/1000", 125, 0);
        plan_start(&fixture.plan, MOMENT);
        plan_done(&fixture.plan, plan_next(&fixture.plan, MOMENT, &wake_ns), done_ns);
        block = plan_next(&fixture.plan, done_ns, &wake_ns);
        assert_int_equal(block ? done_ns : wake_ns, MOMENT + cases[i].due_ms * NS_PER_MS);
        if (block) /* the round after that one is in step with the first */
            assert_int_equal(block->deadline_ns,
                             MOMENT + (cases[i].done_ms / 1000 + 1) * 1000 * NS_PER_MS);
        plan_free(&fixture.plan);
    }
}

static void begins_at_once_and_spreads_what_is_slow_from_then_on(void **state)
{
    struct fixture fixture;

    (void)state;
    make(&fixture, "3@0+1/1000 3@1+1/4000 4@0+1/1000 4@1+1/4000; 3@0+1/1000 3@1+1/4000", 125, 0);
    plan_start(&fixture.plan, MOMENT);
    assert_reads(&fixture, MOMENT, "3@0+2 4@0+2 3@0+2");
    assert_reads(&fixture, MOMENT + 1 * NS_PER_S, "3@0+1 4@0+2 3@0+1");
    assert_reads(&fixture, MOMENT + 2 * NS_PER_S, "3@0+1 4@0+1 3@0+2");
    assert_reads(&fixture, MOMENT + 3 * NS_PER_S, "3@0+1 4@0+1 3@0+1");
    assert_reads(&fixture, MOMENT + 4 * NS_PER_S, "3@0+2 4@0+1 3@0+1");
    assert_reads(&fixture, MOMENT + 5 * NS_PER_S, "3@0+1 4@0+2 3@0+1");
    plan_free(&fixture.plan);
}

static void leaves_out_the_blocks_of_a_paused_device(void **state)
{
    struct fixture fixture;
    int64_t wake_ns;

    (void)state;
    make(&fixture, "3@0+1/1000 3@1+1/9000; 3@0+1/2000", 125, 0);
    plan_start(&fixture.plan, MOMENT);
    plan_pause(&fixture.plan, 0);
    assert_reads(&fixture, MOMENT + NS_PER_S, "3@0+1");
    assert_null(plan_next(&fixture.plan, MOMENT + 1500 * NS_PER_MS, &wake_ns));
    assert_int_equal(wake_ns, MOMENT + 2 * NS_PER_S);
    /* Back again: all of it now, and then in step with the first rounds. */
    plan_resume(&fixture.plan, 0, MOMENT + 1500 * NS_PER_MS);
    assert_reads(&fixture, MOMENT + 1500 * NS_PER_MS, "3@0+2");
    assert_reads(&fixture, MOMENT + 2000 * NS_PER_MS, "3@0+1 3@0+1");
    plan_free(&fixture.plan);
}

static void asks_again_behind_what_is_waiting(void **state)
{
    struct fixture fixture;
    struct plan_block *block;
    int64_t wake_ns;

    (void)state;
    make(&fixture, "3@0+1/1000; 3@7+1/1000", 125, 0);
    plan_start(&fixture.plan, MOMENT);
    block = plan_next(&fixture.plan, MOMENT, &wake_ns);
    assert_int_equal(block->address, 0);
    plan_retry(&fixture.plan, block, MOMENT + NS_PER_MS, MOMENT + NS_PER_MS);
    assert_reads(&fixture, MOMENT + NS_PER_MS, "3@7+1 3@0+1");
    assert_null(plan_next(&fixture.plan, MOMENT + NS_PER_MS, &wake_ns));
    assert_int_equal(wake_ns, MOMENT + NS_PER_S);
    plan_free(&fixture.plan);
}

static void leaves_a_block_out_until_it_may_be_asked_again(void **state)
{
    struct fixture fixture;
    int64_t wake_ns;

    (void)state;
    make(&fixture, "3@0+1/1000", 125, 0);
    plan_start(&fixture.plan, MOMENT);
    plan_give_up(&fixture.plan, plan_next(&fixture.plan, MOMENT, &wake_ns), MOMENT,
                 MOMENT + 60 * NS_PER_S);
    assert_null(plan_next(&fixture.plan, MOMENT + 59 * NS_PER_S, &wake_ns));
    assert_int_equal(wake_ns, MOMENT + 60 * NS_PER_S);
    assert_reads(&fixture, MOMENT + 60 * NS_PER_S, "3@0+1");
    plan_free(&fixture.plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merges_neighbours_into_one_read),
        cmocka_unit_test(reads_over_a_gap_where_that_is_cheaper_than_another_request),
        cmocka_unit_test(reads_each_point_of_a_device_by_itself_that_wants_it_so),
        cmocka_unit_test(plans_anew_when_a_device_takes_longer_than_was_thought),
        cmocka_unit_test(never_asks_for_more_than_the_protocol_allows),
        cmocka_unit_test(a_slow_point_comes_with_its_fast_neighbours_when_it_is_due),
        cmocka_unit_test(passes_over_points_that_are_not_due),
        cmocka_unit_test(keeps_each_of_many_intervals),
        cmocka_unit_test(reads_the_earliest_deadline_first),
        cmocka_unit_test(a_fast_read_goes_ahead_of_many_slow_ones_of_its_own_table),
        cmocka_unit_test(does_not_starve_a_slow_block_on_a_line_that_is_too_busy),
        cmocka_unit_test(keeps_the_interval_without_drift),
        cmocka_unit_test(begins_at_once_and_spreads_what_is_slow_from_then_on),
        cmocka_unit_test(leaves_out_the_blocks_of_a_paused_device),
        cmocka_unit_test(asks_again_behind_what_is_waiting),
        cmocka_unit_test(leaves_a_block_out_until_it_may_be_asked_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
