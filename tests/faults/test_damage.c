// Damaged files: the journal starts, tells what is missing, and delivers no wrong event.
// links: faults_journal
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/crc32c.h"
#include "core/log.h"
#include "faults/must.h"
#include "faults/oracle.h"

#define SEGMENT_BYTES 32768
#define HEADER_BYTES  4096

/* How far apart bits are flipped at most. Each costs a start: five times as much with the thread
 * sanitizer, which looks for something else. */
#ifdef __SANITIZE_THREAD__
#define STRIDE 307
#else
#define STRIDE 61
#endif

static const struct workload_options options = {.seed = 7,
                                                .steps = 120,
                                                .segment_bytes = SEGMENT_BYTES,
                                                .keep_bytes = 1 << 20,
                                                .lockstep = true};

/* A closed journal of several segments, and what was in it. */
struct closed {
    struct medium *medium;
    struct medium_image image;
    struct history history;
    uint64_t counter;
};

static int set_up(void **state)
{
    struct closed *closed = must_alloc(sizeof(*closed));
    struct fake_clock clock;
    fake_clock_init(&clock);
    closed->medium = medium_open(NULL);
    workload_record(&options, closed->medium, &clock, &closed->history);
    medium_snapshot(closed->medium, &closed->image);
    closed->counter = 1000000;
    *state = closed;
    return 0;
}

static int tear_down(void **state)
{
    struct closed *closed = *state;
    history_close(&closed->history);
    medium_image_clear(&closed->image);
    medium_close(closed->medium);
    free(closed);
    return 0;
}

static void copy_image(const struct medium_image *from, struct medium_image *to)
{
    for (size_t i = 0; i < from->count; i++)
        medium_image_add(to, from->files[i].name, from->files[i].data, from->files[i].size);
}

static uint64_t events_in(const struct closed *closed, const struct history *history)
{
    uint64_t count = 0;
    for (uint64_t n = 1; n <= history->last && n <= closed->history.last; n++)
        count += history->events[n].epoch == closed->history.events[n].epoch;
    return count;
}

/* Starts on the image. Returns how many of the events are gone; all that is gone was told, or the
 * test fails. */
static uint64_t lost_on(struct closed *closed, const struct medium_image *image,
                        struct medium_image *after)
{
    struct medium *disk = medium_open(image);
    struct oracle_report report = {0};
    size_t end = medium_log_size(closed->medium);
    struct oracle_case given = {
        .options = &options,
        .history = &closed->history,
        .position = end,
        .durable = closed->history.last,
        .oldest = history_oldest(&closed->history, end),
        .lied = true,
        .clean = true,
        .counter = closed->counter += 1000,
    };
    if (!oracle_check(&given, disk, &report))
        fail_msg("%s", report.why);
    uint64_t found = events_in(closed, &report.branch);
    uint64_t had = closed->history.last - given.oldest + 1;
    if (after != NULL)
        medium_snapshot(disk, after);
    history_close(&report.branch);
    medium_close(disk);
    return had > found ? had - found : 0;
}

/* The segments that hold something, in order of their sequence (format: bytes 24 to 31 of the
 * header). */
static size_t segments(const struct medium_image *image, struct medium_file *in_order[32])
{
    size_t count = 0;
    for (size_t i = 0; i < image->count; i++) {
        struct medium_file *file = &image->files[i];
        if (strncmp(file->name, "segment-", 8) != 0 || file->size < HEADER_BYTES ||
            memcmp(file->data, "SLUICESG", 8) != 0 || (file->data[14] & 1) != 0)
            continue;
        size_t at = count++;
        for (; at > 0 && memcmp(&in_order[at - 1]->data[24], &file->data[24], 1) > 0; at--)
            in_order[at] = in_order[at - 1];
        in_order[at] = file;
    }
    must_hold(count >= 3, "the workload is too small for this test");
    return count;
}

static void an_undamaged_journal_loses_nothing(void **state)
{
    struct closed *closed = *state;
    assert_int_equal(lost_on(closed, &closed->image, NULL), 0);
}

