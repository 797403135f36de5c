/* What the written policy drops, and how it is told. */
// links: sluice_journal
#include "unit/journal_kit.h"

#include <limits.h>

static void see_ledger(void *context, const struct cursor_ledger *ledger)
{
    *(struct cursor_ledger *)context = *ledger;
}

static void small(struct kit *kit)
{
    kit->options.segment_bytes = 32 * 1024;
    kit->options.keep_bytes = 5 * 32 * 1024;
}

/* Segments may still be retired behind the last event: both of one moment. What a cursor has seen
 * of it the writer has finished when a flush comes back. */
static void see_both(struct kit *kit, struct journal_stats *stats, struct cursor_ledger *ledger)
{
    uint64_t low;
    do {
        cursor_each(kit->journal, see_ledger, ledger);
        low = ledger->low;
        kit_flush(kit);
        journal_stats(kit->journal, stats);
        cursor_each(kit->journal, see_ledger, ledger);
    } while (ledger->low != low);
}

static void keeps_to_its_bytes_and_uses_files_again(void **state)
{
    struct kit *kit = *state;
    struct journal_stats stats;
    small(kit);
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "supply_temp");
    for (int i = 0; i < 100; i++) {
        kit_fill(kit, stream, 1000 * i, 1000);
        journal_stats(kit->journal, &stats);
        assert_true(stats.bytes <= stats.keep_bytes);
    }
    assert_true(stats.oldest > 1);
    assert_true(stats.segments >= 3);
    assert_false(kit_has(kit, "segment-00000006"));
    assert_int_equal(stats.dropped[GAP_RETENTION], 0); /* no cursor missed anything */

    struct reader *reader;
    struct event event;
    assert_int_equal(reader_open(&reader, kit->journal, 1), 0);
    assert_int_equal(reader_next(reader, &event), 1);
    assert_int_equal(event.n, 0);
    assert_int_equal(event.kind, EVENT_GAP);
    assert_int_equal(event.value.gap->reason, GAP_RETENTION);
    assert_int_equal(event.value.gap->first, 1);
    assert_int_equal(event.value.gap->last, stats.oldest - 1);
    assert_int_equal(event.value.gap->count, stats.oldest - 1);
    uint64_t n = stats.oldest;
    while (reader_next(reader, &event) > 0)
        assert_int_equal(event.n, n++);
    assert_int_equal(n, stats.newest + 1);
    reader_close(reader);
}

/* A small journal, and a consumer that has got the first 50 of 100 events. */
static uint32_t open_with_consumer(struct kit *kit, struct cursor **cursor)
{
    small(kit);
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "supply_temp");
    assert_int_equal(cursor_open(cursor, kit->journal, "uplink/cloud", CURSOR_AT_OLDEST), 0);
    kit_fill(kit, stream, 0, 100);
    assert_int_equal(cursor_ack(*cursor, 1, 50), 0);
    return stream;
}

static void what_a_cursor_lacked_becomes_a_gap_event_and_is_on_its_ledger(void **state)
{
    struct kit *kit = *state;
    struct cursor *cursor;
    struct cursor_ledger ledger;
    struct journal_stats stats;
    uint32_t stream = open_with_consumer(kit, &cursor);
    assert_int_equal(cursor_ack(cursor, 61, 70), 0);
    for (int i = 0; i < 60; i++)
        kit_fill(kit, stream, 100 + 1000 * i, 1000);
    for (int restart = 0; restart < 2; restart++) {
        see_both(kit, &stats, &ledger);
        assert_int_equal(ledger.low, stats.oldest);
        assert_int_equal(ledger.acked, 60);
        assert_int_equal(ledger.dropped[GAP_RETENTION], stats.oldest - 1 - 60);
        assert_int_equal(ledger.acked + ledger.pending + ledger.dropped[GAP_RETENTION],
                         stats.newest);
        assert_int_equal(stats.dropped[GAP_RETENTION], ledger.dropped[GAP_RETENTION]);
        assert_int_equal(stats.produced, stats.stored + stats.refused);
        if (restart == 0)
            cursor_close(cursor);
        kit_close(kit);
        kit_open(kit);
    }

    struct reader *reader;
    struct event event;
    uint64_t last = 0;
    assert_int_equal(reader_open(&reader, kit->journal, 0), 0);
    while (reader_next(reader, &event) > 0)
        if (event.kind == EVENT_GAP) {
            assert_int_not_equal(event.n, 0);
            assert_int_equal(event.value.gap->reason, GAP_RETENTION);
            if (last)
                assert_int_equal(event.value.gap->first, last + 1);
            last = event.value.gap->last;
        }
    assert_int_equal(last, journal_oldest(kit->journal) - 1);
    reader_close(reader);
}

