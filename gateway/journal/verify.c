/* Looks at every byte that counts, and tells what is wrong. */
#include "core/error.h"
#include "journal/events.h"
#include "journal/inside.h"
#include "journal/reader.h"
#include "journal/scan.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct verify {
    const struct io *io;
    void (*tell)(void *context, const char *segment, int64_t offset, const char *sentence);
    void *context;
    int faults;
    struct index index;
    int error;
    char name[SEGMENT_NAME_SIZE_MAX]; /* of the segment under examination */
    uint64_t expected;                /* n of the next event; 0: not known yet */
};

static void __attribute__((format(printf, 3, 4)))
tell(struct verify *verify, int64_t offset, const char *format, ...)
{
    char sentence[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    verify->faults++;
    verify->tell(verify->context, verify->name, offset, sentence);
}

static void add_file(void *context, const struct io_dir_entry *entry)
{
    struct verify *verify = context;
    struct segment segment;
    struct io_file *file;
    uint8_t header[SEGMENT_HEADER_SIZE];
    uint32_t id;

    if (verify->error < 0 || !segment_name_parse(entry->name, &id))
        return;
    segment_name(id, verify->name);
    verify->error = segment_open(verify->io, id, &file, header);
    if (verify->error < 0)
        return;
    verify->io->close(verify->io, file);
    switch (segment_unpack(&segment, FORMAT_NEWEST, NULL, header, NULL)) {
    case SEGMENT_LIVE:
        segment.id = id;
        if (segment.size > entry->size) {
            tell(verify, entry->size,
                 "the file is shorter than its header says (%" PRId64 " bytes)", segment.size);
            segment.end = entry->size;
        }
        verify->error = index_add(&verify->index, &segment);
        break;
    case SEGMENT_VERSION:
        tell(verify, 0, "written by another version of Sluice");
        break;
    case SEGMENT_DAMAGED:
        tell(verify, 0, "both copies of the header are damaged");
        break;
    default:
        break;
    }
}

/* The events must be readable, as many as the header says, and numbered without a hole. */
static void check_events(struct verify *verify, const struct frame *frame, const uint8_t *payload,
                         int64_t at)
{
    struct events events;
    struct event event;
    struct gap gap;
    uint32_t count = 0;
    int got;

    events_begin(&events, frame, payload, NULL);
    while ((got = events_next(&events, &event, &gap)) > 0)
        count++;
    if (got < 0)
        tell(verify, at, "event %u of %u in a frame cannot be read", count + 1, frame->count);
    else if (events.at != events.end)
        tell(verify, at, "a frame holds more than its %u events", frame->count);
    if (frame->count == 0)
        return;
    if (verify->expected != 0 && frame->first_n > verify->expected)
        tell(verify, at, "events %" PRIu64 " to %" PRIu64 " are missing", verify->expected,
             frame->first_n - 1);
    uint64_t next = frame_last_n(frame, payload) + 1;
    if (next > verify->expected)
        verify->expected = next;
}

static void check_records(struct verify *verify, struct state *state, const struct frame *frame,
                          const uint8_t *payload, int64_t at)
{
    struct unpacker records = {.at = payload + frame->events_size, .end = payload + frame->length};
    struct unpacker body;
    uint8_t type;
    int got;

    while ((got = record_get(&records, &type, &body)) > 0)
        if (state_apply_record(state, type, &body) < 0)
            tell(verify, at, "a record of type %u cannot be read", type);
    if (got < 0)
        tell(verify, at, "the records of a frame cannot be told apart");
}

static int check_frames(struct verify *verify, struct state *state, struct scan *scan,
                        uint64_t limit)
{
    struct frame frame;
    const uint8_t *payload;
    int64_t skipped;
    bool begun = false;
    int got;

    while ((got = scan_next(scan, &frame, &payload, &skipped)) > 0) {
        int64_t at =
            scan->at - segment_align(FRAME_HEADER_SIZE + (int64_t)frame.length, scan->alignment);
        bool checkpoint = (frame.flags & FRAME_CHECKPOINT) != 0;
        if (!checkpoint && frame.first_n >= limit)
            break; /* the segment was abandoned here */
        if (skipped > 0)
            tell(verify, at - skipped, "%" PRId64 " bytes are damaged", skipped);
        if (!checkpoint && !begun && !state->checkpoint_whole)
            tell(verify, SEGMENT_HEADER_SIZE, "the checkpoint is damaged");
        begun |= !checkpoint;
        check_events(verify, &frame, payload, at);
        check_records(verify, state, &frame, payload, at);
    }
    return got < 0 ? got : 0;
}

static int check_segment(struct verify *verify, const struct segment *segment, uint64_t limit)
{
    struct state *state = calloc(1, sizeof(*state));
    struct scan scan;
    int error = state ? state_init(state) : ERR_NOMEM;

    segment_name(segment->id, verify->name);
    if (error == 0)
        error = scan_open(&scan, verify->io, segment);
    if (error == 0) {
        error = check_frames(verify, state, &scan, limit);
        scan_close(&scan);
    }
    if (state && state->streams.hash)
        state_clear(state);
    free(state);
    return error;
}

int journal_verify(const struct io *io,
                   void (*tell_fn)(void *context, const char *segment, int64_t offset,
                                   const char *sentence),
                   void *context)
{
    struct verify verify = {.io = io, .tell = tell_fn, .context = context};
    struct segment segment;
    struct segment next;

    index_init(&verify.index);
    int error = io->list(io, add_file, &verify);
    if (error == 0)
        error = verify.error;
    for (size_t at = 0; error == 0 && index_get(&verify.index, at, &segment) == 0; at++) {
        uint64_t limit = index_get(&verify.index, at + 1, &next) == 0 ? next.first_n : UINT64_MAX;
        error = check_segment(&verify, &segment, limit);
    }
    index_clear(&verify.index);
    return error < 0 ? error : verify.faults;
}
