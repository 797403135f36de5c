/* A wall clock that was wrong for a while: what was stored is found by time nevertheless. */
// links: sluice_journal
#include "unit/sync_gate.h"

#include "journal/frame.h"
#include "journal/inside.h"
#include "journal/steps.h"

#define DAY_NS (86400 * NS_PER_S)

/* One reading a second, whose value is the second's number, in phases with a clock that is off by
 * so much; `more` readings with each, so that segments roll or do not. */
static const struct {
    int seconds;
    int64_t off_ns;
} phases[] = {{60, 0}, {10, DAY_NS}, {60, 0}, {20, -DAY_NS}, {60, 0}};

#define PHASES (sizeof phases / sizeof phases[0])

static int64_t begin_ns;

static void live(struct kit *kit, int more)
{
    double second = 0;

    kit->options.segment_bytes = 32 * 1024;
    kit_open(kit);
    assert_int_equal(kit_declare(kit, "meter", "seconds"), 1);
    assert_int_equal(kit_declare(kit, "meter", "more"), 2);
    begin_ns = kit->wall_ns;
    for (size_t phase = 0; phase < PHASES; phase++) {
        kit->wall_ns += phases[phase].off_ns;
        for (int s = 0; s < phases[phase].seconds; s++) {
            kit_put(kit, 1, second++);
            kit_fill(kit, 2, 0, more);
            kit_flush(kit);
            kit_pass(kit, NS_PER_S);
        }
        kit->wall_ns -= phases[phase].off_ns;
    }
}

static void see(void *context, const struct event *event)
{
    if (event->stream == 1)
        *(double *)context = event->value.f;
}

static int64_t shown(struct kit *kit, int64_t wall_ns)
{
    double value = -1;

    assert_int_equal(journal_state_at(kit->journal, wall_ns, see, &value), 0);
    return (int64_t)value;
}

/* How many of stream 1 are of that span, and which is the first. */
static int found(struct kit *kit, int64_t from_ns, int64_t to_ns, int64_t *first)
{
    struct reader *reader;
    struct event event;
    int count = 0;

    assert_int_equal(reader_open(&reader, kit->journal, 0), 0);
    assert_int_equal(reader_seek_behind(reader, to_ns), 0);
    uint64_t end_n = reader_position(reader);
    assert_int_equal(reader_seek_time(reader, from_ns), 0);
    while (reader_position(reader) < end_n && reader_next(reader, &event) > 0) {
        if (event.stream != 1 || event.kind != EVENT_READING || event.wall_ns < from_ns ||
            event.wall_ns >= to_ns)
            continue;
        *first = count ? *first : (int64_t)event.value.f;
        count++;
    }
    reader_close(reader);
    return count;
}

static void expect_all(struct kit *kit)
{
    int64_t first = -1;

    for (int at = 0; at < 60; at += 7) {
        const int64_t half_ns = at * NS_PER_S + NS_PER_S / 2;

        /* Before the first step, between them and behind the last: what was read then. */
        assert_int_equal(shown(kit, begin_ns + half_ns), at);
        assert_int_equal(shown(kit, begin_ns + 70 * NS_PER_S + half_ns), 70 + at);
        assert_int_equal(shown(kit, begin_ns + 150 * NS_PER_S + half_ns), 150 + at);
        assert_int_equal(found(kit, begin_ns + at * NS_PER_S, begin_ns + 60 * NS_PER_S, &first),
                         60 - at);
        assert_int_equal(first, at);
        assert_int_equal(
            found(kit, begin_ns + (70 + at) * NS_PER_S, begin_ns + 130 * NS_PER_S, &first),
            60 - at);
        assert_int_equal(first, 70 + at);
        assert_int_equal(
            found(kit, begin_ns + (150 + at) * NS_PER_S, begin_ns + 900 * NS_PER_S, &first),
            60 - at);
        assert_int_equal(first, 150 + at);
    }
    assert_int_equal(found(kit, begin_ns, begin_ns + 900 * NS_PER_S, &first), 180);
    /* What a wrong clock has dated is where it has dated it, */
    assert_int_equal(found(kit, begin_ns + DAY_NS, begin_ns + 2 * DAY_NS, &first), 10);
    assert_int_equal(first, 60);
    assert_int_equal(found(kit, begin_ns - DAY_NS, begin_ns, &first), 20);
    assert_int_equal(first, 130);
    assert_int_equal(shown(kit, begin_ns + 135 * NS_PER_S - DAY_NS + NS_PER_S / 2), 135);
    /* no time of it hides what is newest, and while it was wrong nothing is said to have been. */
    assert_int_equal(shown(kit, begin_ns + 3 * DAY_NS), 209);
    assert_int_equal(shown(kit, INT64_MAX), 209);
    assert_int_equal(shown(kit, begin_ns + 65 * NS_PER_S), 59);
}

static void expect_also_later(struct kit *kit)
{
    expect_all(kit);
    kit_close(kit);
    kit_open(kit);
    expect_all(kit);
}

