/* What a device refuses is found out, planned around, remembered, and tried again. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "modbus/learn.h"
#include "unit/modbus_plan_kit.h"

/* A device: which registers it has, and how many it lets be read at once. */
struct world {
    unsigned most;
    unsigned missing[4]; /* registers; 0: none */
    unsigned wall;       /* no read crosses from the register before it; 0: none */
    uint8_t exception;   /* that it refuses addresses with */
    unsigned refusals, reads;
};

static bool answers(const struct world *world, const struct plan_block *block)
{
    unsigned end = (unsigned)block->address + block->count;

    for (size_t i = 0; i < 4; i++) {
        if (world->missing[i] && world->missing[i] >= block->address && world->missing[i] < end)
            return false;
    }
    return !(world->wall && block->address < world->wall && end > world->wall);
}

/* Reads what is due until nothing is. `found`: the reads that were answered. */
static void read_world(struct fixture *fixture, struct world *world, int64_t now_ns, char *found,
                       size_t size)
{
    struct plan_block *block;
    size_t length = 0;
    int64_t wake_ns;

    *found = '\0';
    world->refusals = world->reads = 0;
    while ((block = plan_next(&fixture->plan, now_ns, &wake_ns))) {
        bool large = world->most && block->count > world->most;

        assert_true(world->refusals < 1000);
        if (large || !answers(world, block)) {
            world->refusals++;
            plan_split(&fixture->plan, block, large ? 3 : world->exception, now_ns);
            continue;
        }
        world->reads++;
        length += (size_t)snprintf(found + length, size - length, "%s", length ? " " : "");
        length += name_block(found + length, size - length, block);
        assert_true(length < size);
        plan_done(&fixture->plan, block, now_ns);
    }
}

/* Lets that many seconds pass; returns how many reads were refused. */
static unsigned live(struct fixture *fixture, struct world *world, int64_t *now_ns,
                     unsigned seconds, char *found, size_t size)
{
    unsigned refusals = 0;

    for (unsigned i = 0; i < seconds; i++) {
        *now_ns += NS_PER_S;
        read_world(fixture, world, *now_ns, found, size);
        refusals += world->refusals;
    }
    return refusals;
}

/* `count` neighbours from `first` on. */
static size_t neighbours(char *text, size_t size, unsigned first, unsigned count)
{
    size_t length = 0;

    for (unsigned i = 0; i < count; i++)
        length += (size_t)snprintf(text + length, size - length, " 3@%u+1/1000", first + i);
    return length;
}

static void finds_out_what_a_device_refuses(void **state)
{
    static const struct {
        const char *points; /* NULL: a hundred neighbours from 1 on */
        struct world world;
        const char *reads; /* once it is known */
        unsigned refusals_max;
    } cases[] = {
        {"3@1+1/1000 3@3+1/1000 3@5+1/1000", {.missing = {2}, .exception = 2}, "3@1+1 3@3+3", 4},
        {"3@1+1/1000 3@3+1/1000 3@5+1/1000", {.missing = {2}, .exception = 3}, "3@1+1 3@3+3", 8},
        {"3@1+1/1000 3@3+1/1000 3@5+1/1000 3@7+1/1000",
         {.missing = {2, 6}, .exception = 2},
         "3@1+1 3@3+3 3@7+1",
         8},
        {NULL, {.missing = {37}, .exception = 2}, "3@1+36 3@38+63", 12},
        {NULL, {.missing = {37}, .exception = 3}, "3@1+36 3@38+63", 40},
        {NULL, {.missing = {1, 100}, .exception = 2}, "3@2+98", 20},
        {NULL, {.most = 60, .exception = 2}, "3@1+40 3@41+60", 12},
        {NULL, {.most = 1, .exception = 2}, NULL, 100},
        {NULL, {.wall = 51, .exception = 2}, "3@1+50 3@51+50", 12},
        {NULL, {.most = 60, .missing = {37}, .exception = 2}, "3@1+36 3@38+3 3@41+60", 40},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture fixture;
        struct world world = cases[i].world;
        char points[2048], found[2048];
        int64_t now_ns = MOMENT;
        unsigned refusals;

        neighbours(points, sizeof points, 1, 100);
        make(&fixture, cases[i].points ? cases[i].points : points, 125, 125);
        plan_start(&fixture.plan, now_ns);
        now_ns -= NS_PER_S;
        refusals = live(&fixture, &world, &now_ns, 40, found, sizeof found);
        assert_true(refusals <= cases[i].refusals_max);
        assert_int_equal(world.refusals, 0);
        if (cases[i].reads)
            assert_string_equal(found, cases[i].reads);
        else
            assert_int_equal(world.reads, 100);
        plan_free(&fixture.plan);
    }
}

