/* Beginning a segment: its header, its checkpoint, and what happens when that cannot be done. All
 * on the writer thread. */
#include "core/error.h"
#include "core/log.h"
#include "journal/inside.h"

#include <inttypes.h>
#include <string.h>

#define CHECKPOINT_FRAME_SIZE (64 * 1024)

/* Writes the state as frames behind the header. Nothing is synced. Moves *position behind them. */
static int write_checkpoint(struct journal *journal, struct io_file *file,
                            const struct segment *segment, int64_t *position)
{
    uint8_t *data = journal->writer.checkpoint;
    struct state_walk walk = {0};
    bool more = true;

    while (more) {
        struct packer packer = {.at = data + FRAME_HEADER_SIZE,
                                .end = data + CHECKPOINT_FRAME_SIZE};
        more = state_pack(&journal->state, &walk, &packer);
        struct frame frame = {
            .generation = segment->generation,
            .version = segment->version,
            .first_n = segment->first_n,
            .mono_ns = segment->mono_ns,
            .offset_ns = segment->offset_ns,
            .length = (uint32_t)(packer.at - data - FRAME_HEADER_SIZE),
            .epoch = segment->epoch,
            .boot = segment->boot,
            .flags = FRAME_CHECKPOINT,
            .trust = segment->trust,
        };
        int64_t size = packer.at - data;
        int64_t padded = segment_align(size, segment->alignment);
        if (*position + padded > segment->size)
            return ERR_TOO_LARGE;
        frame_put(&frame, data);
        memset(data + size, 0, (size_t)(padded - size));
        int error = journal->io->write(journal->io, file, data, (size_t)padded, *position);
        if (error < 0)
            return error;
        *position += padded;
    }
    return 0;
}

static struct segment describe(struct journal *journal, const struct spare_file *file,
                               uint64_t first_n)
{
    struct writer *writer = &journal->writer;

    store_look_at_clock(journal);
    uint64_t sequence = writer->sequence + 1;
    uint64_t generation = (uint64_t)journal->random() << 32 | (uint32_t)sequence;
    return (struct segment){
        .generation = generation ? generation : 1,
        .sequence = sequence,
        .first_n = first_n,
        .size = file->size,
        .mono_ns = clock_mono(journal->clock),
        .offset_ns = writer->boot.offset_ns,
        .id = file->id,
        .epoch = journal->state.epoch,
        .alignment = journal->alignment,
        .boot = writer->boot.number,
        .trust = writer->boot.trust,
        .version = (uint8_t)atomic_load(&journal->format),
    };
}

static int write_segment(struct journal *journal, struct io_file *file, struct segment *segment)
{
    uint8_t header[SEGMENT_HEADER_SIZE];
    int64_t position = SEGMENT_HEADER_SIZE;

    segment_pack(segment, journal->gateway_id, header);
    int error = journal->io->write(journal->io, file, header, sizeof(header), 0);
    if (error == 0)
        error = write_checkpoint(journal, file, segment, &position);
    if (error == 0)
        error = journal->io->sync(journal->io, file);
    segment->end = position;
    return error == 0 ? index_add(&journal->index, segment) : error;
}

struct spare_want roll_want(struct journal *journal, int64_t extra)
{
    int64_t least = SEGMENT_HEADER_SIZE + 4 * (int64_t)state_size(&journal->state) + extra +
                    2 * (int64_t)FRAME_ROOM_MIN;
    if (least < SEGMENT_SIZE_MIN)
        least = SEGMENT_SIZE_MIN;
    least = segment_align(least, SEGMENT_HEADER_SIZE);
    return (struct spare_want){
        .bytes = least > journal->segment_bytes ? least : journal->segment_bytes,
        .least = least,
    };
}

void roll_look_around(struct journal *journal)
{
    struct writer *writer = &journal->writer;

    if (!writer->alone || !writer->has_segment)
        return;
    writer->alone = index_count(&journal->index) == 1 && writer->retiring_count == 0 &&
                    !spare_has_file(&journal->spare);
    int64_t least = roll_want(journal, 0).least;
    int64_t most = (writer->segment.size - SEGMENT_HEADER_SIZE) / 2;
    writer->reserve = !writer->alone || most < least ? 0 : 2 * least < most ? 2 * least : most;
}

/* Gives what the only segment does not need back to the disk, so that another file can be made.
 * False when that would not do. */
