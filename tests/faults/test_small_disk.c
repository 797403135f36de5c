// Disks with less room than journal.keep allows: the journal goes on with what it can have.
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
#include "journal/outage.h"
#include "journal/segment.h"

#define PATIENCE_S    30
#define TEXT_SIZE     2000
#define LARGE_SEGMENT (256 << 10)

struct disk {
    struct medium *medium;
    struct fake_clock clock;
    struct journal *journal;
    struct cursor *cursor;
    int64_t segment_bytes; /* 0: the journal's choice */
    enum journal_when_full when_full;
};

static void start(struct disk *disk)
{
    struct workload_options generous = {.segment_bytes = disk->segment_bytes,
                                        .keep_bytes = 1 << 30};
    struct journal_options options =
        workload_journal(&generous, medium_io(disk->medium), &disk->clock);

    options.when_full = disk->when_full;
    assert_int_equal(journal_open(&disk->journal, &options), 0);
    assert_int_equal(cursor_open(&disk->cursor, disk->journal, "uplink/cloud", CURSOR_AT_OLDEST),
                     0);
}

static void end(struct disk *disk)
{
    cursor_close(disk->cursor);
    assert_int_equal(journal_close(disk->journal), 0);
    disk->journal = NULL;
}

static int setup(void **state)
{
    static struct disk disk;
    disk = (struct disk){.medium = medium_open(NULL)};
    fake_clock_init(&disk.clock);
    *state = &disk;
    return 0;
}

static int teardown(void **state)
{
    struct disk *disk = *state;
    if (disk->journal)
        end(disk);
    medium_close(disk->medium);
    return 0;
}

/* Stores texts of `bytes` altogether. The first error. */
static int fill(struct disk *disk, int64_t bytes, bool acknowledge)
{
    static const char text[TEXT_SIZE];
    int error = 0;
    for (int64_t done = 0; done < bytes && error == 0; done += TEXT_SIZE) {
        struct event event = {.kind = EVENT_ALARM,
                              .mono_ns = clock_mono(&disk->clock.clock),
                              .value = {.type = VALUE_TEXT, .size = TEXT_SIZE, .data = text}};
        error = journal_put(disk->journal, &event);
        if (error == 0)
            error = journal_flush(disk->journal, PATIENCE_S * NS_PER_S);
        if (error == 0 && acknowledge)
            cursor_ack(disk->cursor, 1, journal_durable(disk->journal, NULL));
    }
    return error;
}

static struct journal_stats stats_of(struct disk *disk)
{
    struct journal_stats stats;
    journal_stats(disk->journal, &stats);
    return stats;
}

static int64_t used(struct disk *disk)
{
    struct medium_image image = {0};
    int64_t bytes = 0;
    medium_snapshot(disk->medium, &image);
    for (size_t i = 0; i < image.count; i++)
        bytes += image.files[i].size;
    medium_image_clear(&image);
    return bytes;
}

static size_t segments(struct disk *disk)
{
    struct medium_image image = {0};
    size_t found = 0;
    medium_snapshot(disk->medium, &image);
    for (size_t i = 0; i < image.count; i++)
        found += strncmp(image.files[i].name, "segment-", 8) == 0;
    medium_image_clear(&image);
    return found;
}

static uint64_t durable_now(void *context)
{
    return journal_durable(context, NULL);
}

