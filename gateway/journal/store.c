/* How events become frames. All on the writer thread. */
#include "core/bytes.h"
#include "core/error.h"
#include "core/log.h"
#include "journal/inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STEP_NS        NS_PER_MS         /* smaller differences are not told as a step */
#define CLOCK_TIGHT_NS (100 * NS_PER_US) /* two readings of the clocks belong together */
#define CLOCK_TRIES    5

/* The offset between the clocks, from readings that no interruption has pulled apart. False when
 * there were none. */
static bool read_offset(const struct clock *clock, int64_t *offset_ns)
{
    for (int i = 0; i < CLOCK_TRIES; i++) {
        int64_t before_ns = clock_mono(clock);
        int64_t wall_ns = clock_wall(clock);
        int64_t after_ns = clock_mono(clock);
        *offset_ns = wall_ns - before_ns;
        if (after_ns - before_ns < CLOCK_TIGHT_NS)
            return true;
    }
    return false;
}

void store_look_at_clock(struct journal *journal)
{
    struct writer *writer = &journal->writer;
    enum clock_trust trust = clock_trust(journal->clock);
    int64_t offset_ns;

    if (!read_offset(journal->clock, &offset_ns))
        return;
    int64_t step_ns = offset_ns - writer->boot.offset_ns;
    bool stepped = step_ns > STEP_NS || step_ns < -STEP_NS;
    if (writer->boot_known && !stepped && trust == writer->boot.trust)
        return;
    if (stepped && writer->boot_known) {
        writer->step_ns += step_ns;
        writer->stepped = true;
    }
    if (stepped || !writer->boot_known)
        writer->boot.offset_ns = offset_ns;
    writer->boot.trust = (uint8_t)trust;
    writer->boot_known = true;
    writer->boot_changed = true;
    boots_set(&journal->state.boots, &writer->boot);
}

/* What is left of the segment, and how long opening would take, tell when the next one is to begin.
 */
bool store_needs_segment(const struct writer *writer)
{
    return !writer->open &&
           (!writer->has_segment ||
            writer->segment.size - writer->reserve - writer->position < FRAME_ROOM_MIN ||
            writer->next_n - writer->segment.first_n >= SEGMENT_EVENTS_MAX);
}

/* Where the open frame ends at most: what the buffer and the segment have room for. */
static bool open_frame(struct journal *journal)
{
    struct writer *writer = &journal->writer;

    if (store_needs_segment(writer))
        return false;
    struct buffer *buffer = commit_buffer(&journal->commit);
    if (!buffer)
        return false;
    store_look_at_clock(journal);
    size_t room = buffer->room - SEGMENT_HEADER_SIZE; /* padding takes less than that */
    int64_t left = writer->segment.size - writer->reserve - writer->position;
    if (left < (int64_t)room)
        room = (size_t)left;
    buffer->limit = room - RECORDS_ROOM;
    buffer->record_limit = room;
    buffer->used = FRAME_HEADER_SIZE;
    buffer->urgent = false;
    buffer->since_ns = clock_mono(&clock_system);
    buffer->frame = (struct frame){
        .first_n = writer->next_n,
        .mono_ns = clock_mono(journal->clock),
        .offset_ns = writer->boot.offset_ns,
        .epoch = journal->state.epoch,
        .boot = writer->boot.number,
        .trust = writer->boot.trust,
    };
    buffer->codec = (struct codec){.n = writer->next_n - 1, .mono_ns = buffer->frame.mono_ns};
    writer->open = buffer;
    return true;
}

/* Packs an event into the open frame. ERR_FULL when that has no more room; ERR_INVALID. */
static int pack_event(struct journal *journal, struct event *event)
{
    struct writer *writer = &journal->writer;
    struct buffer *buffer = writer->open;

    event->n = writer->next_n;
    event->epoch = buffer->frame.epoch;
    event->boot = buffer->frame.boot;
    event->trust = buffer->frame.trust;
    event->wall_ns = (int64_t)((uint64_t)event->mono_ns + (uint64_t)buffer->frame.offset_ns);
    int size = codec_encode(&buffer->codec, event, buffer->data + buffer->used,
                            buffer->limit - buffer->used);
    if (size < 0)
        return size;
    buffer->used += (size_t)size;
    buffer->frame.count++;
    buffer->urgent |= event->urgent;
    writer->next_n++;
    state_apply_event(&journal->state, event);
    return 0;
}