static bool give_back(struct journal *journal)
{
    struct writer *writer = &journal->writer;
    struct segment *segment = &writer->segment;
    int64_t end = segment_align(writer->position, SEGMENT_HEADER_SIZE);

    if (!writer->has_segment || !commit_idle(&journal->commit) ||
        index_count(&journal->index) != 1 || segment->size - end < roll_want(journal, 0).least)
        return false;
    struct io_file *file = journal->commit.file;
    writer->busy_since_ns = clock_mono(&clock_system);
    int error = journal->io->truncate(journal->io, file, end);
    if (error == 0)
        error = journal->io->sync(journal->io, file);
    writer->busy_since_ns = 0;
    if (error < 0)
        return false;
    log_warn("journal",
             "the disk is full: the end of the only segment (%" PRId64 " KiB) makes room for "
             "another one",
             (segment->size - end) / 1024);
    journal->spare.total_bytes -= segment->size - end;
    segment->size = end;
    writer->reserve = 0;
    index_set_size(&journal->index, segment->generation, end);
    retention_plan(journal);
    return true;
}

/* The next file; false when it has to be waited for. */
static bool take_file(struct journal *journal, const struct spare_want *want, struct io_file **file,
                      struct spare_file *taken)
{
    int error = spare_take(&journal->spare, file, taken);

    if (error == ERR_AGAIN)
        return false;
    if (error == ERR_NOT_FOUND) {
        if (!retention_plan(journal))
            stall_begin(journal, ERR_FULL);
        return false;
    }
    if (error < 0) {
        if (error != ERR_NO_SPACE || (!retention_make_room(journal) && !give_back(journal)))
            stall_begin(journal, error);
        return false;
    }
    if (taken->size >= want->least)
        return true;
    /* The streams have become more since it was asked for. */
    journal->io->close(journal->io, *file);
    if (spare_add(&journal->spare, taken->id, taken->size, false) < 0)
        stall_begin(journal, ERR_NOMEM);
    else
        spare_request(&journal->spare, want);
    return false;
}

static bool begin_segment(struct journal *journal, uint64_t first_n, int64_t extra)
{
    struct writer *writer = &journal->writer;
    struct io_file *file;
    struct spare_file taken;
    struct spare_want want = roll_want(journal, extra);

    if (writer->stalled && clock_mono(&clock_system) < writer->retry_ns)
        return false;
    if (!take_file(journal, &want, &file, &taken))
        return false;
    struct segment segment = describe(journal, &taken, first_n);
    /* Used up whatever comes: a file that could not be written may come back with a power cut. */
    writer->sequence = segment.sequence;
    writer->busy_since_ns = clock_mono(&clock_system);
    int error = write_segment(journal, file, &segment);
    writer->busy_since_ns = 0;
    if (error < 0) {
        char name[SEGMENT_NAME_SIZE_MAX];
        segment_name(segment.id, name);
        journal->io->close(journal->io, file);
        journal->io->remove(journal->io, name);
        journal->spare.total_bytes -= segment.size;
        stall_begin(journal, error);
        return false;
    }
    commit_switch(&journal->commit, file, segment.generation);
    writer->segment = segment;
    writer->has_segment = true;
    writer->position = segment.end;
    writer->alone = true;
    roll_look_around(journal);
    if (writer->stalled)
        stall_end(journal);
    log_debug("journal", "segment %" PRIu64 " begins with event %" PRIu64, segment.sequence,
              segment.first_n);
    retention_plan(journal);
    return true;
}

bool roll(struct journal *journal)
{
    return commit_idle(&journal->commit) && begin_segment(journal, journal->writer.next_n, 0);
}

/* Puts what waits for the disk behind the new segment's checkpoint, in order. */
static void move_queue(struct journal *journal)
{
    struct writer *writer = &journal->writer;
    struct commit *commit = &journal->commit;

    for (unsigned i = 0; i < commit->queued; i++) {
        struct buffer *buffer = commit->queue[i];
        buffer->frame.generation = writer->segment.generation;
        buffer->frame.version = writer->segment.version;
        frame_put(&buffer->frame, buffer->data);
        buffer->size = (size_t)segment_align((int64_t)buffer->used, writer->segment.alignment);
        memset(buffer->data + buffer->used, 0, buffer->size - buffer->used);
        buffer->offset = writer->position;
        writer->position += (int64_t)buffer->size;
    }
    commit_resume(commit);
}

void roll_settle(struct journal *journal)
{
    struct writer *writer = &journal->writer;
    struct commit *commit = &journal->commit;

    pthread_mutex_lock(&commit->mutex);
    bool halted = commit->halted;
    int error = commit->error;
    commit->error = 0;
    pthread_mutex_unlock(&commit->mutex);
    if (!halted)
        return;
    if (error < 0) {
        log_error("journal",
                  "a commit failed (%s): this segment is abandoned, the events go to another",
                  error_text(error));
        stall_outage(journal, error);
        writer->has_segment = false;
    }
    /* The disk thread does not touch a halted queue. */
    int64_t extra = writer->open ? (int64_t)writer->open->record_limit : 0;
    for (unsigned i = 0; i < commit->queued; i++)
        extra += (int64_t)commit->queue[i]->used + SEGMENT_HEADER_SIZE;
    if (begin_segment(journal, commit->queue[0]->frame.first_n, extra))
        move_queue(journal);
}
