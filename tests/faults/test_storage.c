// One fault of the storage at a time, while the journal runs: what it does, tells, and repairs.
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
#include "journal/lane.h"
#include "journal/reader.h"

#define LANE_BYTES 16384
#define PATIENCE_S 30
#define HANG_NS    (300 * NS_PER_MS)

struct storage {
    struct medium *medium;
    struct fake_clock clock;
    struct journal *journal;
    struct lane *lane;
    uint32_t stream;
    uint64_t counter; /* of the events that a lane took, each has its own */
    uint64_t refused;
};

static const struct workload_options small = {.segment_bytes = 32 << 10, .keep_bytes = 256 << 10};

static void start(struct storage *storage, const struct medium_image *image)
{
    *storage = (struct storage){.medium = medium_open(image)};
    fake_clock_init(&storage->clock);
    struct journal_options options =
        workload_journal(&small, medium_io(storage->medium), &storage->clock);
    options.hang_ns = HANG_NS;
    assert_int_equal(journal_open(&storage->journal, &options), 0);
    struct stream stream = {.type = VALUE_U64, .device = "counter", .point = "value"};
    assert_int_equal(journal_declare(storage->journal, &stream), 0);
    storage->stream = stream.number;
    assert_int_equal(lane_open(&storage->lane, storage->journal, LANE_BYTES), 0);
}

/* True when the lane took it. */
static bool put(struct storage *storage)
{
    struct event event = {.kind = EVENT_READING,
                          .stream = storage->stream,
                          .mono_ns = clock_mono(&storage->clock.clock)};
    event.value = (struct value){.type = VALUE_U64, .u = storage->counter + 1};
    bool taken = lane_put(storage->lane, &event, 1) == 1;
    storage->counter += taken;
    storage->refused += !taken;
    return taken;
}

static void put_many(struct storage *storage, int count)
{
    while (count-- > 0)
        put(storage);
}

static void flush(struct storage *storage)
{
    assert_int_equal(journal_flush(storage->journal, PATIENCE_S * NS_PER_S), 0);
}

static struct journal_stats stats_of(struct storage *storage)
{
    struct journal_stats stats;
    journal_stats(storage->journal, &stats);
    return stats;
}

/* Lets real time pass until the journal has noticed; the fake clock runs on, so that its retries
 * come. */