static void all_points_of_a_refused_register_are_told_and_tried_together(void **state)
{
    struct fixture fixture;
    struct plan_block *block;
    int64_t wake_ns;

    (void)state;
    make(&fixture, "3@7+1/1000 3@7+1/1000 3@7+2/1000", 125, 125);
    plan_start(&fixture.plan, MOMENT);
    block = plan_next(&fixture.plan, MOMENT, &wake_ns);
    assert_false(plan_split(&fixture.plan, block, 2, MOMENT));
    for (uint32_t i = 0; i < 3; i++)
        assert_non_null(plan_point(&fixture.plan, block, i));
    assert_null(plan_next(&fixture.plan, MOMENT + 59 * NS_PER_S, &wake_ns));
    assert_reads(&fixture, MOMENT + 60 * NS_PER_S, "3@7+2");
    /* It was answered: from now on it is read as ever. */
    assert_reads(&fixture, MOMENT + 61 * NS_PER_S, "3@7+2");
    plan_free(&fixture.plan);
}

static void remembers_across_a_restart(void **state)
{
    struct fixture fixture, again;
    struct world world = {.most = 60, .missing = {37, 205}, .exception = 2};
    char points[4096], found[2048], before[2048], text[LEARN_TEXT_SIZE_MAX];
    int64_t now_ns = MOMENT - NS_PER_S;
    size_t size, length = neighbours(points, sizeof points, 1, 100);

    (void)state;
    snprintf(points + length, sizeof points - length, " 3@204+1/1000 3@206+1/1000");
    make(&fixture, points, 125, 125);
    plan_start(&fixture.plan, now_ns + NS_PER_S);
    live(&fixture, &world, &now_ns, 60, before, sizeof before);
    fixture.plan.devices[0].measured_ns = 4300 * NS_PER_US;
    size = learn_text(&fixture.plan, 0, text);
    text[size] = '\0';
    assert_non_null(strstr(text, " answers_us=4300 registers=60 "));
    assert_non_null(strstr(text, " refused=3:37-37"));
    assert_non_null(strstr(text, " cut=3:205-205"));

    make(&again, points, 125, 125);
    assert_int_equal(learn_take(&again.plan, 0, text, size), 0);
    plan_start(&again.plan, MOMENT);
    read_world(&again, &world, MOMENT, found, sizeof found);
    assert_int_equal(world.refusals, 1); /* the register that is tried again */
    assert_string_equal(found, before);
    assert_int_equal(again.plan.devices[0].measured_ns, 4300 * NS_PER_US);
    plan_free(&fixture.plan);
    plan_free(&again.plan);
}

static void forgets_what_was_another_device(void **state)
{
    struct fixture fixture;
    char text[LEARN_TEXT_SIZE_MAX];
    size_t size;

    (void)state;
    make(&fixture, "3@1+1/1000 3@3+1/1000", 125, 125);
    fixture.plan.flags[1] |= PLAN_CUT | PLAN_SURE;
    size = learn_text(&fixture.plan, 0, text);
    assert_int_equal(learn_take(&fixture.plan, 0, text, size), 0);
    fixture.device_options[0].unit = 9;
    assert_int_equal(learn_take(&fixture.plan, 0, text, size), ERR_NOT_FOUND);
    fixture.device_options[0].unit = 1;
    fixture.bus_options.port = "/dev/ttyS2";
    assert_int_equal(learn_take(&fixture.plan, 0, text, size), ERR_NOT_FOUND);
    fixture.bus_options.port = "/dev/ttyS1";
    fixture.devices[0].model = "another";
    assert_int_equal(learn_take(&fixture.plan, 0, text, size), ERR_NOT_FOUND);
    assert_int_equal(learn_take(&fixture.plan, 0, "learnt=2 key=0", 14), ERR_INVALID);
    assert_int_equal(learn_take(&fixture.plan, 0, "", 0), ERR_INVALID);
    plan_free(&fixture.plan);
}

