/* Wall clocks that are unset, step, or come late; and runs of the machine. */
// links: sluice_journal
#include "unit/journal_kit.h"

static void find(struct kit *kit, uint8_t kind, struct event *event, int64_t *value)
{
    struct reader *reader;
    struct event last = {0};
    assert_int_equal(reader_open(&reader, kit->journal, 1), 0);
    while (reader_next(reader, event) > 0)
        if (event->kind == kind) {
            last = *event;
            if (event->value.type == VALUE_I64)
                *value = event->value.i;
        }
    *event = last;
    assert_int_not_equal(last.kind, 0);
    reader_close(reader);
}

static void a_step_is_an_event_and_moves_no_number(void **state)
{
    struct kit *kit = *state;
    struct event event;
    int64_t step = 0;
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "supply_temp");
    kit_fill(kit, stream, 0, 10);
    int64_t before_ns = kit->wall_ns;
    kit->wall_ns -= 3600 * NS_PER_S; /* an hour back */
    kit_pass(kit, NS_PER_S);
    kit_fill(kit, stream, 10, 10);
    assert_int_equal(journal_durable(kit->journal, NULL), 22);
    find(kit, EVENT_CLOCK, &event, &step);
    assert_int_equal(event.n, 12);
    assert_int_equal(step, -3600 * NS_PER_S);
    find(kit, EVENT_READING, &event, &step);
    assert_int_equal(event.wall_ns, kit->wall_ns);

    struct reader *reader;
    assert_int_equal(reader_open(&reader, kit->journal, 2), 0);
    assert_int_equal(kit_next(reader, &event), 1);
    assert_int_equal(event.wall_ns, before_ns); /* what was stored keeps its time */
    reader_close(reader);
}

static void small_differences_are_no_step(void **state)
{
    struct kit *kit = *state;
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "supply_temp");
    for (int i = 0; i < 20; i++) {
        kit->wall_ns += (i % 2 ? -900 : 900) * NS_PER_US;
        kit_fill(kit, stream, i, 1);
    }
    assert_int_equal(journal_durable(kit->journal, NULL), 21);
}

static void events_from_before_the_clock_was_set_are_dated_later(void **state)
{
    struct kit *kit = *state;
    struct event event;
    int64_t wall_ns, step = 0;
    kit->trust = CLOCK_UNSET;
    kit->wall_ns = 5 * NS_PER_S; /* 1970 */
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "supply_temp");
    kit_fill(kit, stream, 0, 10);
    find(kit, EVENT_READING, &event, &step);
    assert_int_equal(event.trust, CLOCK_UNSET);
    int64_t read_ns = event.mono_ns;
    uint32_t boot = event.boot;
    assert_int_equal(journal_wall(kit->journal, boot, read_ns, &wall_ns), CLOCK_UNSET);

    /* The clock is set while nothing is put: whoever asks makes the journal look. */
    kit->wall_ns = INT64_C(1795448300) * NS_PER_S;
    kit->trust = CLOCK_SYNCHRONISED;
    kit_pass(kit, 7 * NS_PER_S);
    while (journal_wall(kit->journal, boot, read_ns, &wall_ns) == CLOCK_UNSET)
        usleep(1000);
    assert_int_equal(wall_ns, INT64_C(1795448300) * NS_PER_S);
    kit_flush(kit);
    find(kit, EVENT_CLOCK, &event, &step);
    assert_int_equal(step, INT64_C(1795448295) * NS_PER_S);
    for (int restart = 0; restart < 2; restart++) {
        find(kit, EVENT_READING, &event, &step);
        assert_int_equal(event.trust, CLOCK_SYNCHRONISED);
        assert_int_equal(event.wall_ns, INT64_C(1795448300) * NS_PER_S);
        kit_close(kit);
        kit->options.boot_id = "boot-2"; /* the machine was started again */
        kit->mono_ns = 3 * NS_PER_S;
        kit_open(kit);
    }
}

static void a_restart_in_the_same_run_of_the_machine_goes_on_with_its_boot(void **state)
{
    struct kit *kit = *state;
    static const struct {
        const char *boot_id;
        uint32_t boot;
    } starts[] = {{"boot-1", 1}, {"boot-1", 1}, {"boot-2", 2}, {"boot-1", 1}, {"", 3}, {NULL, 4}};

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        struct journal_stats stats;
        kit->options.boot_id = starts[i].boot_id;
        kit_open(kit);
        kit_fill(kit, kit_declare(kit, "boiler", "supply_temp"), 0, 1);
        journal_stats(kit->journal, &stats);
        assert_int_equal(stats.boot, starts[i].boot);
        kit_close(kit);
    }
}

static void a_step_between_two_starts_of_one_run_is_told(void **state)
{
    struct kit *kit = *state;
    struct event event;
    int64_t step = 0;
    kit_open(kit);
    kit_fill(kit, kit_declare(kit, "boiler", "supply_temp"), 0, 1);
    kit_close(kit);
    kit->wall_ns += 5 * NS_PER_S;
    kit_open(kit);
    kit_fill(kit, kit_declare(kit, "boiler", "supply_temp"), 0, 1);
    find(kit, EVENT_CLOCK, &event, &step);
    assert_int_equal(step, 5 * NS_PER_S);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_step_is_an_event_and_moves_no_number),
        TEST(small_differences_are_no_step),
        TEST(events_from_before_the_clock_was_set_are_dated_later),
        TEST(a_restart_in_the_same_run_of_the_machine_goes_on_with_its_boot),
        TEST(a_step_between_two_starts_of_one_run_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
