/* Readings at full quarters of an hour, over summer time and whatever happens to the clock. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "modbus/align.h"
#include "unit/modbus_plan_kit.h"

#define MINUTE_NS (60 * NS_PER_S)
#define HOUR_NS   (60 * MINUTE_NS)

/* 2026-03-29 01:00 and 2026-10-25 01:00 UTC, when summer time begins and ends in Europe. */
#define SPRING_NS (INT64_C(1774746000) * NS_PER_S)
#define AUTUMN_NS (INT64_C(1792890000) * NS_PER_S)

static int64_t berlin(int64_t wall_ns)
{
    return wall_ns >= SPRING_NS && wall_ns < AUTUMN_NS ? 2 * HOUR_NS : HOUR_NS;
}

/* Half past in London is a full hour there. */
static int64_t kolkata(int64_t wall_ns)
{
    (void)wall_ns;
    return 11 * HOUR_NS / 2;
}

/* Half an hour of summer time. */
static int64_t lord_howe(int64_t wall_ns)
{
    return wall_ns >= SPRING_NS && wall_ns < AUTUMN_NS ? 21 * HOUR_NS / 2 : 11 * HOUR_NS;
}

/* Where the moments are, from one at `from_ns` on, and how far apart. */
static void moments_are_as_far_apart_as_they_should_be(void **state)
{
    static const struct {
        align_zone_fn *zone;
        int64_t from_ns, every_ns;
        int64_t apart_min[4];
    } cases[] = {
        {berlin, SPRING_NS - HOUR_NS, 15 * MINUTE_NS, {15, 15, 15, 15}},
        {berlin, SPRING_NS - HOUR_NS, HOUR_NS, {60, 60, 60, 60}},
        {berlin, AUTUMN_NS - 2 * HOUR_NS, HOUR_NS, {60, 60, 60, 60}},
        {berlin, SPRING_NS - 26 * HOUR_NS, 24 * HOUR_NS, {24 * 60, 23 * 60, 24 * 60, 24 * 60}},
        {berlin, AUTUMN_NS - 27 * HOUR_NS, 24 * HOUR_NS, {24 * 60, 25 * 60, 24 * 60, 24 * 60}},
        {berlin, AUTUMN_NS - 3 * HOUR_NS, 2 * HOUR_NS, {120, 180, 120, 120}},
        {berlin, SPRING_NS - 4 * HOUR_NS, 6 * HOUR_NS, {5 * 60, 6 * 60, 6 * 60, 6 * 60}},
        {kolkata, SPRING_NS - HOUR_NS / 2, HOUR_NS, {60, 60, 60, 60}},
        {lord_howe, AUTUMN_NS - HOUR_NS / 2, 30 * MINUTE_NS, {30, 30, 30, 30}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t at_ns = align_begin_ns(cases[i].from_ns, cases[i].every_ns, cases[i].zone);

        if (i == 6) /* 00:00 before the clocks go forward */
            at_ns = align_begin_ns(SPRING_NS - 2 * HOUR_NS, cases[i].every_ns, cases[i].zone);
        for (int j = 0; j < 4; j++) {
            int64_t next_ns = align_next_ns(at_ns, cases[i].every_ns, cases[i].zone);

            assert_int_equal((next_ns - at_ns) / MINUTE_NS, cases[i].apart_min[j]);
            assert_int_equal(align_begin_ns(next_ns, cases[i].every_ns, cases[i].zone), next_ns);
            assert_int_equal(align_begin_ns(next_ns - 1, cases[i].every_ns, cases[i].zone), at_ns);
            at_ns = next_ns;
        }
    }
}

static void a_day_begins_at_local_midnight(void **state)
{
    (void)state;
    /* 00:00 CET on the day that summer time begins is 23:00 UTC of the day before. */
    assert_int_equal(align_begin_ns(SPRING_NS + 5 * HOUR_NS, 24 * HOUR_NS, berlin),
                     SPRING_NS - 2 * HOUR_NS);
    assert_int_equal(align_next_ns(SPRING_NS + 5 * HOUR_NS, 24 * HOUR_NS, berlin),
                     SPRING_NS + 21 * HOUR_NS);
    assert_int_equal(align_next_ns(SPRING_NS, HOUR_NS, kolkata), SPRING_NS + HOUR_NS / 2);
}

/* A machine whose clocks are moved by hand. */
static int64_t mono_ns, wall_ns;
static enum clock_trust trust = CLOCK_SYNCHRONISED;

static int64_t fake_mono(void *context)
{
    (void)context;
    return mono_ns;
}

static int64_t fake_wall(void *context)
{
    (void)context;
    return wall_ns;
}

static enum clock_trust fake_trust(void *context)
{
    (void)context;
    return trust;
}

static const struct clock fake = {.wall_ns = fake_wall, .mono_ns = fake_mono, .trust = fake_trust};

static void begin(struct fixture *fixture, const char *points, int64_t at_wall_ns)
{
    make(fixture, points, 125, 125);
    mono_ns = MOMENT;
    wall_ns = at_wall_ns;
    fixture->plan.clock = &fake;
    plan_start(&fixture->plan, mono_ns);
}

/* Lets that much time pass, in steps of a second; counts the reads and keeps the wall time of the
 * last. */
static unsigned pass(struct fixture *fixture, int64_t span_ns, int64_t *last_wall_ns)
{
    unsigned reads = 0;

    for (int64_t end_ns = mono_ns + span_ns;;) {
        struct plan_block *block;
        int64_t wake_ns;

        while ((block = plan_next(&fixture->plan, mono_ns, &wake_ns))) {
            reads++;
            *last_wall_ns = wall_ns;
            plan_done(&fixture->plan, block, mono_ns);
        }
        if (mono_ns >= end_ns)
            return reads;
        mono_ns += NS_PER_S;
        wall_ns += NS_PER_S;
    }
}

static void reads_at_full_quarters(void **state)
{
    struct fixture fixture;
    int64_t last_ns = 0;

    (void)state;
    begin(&fixture, "3@0+1/900000a", SPRING_NS + 7 * MINUTE_NS);
    assert_int_equal(pass(&fixture, 8 * MINUTE_NS - NS_PER_S, &last_ns), 0);
    assert_int_equal(pass(&fixture, NS_PER_S, &last_ns), 1);
    assert_int_equal(last_ns, SPRING_NS + 15 * MINUTE_NS);
    assert_int_equal(pass(&fixture, 5 * HOUR_NS, &last_ns), 20);
    assert_int_equal(last_ns, SPRING_NS + 5 * HOUR_NS + 15 * MINUTE_NS);
    plan_free(&fixture.plan);
}

static void reads_each_hour_once_when_summer_time_begins_and_ends(void **state)
{
    static const int64_t starts_ns[] = {SPRING_NS - 3 * HOUR_NS + MINUTE_NS,
                                        AUTUMN_NS - 3 * HOUR_NS + MINUTE_NS};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct fixture fixture;
        int64_t last_ns = 0;

        begin(&fixture, "3@0+1/3600000a", starts_ns[i]);
        assert_int_equal(pass(&fixture, 6 * HOUR_NS, &last_ns), 6);
        assert_int_equal(last_ns, starts_ns[i] - MINUTE_NS + 6 * HOUR_NS);
        plan_free(&fixture.plan);
    }
}

