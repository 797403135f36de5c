/* The journal from outside: what is put is stored, read, and still there after it was opened again.
 */
// links: sluice_journal
#include "unit/journal_kit.h"

static void gives_back_what_was_put(void **state)
{
    struct kit *kit = *state;
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "supply_temp");
    kit_fill(kit, stream, 0, 1000);

    struct reader *reader;
    struct event event;
    assert_int_equal(reader_open(&reader, kit->journal, 0), 0);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(kit_next(reader, &event), 1);
        assert_int_equal(event.stream, stream);
        assert_true(event.value.f == i);
        assert_int_equal(event.wall_ns, kit->wall_ns);
        assert_int_equal(event.trust, CLOCK_SYNCHRONISED);
    }
    assert_int_equal(kit_next(reader, &event), 0);
    kit_fill(kit, stream, 1000, 1);
    assert_int_equal(kit_next(reader, &event), 1);
    assert_true(event.value.f == 1000);
    assert_int_equal(event.n, journal_durable(kit->journal, NULL));
    reader_close(reader);
}

static void keeps_events_epoch_and_streams_over_a_clean_restart(void **state)
{
    struct kit *kit = *state;
    uint32_t epoch, again;
    struct stream stream;
    kit_open(kit);
    uint32_t number = kit_declare(kit, "boiler", "supply_temp");
    kit_fill(kit, number, 0, 10);
    uint64_t durable = journal_durable(kit->journal, &epoch);
    kit_close(kit);

    kit_open(kit);
    assert_int_equal(journal_durable(kit->journal, &again), durable);
    assert_int_equal(epoch, again);
    assert_int_equal(kit_declare(kit, "boiler", "supply_temp"), number);
    assert_non_null(journal_stream(kit->journal, number, &stream));
    assert_string_equal(stream.device, "boiler");
    assert_string_equal(stream.unit, "°C");
    kit_fill(kit, number, 10, 10);

    struct reader *reader;
    struct event event;
    assert_int_equal(reader_open(&reader, kit->journal, 1), 0);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(kit_next(reader, &event), 1);
        assert_true(event.value.f == i);
    }
    assert_int_equal(kit_next(reader, &event), 0);
    reader_close(reader);
}

static void begins_a_new_epoch_after_an_unclean_end(void **state)
{
    struct kit *kit = *state;
    uint32_t epoch, again;
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "supply_temp");
    kit_fill(kit, stream, 0, 10);
    uint64_t durable = journal_durable(kit->journal, &epoch);
    kit_crash(kit);

    kit_open(kit);
    struct reader *reader;
    struct event event;
    char expected[64];
    assert_int_equal(reader_open(&reader, kit->journal, durable + 1), 0);
    assert_int_equal(reader_next(reader, &event), 1);
    assert_int_equal(event.n, durable + 1);
    assert_int_equal(event.kind, EVENT_LIFECYCLE);
    snprintf(expected, sizeof(expected), "epoch %08x %llu unclean start", epoch,
             (unsigned long long)durable);
    assert_int_equal(event.value.size, strlen(expected));
    assert_memory_equal(event.value.data, expected, strlen(expected));
    assert_int_equal(reader_next(reader, &event), 1);
    assert_int_equal(event.kind, EVENT_GAP);
    assert_int_equal(event.value.gap->reason, GAP_CRASH);
    assert_int_equal(event.value.gap->extent_ms, 20);
    journal_durable(kit->journal, &again);
    assert_int_not_equal(epoch, again);
    assert_int_equal(event.epoch, again);
    struct journal_previous previous;
    journal_previous(kit->journal, &previous);
    assert_int_equal(previous.epoch, epoch);
    assert_int_equal(previous.last, durable);
    assert_string_equal(previous.why, "unclean start");

    /* All ten are there, once, although the last frame was written again. */
    reader_seek(reader, 1);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(kit_next(reader, &event), 1);
        assert_true(event.value.f == i);
        assert_int_equal(event.epoch, epoch);
    }
    assert_int_equal(kit_next(reader, &event), 1);
    assert_int_equal(event.kind, EVENT_GAP);
    assert_int_equal(kit_next(reader, &event), 0);
    reader_close(reader);
}

static void rolls_segments_and_reads_across_them(void **state)
{
    struct kit *kit = *state;
    struct journal_stats stats;
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "supply_temp");
    for (int i = 0; i < 40; i++)
        kit_fill(kit, stream, 1000 * i, 1000);
    journal_stats(kit->journal, &stats);
    assert_true(stats.segments > 3);
    assert_int_equal(stats.waiting, 0);
    assert_int_equal(stats.produced, stats.stored);
    kit_close(kit);
    kit_open(kit);

    struct reader *reader;
    struct event event;
    assert_int_equal(reader_open(&reader, kit->journal, 0), 0);
    for (int i = 0; i < 40000; i++) {
        assert_int_equal(kit_next(reader, &event), 1);
        assert_true(event.value.f == i);
    }
    assert_int_equal(kit_next(reader, &event), 0);
    reader_close(reader);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(gives_back_what_was_put),
        TEST(keeps_events_epoch_and_streams_over_a_clean_restart),
        TEST(begins_a_new_epoch_after_an_unclean_end),
        TEST(rolls_segments_and_reads_across_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
