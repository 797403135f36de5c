/*
 * A gateway reduced to its journal, for tests that take the power or the process away from it.
 *
 *     journal_writer FOLDER FIRST
 *
 * Lists what the journal in FOLDER holds, then writes readings with the values FIRST, FIRST + 1,
 * ... in small commits until it is ended, and says after each commit what is durable. Lines on the
 * standard output:
 *
 *     has EPOCH N VALUE          a reading that was found
 *     hole FIRST LAST REASON     numbers that the journal says it lost
 *     low N                      where the cursor stands
 *     ready EPOCH N              begins to write
 *     durable EPOCH N VALUE      this reading, and all before it, are stored
 *     acking N                   the cursor is about to be told that all up to N is done
 *     acked N                    the cursor has been told that it is done with all up to N, and the
 * move is stored
 *
 * The exit code is 1 when the journal does not open, 3 when it can no longer store.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/log.h"
#include "journal/cursor.h"
#include "journal/lane.h"
#include "journal/reader.h"

#define BATCH_MAX 12

static void list(struct journal *journal)
{
    struct reader *reader;
    if (reader_open(&reader, journal, 1) != 0)
        exit(1);
    struct event event;
    int got;
    while ((got = reader_next(reader, &event)) == 1) {
        if (event.n == 0)
            printf("hole %" PRIu64 " %" PRIu64 " %s\n", event.value.gap->first,
                   event.value.gap->last, gap_reason_name(event.value.gap->reason));
        else if (event.kind == EVENT_READING)
            printf("has %08" PRIx32 " %" PRIu64 " %" PRId64 "\n", event.epoch, event.n,
                   event.value.i);
    }
    if (got < 0)
        printf("failed %s\n", error_text(got));
    reader_close(reader);
}

/* The n of the newest reading: the last event of this program is always one. */
static int write_batch(struct journal *journal, struct lane *lane, uint32_t stream, int64_t *value)
{
    struct event events[BATCH_MAX];
    size_t count = 1 + (size_t)(*value % BATCH_MAX);
    for (size_t i = 0; i < count; i++) {
        events[i] = (struct event){
            .kind = EVENT_READING, .stream = stream, .mono_ns = clock_mono(&clock_system)};
        events[i].value = (struct value){.type = VALUE_I64, .i = (*value)++};
    }
    if (lane_put(lane, events, count) != count)
        return ERR_FULL;
    return journal_flush(journal, 10 * NS_PER_S);
}

static int write_on(struct journal *journal, int64_t value)
{
    struct stream stream = {.type = VALUE_I64, .device = "counter", .point = "value"};
    struct lane *lane;
    struct cursor *cursor;
    uint32_t epoch;
    int error = journal_declare(journal, &stream);
    if (error == 0)
        error = lane_open(&lane, journal, 0);
    if (error == 0)
        error = cursor_open(&cursor, journal, "uplink/cloud", CURSOR_AT_OLDEST);
    if (error != 0)
        return error;
    uint64_t low = cursor_low(cursor), acked = low - 1;
    printf("low %" PRIu64 "\n", low);
    uint64_t durable = journal_durable(journal, &epoch);
    printf("ready %08" PRIx32 " %" PRIu64 "\n", epoch, durable);
    while ((error = write_batch(journal, lane, stream.number, &value)) == 0) {
        if (acked >= low)
            printf("acked %" PRIu64 "\n", acked);
        durable = journal_durable(journal, &epoch);
        printf("durable %08" PRIx32 " %" PRIu64 " %" PRId64 "\n", epoch, durable, value - 1);
        low = cursor_low(cursor);
        acked = low + (durable - low) / 2;
        printf("acking %" PRIu64 "\n", acked);
        if (cursor_ack(cursor, low, acked) != 0)
            acked = 0;
    }
    return error;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: journal_writer FOLDER FIRST\n", stderr);
        return 2;
    }
    log_init();
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct io io;
    int error = io_posix_open(&io, argv[1]);
    struct journal_options options = {
        .io = &io,
        .clock = &clock_system,
        .gateway_id = "plant7",
        .identity = "",
        .keep_bytes = 64 << 20,
        .segment_bytes = 128 << 10,
        .commit_ns = -1,
    };
    struct journal *journal = NULL;
    if (error == 0)
        error = journal_open(&journal, &options);
    if (error != 0) {
        fprintf(stderr, "%s: %s\n", argv[1], error_text(error));
        return 1;
    }
    list(journal);
    error = write_on(journal, strtoll(argv[2], NULL, 10));
    fprintf(stderr, "%s: %s\n", argv[1], error_text(error));
    _Exit(3); /* as a process ends that lost its disk: nothing is closed */
}