static void wait_for(struct storage *storage, bool (*condition)(struct storage *storage))
{
    time_t deadline = time(NULL) + PATIENCE_S;
    while (!condition(storage)) {
        assert_true(time(NULL) < deadline);
        fake_clock_advance(&storage->clock, 100 * NS_PER_MS);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static bool fails(struct storage *storage)
{
    return stats_of(storage).storage_error != 0;
}

static bool is_well_and_empty(struct storage *storage)
{
    struct journal_stats stats = stats_of(storage);
    return stats.storage_error == 0 && stats.waiting == 0;
}

/* What a test has closed itself is NULL by then. */
static void stop(struct storage *storage)
{
    medium_set_stalled(storage->medium, false);
    lane_close(storage->lane);
    journal_close(storage->journal);
    medium_close(storage->medium);
}

/* Begins with ten readings that are durable. */
static void begin(struct storage *storage)
{
    start(storage, NULL);
    put_many(storage, 10);
    flush(storage);
}

static int setup(void **state)
{
    static struct storage storage;
    begin(&storage);
    *state = &storage;
    return 0;
}

static int teardown(void **state)
{
    stop(*state);
    return 0;
}

struct found {
    uint64_t readings;
    uint64_t gap_events; /* what gaps of the reason say was lost */
    uint64_t alarms;
    char alarm[200]; /* the last one's words */
};

/* Reads everything: values rise by one, n rises by one. */
static struct found read_all(struct storage *storage, uint8_t reason)
{
    struct found found = {0};
    struct reader *reader;
    struct event event;
    uint64_t n = 0;
    assert_int_equal(reader_open(&reader, storage->journal, 1), 0);
    while (reader_next(reader, &event) == 1) {
        assert_int_equal(event.n, n + 1);
        n = event.n;
        if (event.kind == EVENT_GAP && event.value.gap->reason == reason)
            found.gap_events += event.value.gap->count;
        if (event.kind == EVENT_ALARM) {
            found.alarms++;
            snprintf(found.alarm, sizeof(found.alarm), "%.*s", event.value.size,
                     (const char *)event.value.data);
        }
        if (event.kind != EVENT_READING)
            continue;
        assert_int_equal(event.value.u, found.readings + 1);
        found.readings++;
    }
    reader_close(reader);
    return found;
}

/* Cuts the power, drops all that was not synced, starts again and expects every reading. */
static void expect_all_after_a_cut(struct storage *storage)
{
    struct medium_image image = {0};
    struct storage again;
    cut_now(storage->medium, &(struct cut_choice){.style = CUT_NONE, .sector_bytes = 512}, &image);
    start(&again, &image);
    assert_int_equal(read_all(&again, GAP_DAMAGE).readings, storage->counter);
    stop(&again);
    medium_image_clear(&image);
}

/* One alarm tells since when and why nothing could be stored. */
static void expect_alarm(struct storage *storage, const char *why)
{
    struct found found;
    time_t deadline = time(NULL) + PATIENCE_S;
    do { /* it is made when what failed has been handed to the disk again */
        flush(storage);
        found = read_all(storage, GAP_STORAGE);
        assert_true(time(NULL) < deadline);
    } while (found.alarms == 0);
    assert_int_equal(found.alarms, 1);
    assert_non_null(strstr(found.alarm, why));
    assert_non_null(strstr(found.alarm, " since 20"));
}

static void a_failed_sync_is_never_repeated_on_the_same_file(void **state)
{
    struct storage *storage = *state;
    size_t before = medium_log_size(storage->medium);
    medium_inject(storage->medium,
                  &(struct medium_fault){
                      .op = MEDIUM_SYNC, .prefix = "segment-", .times = 1, .error = ERR_IO});
    put_many(storage, 10);
    wait_for(storage, is_well_and_empty);
    flush(storage);
    put_many(storage, 10);
    flush(storage);

    size_t lost = before;
    while (medium_log(storage->medium, lost)->op != MEDIUM_SYNC_LOST)
        assert_true(++lost < medium_log_size(storage->medium));
    uint32_t file = medium_log(storage->medium, lost)->file;
    for (size_t i = lost + 1; i < medium_log_size(storage->medium); i++) {
        const struct medium_record *record = medium_log(storage->medium, i);
        bool touches = record->op == MEDIUM_WRITE || record->op == MEDIUM_SYNC;
        assert_false(touches && record->file == file);
    }
    assert_int_equal(read_all(storage, GAP_STORAGE).readings, 30);
    expect_all_after_a_cut(storage);
}

static void a_failed_write_loses_nothing(void **state)
{
    struct storage *storage = *state;
    medium_inject(storage->medium, &(struct medium_fault){.op = MEDIUM_WRITE,
                                                          .prefix = "segment-",
                                                          .times = 1,
                                                          .error = ERR_IO,
                                                          .partial = true});
    put_many(storage, 10);
    wait_for(storage, is_well_and_empty);
    flush(storage);
    assert_int_equal(read_all(storage, GAP_STORAGE).readings, 20);
    expect_all_after_a_cut(storage);
}

/* Producers go on until their ring is full; then the newest are refused and counted. */
static void overload(struct storage *storage)
{
    for (int i = 0; i < 20000; i++) {
        put(storage);
        if (i % 100 == 0)
            fake_clock_advance(&storage->clock, NS_PER_S / 10);
    }
}

/* After a trouble: what was taken is stored, what was refused is told, and the ledger adds up. */
static void expect_recovery(struct storage *storage)
{
    wait_for(storage, is_well_and_empty);
    put(storage);
    flush(storage);
    struct journal_stats stats = stats_of(storage);
    struct found overload_found = read_all(storage, GAP_OVERLOAD);
    struct found storage_found = read_all(storage, GAP_STORAGE);
    assert_int_equal(overload_found.readings, storage->counter);
    assert_int_equal(overload_found.gap_events + storage_found.gap_events, storage->refused);
    assert_int_equal(stats.refused, storage->refused);
    assert_int_equal(stats.produced, stats.stored + stats.refused + stats.waiting);
    expect_all_after_a_cut(storage);
}

static void a_full_disk_refuses_the_newest_and_recovers(void **state)
{
    struct storage *storage = *state;
    medium_set_capacity(storage->medium, 0);
    medium_inject(storage->medium, &(struct medium_fault){.op = MEDIUM_WRITE,
                                                          .prefix = "",
                                                          .times = UINT64_MAX,
                                                          .error = ERR_NO_SPACE});
    put(storage);
    wait_for(storage, fails);
    assert_int_equal(stats_of(storage).storage_error, ERR_NO_SPACE);
    overload(storage);
    assert_true(storage->refused > 0);
    medium_set_capacity(storage->medium, -1);
    medium_heal(storage->medium);
    expect_recovery(storage);
    expect_alarm(storage, "no space left on the device");
}

static void a_read_only_disk_is_told_and_recovers(void **state)
{
    struct storage *storage = *state;
    medium_set_read_only(storage->medium, true);
    put(storage);
    wait_for(storage, fails);
    assert_int_equal(stats_of(storage).storage_error, ERR_READ_ONLY);
    overload(storage);
    assert_int_equal(journal_flush(storage->journal, NS_PER_MS) < 0, 1);
    medium_set_read_only(storage->medium, false);
    expect_recovery(storage);
    expect_alarm(storage, "the filesystem is read-only");
}

static bool is_stalled(struct storage *storage)
{
    return medium_stalled(storage->medium) > 0;
}

static void a_stalled_sync_stops_no_producer(void **state)
{
    struct storage *storage = *state;
    uint64_t durable = journal_durable(storage->journal, NULL);
    medium_set_stalled(storage->medium, true);
    put(storage);
    wait_for(storage, is_stalled);
    overload(storage); /* 20 s by its clock */
    fake_clock_advance(&storage->clock, 10 * NS_PER_S);
    assert_true(storage->refused > 0);
    assert_int_equal(journal_durable(storage->journal, NULL), durable);
    medium_set_stalled(storage->medium, false);
    expect_recovery(storage);
}

/* Stopping ends although the disk does not come back; when it does, nothing that was taken is lost.
 */
static void a_hanging_disk_does_not_keep_anybody_from_stopping(void **state)
{
    static const char text[4000];
    struct event alarm = {.kind = EVENT_ALARM,
                          .value = {.type = VALUE_TEXT, .size = sizeof(text), .data = text}};
    struct storage *storage = *state;
    medium_set_stalled(storage->medium, true);
    int error = 0;
    for (int i = 0; error == 0; i++) {
        put(storage);
        error = journal_put(storage->journal, &alarm);
        assert_true(i < 1000);
    }
    assert_int_equal(error, ERR_TIMEOUT);
    overload(storage);
    struct journal_stats stats = stats_of(storage);
    assert_int_equal(stats.storage_error, ERR_TIMEOUT);
    assert_int_equal(stats.refused, storage->refused + 1);
    assert_int_equal(stats.produced, stats.stored + stats.refused + stats.waiting);
    lane_close(storage->lane);
    storage->lane = NULL;
    assert_int_equal(journal_close(storage->journal), ERR_TIMEOUT);
    medium_set_stalled(storage->medium, false);
    time_t deadline = time(NULL) + PATIENCE_S;
    while (journal_close(storage->journal) != 0)
        assert_true(time(NULL) < deadline);
    storage->journal = NULL;
}

/* With nothing to write to there is nothing to wait for. */
static void a_full_disk_does_not_keep_anybody_from_stopping(void **state)
{
    struct storage *storage = *state;
    medium_inject(storage->medium, &(struct medium_fault){.op = MEDIUM_WRITE,
                                                          .prefix = "",
                                                          .times = UINT64_MAX,
                                                          .error = ERR_NO_SPACE});
    put(storage);
    wait_for(storage, fails);
    overload(storage);
    assert_int_equal(journal_flush(storage->journal, PATIENCE_S * NS_PER_S), ERR_NO_SPACE);
    time_t began = time(NULL);
    lane_close(storage->lane);
    storage->lane = NULL;
    assert_int_equal(journal_close(storage->journal), 0);
    storage->journal = NULL;
    assert_true(time(NULL) - began < 5);
}

/* A commit for each reading, until the next one has to begin a segment. Returns how many. */
static int fill_segment(struct storage *storage, int count)
{
    flush(storage); /* so that the declaration has a frame of its own each time */
    uint32_t segments = stats_of(storage).segments;
    for (int i = 0; i != count; i++) {
        put(storage);
        flush(storage);
        if (stats_of(storage).segments > segments)
            return i;
    }
    return count;
}

/* What a status page asks while the writer waits for a checkpoint's sync. */
static void a_stalled_checkpoint_stops_nobody_who_asks(void **state)
{
    struct storage *storage = *state;
    int frames = fill_segment(storage, -1);
    stop(storage);

    begin(storage);
    fill_segment(storage, frames);
    medium_set_stalled(storage->medium, true);
    put(storage);
    while (medium_stalled(storage->medium) == 0)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_true(stats_of(storage).waiting > 0);
    struct lane *another;
    assert_int_equal(lane_open(&another, storage->journal, 0), 0);
    overload(storage);
    assert_true(storage->refused > 0);
    medium_set_stalled(storage->medium, false);
    lane_close(another);
    expect_recovery(storage);
}

/* Writes alarms of 2,000 bytes, more than fit. Returns the first error of a flush. */
static int put_alarms(struct storage *storage, int count)
{
    static const char text[2000];
    int error = 0;
    for (int i = 0; i < count && error == 0; i++) {
        struct event event = {.kind = EVENT_ALARM,
                              .value = {.type = VALUE_TEXT, .size = sizeof(text), .data = text}};
        error = journal_put(storage->journal, &event);
        if (error == 0)
            error = journal_flush(storage->journal, PATIENCE_S * NS_PER_S);
    }
    return error;
}

static void a_disk_smaller_than_the_limit_drops_the_oldest(void **state)
{
    struct storage *storage = *state;
    medium_set_capacity(storage->medium, 180 << 10);
    assert_int_equal(put_alarms(storage, 300), 0);
    struct journal_stats stats = stats_of(storage);
    assert_int_equal(stats.storage_error, 0);
    assert_true(stats.oldest > 150);
    assert_true(stats.newest >= 300);
    assert_true(stats.newest - stats.oldest > 20);
}

static void nothing_that_fails_at_the_start_does_harm(void **state)
{
    static const enum medium_op calls[] = {MEDIUM_CREATE, MEDIUM_WRITE,  MEDIUM_SYNC,
                                           MEDIUM_READ,   MEDIUM_RENAME, MEDIUM_SYNC_DIR};
    struct storage *storage = *state;
    struct medium_image image = {0};
    put_many(storage, 2000);
    flush(storage);
    cut_now(storage->medium, &(struct cut_choice){.style = CUT_ALL, .sector_bytes = 512}, &image);
    for (size_t c = 0; c < sizeof(calls) / sizeof(calls[0]); c++)
        for (uint64_t skip = 0; skip < 12; skip++) {
            struct medium *medium = medium_open(&image);
            struct medium_image after = {0};
            struct storage again;
            medium_inject(
                medium,
                &(struct medium_fault){
                    .op = calls[c], .prefix = "", .skip = skip, .times = 1, .error = ERR_IO});
            struct journal_options options =
                workload_journal(&small, medium_io(medium), &storage->clock);
            struct journal *journal;
            if (journal_open(&journal, &options) == 0)
                journal_close(journal);
            cut_now(medium, &(struct cut_choice){.style = CUT_NONE, .sector_bytes = 512}, &after);
            start(&again, &after);
            assert_int_equal(read_all(&again, GAP_DAMAGE).readings, storage->counter);
            stop(&again);
            medium_image_clear(&after);
            medium_close(medium);
        }
    medium_image_clear(&image);
}

int main(void)
{
    setenv("SLUICE_LOG", "error", 0);
    log_init();
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_failed_sync_is_never_repeated_on_the_same_file),
        TEST(a_failed_write_loses_nothing),
        TEST(a_full_disk_refuses_the_newest_and_recovers),
        TEST(a_read_only_disk_is_told_and_recovers),
        TEST(a_stalled_sync_stops_no_producer),
        TEST(a_hanging_disk_does_not_keep_anybody_from_stopping),
        TEST(a_full_disk_does_not_keep_anybody_from_stopping),
        TEST(a_stalled_checkpoint_stops_nobody_who_asks),
        TEST(a_disk_smaller_than_the_limit_drops_the_oldest),
        TEST(nothing_that_fails_at_the_start_does_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