/* Points came and went since: a cut holds where there is still a gap of which it was a part. */
static void what_was_learnt_fits_other_points(void **state)
{
    static const struct {
        const char *points, *word, *reads;
    } cases[] = {
        {"3@1+1/1000 3@9+1/1000", "cut=3:2-8", "3@1+1 3@9+1"},
        {"3@1+1/1000 3@4+1/1000 3@9+1/1000", "cut=3:2-8", "3@1+1 3@4+1 3@9+1"},
        {"3@1+1/1000 3@9+1/1000 3@11+1/1000", "cut=3:2-8", "3@1+1 3@9+3"},
        {"3@1+1/1000 3@2+1/1000", "cut=3:2-8", "3@1+2"},
        {"3@1+1/1000 3@9+1/1000", "cut=4:2-8", "3@1+9"},
        {"3@1+1/1000 3@2+1/1000", "cut=3:2-1", "3@1+1 3@2+1"},
        {"3@1+1/1000 3@2+1/1000 3@3+1/1000", "registers=2", "3@1+1 3@2+2"},
        {"3@1+1/1000 3@2+1/1000", "nonsense=7", "3@1+2"},
        {"3@1+1/1000 3@2+1/1000", "cut=3:99999-7", "3@1+2"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture fixture;
        char text[LEARN_TEXT_SIZE_MAX];
        size_t size;

        make(&fixture, cases[i].points, 125, 125);
        size = learn_text(&fixture.plan, 0, text);
        size += (size_t)snprintf(text + size, sizeof text - size, " %s", cases[i].word);
        assert_int_equal(learn_take(&fixture.plan, 0, text, size), 0);
        plan_start(&fixture.plan, MOMENT);
        assert_reads(&fixture, MOMENT, cases[i].reads);
        plan_free(&fixture.plan);
    }
}

static void tries_all_again_after_a_day(void **state)
{
    struct fixture fixture;
    struct world world = {.missing = {2}, .exception = 2};
    char found[256];
    int64_t now_ns = MOMENT - NS_PER_S;

    (void)state;
    make(&fixture, "3@1+1/1000 3@3+1/1000", 125, 125);
    plan_start(&fixture.plan, MOMENT);
    live(&fixture, &world, &now_ns, 10, found, sizeof found);
    assert_string_equal(found, "3@1+1 3@3+1");
    /* The same firmware: one refused read. */
    now_ns += LEARN_RETEST_NS;
    assert_int_equal(live(&fixture, &world, &now_ns, 10, found, sizeof found), 1);
    assert_string_equal(found, "3@1+1 3@3+1");
    /* Another one. */
    world.missing[0] = 0;
    assert_int_equal(live(&fixture, &world, &now_ns, 10, found, sizeof found), 0);
    assert_string_equal(found, "3@1+1 3@3+1");
    now_ns += LEARN_RETEST_NS;
    live(&fixture, &world, &now_ns, 10, found, sizeof found);
    assert_string_equal(found, "3@1+3");
    plan_free(&fixture.plan);
}

static void its_text_is_bounded(void **state)
{
    struct fixture fixture;
    char points[POINTS_MAX * 20], text[LEARN_TEXT_SIZE_MAX];
    size_t length = 0;

    (void)state;
    for (unsigned i = 0; i < POINTS_MAX; i++)
        length += (size_t)snprintf(points + length, sizeof points - length, " 3@%u+1/1000",
                                   60000 + 3 * i);
    make(&fixture, points, 125, 125);
    for (unsigned i = 0; i < POINTS_MAX; i++)
        fixture.plan.flags[i] |= PLAN_CUT | PLAN_SURE | PLAN_REFUSED;
    assert_in_range(learn_text(&fixture.plan, 0, text), 100, LEARN_TEXT_SIZE_MAX - 1);
    plan_free(&fixture.plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_out_what_a_device_refuses),
        cmocka_unit_test(all_points_of_a_refused_register_are_told_and_tried_together),
        cmocka_unit_test(remembers_across_a_restart),
        cmocka_unit_test(forgets_what_was_another_device),
        cmocka_unit_test(what_was_learnt_fits_other_points),
        cmocka_unit_test(tries_all_again_after_a_day),
        cmocka_unit_test(its_text_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