/* The consumer was away while its events were dropped, and the gateway starts again before it is
 * back: with a clean end, or as a kill leaves the files. */
static void a_consumer_is_told_after_a_restart_of_what_was_dropped_while_it_was_away(void **state)
{
    struct kit *kit = *state;
    struct cursor *cursor;
    struct cursor_ledger ledger, before;
    struct journal_stats stats;
    struct reader *reader;
    struct event event;
    uint32_t stream = open_with_consumer(kit, &cursor);
    for (int i = 0; i < 60; i++)
        kit_fill(kit, stream, 100 + 1000 * i, 1000);
    for (int restart = 0; restart < 2; restart++) {
        cursor_close(cursor);
        if (restart == 0)
            kit_crash(kit);
        else
            kit_close(kit);
        kit_open(kit);
        assert_int_equal(cursor_open(&cursor, kit->journal, "uplink/cloud", CURSOR_AT_OLDEST), 0);
        assert_int_equal(cursor_resume(cursor), 51);
    }
    see_both(kit, &stats, &before);
    assert_int_equal(before.low, stats.oldest);
    assert_int_equal(reader_open(&reader, kit->journal, cursor_resume(cursor)), 0);
    assert_int_equal(reader_next(reader, &event), 1);
    assert_int_equal(event.n, 0);
    assert_int_equal(event.value.gap->reason, GAP_RETENTION);
    assert_int_equal(event.value.gap->first, 51);
    assert_int_equal(event.value.gap->last, stats.oldest - 1);
    reader_close(reader);

    /* Taken in two parts, and counted once. */
    assert_int_equal(cursor_drop(cursor, 51, 1000, GAP_RETENTION), 0);
    assert_int_equal(cursor_resume(cursor), 1001);
    assert_int_equal(cursor_drop(cursor, 1001, stats.oldest - 1, GAP_RETENTION), 0);
    assert_int_equal(cursor_resume(cursor), stats.oldest);
    cursor_close(cursor);
    kit_close(kit);
    kit_open(kit);
    cursor_each(kit->journal, see_ledger, &ledger);
    assert_int_equal(ledger.resume, ledger.low);
    assert_int_equal(ledger.low, before.low);
    assert_int_equal(ledger.dropped[GAP_RETENTION], before.dropped[GAP_RETENTION]);
    assert_int_equal(ledger.acked, 50);
}

/* Opens what is left, and looks whether it goes on where the journal before was: what was dropped
 * there is told as a hole, and no event of it is read. */
static void expect_dropped_up_to(struct kit *kit, uint64_t oldest)
{
    struct cursor *cursor;
    struct cursor_ledger ledger;
    struct reader *reader;
    struct event event;
    kit_open(kit);
    assert_int_equal(journal_oldest(kit->journal), oldest);
    assert_int_equal(cursor_open(&cursor, kit->journal, "uplink/cloud", CURSOR_AT_OLDEST), 0);
    assert_int_equal(reader_open(&reader, kit->journal, cursor_resume(cursor)), 0);
    assert_int_equal(reader_next(reader, &event), 1);
    assert_int_equal(event.n, 0);
    assert_int_equal(event.value.gap->reason, GAP_RETENTION);
    assert_int_equal(event.value.gap->first, 51);
    assert_int_equal(event.value.gap->last, oldest - 1);
    assert_int_equal(reader_next(reader, &event), 1);
    assert_int_equal(event.n, oldest);
    cursor_each(kit->journal, see_ledger, &ledger);
    assert_int_equal(ledger.dropped[GAP_RETENTION], oldest - 1 - 50);
    assert_int_equal(ledger.acked, 50);
    reader_close(reader);
    cursor_close(cursor);
}

/* Many segments go at once, and their files are not used again for long: each still says that it is
 * a segment. Returns the oldest event that is left. */
static uint64_t drop_by_age(struct kit *kit, uint32_t *stream)
{
    struct cursor *cursor;
    struct journal_stats stats;
    kit->options.max_age_ns = 3600 * NS_PER_S;
    *stream = open_with_consumer(kit, &cursor);
    cursor_close(cursor);
    kit_close(kit);
    kit->options.keep_bytes = 4 * 1024 * 1024;
    kit_open(kit);
    for (int i = 0; i < 20; i++)
        kit_fill(kit, *stream, 1000 * i, 1000);
    kit_pass(kit, 3601 * NS_PER_S);
    kit_fill(kit, *stream, 0, 1);
    kit_flush(kit); /* a round later */
    kit_flush(kit); /* and what they changed is durable */
    journal_stats(kit->journal, &stats);
    assert_int_equal(stats.segments, 2);
    assert_true(stats.oldest > 10000);
    return stats.oldest;
}

