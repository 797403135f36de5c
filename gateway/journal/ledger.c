/* What the journal tells of itself: clocks, figures, and the loss ledger. */
#include "core/error.h"
#include "journal/inside.h"

#include <string.h>

enum clock_trust journal_wall(const struct journal *journal, uint32_t boot, int64_t mono_ns,
                              int64_t *wall_ns)
{
    struct journal *changed = (struct journal *)journal;
    struct boot known;

    if (!boots_find(&journal->state.boots, boot, &known)) {
        *wall_ns = mono_ns;
        return CLOCK_UNSET;
    }
    *wall_ns = (int64_t)((uint64_t)mono_ns + (uint64_t)known.offset_ns);
    /* Nothing may have been stored since the clock was set: then nobody has looked. */
    if (known.trust == CLOCK_UNSET && !journal->read_only && boot == journal->writer.boot.number &&
        clock_trust(journal->clock) != CLOCK_UNSET) {
        atomic_store(&changed->clock_changed, true);
        journal_wake(changed, REST_TIMED);
    }
    return (enum clock_trust)known.trust;
}

int64_t begun_wall(const struct journal *journal, const struct segment *segment)
{
    struct boot boot;
    if (segment->trust == CLOCK_UNSET && boots_find(&journal->state.boots, segment->boot, &boot))
        return segment->mono_ns + boot.offset_ns;
    return segment->mono_ns + segment->offset_ns;
}

/*
 * Under the lanes' mutex, so that no event is between a lane and the count of what was taken from
 * lanes. What the journal stored without a lane (declarations, gaps, ...) was produced by itself.
 */
static void add_lanes(struct journal *journal, struct journal_stats *stats)
{
    struct state *state = &journal->state;

    pthread_mutex_lock(&journal->lanes_mutex);
    stats->produced = journal->put_before + state->stored - journal->taken + journal->refused_base;
    stats->refused = state->refused;
    for (size_t i = 0; i < GAP_REASONS; i++)
        stats->dropped[i] = state->dropped[i];
    uint64_t overload = journal->writer.before.overload;
    uint64_t storage = journal->writer.before.storage;
    for (size_t i = 0; i < journal->lane_count; i++) {
        const struct lane *lane = journal->lanes[i];
        /* In this order: what is seen as refused was put before. */
        overload += lane->refused_overload - lane->told_overload;
        storage += lane->refused_storage - lane->told_storage;
        stats->produced += lane->put;
    }
    stats->refused += overload + storage;
    stats->dropped[GAP_OVERLOAD] += overload;
    stats->dropped[GAP_STORAGE] += storage;
    pthread_mutex_unlock(&journal->lanes_mutex);
}

static void add_commits(struct journal *journal, struct journal_stats *stats)
{
    struct commit *commit = &journal->commit;
    pthread_mutex_lock(&commit->mutex);
    stats->commits = commit->commits;
    stats->commit_bytes = commit->bytes;
    stats->last_sync_ns = commit->last_sync_ns;
    stats->worst_sync_ns = commit->worst_sync_ns;
    pthread_mutex_unlock(&commit->mutex);
}

/* What a journal of a moment holds was all read before its first segment was begun, and nobody can
 * ask for the state of then: its end is that beginning, in whole milliseconds as it is told. Only a
 * clock that was set back makes the newest event really the older one. */
static int64_t newest_wall(const struct journal *journal, int64_t oldest_ns)
{
    int64_t newest_ns = journal->state.newest_wall_ns;
    int64_t begun_ns = (oldest_ns + NS_PER_MS - 1) / NS_PER_MS * NS_PER_MS;
    bool early = newest_ns != 0 && newest_ns < begun_ns && !steps_any(&journal->state.steps);

    return early ? begun_ns : newest_ns;
}

void journal_stats(const struct journal *constant, struct journal_stats *stats)
{
    struct journal *journal = (struct journal *)constant;
    struct segment oldest;

    memset(stats, 0, sizeof(*stats));
    stats->newest = journal_durable(journal, &stats->epoch);
    stats->oldest = journal_oldest(journal);
    /* Since the start one number was given to each event. */
    stats->stored = journal->stored_base + stats->newest - journal->last_n_base;
    add_lanes(journal, stats);
    stats->waiting = stats->produced - stats->stored - stats->refused;
    stats->boot = journal->writer.boot.number;
    if (index_get(&journal->index, 0, &oldest) == 0)
        stats->oldest_wall_ns = begun_wall(journal, &oldest);
    stats->newest_wall_ns = newest_wall(journal, stats->oldest_wall_ns);
    stats->bytes = (uint64_t)journal->spare.total_bytes;
    stats->keep_bytes = (uint64_t)journal->keep_bytes;
    stats->commit_ns = journal->commit_ns > 0 ? journal->commit_ns : 0;
    add_commits(journal, stats);
    stats->segments = (uint32_t)index_count(&journal->index);
    stats->streams = streams_count(&journal->state.streams);
    stats->storage_error = atomic_load(&journal->storage_error);
    if (stats->storage_error == 0 && journal_hangs(journal))
        stats->storage_error = ERR_TIMEOUT;
}

uint32_t journal_find(const struct journal *journal, const char *device, const char *point)
{
    return streams_find(&((struct journal *)journal)->state.streams, device, point);
}

int journal_stream_ledger(const struct journal *journal, uint32_t number,
                          struct journal_stream_ledger *ledger)
{
    const struct stream_entry *entry = streams_get(&journal->state.streams, number);
    if (!entry)
        return ERR_NOT_FOUND;
    ledger->stored = entry->stored;
    ledger->refused = streams_refused(&journal->state.streams, number)->count;
    ledger->produced = ledger->stored + ledger->refused;
    ledger->last_n = entry->last_n;
    ledger->last_wall_ns = entry->last_wall_ns;
    ledger->last_status = entry->last_status;
    return 0;
}

size_t journal_learnt(struct journal *journal, uint32_t number, char *out, size_t size)
{
    return streams_learnt(&journal->state.streams, number, out, size);
}
