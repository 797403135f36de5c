// A storage outage that ends with the process: what the next start tells of it.
// links: faults_journal
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/log.h"
#include "faults/cut.h"
#include "faults/fake_clock.h"
#include "faults/workload.h"
#include "journal/cursor.h"
#include "journal/lane.h"
#include "journal/reader.h"

#define LANE_BYTES 16384
#define PATIENCE_S 30
#define NOTE_MS    1000 /* how old a note may be when the process is killed */

/* A gateway whose broker is away and whose policy keeps what was not delivered. */
struct gateway {
    struct medium *medium;
    struct medium *refuge; /* NULL: none */
    struct fake_clock clock;
    struct journal *journal;
    struct lane *lane;
    struct cursor *cursor;
    uint32_t stream;
    int64_t keep_bytes;
    uint64_t put; /* readings, by all processes */
};

static const struct workload_options small = {.segment_bytes = 32 << 10, .keep_bytes = 1 << 20};

static void start(struct gateway *gateway)
{
    struct journal_options options =
        workload_journal(&small, medium_io(gateway->medium), &gateway->clock);
    struct stream stream = {.type = VALUE_U64, .device = "counter", .point = "value"};

    options.keep_bytes = gateway->keep_bytes;
    options.hang_ns = 300 * NS_PER_MS;
    options.when_full = JOURNAL_REFUSE_NEWEST;
    options.refuge = gateway->refuge ? medium_io(gateway->refuge) : NULL;
    assert_int_equal(journal_open(&gateway->journal, &options), 0);
    assert_int_equal(journal_declare(gateway->journal, &stream), 0);
    gateway->stream = stream.number;
    assert_int_equal(
        cursor_open(&gateway->cursor, gateway->journal, "uplink/cloud", CURSOR_AT_OLDEST), 0);
    assert_int_equal(lane_open(&gateway->lane, gateway->journal, LANE_BYTES), 0);
}

static void end(struct gateway *gateway)
{
    cursor_close(gateway->cursor);
    lane_close(gateway->lane);
    assert_int_equal(journal_close(gateway->journal), 0);
    gateway->journal = NULL;
}

static int setup(void **state)
{
    static struct gateway gateway;
    gateway = (struct gateway){.medium = medium_open(NULL), .keep_bytes = small.keep_bytes};
    fake_clock_init(&gateway.clock);
    start(&gateway);
    *state = &gateway;
    return 0;
}

static int teardown(void **state)
{
    struct gateway *gateway = *state;
    if (gateway->journal)
        end(gateway);
    medium_close(gateway->medium);
    medium_close(gateway->refuge);
    return 0;
}

static void put(struct gateway *gateway)
{
    struct event event = {
        .kind = EVENT_READING,
        .stream = gateway->stream,
        .mono_ns = clock_mono(&gateway->clock.clock),
        .value = {.type = VALUE_U64, .u = ++gateway->put},
    };
    lane_put(gateway->lane, &event, 1);
}