static void wait_for_files(struct disk *disk, int64_t bytes)
{
    time_t deadline = time(NULL) + PATIENCE_S;
    while (used(disk) < bytes) {
        assert_true(time(NULL) < deadline);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

/* Several times what it holds, and a new start. */
static void expect_to_go_on(struct disk *disk, int64_t bytes, bool acknowledge)
{
    assert_int_equal(fill(disk, 4 * bytes, acknowledge), 0);
    struct journal_stats stats = stats_of(disk);
    assert_int_equal(stats.storage_error, 0);
    assert_int_equal(stats.refused, 0);
    assert_true(stats.oldest > 1);
    end(disk);
    start(disk);
    assert_in_range(stats_of(disk).newest, stats.newest,
                    stats.newest + 2); /* gaps that were told */
    assert_int_equal(fill(disk, bytes, acknowledge), 0);
}

static void any_disk_is_large_enough(void **state)
{
    static const int64_t sizes[] = {110 << 10, 128 << 10, 200 << 10, 500 << 10, 1 << 20, 5 << 20};
    struct disk *disk = *state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        medium_close(disk->medium);
        disk->medium = medium_open(NULL);
        medium_set_capacity(disk->medium, sizes[i]);
        start(disk);
        expect_to_go_on(disk, sizes[i], false);
        struct journal_stats stats = stats_of(disk);
        assert_true(stats.newest - stats.oldest > 10);
        end(disk);
    }
}

/* Somebody else takes all the rest as soon as the journal has its first files. */
static void a_disk_that_others_fill_does_not_stop_it(void **state)
{
    struct disk *disk = *state;
    for (int policy = 0; policy < 2; policy++) {
        medium_close(disk->medium);
        disk->medium = medium_open(NULL);
        disk->segment_bytes = 64 << 10;
        disk->when_full = policy ? JOURNAL_REFUSE_NEWEST : JOURNAL_DROP_OLDEST;
        start(disk);
        assert_int_equal(fill(disk, TEXT_SIZE, policy), 0);
        wait_for_files(disk, 3 * disk->segment_bytes);
        medium_set_capacity(disk->medium, 0);
        expect_to_go_on(disk, 3 * disk->segment_bytes, policy);
        end(disk);
    }
}

/* The journal of a larger disk with so many bytes in its only segment, which is as large as it was
 * made there, and only `room` bytes beside it. */
static void begin_with_one_segment(struct disk *disk, int64_t bytes, int64_t room)
{
    struct medium_image image = {0};
    medium_close(disk->medium);
    disk->medium = medium_open(NULL);
    disk->segment_bytes = LARGE_SEGMENT;
    start(disk);
    assert_int_equal(fill(disk, bytes, false), 0);
    end(disk);
    medium_snapshot(disk->medium, &image);
    for (size_t i = 0; i < image.count; i++) {
        struct segment segment;
        struct medium_file *file = &image.files[i];
        bool live = file->size >= SEGMENT_HEADER_SIZE &&
                    segment_unpack(&segment, FORMAT_NEWEST, NULL, file->data, NULL) == SEGMENT_LIVE;
        if (!live && strcmp(file->name, OUTAGE_NAME) != 0)
            medium_image_remove(&image, image.files[i--].name);
    }
    assert_int_equal(image.count, 2);
    medium_close(disk->medium);
    disk->medium = medium_open(&image);
    medium_image_clear(&image);
    medium_set_capacity(disk->medium, LARGE_SEGMENT + OUTAGE_FILE_SIZE + room);
    disk->segment_bytes = 0;
}

static void a_single_full_segment_is_followed_by_small_ones(void **state)
{
    struct disk *disk = *state;
    begin_with_one_segment(disk, 200 << 10, 44 << 10);
    start(disk);
    expect_to_go_on(disk, 300 << 10, false);
}

/* Not a byte is free: the segment's own end is all that there is. */
static void a_single_segment_makes_room_for_another_one(void **state)
{
    struct disk *disk = *state;
    for (int policy = 0; policy < 2; policy++) {
        begin_with_one_segment(disk, 100 << 10, 0);
        disk->when_full = policy ? JOURNAL_REFUSE_NEWEST : JOURNAL_DROP_OLDEST;
        start(disk);
        assert_int_equal(fill(disk, 20 << 10, policy), 0);
        assert_int_equal(segments(disk), 1);
        expect_to_go_on(disk, LARGE_SEGMENT, policy);
        assert_in_range(segments(disk), 2, 3);
        end(disk);
    }
}

/* Wherever the power fails meanwhile, the journal goes on with all that was durable. */
static void a_cut_while_it_makes_room_costs_nothing(void **state)
{
    struct disk *disk = *state;
    struct medium_image image = {0};
    begin_with_one_segment(disk, 160 << 10, 0);
    struct medium *recorded = disk->medium;
    start(disk);
    medium_observe(recorded, durable_now, disk->journal);
    assert_int_equal(fill(disk, 60 << 10, true), 0);
    assert_in_range(segments(disk), 2, 3);
    medium_observe(recorded, NULL, NULL);
    end(disk);

    struct cut *cut = cut_open(recorded);
    do {
        size_t at = cut_position(cut);
        uint64_t durable = at > 0 ? medium_log(recorded, at - 1)->observed : 0;
        for (int style = 0; style < 3; style++) {
            struct cut_choice choice = {
                .style = style == 0   ? CUT_ALL
                         : style == 1 ? CUT_NONE
                                      : CUT_RANDOM,
                .sector_bytes = 512,
                .seed = at,
            };
            cut_image(cut, &choice, &image);
            disk->medium = medium_open(&image);
            medium_set_capacity(disk->medium, LARGE_SEGMENT + OUTAGE_FILE_SIZE);
            start(disk);
            if (stats_of(disk).newest < durable)
                fail_msg("a cut at %zu of %zu, style %d: %ju was durable, error %d", at,
                         medium_log_size(recorded), style, (uintmax_t)durable,
                         stats_of(disk).storage_error);
            assert_int_equal(stats_of(disk).dropped[GAP_DAMAGE], 0);
            assert_int_equal(fill(disk, 4 * TEXT_SIZE, true), 0);
            end(disk);
            medium_close(disk->medium);
        }
    } while (cut_advance(cut));
    cut_close(cut);
    medium_image_clear(&image);
    disk->medium = recorded;
}

/* What was small in hard times is lengthened in better ones. */
static void files_grow_with_the_disk(void **state)
{
    struct disk *disk = *state;
    medium_set_capacity(disk->medium, 140 << 10);
    start(disk);
    assert_int_equal(fill(disk, 300 << 10, false), 0);
    assert_true(used(disk) <= 140 << 10);
    end(disk);
    medium_set_capacity(disk->medium, 2 << 20);
    start(disk);
    assert_int_equal(fill(disk, 2 << 20, false), 0);
    assert_true(used(disk) > 1 << 20);
    assert_int_equal(stats_of(disk).storage_error, 0);
}

int main(void)
{
    setenv("SLUICE_LOG", "error", 0);
    log_init();
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(any_disk_is_large_enough),
        TEST(a_disk_that_others_fill_does_not_stop_it),
        TEST(a_single_full_segment_is_followed_by_small_ones),
        TEST(a_single_segment_makes_room_for_another_one),
        TEST(a_cut_while_it_makes_room_costs_nothing),
        TEST(files_grow_with_the_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
