/* Local time by the database of time zones: full hours and days in zones with odd offsets, over
 * summer time, and while threads ask for it. */
// links: driver_modbus sluice_core
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/zone.h"
#include "modbus/align.h"

#define MINUTE_NS (60 * NS_PER_S)
#define HOUR_NS   (60 * MINUTE_NS)
#define DAY_NS    (24 * HOUR_NS)

/* 2026-01-01 and 2027-01-01, UTC. */
#define YEAR_BEGINS_NS (INT64_C(1767225600) * NS_PER_S)
#define YEAR_ENDS_NS   (INT64_C(1798761600) * NS_PER_S)

/* Small systems have no database. */
static void need_database(void)
{
    if (zone_find("Europe/Berlin") == ERR_UNSUPPORTED)
        skip();
}

static int64_t since_midnight(int64_t wall_ns)
{
    return (wall_ns + zone_ahead_ns(wall_ns)) % DAY_NS;
}

static void summer_time_comes_and_goes_as_the_database_says(void **state)
{
    static const struct {
        const char *zone;
        int64_t at_s; /* of 2026, when the clocks are changed */
        int before_min, after_min;
    } cases[] = {
        {"Europe/Berlin", 1774746000, 60, 120},        {"Europe/Berlin", 1792890000, 120, 60},
        {"America/New_York", 1772953200, -300, -240},  {"America/New_York", 1793512800, -240, -300},
        {"Pacific/Chatham", 1775311200, 825, 765},     {"Pacific/Chatham", 1790431200, 765, 825},
        {"Australia/Lord_Howe", 1775314800, 660, 630}, {"America/Santiago", 1788667200, -240, -180},
        {"Asia/Kathmandu", 1774746000, 345, 345},      {"UTC", 1774746000, 0, 0},
    };

    (void)state;
    need_database();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t at_ns = cases[i].at_s * NS_PER_S;

        assert_int_equal(zone_set(cases[i].zone), 0);
        assert_int_equal(zone_ahead_ns(at_ns - NS_PER_S), cases[i].before_min * MINUTE_NS);
        assert_int_equal(zone_ahead_ns(at_ns), cases[i].after_min * MINUTE_NS);
    }
}

/* Each moment of a year is a multiple of the interval since midnight, or where the clocks were put
 * forward over one. */
static void moments_of_a_year_keep_to_local_midnight(void **state)
{
    static const char *const zones[] = {"UTC",
                                        "Europe/Berlin",
                                        "America/New_York",
                                        "Asia/Kathmandu",
                                        "Pacific/Chatham",
                                        "Australia/Lord_Howe",
                                        "America/Santiago"};
    static const int64_t intervals_ns[] = {15 * MINUTE_NS, HOUR_NS, 6 * HOUR_NS, DAY_NS};

    (void)state;
    need_database();
    for (size_t i = 0; i < sizeof zones / sizeof zones[0] * 4; i++) {
        int64_t every_ns = intervals_ns[i % 4], days = 0, odd = 0;
        assert_int_equal(zone_set(zones[i / 4]), 0);
        int64_t at_ns = align_begin_ns(YEAR_BEGINS_NS, every_ns, zone_ahead_ns);

        for (; at_ns < YEAR_ENDS_NS; days++) {
            int64_t next_ns = align_next_ns(at_ns, every_ns, zone_ahead_ns);

            assert_true(next_ns > at_ns && next_ns - at_ns <= every_ns + HOUR_NS);
            assert_int_equal(align_begin_ns(next_ns - 1, every_ns, zone_ahead_ns), at_ns);
            odd += since_midnight(next_ns) % every_ns != 0;
            at_ns = next_ns;
        }
        assert_true(odd <= (every_ns < HOUR_NS ? 0 : 2));
        if (every_ns == DAY_NS)
            assert_in_range(days, 365, 366);
    }
}