static struct journal_stats stats_of(struct gateway *gateway)
{
    struct journal_stats stats;
    journal_stats(gateway->journal, &stats);
    return stats;
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* Readings come until the disk takes no more, and some more than fit into memory. */
static void run_into_the_outage(struct gateway *gateway, int error)
{
    time_t deadline = time(NULL) + PATIENCE_S;
    while (stats_of(gateway).storage_error == 0) {
        assert_true(time(NULL) < deadline);
        put(gateway);
        journal_flush(gateway->journal, PATIENCE_S * NS_PER_S);
    }
    assert_int_equal(stats_of(gateway).storage_error, error);
    for (int i = 0; i < 2000; i++) {
        fake_clock_advance(&gateway->clock, 100 * NS_PER_MS);
        put(gateway);
    }
    struct journal_stats stats = stats_of(gateway);
    assert_true(stats.refused > 1000);
    assert_int_equal(stats.produced, stats.stored + stats.refused + stats.waiting);
}

static void wait_until_well(struct gateway *gateway)
{
    time_t deadline = time(NULL) + PATIENCE_S;
    while (stats_of(gateway).storage_error != 0 || stats_of(gateway).waiting > 0) {
        assert_true(time(NULL) < deadline);
        pause_ms(10);
    }
    /* What is told of the outage may be in a later commit than the first that went well. */
    assert_int_equal(journal_flush(gateway->journal, PATIENCE_S * NS_PER_S), 0);
}

/* Nothing can grow any more; what is there may be written over. */
static void fill_disk(struct gateway *gateway)
{
    put(gateway);
    journal_flush(gateway->journal, PATIENCE_S * NS_PER_S);
    medium_set_capacity(gateway->medium, 160 << 10);
    run_into_the_outage(gateway, ERR_NO_SPACE);
}

static void free_disk(struct gateway *gateway)
{
    medium_set_capacity(gateway->medium, -1);
}

struct found {
    uint64_t readings;
    uint64_t storage, storage_gaps, overload, crash_gaps, other_gaps;
    uint32_t storage_extent_ms, crash_extent_ms;
    uint64_t alarms;
    char alarm[300]; /* the last one's words */
};

static void see_gap(struct found *found, const struct gap *gap)
{
    if (gap->reason == GAP_STORAGE) {
        found->storage += gap->count;
        found->storage_gaps++;
        found->storage_extent_ms = gap->extent_ms;
    } else if (gap->reason == GAP_CRASH) {
        found->crash_gaps++;
        found->crash_extent_ms = gap->extent_ms;
    } else if (gap->reason == GAP_OVERLOAD) {
        found->overload += gap->count;
    } else {
        found->other_gaps++;
    }
}

static struct found read_all(struct gateway *gateway)
{
    struct found found = {0};
    struct reader *reader;
    struct event event;
    assert_int_equal(reader_open(&reader, gateway->journal, 1), 0);
    while (reader_next(reader, &event) == 1) {
        found.readings += event.kind == EVENT_READING;
        if (event.kind == EVENT_GAP)
            see_gap(&found, event.value.gap);
        if (event.kind != EVENT_ALARM)
            continue;
        found.alarms++;
        snprintf(found.alarm, sizeof(found.alarm), "%.*s", event.value.size,
                 (const char *)event.value.data);
    }
    reader_close(reader);
    return found;
}

static void expect_ledger(struct gateway *gateway, uint64_t lost)
{
    struct journal_stats stats = stats_of(gateway);
    assert_int_equal(stats.refused, lost);
    assert_int_equal(stats.dropped[GAP_STORAGE], lost);
    assert_int_equal(stats.produced, stats.stored + stats.refused + stats.waiting);
    assert_int_equal(stats.waiting, 0);
}

/* The next start tells of all that is missing, and no further one tells of it again. */
static struct found expect_all_told(struct gateway *gateway)
{
    struct found found;
    for (int i = 0; i < 3; i++) {
        start(gateway);
        found = read_all(gateway);
        assert_int_equal(found.readings + found.storage, gateway->put);
        assert_int_equal(found.storage_gaps, 1);
        assert_int_equal(found.overload + found.other_gaps, 0);
        assert_int_equal(found.alarms, 1);
        expect_ledger(gateway, found.storage);
        put(gateway);
        end(gateway);
    }
    return found;
}

static void an_orderly_end_on_a_full_disk_is_told_exactly(void **state)
{
    struct gateway *gateway = *state;
    fill_disk(gateway);
    end(gateway);
    free_disk(gateway);
    fake_clock_advance(&gateway->clock, 60 * NS_PER_S);
    struct found found = expect_all_told(gateway);
    assert_int_equal(found.crash_gaps, 0);
    /* 2,000 readings, one in 100 ms, and the minute until the start. */
    assert_in_range(found.storage_extent_ms, 260000, 261000);
    assert_non_null(strstr(found.alarm, "no space left on the device"));
    assert_non_null(strstr(found.alarm, " from 2026-"));
    assert_non_null(strstr(found.alarm, "the gateway was stopped"));
}

static void what_each_stream_lost_is_on_its_ledger(void **state)
{
    struct gateway *gateway = *state;
    struct journal_stream_ledger before, after;
    fill_disk(gateway);
    assert_int_equal(journal_stream_ledger(gateway->journal, gateway->stream, &before), 0);
    uint64_t waiting = stats_of(gateway).waiting;
    end(gateway);
    free_disk(gateway);
    start(gateway);
    assert_int_equal(journal_stream_ledger(gateway->journal, gateway->stream, &after), 0);
    assert_int_equal(after.refused, before.refused + waiting);
    assert_int_equal(after.produced, gateway->put + 1); /* and its declaration */
}

/* The disk as a killed process leaves it. */
static void kill_it(struct gateway *gateway)
{
    struct medium_image image = {0};
    medium_snapshot(gateway->medium, &image);
    cursor_close(gateway->cursor);
    lane_close(gateway->lane);
    journal_close(gateway->journal);
    medium_close(gateway->medium);
    gateway->journal = NULL;
    gateway->medium = medium_open(&image);
    medium_image_clear(&image);
}

static void a_kill_in_an_outage_is_told_as_far_as_it_was_noted(void **state)
{
    struct gateway *gateway = *state;
    fill_disk(gateway);
    uint64_t noted = gateway->put;
    pause_ms(NOTE_MS + 500); /* so that all of these are in a note */
    put(gateway);
    kill_it(gateway);
    start(gateway);
    struct found found = read_all(gateway);
    assert_true(found.readings + found.storage >= noted);
    assert_true(found.readings + found.storage <= gateway->put);
    assert_int_equal(found.crash_gaps, 1);
    assert_true(found.crash_extent_ms >= NOTE_MS);
    assert_non_null(strstr(found.alarm, "killed"));
    expect_ledger(gateway, found.storage);
}

/* What came between the last note and the kill is lost, however the next process ends. */
static void a_kill_is_told_though_the_next_process_ends_in_order(void **state)
{
    struct gateway *gateway = *state;
    fill_disk(gateway);
    pause_ms(NOTE_MS + 500);
    kill_it(gateway);
    medium_set_capacity(gateway->medium, 160 << 10);
    start(gateway);
    run_into_the_outage(gateway, ERR_NO_SPACE);
    end(gateway);
    free_disk(gateway);
    struct found found = expect_all_told(gateway);
    assert_int_equal(found.crash_gaps, 1);
    assert_true(found.crash_extent_ms >= NOTE_MS);
}

static void an_outage_over_several_starts_is_told_as_one(void **state)
{
    struct gateway *gateway = *state;
    fill_disk(gateway);
    end(gateway);
    for (int i = 0; i < 3; i++) {
        fake_clock_advance(&gateway->clock, 3600 * NS_PER_S);
        start(gateway);
        run_into_the_outage(gateway, ERR_NO_SPACE);
        end(gateway);
    }
    free_disk(gateway);
    struct found found = expect_all_told(gateway);
    assert_true(found.storage_extent_ms > 3 * 3600 * 1000);
}

/* Acknowledges one event in three of the first so many. */
static void acknowledge_some(struct gateway *gateway, uint64_t last)
{
    for (uint64_t n = 1; n <= last; n += 3)
        assert_int_equal(cursor_ack(gateway->cursor, n, n), 0);
}

struct kept {
    uint64_t acked, low, ranges;
};

static void keep_ledger(void *context, const struct cursor_ledger *ledger)
{
    *(struct kept *)context =
        (struct kept){.acked = ledger->acked, .low = ledger->low, .ranges = ledger->ranges};
}

static struct kept kept_of(struct gateway *gateway)
{
    struct kept kept = {0};
    cursor_each(gateway->journal, keep_ledger, &kept);
    return kept;
}

/* What was delivered while nothing could be stored is not sent again by the next start, however the
 * process ended. */
static void acknowledgements_in_an_outage_outlive_the_process(void **state)
{
    struct gateway *gateway = *state;
    for (int killed = 0; killed < 2; killed++) {
        fill_disk(gateway);
        assert_int_equal(kept_of(gateway).acked, killed ? 10 : 0);
        if (!killed)
            acknowledge_some(gateway, 28);
        else
            assert_int_equal(cursor_ack(gateway->cursor, 2, 40), 0);
        struct kept before = kept_of(gateway);
        assert_int_equal(before.acked, killed ? 40 : 10);
        assert_int_equal(before.low, killed ? 41 : 2);
        pause_ms(killed ? NOTE_MS + 500 : 0);
        if (killed)
            kill_it(gateway);
        else
            end(gateway);
        free_disk(gateway);
        start(gateway);
        struct kept after = kept_of(gateway);
        assert_memory_equal(&after, &before, sizeof(before));
        /* They are in the journal now, and the note does not count any more. */
        journal_flush(gateway->journal, PATIENCE_S * NS_PER_S);
        kill_it(gateway);
        start(gateway);
        after = kept_of(gateway);
        assert_memory_equal(&after, &before, sizeof(before));
    }
}

/* The disk has room again when the process already runs. */
static void an_outage_that_ends_in_the_next_process_is_told(void **state)
{
    struct gateway *gateway = *state;
    fill_disk(gateway);
    end(gateway);
    start(gateway);
    run_into_the_outage(gateway, ERR_NO_SPACE);
    free_disk(gateway);
    wait_until_well(gateway);
    struct found found = read_all(gateway);
    assert_int_equal(found.readings + found.storage, gateway->put);
    assert_int_equal(found.storage_gaps, 2);
    assert_int_equal(found.alarms, 2);
    expect_ledger(gateway, found.storage);
}

/* The disk stays full: the journal makes do with what it has. */
static void a_smaller_keep_ends_an_outage(void **state)
{
    struct gateway *gateway = *state;
    fill_disk(gateway);
    end(gateway);
    gateway->keep_bytes = 3 * small.segment_bytes;
    start(gateway);
    assert_int_equal(cursor_ack(gateway->cursor, 1, journal_durable(gateway->journal, NULL)), 0);
    wait_until_well(gateway);
    assert_true(journal_oldest(gateway->journal) > 1);
    assert_true(read_all(gateway).storage >= 2000);
    expect_ledger(gateway, read_all(gateway).storage);
}

static void an_outage_that_ended_is_not_told_by_the_next_start(void **state)
{
    struct gateway *gateway = *state;
    fill_disk(gateway);
    free_disk(gateway);
    wait_until_well(gateway);
    journal_flush(gateway->journal, PATIENCE_S * NS_PER_S);
    kill_it(gateway);
    expect_all_told(gateway);
}

static void break_medium(struct medium *medium, int error)
{
    static const enum medium_op calls[] = {MEDIUM_CREATE, MEDIUM_WRITE, MEDIUM_SYNC,
                                           MEDIUM_SYNC_DIR};
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        medium_inject(medium,
                      &(struct medium_fault){
                          .op = calls[i], .prefix = "", .times = UINT64_MAX, .error = error});
}

/* From a durable event to an orderly end while the medium takes nothing; then it is well again. */
static void live_through_a_broken_medium(struct gateway *gateway)
{
    put(gateway);
    journal_flush(gateway->journal, PATIENCE_S * NS_PER_S);
    break_medium(gateway->medium, ERR_IO);
    run_into_the_outage(gateway, ERR_IO);
    end(gateway);
    medium_heal(gateway->medium);
}

/* Events that had a number were never durable: they are lost, too. */
static void a_medium_that_takes_nothing_is_told_from_the_refuge(void **state)
{
    struct gateway *gateway = *state;
    end(gateway);
    gateway->refuge = medium_open(NULL);
    start(gateway);
    live_through_a_broken_medium(gateway);
    struct found found = expect_all_told(gateway);
    assert_non_null(strstr(found.alarm, "input/output error"));
    assert_int_equal(found.crash_gaps, 0);
}

static void nothing_that_was_stored_is_lost_when_nothing_takes_a_note(void **state)
{
    struct gateway *gateway = *state;
    live_through_a_broken_medium(gateway);
    start(gateway);
    struct found found = read_all(gateway);
    assert_true(found.readings >= 1);
    assert_int_equal(found.crash_gaps, 1);
}

/* The disk does not even refuse: nobody waits for it, and the refuge says what is lost. */
static void a_disk_that_hangs_until_the_end_is_told_from_the_refuge(void **state)
{
    struct gateway *gateway = *state;
    struct medium_image image = {0};
    struct medium *hung = gateway->medium;
    end(gateway);
    gateway->refuge = medium_open(NULL);
    start(gateway);
    put(gateway);
    journal_flush(gateway->journal, PATIENCE_S * NS_PER_S);
    uint64_t stored = gateway->put;
    medium_set_stalled(hung, true);
    put(gateway);
    journal_flush(gateway->journal, 10 * NS_PER_MS);
    for (int i = 0; i < 1000; i++)
        put(gateway);
    cursor_close(gateway->cursor);
    lane_close(gateway->lane);
    assert_int_equal(journal_close(gateway->journal), ERR_TIMEOUT);

    struct journal *left = gateway->journal;
    cut_now(hung, &(struct cut_choice){.style = CUT_NONE, .sector_bytes = 512}, &image);
    gateway->medium = medium_open(&image);
    medium_image_clear(&image);
    start(gateway);
    struct found found = read_all(gateway);
    assert_int_equal(found.readings, stored);
    /* A full ring is no trouble of the disk until that is known to hang. The few gap events that
     * told of the ring are lost, too. */
    assert_in_range(found.storage + found.overload, gateway->put - stored,
                    gateway->put - stored + 20);
    assert_non_null(strstr(found.alarm, "(the disk does not answer)"));
    end(gateway);
    medium_set_stalled(hung, false);
    while (journal_close(left) != 0)
        pause_ms(1);
    medium_close(hung);
}

/* A journal that could never store anything has something to tell, too. */
static void a_disk_that_is_full_from_the_beginning_is_told(void **state)
{
    struct gateway *gateway = *state;
    end(gateway);
    medium_close(gateway->medium);
    gateway->medium = medium_open(NULL);
    medium_set_capacity(gateway->medium, 12 << 10);
    start(gateway);
    run_into_the_outage(gateway, ERR_NO_SPACE);
    end(gateway);
    free_disk(gateway);
    start(gateway);
    struct found found = read_all(gateway);
    assert_int_equal(found.readings, 0);
    assert_true(found.storage >= gateway->put);
    assert_int_equal(found.storage_gaps, 1);
}

/* Wherever the power fails while the start tells of it: it is told once, and in full. */
static void a_power_cut_in_the_telling_start_changes_nothing(void **state)
{
    struct gateway *gateway = *state;
    fill_disk(gateway);
    end(gateway);
    struct medium_image image = {0};
    medium_snapshot(gateway->medium, &image);
    struct medium *recorded = medium_open(&image);
    medium_close(gateway->medium);
    gateway->medium = recorded;
    start(gateway);
    end(gateway);
    gateway->medium = NULL;

    struct cut *cut = cut_open(recorded);
    do {
        for (int style = 0; style < 2; style++) {
            struct cut_choice choice = {.style = style ? CUT_NONE : CUT_ALL, .sector_bytes = 512};
            cut_image(cut, &choice, &image);
            gateway->medium = medium_open(&image);
            start(gateway);
            struct found found = read_all(gateway);
            assert_int_equal(found.readings + found.storage, gateway->put);
            assert_int_equal(found.storage_gaps, 1);
            end(gateway);
            medium_close(gateway->medium);
        }
    } while (cut_advance(cut));
    cut_close(cut);
    medium_image_clear(&image);
    gateway->medium = recorded;
}

int main(void)
{
    setenv("SLUICE_LOG", "error", 0);
    log_init();
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_orderly_end_on_a_full_disk_is_told_exactly),
        TEST(what_each_stream_lost_is_on_its_ledger),
        TEST(a_kill_in_an_outage_is_told_as_far_as_it_was_noted),
        TEST(a_kill_is_told_though_the_next_process_ends_in_order),
        TEST(an_outage_over_several_starts_is_told_as_one),
        TEST(an_outage_that_ends_in_the_next_process_is_told),
        TEST(acknowledgements_in_an_outage_outlive_the_process),
        TEST(a_smaller_keep_ends_an_outage),
        TEST(an_outage_that_ended_is_not_told_by_the_next_start),
        TEST(a_medium_that_takes_nothing_is_told_from_the_refuge),
        TEST(a_disk_that_hangs_until_the_end_is_told_from_the_refuge),
        TEST(nothing_that_was_stored_is_lost_when_nothing_takes_a_note),
        TEST(a_disk_that_is_full_from_the_beginning_is_told),
        TEST(a_power_cut_in_the_telling_start_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