/* A frame of its own time base begins with the step of the clock that made it necessary. */
static bool store_step(struct journal *journal)
{
    struct writer *writer = &journal->writer;
    if (writer->open && writer->open->frame.count > 0 && !store_seal(journal, false))
        return false;
    if (!writer->open && !open_frame(journal))
        return false;
    writer->open->frame.offset_ns = writer->boot.offset_ns;
    writer->open->frame.trust = writer->boot.trust;
    struct event event = {
        .mono_ns = writer->open->frame.mono_ns,
        .kind = EVENT_CLOCK,
        .urgent = true,
        .value = {.type = VALUE_I64, .i = writer->step_ns},
    };
    writer->stepped = false;
    writer->step_ns = 0;
    pack_event(journal, &event);
    return true;
}

/* The event that begins an epoch goes before anything else. */
static bool step_due(const struct writer *writer)
{
    return writer->stepped && writer->opening[0] == 0;
}

bool store_event(struct journal *journal, struct event *event)
{
    struct writer *writer = &journal->writer;

    for (;;) {
        if (writer->open &&
            writer->open->used >= (size_t)journal->commit_bytes + FRAME_HEADER_SIZE &&
            !store_seal(journal, false))
            return false;
        if (step_due(writer) && !store_step(journal))
            return false;
        if (!writer->open && !open_frame(journal))
            return false;
        if (step_due(writer))
            continue;
        int error = pack_event(journal, event);
        if (error == 0)
            return true;
        if (error != ERR_FULL) {
            /* lane_put lets nothing through that cannot be packed. */
            log_error("journal", "an event of stream %u cannot be stored: %s", event->stream,
                      error_text(error));
            return true;
        }
        if (!store_seal(journal, false))
            return false;
    }
}

static void pack_refused(struct journal *journal, struct packer *out)
{
    struct streams *streams = &journal->state.streams;
    uint32_t count = streams_count(streams);
    struct record_body body;

    journal->writer.refused_changed = false;
    for (uint32_t number = 1; number <= count; number++) {
        struct stream_refused *counter = streams_refused(streams, number);
        uint64_t refused = atomic_load_explicit(&counter->count, memory_order_relaxed);
        if (refused == counter->stored || number > journal->state.declared)
            continue;
        record_begin(&body);
        pack_varint(&body.packer, number);
        pack_varint(&body.packer, refused);
        if (!record_put(out, RECORD_REFUSED, &body)) {
            journal->writer.refused_changed = true;
            return;
        }
        counter->stored = refused;
    }
}

static void pack_cursors(struct journal *journal, struct packer *out)
{
    uint32_t next = 0;
    if (!atomic_exchange(&journal->cursors_changed, false))
        return;
    cursors_pack(&journal->state.cursors, out, false, &next);
    if (next < 2 * CURSORS_MAX)
        atomic_store(&journal->cursors_changed, true);
    journal->writer.cursors_due_ns = 0;
}

static void pack_records(struct journal *journal, struct packer *out, bool clean_end)
{
    struct writer *writer = &journal->writer;
    struct record_body body;

    if (writer->epoch_changed && writer->opening[0] == 0) {
        state_pack_epoch(&journal->state, &body);
        writer->epoch_changed = !record_put(out, RECORD_EPOCH, &body);
    }
    if (writer->boot_changed) {
        state_pack_boot(&writer->boot, &body);
        writer->boot_changed = !record_put(out, RECORD_BOOT, &body);
    }
    if (writer->told_changed) {
        state_pack_told(&journal->state, &body);
        writer->told_changed = !record_put(out, RECORD_OUTAGE_TOLD, &body);
    }
    /* What retention dropped counts when the gap events that tell of it are in this frame or one
     * before, and no sooner than the segment is known to have gone. */
    if (writer->retired_changed && writer->note_count == 0) {
        state_pack_retired(&journal->state, &body);
        writer->retired_changed = !record_put(out, RECORD_RETIRED, &body);
    }
    if (!writer->retired_changed)
        pack_cursors(journal, out);
    if (writer->refused_changed)
        pack_refused(journal, out);
    if (clean_end) {
        record_begin(&body);
        record_put(out, RECORD_CLEAN_END, &body);
    }
}