static void what_was_dropped_is_not_read_again_after_a_restart(void **state)
{
    struct kit *kit = *state;
    uint32_t stream;
    uint64_t oldest = drop_by_age(kit, &stream);

    kit_crash(kit);
    expect_dropped_up_to(kit, oldest);
    kit_crash(kit);
    expect_dropped_up_to(kit, oldest);
    kit_close(kit);
    expect_dropped_up_to(kit, oldest);
    kit_close(kit);
    struct journal *looking;
    assert_int_equal(journal_open_read_only(&looking, &kit->io), 0);
    assert_int_equal(journal_oldest(looking), oldest);
    journal_close(looking);
}

/* The segment in which it is noted what was dropped is not the newest one for long. */
static void what_was_dropped_is_not_read_again_many_segments_later(void **state)
{
    struct kit *kit = *state;
    uint32_t stream;
    uint64_t oldest = drop_by_age(kit, &stream);
    for (int i = 0; i < 30; i++)
        kit_fill(kit, stream, 1000 * i, 1000);
    kit_flush(kit);
    assert_true(journal_oldest(kit->journal) > oldest); /* the last of the old ones went, too */
    oldest = journal_oldest(kit->journal);

    kit_crash(kit);
    expect_dropped_up_to(kit, oldest);
    kit_close(kit);
    expect_dropped_up_to(kit, oldest);
}

/* A segment is as old as the newest event in it. */
static void old_segments_go_by_age(void **state)
{
    struct kit *kit = *state;
    struct journal_stats stats;
    uint64_t middle = 0;
    kit->options.segment_bytes = 32 * 1024;
    kit->options.max_age_ns = 3600 * NS_PER_S;
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "supply_temp");
    for (int i = 0; i < 20; i++) {
        if (i == 8)
            middle = journal_durable(kit->journal, NULL) + 1;
        kit_fill(kit, stream, 1000 * i, 1000);
        kit_pass(kit, 60 * NS_PER_S);
    }
    assert_int_equal(journal_oldest(kit->journal), 1);
    kit_pass(kit, 2610 * NS_PER_S); /* the newest of the oldest segment is 30 s too young */
    kit_fill(kit, stream, 0, 1);
    assert_int_equal(journal_oldest(kit->journal), 1);
    kit_pass(kit, 240 * NS_PER_S); /* and now that of the next one is */
    kit_fill(kit, stream, 0, 1);
    kit_flush(kit); /* a round later */
    assert_in_range(journal_oldest(kit->journal), 2, middle);
    kit_pass(kit, 3600 * NS_PER_S);
    kit_fill(kit, stream, 0, 1);
    kit_flush(kit);
    journal_stats(kit->journal, &stats);
    assert_int_equal(stats.segments, 2);
    assert_true(stats.oldest > middle);
}

/* Several segments, of which each is kept for an hour. Returns the stream. */
static uint32_t fill_for_an_hour(struct kit *kit, enum clock_trust trust)
{
    kit->options.segment_bytes = 32 * 1024;
    kit->options.max_age_ns = 3600 * NS_PER_S;
    kit->trust = trust;
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "supply_temp");
    for (int i = 0; i < 20; i++)
        kit_fill(kit, stream, 1000 * i, 1000);
    return stream;
}

/* What is due goes with what is stored next, a round later. */
static void store_a_little(struct kit *kit, uint32_t stream)
{
    for (int i = 0; i < 3; i++) {
        kit_fill(kit, stream, 0, 1);
        kit_flush(kit);
    }
}

static void nothing_is_old(struct kit *kit, uint32_t stream)
{
    store_a_little(kit, stream);
    assert_int_equal(journal_oldest(kit->journal), 1);
}

static void old_ones_go(struct kit *kit, uint32_t stream)
{
    struct journal_stats stats;

    kit_pass(kit, 3601 * NS_PER_S);
    store_a_little(kit, stream);
    journal_stats(kit->journal, &stats);
    assert_int_equal(stats.segments, 2);
}

/* A machine without a battery, or a time server, goes on with the time at which it was switched off
 * months ago, until somebody sets its clock. */
