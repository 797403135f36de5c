#include "journal/reader.h"

#include "core/error.h"
#include "journal/events.h"
#include "journal/inside.h"
#include "journal/scan.h"

#include <stdlib.h>

struct reader {
    struct journal *journal;
    uint64_t n; /* the event that is looked for next */
    struct scan scan;
    bool has_scan;   /* its buffer is there */
    bool in_segment; /* it stands in `segment` */
    struct segment segment;
    uint64_t limit;       /* the first n of the segment behind */
    struct events events; /* of the frame that it stands in, up to frame_last */
    bool in_frame;
    uint64_t frame_last;
    struct gap gap;  /* of the event handed out */
    struct gap hole; /* of the gap handed out */
    struct event held;
    bool holds; /* `held` is the next event: the hole in front of it was told first */
};

int reader_open(struct reader **opened, struct journal *journal, uint64_t n)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return ERR_NOMEM;
    reader->journal = journal;
    reader_seek(reader, n);
    *opened = reader;
    return 0;
}

void reader_close(struct reader *reader)
{
    if (!reader)
        return;
    if (reader->has_scan)
        scan_close(&reader->scan);
    free(reader);
}

uint64_t reader_position(const struct reader *reader)
{
    return reader->n;
}

void reader_seek(struct reader *reader, uint64_t n)
{
    reader->n = n ? n : journal_oldest(reader->journal);
    reader->in_segment = false;
    reader->in_frame = false;
    reader->holds = false;
}

/* Events n..last are missing: makes the gap that tells so, and goes on behind them. */
static int tell_hole(struct reader *reader, uint64_t last, enum gap_reason reason,
                     struct event *event)
{
    struct segment segment = reader->segment;

    reader->hole = (struct gap){
        .first = reader->n,
        .last = last,
        .count = last - reader->n + 1,
        .reason = (uint8_t)reason,
    };
    *event = (struct event){
        .epoch = segment.epoch,
        .mono_ns = segment.mono_ns,
        .wall_ns = segment.mono_ns + segment.offset_ns,
        .boot = segment.boot,
        .kind = EVENT_GAP,
        .trust = segment.trust,
        .value = {.type = VALUE_GAP, .gap = &reader->hole},
    };
    reader->n = last + 1;
    return 1;
}

/* Goes to the segment that holds n. Returns 1 with the hole in front of it, 0, or an error. */
static int enter_segment(struct reader *reader, struct event *event)
{
    struct journal *journal = reader->journal;

    reader->in_frame = false;
    int error = index_find(&journal->index, reader->n, &reader->segment, &reader->limit);
    if (error < 0)
        return error;
    error = reader->has_scan ? scan_reopen(&reader->scan, &reader->segment)
                             : scan_open(&reader->scan, journal->io, &reader->segment);
    reader->has_scan |= error == 0;
    if (error < 0)
        return error;
    reader->in_segment = true;
    if (reader->n < reader->segment.first_n)
        return tell_hole(reader, reader->segment.first_n - 1, GAP_RETENTION, event);
    return 0;
}

/*
 * Nothing readable up to where the segment ended when it was last looked up. Returns 1 with a gap
 * in *event, 0 to go on, or an error.
 */
static int leave_segment(struct reader *reader, uint64_t durable, struct event *event)
{
    struct segment now;
    uint64_t limit;

    int error = index_find(&reader->journal->index, reader->n, &now, &limit);
    if (error < 0)
        return error;
    if (now.generation != reader->segment.generation) {
        reader->in_segment = false; /* it ended here, or was retired meanwhile */
        return 0;
    }
    reader->limit = limit;
    if (now.end > reader->scan.end) {
        reader->scan.end = now.end;
        return 0;
    }
    return tell_hole(reader, limit != UINT64_MAX ? limit - 1 : durable, GAP_DAMAGE, event);
}

static void begin_frame(struct reader *reader, const struct frame *frame, const uint8_t *payload)
{
    events_begin(&reader->events, frame, payload, &reader->journal->state.boots);
    reader->in_frame = true;
}

/* Finds the frame with n in it, or the first one behind. As leave_segment. */
static int enter_frame(struct reader *reader, uint64_t durable, struct event *event)
{
    struct frame frame;
    const uint8_t *payload;
    int64_t skipped;

    /* What is there of a segment that was retired meanwhile is counted as dropped. */
    if (!reader->in_segment || !index_has(&reader->journal->index, reader->segment.generation)) {
        int told = enter_segment(reader, event);
        if (told != 0)
            return told;
    }
    int got = scan_next(&reader->scan, &frame, &payload, &skipped);
    if (got < 0)
        return got;
    if (got == 0 || frame.first_n >= reader->limit)
        return leave_segment(reader, durable, event);
    reader->frame_last = frame_last_n(&frame, payload);
    if (reader->frame_last >= reader->limit)
        reader->frame_last = reader->limit - 1;
    if ((frame.count == 0 && !(frame.flags & FRAME_KEPT)) || reader->frame_last < reader->n)
        return 0;
    begin_frame(reader, &frame, payload);
    return 0;
}