bool store_seal(struct journal *journal, bool clean_end)
{
    struct writer *writer = &journal->writer;
    struct commit *commit = &journal->commit;

    if (!writer->open && !open_frame(journal))
        return false;
    struct buffer *buffer = writer->open;
    pthread_mutex_lock(&commit->mutex);
    bool room = commit->queued < COMMIT_QUEUE;
    pthread_mutex_unlock(&commit->mutex);
    if (!room)
        return false;

    struct packer records = {.at = buffer->data + buffer->used,
                             .end = buffer->data + buffer->record_limit};
    pack_records(journal, &records, clean_end);
    size_t size = (size_t)(records.at - buffer->data);
    writer->open = NULL;
    if (size == FRAME_HEADER_SIZE) {
        commit_release(commit, buffer);
        retention_sealed(journal);
        return true;
    }
    if (buffer->frame.count > 0 && buffer->frame.trust != CLOCK_UNSET)
        steps_see(&journal->state.steps, buffer->frame.first_n, buffer->frame.mono_ns,
                  buffer->frame.offset_ns, buffer->frame.boot);
    buffer->frame.generation = writer->segment.generation;
    buffer->frame.version = writer->segment.version;
    buffer->frame.events_size = (uint32_t)(buffer->used - FRAME_HEADER_SIZE);
    buffer->frame.length = (uint32_t)(size - FRAME_HEADER_SIZE);
    frame_put(&buffer->frame, buffer->data);
    buffer->used = size;
    buffer->size = (size_t)segment_align((int64_t)size, writer->segment.alignment);
    memset(buffer->data + size, 0, buffer->size - size);
    buffer->offset = writer->position;
    buffer->number = ++commit->submitted;
    writer->position += (int64_t)buffer->size;
    retention_sealed(journal);
    commit_submit(commit, buffer);
    return true;
}

void store_note(struct writer *writer, const struct gap *gap)
{
    /* Far more than ever happen at once; if not, neighbours of one reason become one. */
    if (writer->note_count == NOTES_MAX) {
        struct gap *last = &writer->notes[NOTES_MAX - 1];
        if (gap->first != 0 && gap->first < last->first)
            last->first = gap->first;
        if (gap->last > last->last)
            last->last = gap->last;
        last->count += gap->count;
        return;
    }
    writer->notes[writer->note_count++] = *gap;
}

bool store_notes(struct journal *journal)
{
    struct writer *writer = &journal->writer;
    struct event event = {.mono_ns = clock_mono(journal->clock), .urgent = true};

    if (step_due(writer) && !store_step(journal))
        return false;
    if (writer->opening[0]) {
        event.kind = EVENT_LIFECYCLE;
        event.value.type = VALUE_TEXT;
        event.value.size = (uint16_t)strlen(writer->opening);
        event.value.data = writer->opening;
        if (!store_event(journal, &event))
            return false;
        writer->opening[0] = 0; /* its record goes with the same frame */
    }
    if (!stall_tell_before(journal) || !stall_tell(journal))
        return false;
    while (writer->note_count > 0) {
        struct gap gap = writer->notes[0];
        event.kind = EVENT_GAP;
        event.value = (struct value){.type = VALUE_GAP, .gap = &gap};
        if (!store_event(journal, &event))
            return false;
        memmove(writer->notes, writer->notes + 1, --writer->note_count * sizeof(gap));
    }
    return true;
}
