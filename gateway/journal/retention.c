/* Which segments go, and when their files may be used again. All on the writer thread. */
#include "core/error.h"
#include "core/log.h"
#include "journal/inside.h"

#include <inttypes.h>
#include <string.h>

#define SEGMENTS_MIN 2 /* the newest, and the one whose checkpoint reaches back before it */
#define FILES_MIN    3 /* with so many a journal goes on for ever, also when the disk is full */

/* Whether everything that must be durable before a file is used again has been sealed. */
static bool nothing_open(const struct journal *journal)
{
    return journal->writer.note_count == 0 && !journal->writer.retired_changed &&
           !atomic_load(&journal->cursors_changed);
}

/* The oldest of more than `min` segments, where the policy allows. */
static bool retire_oldest(struct journal *journal, size_t min)
{
    struct writer *writer = &journal->writer;
    struct segment oldest;
    struct segment next;
    struct gap gap;

    if (index_count(&journal->index) <= min || writer->retiring_count == RETIRING_MAX)
        return false;
    index_get(&journal->index, 0, &oldest);
    index_get(&journal->index, 1, &next);
    uint64_t last = next.first_n - 1;
    if (journal->when_full == JOURNAL_REFUSE_NEWEST &&
        cursors_lowest(&journal->state.cursors) <= last)
        return false;
    cursors_retire(&journal->state.cursors, last, GAP_RETENTION, &gap);
    if (gap.count > 0) {
        log_warn("journal",
                 "events %" PRIu64 " to %" PRIu64 " were dropped to make room: %" PRIu64
                 " of them had not been delivered",
                 gap.first, gap.last, gap.count);
        store_note(writer, &gap);
        atomic_store(&journal->cursors_changed, true);
    }
    index_remove(&journal->index, oldest.generation);
    journal->state.retired_n = last;
    writer->retired_changed = true;
    writer->retiring[writer->retiring_count++] = (struct retiring){
        .size = oldest.size,
        .commit = journal->commit.submitted,
        .id = oldest.id,
        .waits = !nothing_open(journal),
    };
    return true;
}

void retention_sealed(struct journal *journal)
{
    struct writer *writer = &journal->writer;
    if (!nothing_open(journal))
        return;
    for (size_t i = 0; i < writer->retiring_count; i++) {
        if (writer->retiring[i].waits)
            writer->retiring[i].commit = journal->commit.submitted;
        writer->retiring[i].waits = false;
    }
}

void retention_release(struct journal *journal, bool at_once)
{
    struct writer *writer = &journal->writer;
    size_t kept = 0;

    if (writer->retiring_count == 0)
        return;
    uint64_t done = commit_done(&journal->commit);
    for (size_t i = 0; i < writer->retiring_count; i++) {
        const struct retiring *retiring = &writer->retiring[i];
        bool free = at_once || (!retiring->waits && retiring->commit <= done);
        if (!free || spare_add(&journal->spare, retiring->id, retiring->size, false) < 0)
            writer->retiring[kept++] = *retiring;
    }
    bool some = kept < writer->retiring_count;
    writer->retiring_count = kept;
    if (some)
        retention_plan(journal);
}

/*
 * How long ago the segment was begun. Within a run of the machine its own clock tells: the wall
 * clock of one that was without power or without a time server for months is set forward by them,
 * and what was read a minute before is none the older for it. Another run counts by what was known
 * last of its wall clock; of one whose clock was never set nothing is known but that it was before
 * this one.
 */
static int64_t age_ns(const struct journal *journal, const struct segment *segment)
{
    struct boot boot = {.offset_ns = segment->offset_ns, .trust = segment->trust};
    int64_t now_ns = clock_mono(journal->clock);

    if (segment->boot == journal->writer.boot.number)
        return now_ns - segment->mono_ns;
    boots_find(&journal->state.boots, segment->boot, &boot);
    if (boot.trust == CLOCK_UNSET)
        return now_ns;
    return clock_wall(journal->clock) - (segment->mono_ns + boot.offset_ns);
}

int64_t retention_wait_ns(const struct journal *journal)
{
    struct segment next;
    if (journal->max_age_ns == 0 || index_count(&journal->index) <= SEGMENTS_MIN ||
        index_get(&journal->index, 1, &next) < 0)
        return INT64_MAX;
    int64_t wait_ns = journal->max_age_ns - age_ns(journal, &next);
    return wait_ns > 0 ? wait_ns : 0;
}

/* Files beyond the one that is in preparation are removed where they take more than is allowed. */
static void trim(struct journal *journal)
{
    size_t files;
    int64_t over =
        index_bytes(&journal->index) + spare_bytes(&journal->spare, &files) - journal->keep_bytes;
    if (over <= 0 || files <= 1)
        return;
    size_t excess = (size_t)((over + journal->segment_bytes - 1) / journal->segment_bytes);
    spare_trim(&journal->spare, excess < files - 1 ? excess : files - 1);
}

/* Few files are made ahead, while there is room: whoever fills the disk later does not stop the
 * journal. */
static void plan_files(struct journal *journal, struct spare_want *want)
{
    size_t in_use = index_count(&journal->index) + journal->writer.retiring_count;
    size_t files;

    spare_bytes(&journal->spare, &files);
    want->small = in_use + files < FILES_MIN;
    spare_request(&journal->spare, want);
    int64_t bytes = index_bytes(&journal->index) + spare_bytes(&journal->spare, &files);
    if (in_use + files >= FILES_MIN)
        return;
    files = FILES_MIN - files - in_use;
    if (bytes + (int64_t)files * want->bytes <= journal->keep_bytes)
        spare_reserve(&journal->spare, files);
}

bool retention_plan(struct journal *journal)
{
    struct writer *writer = &journal->writer;
    struct spare_want want = roll_want(journal, 0);
    bool trusted = writer->boot.trust != CLOCK_UNSET;
    size_t files;

    /* What is live and the file in preparation must fit. */
    while (index_bytes(&journal->index) + want.bytes > journal->keep_bytes ||
           (trusted && retention_wait_ns(journal) == 0))
        if (!retire_oldest(journal, SEGMENTS_MIN))
            break;
    trim(journal);
    spare_bytes(&journal->spare, &files);
    if (files == 0 && writer->retiring_count > 0) {
        /* What waits for a commit waits for ever when there is no segment that could take one: the
         * checkpoint of the next then says what went. */
        if (writer->stalled || !writer->has_segment ||
            (store_needs_segment(writer) && commit_idle(&journal->commit)))
            retention_release(journal, true);
        return true;
    }
    if (files == 0 && index_bytes(&journal->index) + want.bytes > journal->keep_bytes &&
        index_count(&journal->index) > SEGMENTS_MIN)
        return false;
    plan_files(journal, &want);
    return true;
}

/*
 * Of two segments the older may go, too: it stands for a newest one that was never begun, and that
 * one was, if there is an event in it. The spare thread has given up, so that there is no other
 * file.
 */
bool retention_make_room(struct journal *journal)
{
    const struct writer *writer = &journal->writer;
    bool begun = writer->has_segment && commit_idle(&journal->commit) &&
                 writer->next_n > writer->segment.first_n;

    if (!retire_oldest(journal, begun ? 1 : SEGMENTS_MIN))
        return false;
    log_warn(
        "journal",
        "the disk is full: the oldest events make room although journal.keep would allow more");
    retention_release(journal, true);
    return true;
}
