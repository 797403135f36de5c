/* From whatever the folder holds to a journal that can go on (docs/journal-format.md, "Recovery").
 */
#include "core/error.h"
#include "core/log.h"
#include "journal/inside.h"
#include "journal/scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A few segments have to fit into what the filesystem can give, whatever is allowed. */
static void fit_segments(struct journal *journal, bool as_told)
{
    int64_t space = journal->io->space(journal->io);
    int64_t room = space + journal->spare.total_bytes;
    if (space < 0 || room >= journal->keep_bytes)
        return;
    int64_t most = room / (as_told ? 4 : 8) / SEGMENT_HEADER_SIZE * SEGMENT_HEADER_SIZE;
    if (most < SEGMENT_SIZE_MIN)
        most = SEGMENT_SIZE_MIN;
    if (most >= journal->segment_bytes)
        return;
    journal->segment_bytes = most;
    log_info("journal",
             "segments take %" PRId64 " KiB, as the filesystem has %" PRId64 " KiB for the journal",
             most / 1024, room / 1024);
}

static int find_newest(const struct journal *journal, struct segment *newest)
{
    struct segment segment;
    bool found = false;
    for (size_t at = 0; index_get(&journal->index, at, &segment) == 0; at++) {
        if (segment.kept || (found && segment.sequence < newest->sequence))
            continue;
        *newest = segment;
        found = true;
    }
    return found ? 0 : ERR_NOT_FOUND;
}

/* Whether the segment holds a frame behind its checkpoint: only then was it ever begun. */
static int was_begun(const struct journal *journal, const struct segment *segment)
{
    struct scan scan;
    struct frame frame;
    const uint8_t *payload;
    int64_t skipped;
    int got = scan_open(&scan, journal->io, segment);

    if (got < 0)
        return got;
    do {
        got = scan_next(&scan, &frame, &payload, &skipped);
    } while (got > 0 && (frame.flags & FRAME_CHECKPOINT));
    scan_close(&scan);
    return got;
}

/* Drops segments that were never begun. */
static int drop_unbegun(struct journal *journal)
{
    struct segment newest;
    while (find_newest(journal, &newest) == 0) {
        int begun = was_begun(journal, &newest);
        if (begun != 0)
            return begun < 0 ? begun : 0;
        index_remove(&journal->index, newest.generation);
        /* The number stays used: the generation of what is begun next must be another one. */
        if (newest.sequence > journal->writer.sequence)
            journal->writer.sequence = newest.sequence;
        /* Beside segments that are begun from now on its first event would be a wrong one. */
        int error = journal->read_only ? 0 : spare_free(&journal->spare, newest.id, newest.size);
        if (error < 0)
            return error;
    }
    return 0;
}

/*
 * A file that was not used again yet still looks like the segment that it was before it was
 * retired. What it holds has left the journal: where some of it was dropped, that is counted.
 */
static int drop_retired(struct journal *journal)
{
    struct segment oldest, next;
    int error = 0;

    while (error == 0 && journal->state.retired_n > 0 &&
           index_get(&journal->index, 1, &next) == 0 &&
           next.first_n <= journal->state.retired_n + 1) {
        index_get(&journal->index, 0, &oldest);
        if (oldest.kept)
            break;
        index_remove(&journal->index, oldest.generation);
        if (!journal->read_only)
            error = spare_add(&journal->spare, oldest.id, oldest.size, false);
    }
    return error;
}

/* Reads the last frame into a buffer at the head of the queue, to be written once more behind
 * itself, or into a new segment. */