static void a_clock_that_is_set_forward_makes_nothing_old(void **state)
{
    struct kit *kit = *state;
    uint32_t stream = fill_for_an_hour(kit, CLOCK_FREE_RUNNING);

    kit->trust = CLOCK_SYNCHRONISED;
    kit->wall_ns += 120 * 24 * 3600 * NS_PER_S;
    nothing_is_old(kit, stream);
    kit_close(kit);

    /* Nor for the next run of the machine. */
    kit->options.boot_id = "boot-2";
    kit->mono_ns = 5 * NS_PER_S;
    kit->wall_ns += 60 * NS_PER_S;
    kit_open(kit);
    nothing_is_old(kit, stream);
    old_ones_go(kit, stream);
}

/* Whose clock was never set says nothing of when that was: it is as old as the run that follows. */
static void a_run_whose_clock_was_never_set_is_not_old_at_once(void **state)
{
    struct kit *kit = *state;
    uint32_t stream = fill_for_an_hour(kit, CLOCK_UNSET);

    kit_close(kit);

    kit->options.boot_id = "boot-2";
    kit->mono_ns = 5 * NS_PER_S;
    kit->trust = CLOCK_SYNCHRONISED;
    kit->wall_ns += 120 * 24 * 3600 * NS_PER_S;
    kit_open(kit);
    nothing_is_old(kit, stream);
    old_ones_go(kit, stream);
}

static void refuses_the_newest_until_the_oldest_is_acknowledged(void **state)
{
    struct kit *kit = *state;
    struct cursor *cursor;
    struct lane *lane;
    struct journal_stats stats;
    small(kit);
    kit->options.when_full = JOURNAL_REFUSE_NEWEST;
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "supply_temp");
    assert_int_equal(cursor_open(&cursor, kit->journal, "uplink/cloud", CURSOR_AT_OLDEST), 0);
    assert_int_equal(lane_open(&lane, kit->journal, 0), 0);
    struct event event = {.stream = stream, .kind = EVENT_READING, .value = {.type = VALUE_F64}};
    uint64_t put = 0, taken = 0;
    do {
        for (int i = 0; i < 100; i++) {
            event.mono_ns = kit->mono_ns;
            event.value.f = (double)put++ / 7;
            taken += lane_put(lane, &event, 1);
        }
        journal_flush(kit->journal, NS_PER_S);
        journal_stats(kit->journal, &stats);
    } while (stats.refused < 1000);
    assert_int_equal(stats.storage_error, ERR_FULL);
    assert_int_equal(stats.oldest, 1);
    assert_int_equal(stats.dropped[GAP_RETENTION], 0);
    assert_int_equal(stats.refused, put - taken);

    /* An acknowledgement makes room at once. */
    assert_int_equal(cursor_ack(cursor, 1, stats.newest), 0);
    while (journal_flush(kit->journal, KIT_WAIT_NS) != 0)
        usleep(1000);
    lane_close(lane);
    kit_flush(kit);
    journal_stats(kit->journal, &stats);
    assert_int_equal(stats.storage_error, 0);
    assert_true(stats.oldest > 1);
    assert_int_equal(stats.refused, put - taken);
    assert_int_equal(stats.waiting, 0);
    assert_int_equal(stats.dropped[GAP_STORAGE] + stats.dropped[GAP_OVERLOAD], put - taken);
    struct journal_stream_ledger ledger;
    assert_int_equal(journal_stream_ledger(kit->journal, stream, &ledger), 0);
    assert_int_equal(ledger.produced, put + 1); /* and its declaration */
    assert_int_equal(ledger.refused, put - taken);
    cursor_close(cursor);
    kit_crash(kit);
    kit_open(kit);
    assert_int_equal(journal_stream_ledger(kit->journal, stream, &ledger), 0);
    assert_int_equal(ledger.produced, put + 1);
    assert_int_equal(ledger.refused, put - taken);
}

/* One commit for each reading, until the journal has no room for a further one, or `count` are
 * stored. Returns how many. */
static int commit_one_by_one(struct kit *kit, uint32_t stream, int count)
{
    int done = 0;
    while (done < count) {
        kit_put(kit, stream, done);
        if (journal_flush(kit->journal, KIT_WAIT_NS) == ERR_FULL)
            break;
        done++;
    }
    return done;
}

static uint32_t open_with_a_cursor(struct kit *kit, struct cursor **cursor)
{
    small(kit);
    kit->options.when_full = JOURNAL_REFUSE_NEWEST;
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "supply_temp");
    kit_flush(kit);
    assert_int_equal(cursor_open(cursor, kit->journal, "uplink/cloud", CURSOR_AT_OLDEST), 0);
    return stream;
}

/* A twin tells how many commits there is room for. */
static int commits_until_full(void)
{
    void *state = NULL;
    struct cursor *cursor;
    assert_int_equal(kit_setup(&state), 0);
    uint32_t stream = open_with_a_cursor(state, &cursor);
    int room = commit_one_by_one(state, stream, INT_MAX);
    cursor_close(cursor);
    kit_teardown(&state);
    return room;
}