static void steps_within_a_segment_hide_nothing(void **state)
{
    struct kit *kit = *state;
    struct journal_stats stats;

    live(kit, 0);
    journal_stats(kit->journal, &stats);
    assert_int_equal(stats.segments, 1);
    expect_also_later(kit);
}

static void nor_do_steps_over_several(void **state)
{
    struct kit *kit = *state;
    struct journal_stats stats;

    live(kit, 200);
    journal_stats(kit->journal, &stats);
    assert_true(stats.segments > 4);
    expect_also_later(kit);
}

/* The machine was off, and its clock is behind what is stored. */
static void a_boot_with_a_clock_that_is_behind_hides_nothing(void **state)
{
    struct kit *kit = *state;

    kit_open(kit);
    assert_int_equal(kit_declare(kit, "meter", "seconds"), 1);
    begin_ns = kit->wall_ns;
    for (int second = 0; second < 40; second++) {
        if (second == 20) {
            kit_close(kit);
            kit->options.boot_id = "boot-2";
            kit->mono_ns = 5 * NS_PER_S;
            kit->wall_ns -= 1000 * NS_PER_S;
            kit_open(kit);
        }
        kit_put(kit, 1, second);
        kit_flush(kit);
        kit_pass(kit, NS_PER_S);
    }
    for (int second = 0; second < 19; second++) {
        const int64_t at_ns = begin_ns + second * NS_PER_S + NS_PER_S / 2;

        assert_int_equal(shown(kit, at_ns - 980 * NS_PER_S), 20 + second);
        assert_int_equal(shown(kit, at_ns), second);
    }
    assert_int_equal(shown(kit, kit->wall_ns), 39);
}

/* The disk takes its time and fails: what it held is written again, behind a checkpoint that has
 * all of it. That is no step of the clock. */
static void what_is_written_again_is_no_step(void **state)
{
    struct kit *kit = *state;

    gate_put(kit);
    kit_open(kit);
    assert_int_equal(kit_declare(kit, "meter", "seconds"), 1);
    kit_put(kit, 1, 0);
    kit_flush(kit);
    gate_set(false, 0);
    for (int second = 1; second <= 3; second++) {
        kit_pass(kit, 5 * NS_PER_S);
        kit_put(kit, 1, second);
        gate_await();
    }
    gate_fail(ERR_IO);
    kit_flush(kit);
    kit_pass(kit, 5 * NS_PER_S);
    kit_put(kit, 1, 4);
    kit_flush(kit);
    kit_close(kit);
    kit_open(kit);
    assert_int_equal(kit->journal->state.steps.count, 0);
    assert_int_equal(shown(kit, kit->wall_ns), 4);
}

static int open_gate(void **state)
{
    gate_set(true, 0);
    return kit_teardown(state);
}

static void of_too_many_the_largest_stay(void **state)
{
    struct steps steps;

    (void)state;
    steps_init(&steps);
    for (uint64_t i = 0; i < 3 * STEPS_MAX; i++)
        steps_see(&steps, 10 * i + 1, (int64_t)i * NS_PER_S,
                  i % 2 ? 0 : (i == 100 ? DAY_NS : 2 * NS_PER_S), 1);
    assert_int_equal(steps.count, STEPS_MAX);
    for (uint32_t at = 1; at < steps.count; at++)
        assert_true(steps.table[at].n > steps.table[at - 1].n);
    assert_true(steps_first(&steps, DAY_NS).first_n == 1001);
    steps_clear(&steps);
}

static void a_record_is_what_was_packed_or_nothing(void **state)
{
    uint8_t bytes[RECORD_SIZE_MAX];
    struct steps steps, back;

    (void)state;
    steps_init(&steps);
    steps_init(&back);
    for (uint64_t i = 0; i < 2 * STEPS_MAX; i++)
        steps_see(&steps, i + 1, 0, i % 2 ? INT64_MAX : INT64_MIN, 7);
    struct packer packer = {.at = bytes, .end = bytes + sizeof bytes};
    steps_pack(&steps, &packer);
    size_t size = (size_t)(packer.at - bytes);
    struct unpacker whole = {.at = bytes, .end = bytes + size};
    assert_int_equal(steps_apply(&back, &whole), 0);
    assert_int_equal(back.count, STEPS_MAX);
    assert_memory_equal(back.table, steps.table, sizeof steps.table);
    assert_true(back.high_ns == steps.high_ns && back.offset_ns == steps.offset_ns &&
                back.boot == 7);
    for (size_t cut = 0; cut < size; cut++) {
        struct unpacker body = {.at = bytes, .end = bytes + cut};
        assert_int_equal(steps_apply(&back, &body), ERR_CORRUPT);
    }
    steps_clear(&steps);
    steps_clear(&back);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(steps_within_a_segment_hide_nothing),
        TEST(nor_do_steps_over_several),
        TEST(a_boot_with_a_clock_that_is_behind_hides_nothing),
        cmocka_unit_test_setup_teardown(what_is_written_again_is_no_step, kit_setup, open_gate),
        cmocka_unit_test(of_too_many_the_largest_stay),
        cmocka_unit_test(a_record_is_what_was_packed_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