static int repeat_tail(struct journal *journal, const struct segment *segment,
                       const struct load *load)
{
    struct writer *writer = &journal->writer;
    struct commit *commit = &journal->commit;
    struct buffer *buffer = commit_buffer(commit);
    struct scan scan;
    struct frame frame;
    const uint8_t *payload;
    int64_t skipped;

    size_t room = (size_t)load->tail_size + 2 * SEGMENT_HEADER_SIZE;
    if (room > buffer->room) {
        uint8_t *grown = realloc(buffer->data, room);
        if (!grown)
            return ERR_NOMEM;
        buffer->data = grown;
        buffer->room = room;
    }
    int error = scan_open(&scan, journal->io, segment);
    if (error < 0)
        return error;
    scan.at = load->tail_at;
    int got = scan_next(&scan, &frame, &payload, &skipped);
    bool found =
        got == 1 && skipped == 0 && FRAME_HEADER_SIZE + (int64_t)frame.length == load->tail_size;
    if (found)
        memcpy(buffer->data + FRAME_HEADER_SIZE, payload, frame.length);
    scan_close(&scan);
    if (!found) {
        /* The headers lie about the order of the segments: nothing is refused for that. */
        commit_release(commit, buffer);
        return got < 0 ? got : 0;
    }
    buffer->frame = frame;
    frame_put(&frame, buffer->data);
    buffer->used = FRAME_HEADER_SIZE + (size_t)frame.length;
    buffer->size = (size_t)segment_align((int64_t)buffer->used, segment->alignment);
    memset(buffer->data + buffer->used, 0, buffer->size - buffer->used);
    buffer->offset = load->end;
    buffer->number = ++commit->submitted;
    commit->queue[commit->queued++] = buffer;
    commit->halted = !writer->has_segment;
    writer->position += (int64_t)buffer->size;
    return 0;
}

/* Goes on in the newest segment where that is possible. */
static int go_on_in(struct journal *journal, const struct segment *newest, const struct load *load)
{
    struct writer *writer = &journal->writer;
    int64_t wanted = journal->state.clean ? 0 : segment_align(load->tail_size, newest->alignment);
    char name[SEGMENT_NAME_SIZE_MAX];
    struct io_file *file;

    if (newest->alignment != journal->alignment || load->faults > 0 ||
        load->end + wanted + FRAME_ROOM_MIN > newest->size)
        return 0;
    segment_name(newest->id, name);
    int error = journal->io->open(journal->io, name, 0, &file);
    if (error < 0)
        return error;
    journal->commit.file = file;
    journal->commit.generation = newest->generation;
    writer->segment = *newest;
    writer->has_segment = true;
    writer->alone = true;
    writer->position = load->end;
    return 0;
}

/* When the newest event that was found was read, by the wall clock; 0 where that was never set. */
static int64_t newest_ns(const struct journal *journal, const struct load *load)
{
    struct boot boot = {0};
    bool found = boots_find(&journal->state.boots, load->tail_boot, &boot) != 0;

    if (load->tail_trust == CLOCK_UNSET && (!found || boot.trust == CLOCK_UNSET))
        return 0;
    int64_t wall_ns = atomic_load(&journal->state.newest_wall_ns);
    return wall_ns != 0 ? wall_ns : load->tail_wall_ns;
}

/*
 * A start that was cut off may have left a checkpoint with a new epoch in which nothing was stored.
 * Nobody has ever seen that one: the epoch `before` is the one of the last frame.
 */
static void begin_epoch(struct journal *journal, const char *why, uint32_t before, uint64_t last_n,
                        int64_t newest_ns)
{
    struct state *state = &journal->state;
    do {
        state->epoch = journal->random();
    } while (state->epoch == 0 || state->epoch == before);
    journal->writer.epoch_changed = true;
    if (!why)
        return;
    state->previous.epoch = before;
    state->previous.last = last_n;
    state->previous.newest_ns = newest_ns;
    snprintf(state->previous.why, sizeof(state->previous.why), "%s", why);
    snprintf(journal->writer.opening, sizeof(journal->writer.opening),
             "epoch %08" PRIx32 " %" PRIu64 " %s", before, last_n, why);
    log_info("journal",
             "a new epoch %08" PRIx32 " follows %08" PRIx32 " after event %" PRIu64 ": %s",
             state->epoch, before, last_n, why);
}

static void restore_refused(struct state *state, struct unpacker *body)
{
    struct stream_refused *of = streams_refused(&state->streams, (uint32_t)unpack_varint(body));
    uint64_t refused = unpack_varint(body);

    if (!body->bad && of && refused > of->count)
        of->count = refused;
}