/*
 * The acknowledgement comes just when the newest segment has no room left: the oldest may go then,
 * but what that changes has to be durable before its file is used again, and only the next segment
 * has room for that.
 */
static void an_acknowledgement_makes_room_when_the_newest_segment_is_full(void **state)
{
    struct kit *kit = *state;
    struct cursor *cursor;
    struct cursor_ledger ledger;
    int room = commits_until_full();
    uint32_t stream = open_with_a_cursor(kit, &cursor);
    assert_int_equal(commit_one_by_one(kit, stream, room), room);
    assert_int_equal(journal_oldest(kit->journal), 1);
    uint64_t last = journal_durable(kit->journal, NULL);

    assert_int_equal(cursor_ack(cursor, 1, last), 0);
    int error = journal_flush(kit->journal, KIT_WAIT_NS);
    if (error < 0)
        *state = NULL; /* a journal that stands still cannot be closed either */
    assert_int_equal(error, 0);
    assert_int_equal(commit_one_by_one(kit, stream, 10), 10);
    assert_true(journal_oldest(kit->journal) > 1);
    cursor_each(kit->journal, see_ledger, &ledger);
    assert_int_equal(ledger.acked, last);
    assert_int_equal(ledger.pending, 10);
    cursor_close(cursor);
}

static void a_reader_that_was_overtaken_is_told(void **state)
{
    struct kit *kit = *state;
    struct reader *reader;
    struct event event;
    small(kit);
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "supply_temp");
    kit_fill(kit, stream, 0, 3000);
    assert_int_equal(reader_open(&reader, kit->journal, 0), 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(reader_next(reader, &event), 1);
    for (int i = 0; i < 60; i++)
        kit_fill(kit, stream, 1000 * i, 1000);
    uint64_t n = 11, missing = 0;
    while (reader_next(reader, &event) > 0) {
        if (event.n == 0) {
            assert_int_equal(event.value.gap->first, n);
            assert_int_equal(event.value.gap->reason, GAP_RETENTION);
            missing += event.value.gap->count;
            n = event.value.gap->last + 1;
        } else {
            assert_int_equal(event.n, n++);
        }
    }
    assert_int_equal(n, journal_durable(kit->journal, NULL) + 1);
    assert_true(missing > 0);
    reader_close(reader);
}

/* The file of a retired segment is not used again at once: what is left of it to read is counted as
 * dropped all the same. */
static void a_reader_leaves_a_segment_that_is_retired(void **state)
{
    struct kit *kit = *state;
    struct reader *reader;
    struct event event;
    kit->options.max_age_ns = 3600 * NS_PER_S;
    kit->options.segment_bytes = 32 * 1024;
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "supply_temp");
    kit_flush(kit);
    uint64_t in_frame = journal_durable(kit->journal, NULL);
    for (int i = 0; i < 20; i++)
        kit_fill(kit, stream, 1000 * i, 1000);
    assert_int_equal(reader_open(&reader, kit->journal, 1), 0);
    assert_int_equal(reader_next(reader, &event), 1);
    assert_int_equal(event.n, 1);
    kit_pass(kit, 3601 * NS_PER_S);
    kit_fill(kit, stream, 0, 1);
    kit_flush(kit);
    uint64_t oldest = journal_oldest(kit->journal);
    assert_true(oldest > 10000);
    do {
        assert_int_equal(reader_next(reader, &event), 1);
        assert_true(event.n <= in_frame);
    } while (event.n != 0);
    assert_int_equal(event.value.gap->reason, GAP_RETENTION);
    assert_int_equal(event.value.gap->last, oldest - 1);
    reader_close(reader);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(keeps_to_its_bytes_and_uses_files_again),
        TEST(what_a_cursor_lacked_becomes_a_gap_event_and_is_on_its_ledger),
        TEST(a_consumer_is_told_after_a_restart_of_what_was_dropped_while_it_was_away),
        TEST(what_was_dropped_is_not_read_again_after_a_restart),
        TEST(what_was_dropped_is_not_read_again_many_segments_later),
        TEST(old_segments_go_by_age),
        TEST(a_clock_that_is_set_forward_makes_nothing_old),
        TEST(a_run_whose_clock_was_never_set_is_not_old_at_once),
        TEST(refuses_the_newest_until_the_oldest_is_acknowledged),
        TEST(an_acknowledgement_makes_room_when_the_newest_segment_is_full),
        TEST(a_reader_that_was_overtaken_is_told),
        TEST(a_reader_leaves_a_segment_that_is_retired),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