static void a_flipped_bit_costs_one_frame_at_most(void **state)
{
    struct closed *closed = *state;
    struct medium_file *in_order[32];
    struct medium_image image = {0};
    copy_image(&closed->image, &image);
    size_t count = segments(&image, in_order);
    uint64_t worst = 0, random = 3;
    for (size_t s = count - 2; s < count; s++)
        for (int64_t at = 0; at < in_order[s]->size; at += 1 + (int64_t)(random % STRIDE)) {
            uint8_t bit = (uint8_t)(1U << (workload_next(&random) & 7));
            in_order[s]->data[at] ^= bit;
            uint64_t lost = lost_on(closed, &image, NULL);
            worst = lost > worst ? lost : worst;
            in_order[s]->data[at] ^= bit;
        }
    assert_true(worst > 0); /* else this test has damaged nothing */
    assert_true(worst < 80);
    medium_image_clear(&image);
}

static void a_segment_may_be_cut_off_anywhere(void **state)
{
    struct closed *closed = *state;
    struct medium_file *in_order[32];
    struct medium_image image = {0};
    copy_image(&closed->image, &image);
    size_t count = segments(&image, in_order);
    for (size_t s = count - 2; s < count; s++) {
        int64_t size = in_order[s]->size;
        for (int64_t left = 0; left < size; left += 509) {
            in_order[s]->size = left;
            lost_on(closed, &image, NULL);
        }
        in_order[s]->size = size;
    }
    medium_image_clear(&image);
}

static void the_end_may_be_zeros_from_anywhere(void **state)
{
    struct closed *closed = *state;
    struct medium_file *in_order[32];
    struct medium_image image = {0};
    copy_image(&closed->image, &image);
    size_t count = segments(&image, in_order);
    struct medium_file *newest = in_order[count - 1];
    uint64_t before = 0;
    for (int64_t from = newest->size; from >= 0; from -= 512) {
        memset(newest->data + from, 0, (size_t)(newest->size - from));
        uint64_t lost = lost_on(closed, &image, NULL);
        assert_true(lost >= before);
        before = lost;
    }
    assert_true(before > 0);
    medium_image_clear(&image);
}

static void a_missing_segment_is_a_gap_and_the_rest_is_delivered(void **state)
{
    struct closed *closed = *state;
    struct medium_file *in_order[32];
    size_t count = segments(&closed->image, in_order);
    for (size_t s = 0; s < count; s++) {
        struct medium_image image = {0};
        copy_image(&closed->image, &image);
        medium_image_remove(&image, in_order[s]->name);
        uint64_t lost = lost_on(closed, &image, NULL);
        assert_true(lost > 0);
        assert_true(lost < closed->history.last * 2 / count);
        medium_image_clear(&image);
    }
}

/* Nothing behind the headers is left: the journal begins anew, beside the files of the old one. */
static void segments_that_hold_nothing_do_not_come_back(void **state)
{
    struct closed *closed = *state;
    struct medium_file *in_order[32];
    struct medium_image image = {0}, after = {0};
    copy_image(&closed->image, &image);
    size_t count = segments(&image, in_order);
    for (size_t s = 0; s < count; s++)
        memset(in_order[s]->data + HEADER_BYTES, 0, (size_t)(in_order[s]->size - HEADER_BYTES));
    assert_true(lost_on(closed, &image, &after) > 0);
    for (size_t s = 0; s < count; s++) {
        const struct medium_file *file = medium_image_find(&after, in_order[s]->name);
        assert_true(file == NULL || memcmp(file->data, in_order[s]->data, 256) != 0);
    }
    medium_image_clear(&image);
    medium_image_clear(&after);
}

