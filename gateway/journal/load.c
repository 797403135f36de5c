/* From the disk to a state: a checkpoint, and what follows it. */
#include "core/error.h"
#include "journal/inside.h"
#include "journal/scan.h"

#include <string.h>

#define CHECKPOINTS_TRIED 8 /* each costs one segment more */

/* Notes where a frame was found, and what is missing in front of it. */
static void take_note(struct load *load, const struct scan *scan, const struct frame *frame,
                      const uint8_t *payload, int64_t skipped)
{
    uint64_t expected = load->last_n + 1;

    if (skipped > 0) {
        load->faults++;
        if (frame->first_n > expected && load->gap_count < NOTES_MAX)
            load->gaps[load->gap_count++] = (struct gap){
                .first = expected,
                .last = frame->first_n - 1,
                .count = frame->first_n - expected,
                .reason = GAP_DAMAGE,
            };
    }
    int64_t size = FRAME_HEADER_SIZE + (int64_t)frame->length;
    load->tail_first_n = frame->first_n;
    load->tail_size = size;
    load->tail_boot = frame->boot;
    load->tail_trust = frame->trust;
    load->tail_wall_ns = frame->mono_ns + frame->offset_ns;
    if (frame->count > 0 || load->tail_epoch == 0)
        load->tail_epoch = frame->epoch;
    /* The walk stands behind the frame's padding; the frame begins a whole number of units before.
     */
    load->tail_at = scan->at - segment_align(size, scan->alignment);
    uint64_t last_n = frame_last_n(frame, payload);
    if (last_n > load->last_n)
        load->last_n = last_n;
}

int load_segment(const struct journal *journal, struct state *state, const struct segment *segment,
                 bool base, uint64_t limit_n, const struct moment *moment, struct load *load)
{
    struct scan scan;
    struct frame frame;
    const uint8_t *payload;
    int64_t skipped;
    int result = scan_open(&scan, journal->io, segment);

    if (result < 0)
        return result;
    if (load->last_n + 1 < segment->first_n)
        load->last_n = segment->first_n - 1;
    load->tail_size = 0;
    state->checkpoint_whole &= !base;
    for (;;) {
        result = scan_next(&scan, &frame, &payload, &skipped);
        if (result <= 0)
            break;
        bool checkpoint = (frame.flags & FRAME_CHECKPOINT) != 0;
        if (checkpoint && !base)
            continue;
        if (!checkpoint && frame.first_n >= limit_n)
            break; /* the segment was abandoned here */
        if (!checkpoint)
            take_note(load, &scan, &frame, payload, skipped);
        result = state_apply_frame(state, &frame, payload, &journal->state.boots, moment);
        if (result == ERR_CORRUPT)
            load->faults++; /* the frame is as it was written: what it says was wrong from the start
                             */
        else if (result != 0)
            break;
    }
    load->end = scan.at;
    scan_close(&scan);
    return result > 0 && moment->wall_ns == INT64_MAX ? 0 : result;
}

static int load_from(struct journal *journal, size_t from, struct load *load)
{
    struct segment segment;
    struct segment next;
    int error = 0;

    memset(load, 0, sizeof(*load));
    state_clear(&journal->state);
    error = state_init(&journal->state);
    for (size_t at = from; error == 0 && index_get(&journal->index, at, &segment) == 0; at++) {
        uint64_t limit = index_get(&journal->index, at + 1, &next) == 0 ? next.first_n : UINT64_MAX;
        error = load_segment(journal, &journal->state, &segment, at == from, limit, &MOMENT_NEWEST,
                             load);
    }
    return error;
}

int load_newest(struct journal *journal, struct load *load)
{
    size_t count = index_count(&journal->index);
    size_t oldest = count > CHECKPOINTS_TRIED ? count - CHECKPOINTS_TRIED : 0;

    for (size_t from = count; from-- > oldest;) {
        int error = load_from(journal, from, load);
        if (error < 0)
            return error;
        /* A checkpoint may include events of commits that failed, and that were lost with the
         * machine. */
        if (journal->state.checkpoint_whole && journal->state.applied_n <= load->last_n)
            return 0;
    }
    /* Without any whole checkpoint, what was found last is better than nothing. */
    return 0;
}