/* The clock is stepped at 10:15:02 or 10:14:50 by so much. */
static void a_step_of_the_clock_makes_no_reading_twice_and_leaves_none_out(void **state)
{
    static const struct {
        int64_t at_s, step_s;
        unsigned at_once, until_next; /* readings up to and with the next quarter */
    } cases[] = {
        {902, -4, 0, 0},    /* back over 10:15, which has been read: not again */
        {902, -300, 0, 0},  /* the same */
        {890, 20, 1, 1},    /* forward over 10:15: made up for */
        {890, 5, 0, 1},     /* it stays ahead */
        {890, -5, 0, 1},    /* it stays ahead */
        {902, 3600, 1, 1},  /* over four of them: one reading, now */
        {902, -7200, 0, 1}, /* a clock that was wrong: its quarters are new ones */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture fixture;
        int64_t last_ns = 0, slot_ns;

        begin(&fixture, "3@0+1/900000a", SPRING_NS + 10 * HOUR_NS - HOUR_NS);
        pass(&fixture, HOUR_NS, &last_ns);
        pass(&fixture, cases[i].at_s * NS_PER_S, &last_ns);
        wall_ns += cases[i].step_s * NS_PER_S;
        assert_int_equal(pass(&fixture, 0, &last_ns), cases[i].at_once);
        slot_ns = align_next_ns(wall_ns, 15 * MINUTE_NS, berlin);
        assert_int_equal(pass(&fixture, slot_ns - wall_ns, &last_ns), cases[i].until_next);
        assert_int_equal(pass(&fixture, 15 * MINUTE_NS, &last_ns), 1);
        plan_free(&fixture.plan);
    }
}

static void keeps_the_interval_until_the_clock_is_set(void **state)
{
    struct fixture fixture;
    int64_t last_ns = 0;

    (void)state;
    trust = CLOCK_UNSET;
    begin(&fixture, "3@0+1/900000a", 0);
    assert_int_equal(pass(&fixture, 0, &last_ns), 1);
    assert_int_equal(pass(&fixture, 20 * MINUTE_NS, &last_ns), 1);
    /* It is 12:07. */
    trust = CLOCK_SYNCHRONISED;
    wall_ns = SPRING_NS + 11 * HOUR_NS + 7 * MINUTE_NS;
    assert_int_equal(pass(&fixture, 8 * MINUTE_NS - NS_PER_S, &last_ns), 0);
    assert_int_equal(pass(&fixture, NS_PER_S, &last_ns), 1);
    assert_int_equal(last_ns % (15 * MINUTE_NS), 0);
    assert_int_equal(pass(&fixture, 30 * MINUTE_NS, &last_ns), 2);
    plan_free(&fixture.plan);
}

static void what_is_aligned_stands_beside_what_is_not(void **state)
{
    struct fixture fixture;
    int64_t last_ns = 0;

    (void)state;
    begin(&fixture, "3@0+1/60000 3@1+1/60000a", SPRING_NS + 30 * NS_PER_S);
    assert_int_equal(pass(&fixture, 10 * MINUTE_NS - NS_PER_S, &last_ns), 10 + 10);
    plan_free(&fixture.plan);
}

static int set_zone(void **state)
{
    (void)state;
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_as_far_apart_as_they_should_be),
        cmocka_unit_test(a_day_begins_at_local_midnight),
        cmocka_unit_test(reads_at_full_quarters),
        cmocka_unit_test(reads_each_hour_once_when_summer_time_begins_and_ends),
        cmocka_unit_test(a_step_of_the_clock_makes_no_reading_twice_and_leaves_none_out),
        cmocka_unit_test(keeps_the_interval_until_the_clock_is_set),
        cmocka_unit_test(what_is_aligned_stands_beside_what_is_not),
    };

    return cmocka_run_group_tests(tests, set_zone, NULL);
}