static void files_that_are_not_ours_are_kept_aside(void **state)
{
    struct closed *closed = *state;
    struct medium_file *in_order[32];
    size_t count = segments(&closed->image, in_order);
    static const uint8_t garbage[5000] = {1, 2, 3, 4, 5};
    struct medium_image image = {0}, after = {0};
    copy_image(&closed->image, &image);
    medium_image_add(&image, "segment-0badf00d", garbage, sizeof(garbage));
    medium_image_add(&image, "segment-0badf00e", garbage, 1);
    medium_image_add(&image, "segment-0badf00f", garbage, 0);
    medium_image_add(&image, "segment-", garbage, 100);
    medium_image_add(&image, "notes.txt", garbage, 100);
    assert_int_equal(lost_on(closed, &image, &after), 0);
    const struct medium_file *kept = medium_image_find(&after, "set-aside-segment-0badf00d");
    assert_non_null(kept);
    assert_int_equal(kept->size, sizeof(garbage));
    assert_memory_equal(kept->data, garbage, sizeof(garbage));
    assert_non_null(medium_image_find(&after, "notes.txt"));
    assert_true(count > 0);
    medium_image_clear(&image);
    medium_image_clear(&after);
}

/* Changes one field of both copies of a header, and makes their checksums right again. */
static void edit_header(struct medium_file *file, size_t at, const char *bytes, size_t size)
{
    for (size_t copy = 0; copy < HEADER_BYTES; copy += 2048) {
        uint8_t *header = file->data + copy;
        memcpy(header + at, bytes, size);
        uint32_t crc = crc32c(0, header + 12, 244);
        for (int i = 0; i < 4; i++)
            header[8 + i] = (uint8_t)(crc >> 8 * i);
    }
}

static void another_version_and_another_gateway_are_kept_aside(void **state)
{
    static const struct edit {
        size_t at;
        const char *bytes;
        size_t size;
    } edits[] = {{12, "\2", 1}, {80, "plant8", 6}};
    struct closed *closed = *state;
    for (size_t e = 0; e < 2; e++) {
        struct medium_file *in_order[32];
        struct medium_image image = {0}, after = {0};
        copy_image(&closed->image, &image);
        size_t count = segments(&image, in_order);
        for (size_t i = 0; i < image.count; i++)
            if (image.files[i].size >= HEADER_BYTES)
                edit_header(&image.files[i], edits[e].at, edits[e].bytes, edits[e].size);
        lost_on(closed, &image, &after);
        for (size_t s = 0; s < count; s++) {
            char name[2 * MEDIUM_NAME_SIZE_MAX];
            snprintf(name, sizeof(name), "set-aside-%s", in_order[s]->name);
            const struct medium_file *kept = medium_image_find(&after, name);
            assert_non_null(kept);
            assert_int_equal(kept->size, in_order[s]->size);
            assert_memory_equal(kept->data, in_order[s]->data, (size_t)kept->size);
        }
        medium_image_clear(&image);
        medium_image_clear(&after);
    }
}

static void nothing_but_garbage_gives_a_new_journal(void **state)
{
    struct closed *closed = *state;
    struct medium_image image = {0};
    uint8_t garbage[9000];
    uint64_t random = 5;
    for (size_t i = 0; i < sizeof(garbage); i++)
        garbage[i] = (uint8_t)workload_next(&random);
    for (int i = 0; i < 6; i++) {
        char name[MEDIUM_NAME_SIZE_MAX];
        snprintf(name, sizeof(name), "segment-%08x", i);
        medium_image_add(&image, name, garbage, (int64_t)(workload_next(&random) % 9000));
    }
    lost_on(closed, &image, NULL);
    medium_image_clear(&image);
}

int main(void)
{
    setenv("SLUICE_LOG", "error", 0);
    log_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_undamaged_journal_loses_nothing),
        cmocka_unit_test(a_flipped_bit_costs_one_frame_at_most),
        cmocka_unit_test(a_segment_may_be_cut_off_anywhere),
        cmocka_unit_test(the_end_may_be_zeros_from_anywhere),
        cmocka_unit_test(a_missing_segment_is_a_gap_and_the_rest_is_delivered),
        cmocka_unit_test(segments_that_hold_nothing_do_not_come_back),
        cmocka_unit_test(files_that_are_not_ours_are_kept_aside),
        cmocka_unit_test(another_version_and_another_gateway_are_kept_aside),
        cmocka_unit_test(nothing_but_garbage_gives_a_new_journal),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
