/*
 * A journal on a disk that was tampered with. The input is a list of edits. As they stand,
 * checksums tell what they hit: the journal has to start, tell what is missing, and deliver no
 * wrong event. Where the first byte is odd the checksums are made right again, so that the edits
 * reach what is behind them: then it has to start and to read to the end, whatever it says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/crc32c.h"
#include "core/error.h"
#include "faults/must.h"
#include "faults/oracle.h"
#include "fuzz/fuzz.h"
#include "journal/reader.h"

#define EDIT_BYTES   8 /* kind, file, offset (3), size, two bytes of content */
#define EDITS_MAX    24
#define HEADER_BYTES 4096
#define FRAME_HEADER 64

static const struct workload_options options = {
    .seed = 11, .steps = 60, .segment_bytes = 32768, .keep_bytes = 1 << 20, .lockstep = true};

/* The journal before it is tampered with: made once. */
struct base {
    struct medium *medium;
    struct medium_image image;
    struct history history;
};

static const struct base *base(void)
{
    static struct base made;
    if (made.medium != NULL)
        return &made;
    struct fake_clock clock;
    fake_clock_init(&clock);
    made.medium = medium_open(NULL);
    workload_record(&options, made.medium, &clock, &made.history);
    medium_snapshot(made.medium, &made.image);
    return &made;
}

static void edit(struct medium_image *image, const uint8_t bytes[EDIT_BYTES])
{
    struct medium_file *file = &image->files[bytes[1] % image->count];
    int64_t at = (int64_t)(bytes[2] | bytes[3] << 8 | bytes[4] << 16);
    if (file->size == 0)
        return;
    at %= bytes[0] & 64 && file->size > 8192 ? 8192 : file->size; /* rather where something is */
    int64_t size = 1 + bytes[5];
    switch (bytes[0] % 6) {
    case 0:
        file->size = at;
        break;
    case 1:
        for (int64_t i = at; i < file->size && i < at + size; i++)
            file->data[i] = bytes[6];
        break;
    case 2:
        if (at + 2 * size <= file->size)
            memmove(file->data + at, file->data + at + size, (size_t)size);
        break;
    case 3:
        file->data[at] ^= bytes[6];
        break;
    case 4:
        file->data[at] = bytes[6];
        if (at + 1 < file->size)
            file->data[at + 1] = bytes[7];
        break;
    default:
        memset(file->data + at, 0, (size_t)(file->size - at));
        break;
    }
}

/* Makes the checksums of headers and frames right, as far as the frames can be followed. */
static void seal(struct medium_file *file)
{
    if (file->size < HEADER_BYTES)
        return;
    for (int64_t copy = 0; copy < HEADER_BYTES; copy += HEADER_BYTES / 2)
        put_u32(file->data + copy + 8, crc32c(0, file->data + copy + 12, 244));
    int64_t at = HEADER_BYTES;
    while (at + FRAME_HEADER <= file->size && memcmp(file->data + at, "SLFR", 4) == 0) {
        int64_t size = FRAME_HEADER + (int64_t)get_u32(file->data + at + 12);
        if (at + size > file->size)
            return;
        put_u32(file->data + at + 4, crc32c(0, file->data + at + 8, (size_t)size - 8));
        at += (size + 7) & ~INT64_C(7);
    }
}

static void check_promises(const struct medium_image *image)
{
    const struct base *before = base();
    struct medium *disk = medium_open(image);
    struct oracle_report report = {0};
    size_t end = medium_log_size(before->medium);
    struct oracle_case given = {.options = &options,
                                .history = &before->history,
                                .position = end,
                                .durable = before->history.last,
                                .oldest = history_oldest(&before->history, end),
                                .lied = true,
                                .clean = true,
                                .counter = 1000000};
    must_hold(oracle_check(&given, disk, &report), report.why);
    history_close(&report.branch);
    medium_close(disk);
}

static void check_survival(const struct medium_image *image)
{
    struct medium *disk = medium_open(image);
    struct fake_clock clock;
    fake_clock_init(&clock);
    struct journal_options given = workload_journal(&options, medium_io(disk), &clock);
    struct journal *journal;
    int error = journal_open(&journal, &given);
    must_hold(error == 0, error_text(error));
    struct reader *reader;
    must_hold(reader_open(&reader, journal, 0) == 0, "no reader");
    struct event event;
    uint64_t n = 0;
    while (reader_next(reader, &event) == 1) {
        uint64_t reached = event.n != 0 ? event.n : event.value.gap->last;
        must_hold(reached > n, "the reader goes back");
        n = reached;
    }
    reader_close(reader);
    event = (struct event){.kind = EVENT_ALARM, .value = {.type = VALUE_NONE}};
    must_hold(journal_put(journal, &event) == 0, "an event is refused");
    must_hold(journal_flush(journal, 60 * NS_PER_S) == 0, "it does not go on writing");
    journal_close(journal);
    medium_close(disk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct medium_image image = {0};
    const struct base *before = base();
    if (size < 1 + EDIT_BYTES)
        return 0;
    for (size_t i = 0; i < before->image.count; i++)
        medium_image_add(&image, before->image.files[i].name, before->image.files[i].data,
                         before->image.files[i].size);
    for (size_t at = 1; at + EDIT_BYTES <= size && at < EDITS_MAX * EDIT_BYTES; at += EDIT_BYTES)
        edit(&image, data + at);
    if (data[0] & 1) {
        for (size_t i = 0; i < image.count; i++)
            seal(&image.files[i]);
        check_survival(&image);
    } else {
        check_promises(&image);
    }
    medium_image_clear(&image);
    return 0;
}

size_t fuzz_seed(uint64_t random, uint8_t *out, size_t room)
{
    size_t size = 1 + EDIT_BYTES * (1 + (size_t)(random % 4));
    if (size > room)
        return 0;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)fuzz_next(&random);
    return size;
}