static void a_day_begins_at_midnight_or_where_the_clocks_skip_it(void **state)
{
    static const struct {
        const char *zone;
        int64_t from_s, begins_s;
    } cases[] = {
        /* 2026-06-10 12:00 UTC; midnight in Kathmandu is 18:15 UTC, in Chatham 11:15 */
        {"Asia/Kathmandu", 1781092800, 1781115300},
        {"Pacific/Chatham", 1781092800, 1781176500},
        {"America/New_York", 1781092800, 1781150400},
        /* 2026-09-06 has no 00:00 in Santiago: its day begins at 01:00, 04:00 UTC */
        {"America/Santiago", 1788660000, 1788667200},
    };

    (void)state;
    need_database();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(zone_set(cases[i].zone), 0);
        assert_int_equal(align_next_ns(cases[i].from_s * NS_PER_S, DAY_NS, zone_ahead_ns),
                         cases[i].begins_s * NS_PER_S);
    }
}

static void a_zone_that_is_none_is_told_and_leaves_utc(void **state)
{
    (void)state;
    need_database();
    assert_int_equal(zone_set("Europe/Berlin"), 0);
    assert_int_equal(zone_set("Europe/Berln"), ERR_NOT_FOUND);
    assert_int_equal(zone_ahead_ns(YEAR_BEGINS_NS), 0);
    assert_int_equal(zone_find("../../etc/passwd"), ERR_NOT_FOUND);
    assert_int_equal(zone_find("/etc/localtime"), ERR_NOT_FOUND);
    assert_int_equal(zone_find(""), ERR_NOT_FOUND);
    setenv("TZDIR", "/nowhere", 1);
    assert_int_equal(zone_find("Europe/Berlin"), ERR_UNSUPPORTED);
    assert_int_equal(zone_find("UTC"), 0);
    unsetenv("TZDIR");
}

static atomic_bool over;
static atomic_int answers, wrong;

static void *ask(void *context)
{
    while (!atomic_load(&over)) {
        int64_t ahead_ns = zone_ahead_ns(YEAR_BEGINS_NS);

        atomic_fetch_add(&answers, 1);
        if (ahead_ns != HOUR_NS && ahead_ns != 345 * MINUTE_NS)
            atomic_fetch_add(&wrong, 1);
    }
    return context;
}

static void threads_may_ask_while_the_zone_is_set(void **state)
{
    pthread_t threads[4];

    (void)state;
    need_database();
    assert_int_equal(zone_set("Europe/Berlin"), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, NULL), 0);
    for (int i = 0; i < 3000 || atomic_load(&answers) < 1000; i++)
        assert_int_equal(zone_set(i % 2 ? "Europe/Berlin" : "Asia/Kathmandu"), 0);
    atomic_store(&over, true);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&wrong), 0);
}

/* Over the nights in which the clocks go forward and back, a time of day is one that was, and no
 * longer ago than a day and an hour. */
static void a_time_of_day_is_the_last_one_in_any_night(void **state)
{
    (void)state;
    need_database();
    assert_int_equal(zone_set("Europe/Berlin"), 0);
    for (int64_t now = YEAR_BEGINS_NS; now < YEAR_ENDS_NS; now += 37 * MINUTE_NS) {
        int64_t wall_ns;

        assert_int_equal(clock_parse("03:30", now, &wall_ns), 0);
        assert_true(wall_ns <= now && wall_ns > now - 25 * HOUR_NS - MINUTE_NS);
        assert_int_equal(since_midnight(wall_ns), 3 * HOUR_NS + 30 * MINUTE_NS);
    }
    zone_set("UTC");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_of_day_is_the_last_one_in_any_night),
        cmocka_unit_test(summer_time_comes_and_goes_as_the_database_says),
        cmocka_unit_test(moments_of_a_year_keep_to_local_midnight),
        cmocka_unit_test(a_day_begins_at_midnight_or_where_the_clocks_skip_it),
        cmocka_unit_test(a_zone_that_is_none_is_told_and_leaves_utc),
        cmocka_unit_test(threads_may_ask_while_the_zone_is_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
