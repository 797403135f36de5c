/* Which segments go, and when their files may be used again. All on the writer thread. */
#include "core/error.h"
#include "core/log.h"
#include "journal/inside.h"

#include <inttypes.h>
#include <string.h>

#define SEGMENTS_MIN 2 /* the newest, and the one whose checkpoint reaches back before it */

/* Whether everything that must be durable before a file is used again has been sealed. */
static bool nothing_open(const struct journal *journal)
{
    return journal->writer.note_count == 0 && !atomic_load(&journal->cursors_changed);
}

static bool retire_oldest(struct journal *journal)
{
    struct writer *writer = &journal->writer;
    struct segment oldest;
    struct segment next;
    struct gap gap;

    if (index_count(&journal->index) <= SEGMENTS_MIN || writer->retiring_count == RETIRING_MAX)
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

int64_t retention_wait_ns(const struct journal *journal)
{
    struct segment next;
    if (journal->max_age_ns == 0 || index_count(&journal->index) <= SEGMENTS_MIN ||
        index_get(&journal->index, 1, &next) < 0)
        return INT64_MAX;
    int64_t wait_ns = begun_wall(journal, &next) + journal->max_age_ns - clock_wall(journal->clock);
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

bool retention_plan(struct journal *journal)
{
    struct writer *writer = &journal->writer;
    int64_t want = roll_bytes(journal, 0);
    bool trusted = writer->boot.trust != CLOCK_UNSET;
    size_t files;

    /* What is live and the file in preparation must fit. */
    while (index_bytes(&journal->index) + want > journal->keep_bytes ||
           (trusted && retention_wait_ns(journal) == 0))
        if (!retire_oldest(journal))
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
    if (files == 0 && index_bytes(&journal->index) + want > journal->keep_bytes &&
        index_count(&journal->index) > SEGMENTS_MIN)
        return false;
    spare_request(&journal->spare, want);
    return true;
}

bool retention_make_room(struct journal *journal)
{
    if (!retire_oldest(journal))
        return false;
    log_warn(
        "journal",
        "the disk is full: the oldest events make room although journal.keep would allow more");
    retention_release(journal, true);
    return true;
}