/* An acknowledgement that came in the outage is in no frame. */
static void restore_cursor(struct journal *journal, struct unpacker *body)
{
    if (cursors_advance(&journal->state.cursors, body))
        atomic_store(&journal->cursors_changed, true);
}

static void restore_records(struct journal *journal, const struct outage_note *note)
{
    struct unpacker records = {.at = note->records, .end = note->records + note->records_size};
    struct unpacker body;
    uint8_t type;

    while (record_get(&records, &type, &body) > 0) {
        if (type == RECORD_REFUSED)
            restore_refused(&journal->state, &body);
        else if (type == RECORD_CURSOR)
            restore_cursor(journal, &body);
    }
}

static uint64_t more_than(uint64_t value, uint64_t known)
{
    return value > known ? value - known : 0;
}

/*
 * What the process before had to note, because it could store nothing, and what is not told yet. A
 * note speaks of the journal that it lies beside only when it knows its epoch, or the one before:
 * the start that should have told of it may have been cut off.
 */
static void find_outage(struct journal *journal, uint64_t last_n, uint32_t epoch)
{
    struct state *state = &journal->state;
    struct outage_note *note = &journal->writer.before;

    outage_open(&journal->outage, note);
    if (journal->outage.number < state->outage_told)
        journal->outage.number = state->outage_told;
    if (note->number <= state->outage_told ||
        (note->epoch != epoch && note->epoch != state->previous.epoch)) {
        memset(note, 0, sizeof(*note));
        return;
    }
    /* From now on, what no gap event told of. */
    note->storage =
        more_than(note->storage, state->dropped[GAP_STORAGE]) + outage_unstored(note, last_n);
    note->overload = more_than(note->overload, state->dropped[GAP_OVERLOAD]);
    restore_records(journal, note);
    journal->refused_base += note->storage + note->overload;
}

/*
 * The extent of the gap is what a disk that worked until the end has cost. Whether it did, nobody
 * can know: where nothing took a note of an outage either, the newest event bounds what is missing.
 */
static void tell_crash(struct journal *journal)
{
    struct writer *writer = &journal->writer;
    int64_t extent_ms = journal->commit_ns > 0 ? journal->commit_ns / NS_PER_MS : 0;
    int64_t newest_ns = journal->state.previous.newest_ns;
    char newest[32];

    if (writer->before.number != 0)
        extent_ms += STALL_NOTE_NS / NS_PER_MS; /* what came behind the note */
    store_note(writer, &(struct gap){.reason = GAP_CRASH, .extent_ms = (uint32_t)extent_ms});
    if (writer->before.number != 0 || newest_ns == 0)
        return;
    clock_format(newest_ns, newest);
    log_warn("journal",
             "the process before did not end in order: events of its last %" PRId64
             " ms may be missing; had its disk failed before, all that was read from %s on",
             extent_ms, newest);
}

/* What was lost, as far as it can be known, becomes gap events. */
static void note_losses(struct journal *journal, const struct load *load, uint64_t last_n,
                        bool crash)
{
    struct writer *writer = &journal->writer;
    struct segment oldest;
    struct gap gap;

    if (crash)
        tell_crash(journal);
    for (size_t i = 0; i < load->gap_count; i++) {
        log_error("journal",
                  "events %" PRIu64 " to %" PRIu64 " cannot be read: the medium is damaged",
                  load->gaps[i].first, load->gaps[i].last);
        store_note(writer, &load->gaps[i]);
    }
    if (last_n > load->last_n) {
        log_error("journal",
                  "events %" PRIu64 " to %" PRIu64 " were acknowledged and are gone: the medium "
                  "does not keep what it confirms",
                  load->last_n + 1, last_n);
        store_note(writer, &(struct gap){.first = load->last_n + 1,
                                         .last = last_n,
                                         .count = last_n - load->last_n,
                                         .reason = GAP_DAMAGE});
    }
    if (index_get(&journal->index, 0, &oldest) < 0)
        return;
    cursors_retire(&journal->state.cursors, oldest.first_n - 1, GAP_RETENTION, &gap);
    if (gap.count > 0) {
        store_note(writer, &gap);
        atomic_store(&journal->cursors_changed, true);
    }
}