/* The reason for a hole in front of an event: a kept frame says so itself. */
static enum gap_reason hole_reason(const struct reader *reader)
{
    bool retired =
        reader->events.kept || !index_has(&reader->journal->index, reader->segment.generation);
    return retired ? GAP_RETENTION : GAP_DAMAGE;
}

/* The next event of the frame from n on. Returns 1, or 0 at the frame's end. */
static int next_in_frame(struct reader *reader, struct event *event)
{
    int got;

    do {
        got = events_next(&reader->events, event, &reader->gap);
    } while (got > 0 && event->n < reader->n);
    if (got > 0 && event->n == reader->n) {
        reader->n++;
        return 1;
    }
    if (got > 0 && event->n <= reader->frame_last) {
        reader->held = *event;
        reader->holds = true;
        return tell_hole(reader, event->n - 1, hole_reason(reader), event);
    }
    reader->in_frame = false;
    if (reader->n > reader->frame_last)
        return 0;
    /* A kept frame's last numbers, or a frame that holds less than its header says. */
    return tell_hole(reader, reader->frame_last, hole_reason(reader), event);
}

int reader_next(struct reader *reader, struct event *event)
{
    for (;;) {
        if (reader->holds) {
            reader->holds = false;
            *event = reader->held;
            reader->n = event->n + 1;
            return 1;
        }
        int told = 0;
        if (reader->in_frame) {
            told = next_in_frame(reader, event);
        } else {
            uint64_t durable =
                atomic_load_explicit(&reader->journal->durable_n, memory_order_acquire);
            if (reader->n > durable)
                return 0;
            told = enter_frame(reader, durable, event);
        }
        if (told != 0)
            return told;
    }
}

/* Where n would be in the segment, by proportion. */
static int64_t place_of(const struct reader *reader, uint64_t n, uint64_t last)
{
    const struct segment *segment = &reader->segment;
    double events = (double)(last - segment->first_n + 1), before = (double)(n - segment->first_n);
    double bytes = (double)(reader->scan.end - SEGMENT_HEADER_SIZE);
    int64_t at = SEGMENT_HEADER_SIZE + (int64_t)(bytes * before / events);

    return segment_align(at, segment->alignment);
}

int reader_sample(struct reader *reader, uint64_t n)
{
    uint64_t durable = atomic_load_explicit(&reader->journal->durable_n, memory_order_acquire);
    struct event hole;
    struct frame frame;
    const uint8_t *payload;
    int64_t skipped;
    int got;

    reader_seek(reader, n > durable ? durable + 1 : n);
    if (reader->n > durable)
        return 0;
    got = enter_segment(reader, &hole);
    if (got != 0)
        return got < 0 ? got : 0; /* what is missing was in front of this segment: it begins here */
    uint64_t last = reader->limit != UINT64_MAX ? reader->limit - 1 : durable;
    reader->scan.at = place_of(reader, reader->n, last);
    do {
        got = scan_next(&reader->scan, &frame, &payload, &skipped);
    } while (got > 0 && frame.count == 0);
    if (got < 0)
        return got;
    if (got == 0 || frame.first_n > last) {
        reader_seek(reader, last + 1);
        return 0;
    }
    reader->n = frame.first_n;
    reader->frame_last = frame_last_n(&frame, payload);
    begin_frame(reader, &frame, payload);
    return 0;
}

/* To the first event of the stretch, or behind it, that is of the moment or later. */
static int seek_within(struct reader *reader, const struct stretch *stretch, int64_t wall_ns)
{
    const struct index *index = &reader->journal->index;
    struct segment segment;
    struct event event;
    size_t at = index_count(index);
    int got;

    /* The last segment that was begun before the moment. */
    while (at > 1 && (index_get(index, at - 1, &segment) < 0 || segment.first_n > stretch->last_n ||
                      (segment.first_n > stretch->first_n &&
                       begun_wall(reader->journal, &segment) > wall_ns)))
        at--;
    bool found = at > 0 && index_get(index, at - 1, &segment) == 0;
    uint64_t first_n = found ? segment.first_n : 0;
    reader_seek(reader, first_n > stretch->first_n ? first_n : stretch->first_n);
    while ((got = reader_next(reader, &event)) > 0) {
        if (event.n != 0 && event.wall_ns >= wall_ns) {
            reader_seek(reader, event.n);
            break;
        }
    }
    return got < 0 ? got : 0;
}

int reader_seek_time(struct reader *reader, int64_t wall_ns)
{
    struct stretch stretch = steps_first(&reader->journal->state.steps, wall_ns);

    return seek_within(reader, &stretch, wall_ns);
}

int reader_seek_behind(struct reader *reader, int64_t wall_ns)
{
    struct stretch stretch = steps_last(&reader->journal->state.steps, wall_ns);

    return seek_within(reader, &stretch, wall_ns);
}
