/* When the intervals of a table begin, and what that costs. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "unit/modbus_plan_kit.h"
#include "unit/random.h"

static void slow_neighbours_come_in_turn_where_they_do_not_fit_into_one_read(void **state)
{
    struct fixture fixture;
    unsigned left = 0, right = 0;

    (void)state;
    make(&fixture, "3@98+2/2000 3@100+1/1000 3@101+2/10000", 3, 0);
    plan_start(&fixture.plan, MOMENT);
    assert_reads(&fixture, MOMENT, "3@100+3 3@98+2");
    for (int64_t second = 1; second <= 20; second++) {
        char found[4096];

        read_all(&fixture, MOMENT + second * NS_PER_S, found, sizeof found);
        left += strcmp(found, "3@98+3") == 0;
        right += strcmp(found, "3@100+3") == 0;
        assert_null(strchr(found, ' '));
    }
    assert_int_equal(left, 10);
    assert_int_equal(right, 2);
    plan_free(&fixture.plan);
}

static void slow_neighbours_come_together_where_they_fit(void **state)
{
    struct fixture fixture;
    unsigned all = 0;

    (void)state;
    make(&fixture, "3@98+2/2000 3@100+1/1000 3@101+2/10000", 5, 0);
    plan_start(&fixture.plan, MOMENT);
    for (int64_t second = 0; second < 20; second++) {
        char found[4096];

        read_all(&fixture, MOMENT + second * NS_PER_S, found, sizeof found);
        all += strcmp(found, "3@98+5") == 0;
        assert_null(strchr(found, ' '));
    }
    assert_int_equal(all, 2);
    plan_free(&fixture.plan);
}

/* Reads all that is due from `from_ns` on; what that took and how many reads it were. */
static double walk(struct fixture *fixture, int64_t from_ns, int64_t until_ns, unsigned *reads)
{
    struct merge_terms terms = plan_terms(&fixture->plan, 0, MODBUS_HOLDING_REGISTERS);
    int64_t now_ns = from_ns, sum_ns = 0, wake_ns;

    *reads = 0;
    while (now_ns < until_ns) {
        struct plan_block *block = plan_next(&fixture->plan, now_ns, &wake_ns);

        if (!block) {
            now_ns = wake_ns;
            continue;
        }
        sum_ns += merge_cost_ns(&terms, block->count);
        *reads += 1;
        plan_done(&fixture->plan, block, now_ns);
    }
    return (double)sum_ns / (double)(until_ns - from_ns);
}

static void what_is_foretold_is_what_the_rounds_take(void **state)
{
    static const struct {
        const char *points;
        int64_t max_block, repeat_s;
    } cases[] = {
        {"3@0+1/1000", 125, 1},
        {"3@0+2/1000 3@2+2/5000", 125, 5},
        {"3@0+2/2000 3@2+2/5000", 125, 10},
        {"3@0+2/2000 3@2+2/5000 3@9+9/7000", 9, 70},
        {"3@98+2/2000 3@100+1/1000 3@101+2/10000", 3, 10},
        {"3@0+4/1000 3@4+4/2000 3@8+4/4000 3@12+4/8000 3@16+4/16000", 10, 16},
        {"3@0+4/6000 3@4+4/10000 3@8+4/15000 3@12+1/20000", 10, 60},
        {"3@0+9/250 3@9+9/1500 3@18+9/10000 3@27+9/60000 3@36+9/3600000", 20, 3600},
        {"3@0+1/1000 3@1+1/2000 3@2+1/3000 3@3+1/4000 3@4+1/5000 3@5+1/6000 3@6+1/10000", 3, 60},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture fixture;
        double share, reads_per_s, walked;
        unsigned reads;
        int64_t begin_ns = MOMENT + cases[i].repeat_s * NS_PER_S;

        make(&fixture, cases[i].points, cases[i].max_block, 0);
        plan_demand(&fixture.plan, 0, &share, &reads_per_s);
        plan_start(&fixture.plan, MOMENT);
        walk(&fixture, MOMENT, begin_ns, &reads);
        walked = walk(&fixture, begin_ns, begin_ns + cases[i].repeat_s * NS_PER_S, &reads);
        assert_true(share > walked * 0.9999 && share < walked * 1.0001);
        assert_true(reads_per_s * (double)cases[i].repeat_s > reads - 0.001);
        assert_true(reads_per_s * (double)cases[i].repeat_s < reads + 0.001);
        plan_free(&fixture.plan);
    }
}

/* Whatever the phases, no point is read more or less often than it is wanted. */
static void keeps_each_interval_whatever_the_phases(void **state)
{
    static const int64_t intervals_s[] = {1, 2, 3, 5, 10, 15};
    uint64_t seed = 7;

    (void)state;
    for (unsigned round = 0; round < 50; round++) {
        struct fixture fixture;
        char text[400] = "";
        size_t length = 0;
        unsigned seen[12] = {0};
        int64_t every_s[12];

        for (unsigned i = 0; i < 12; i++) {
            every_s[i] = intervals_s[random_below(&seed, 6)];
            length += (size_t)snprintf(text + length, sizeof text - length, " 3@%u+3/%d", 3 * i,
                                       (int)every_s[i] * 1000);
        }
        make(&fixture, text, 4 + (int64_t)random_below(&seed, 20), 125);
        plan_start(&fixture.plan, MOMENT);
        for (int64_t second = 0; second < 60; second++) {
            struct plan_block *block;
            int64_t now_ns = MOMENT + second * NS_PER_S, wake_ns;

            while ((block = plan_next(&fixture.plan, now_ns, &wake_ns))) {
                for (uint32_t i = 0; i < block->points; i++) {
                    const struct site_point *point = plan_point(&fixture.plan, block, i);

                    if (point && second >= 30)
                        seen[point - fixture.points]++;
                }
                plan_done(&fixture.plan, block, now_ns);
            }
        }
        for (unsigned i = 0; i < 12; i++)
            assert_int_equal(seen[i], 30 / every_s[i]);
        plan_free(&fixture.plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_neighbours_come_in_turn_where_they_do_not_fit_into_one_read),
        cmocka_unit_test(slow_neighbours_come_together_where_they_fit),
        cmocka_unit_test(what_is_foretold_is_what_the_rounds_take),
        cmocka_unit_test(keeps_each_interval_whatever_the_phases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