static void find_boot(struct journal *journal, const char *boot_id)
{
    struct writer *writer = &journal->writer;
    struct boot *boot = &writer->boot;

    if (boot_id && boot_id[0])
        snprintf(boot->id, sizeof(boot->id), "%s", boot_id);
    else
        snprintf(boot->id, sizeof(boot->id), "%08" PRIx32 "%08" PRIx32, journal->random(),
                 journal->random());
    boot->number = boots_number(&journal->state.boots, boot->id);
    writer->boot_known = boots_find(&journal->state.boots, boot->number, boot) != 0;
}

static bool identity_changed(const struct state *state, const char *identity)
{
    return state->identity[0] && identity && identity[0] && strcmp(state->identity, identity) != 0;
}

static void take_identity(struct journal *journal, const char *identity)
{
    struct state *state = &journal->state;
    if (!identity || !identity[0] || strcmp(state->identity, identity) == 0)
        return;
    snprintf(state->identity, sizeof(state->identity), "%s", identity);
    journal->writer.epoch_changed = true;
}

static const char *why_new_epoch(const struct journal *journal, bool fresh, bool aside, bool lost,
                                 const char *identity)
{
    if (fresh)
        return aside ? "set aside" : NULL;
    if (lost)
        return "damage";
    if (!journal->state.clean)
        return "unclean start";
    if (identity_changed(&journal->state, identity))
        return "identity changed";
    return aside ? "set aside" : NULL;
}

int recover(struct journal *journal, const struct journal_options *options)
{
    struct writer *writer = &journal->writer;
    struct segment newest = {0};
    struct load load = {0};
    int aside = folder_read(journal);
    int error = aside < 0 ? aside : drop_unbegun(journal);

    if (error == 0)
        error = load_newest(journal, &load);
    if (error == 0)
        error = drop_retired(journal);
    if (error < 0)
        return error;
    bool fresh = find_newest(journal, &newest) < 0;
    bool clean = journal->state.clean || fresh;
    journal->durable_n = load.last_n;
    uint32_t epoch = load.tail_epoch ? load.tail_epoch : journal->state.epoch;
    journal->durable_epoch = epoch;
    if (!fresh)
        index_set_end(&journal->index, newest.generation, load.end);
    atomic_store(&journal->format,
                 options->format_kept && !fresh ? newest.version : journal->format_newest);
    journal->stored_base = journal->state.stored;
    journal->refused_base = journal->state.refused;
    journal->last_n_base = load.last_n;
    if (journal->read_only)
        return 0;

    fit_segments(journal, options->segment_bytes > 0);
    find_outage(journal, load.last_n, epoch);
    uint64_t highest = cursors_highest(&journal->state.cursors);
    uint64_t last_n = highest > load.last_n ? highest : load.last_n;
    journal->last_n_base = last_n;
    writer->next_n = last_n + 1;
    if (newest.sequence > writer->sequence)
        writer->sequence = newest.sequence;
    const char *why =
        why_new_epoch(journal, fresh, aside > 0, last_n > load.last_n, options->identity);
    if (!fresh)
        error = go_on_in(journal, &newest, &load);
    if (error == 0 && !clean && load.tail_size > 0) {
        journal->durable_n = load.tail_first_n - 1;
        error = repeat_tail(journal, &newest, &load);
    }
    if (fresh || why || journal->state.epoch == 0)
        begin_epoch(journal, why, epoch, last_n, newest_ns(journal, &load));
    const struct outage_note *note = &writer->before;
    note_losses(journal, &load, last_n, note->number != 0 ? !note->ended || note->crashed : !clean);
    take_identity(journal, options->identity);
    find_boot(journal, options->boot_id);
    return error;
}
