/* The writer thread: takes events from the lanes, round by round, and decides when a commit is due.
 */
#include "core/error.h"
#include "core/log.h"
#include "journal/inside.h"

#define NEVER INT64_MAX

static int64_t now_ns(void)
{
    return clock_mono(&clock_system);
}

void journal_wake(struct journal *journal, enum rest rest)
{
    int resting = atomic_load(&journal->rest);
    if (resting >= (int)rest && atomic_exchange(&journal->rest, REST_AWAKE) != REST_AWAKE)
        commit_wake(&journal->commit);
}

/*
 * A round takes what is in the lanes when it begins, so that no lane can hold up the others. The
 * lanes' heads are read first and the streams' declarations second: an event cannot be in a lane
 * before its stream was declared.
 */
static void begin_round(struct journal *journal)
{
    struct writer *writer = &journal->writer;

    writer->in_round = true;
    writer->round_flush = atomic_load(&journal->flush_wanted);
    atomic_store(&journal->urgent, false);
    if (atomic_exchange(&journal->clock_changed, false))
        store_look_at_clock(journal);
    pthread_mutex_lock(&journal->lanes_mutex);
    writer->round_lane = 0;
    for (size_t i = 0; i < journal->lane_count; i++) {
        struct lane *lane = journal->lanes[i];
        /* In this order: what was refused by now stands behind all that the round takes. */
        lane->round_overload = atomic_load(&lane->refused_overload);
        lane->round_storage = atomic_load(&lane->refused_storage);
        ring_limit(&lane->ring);
    }
    pthread_mutex_unlock(&journal->lanes_mutex);
}

static bool take_declarations(struct journal *journal)
{
    struct state *state = &journal->state;
    uint32_t count = streams_count(&state->streams);

    while (state->declared < count) {
        struct stream stream;
        uint8_t packed[STREAM_PACKED_SIZE_MAX];
        uint32_t number = state->declared + 1;
        stream_entry_describe(streams_get(&state->streams, number), &stream);
        struct event event = {
            .stream = number,
            .mono_ns = clock_mono(journal->clock),
            .kind = EVENT_DECLARE,
            .value = {.type = VALUE_BYTES, .data = packed},
        };
        event.value.size = (uint16_t)stream_pack(&stream, packed);
        if (!store_event(journal, &event))
            return false;
        state->declared = number; /* storing it has done so, unless it could not be packed */
    }
    return true;
}

/* Events that the lane had no room for become a gap event. */
static bool tell_refused(struct journal *journal, struct lane *lane)
{
    struct {
        uint64_t refused;
        uint64_t *told;
        enum gap_reason reason;
    } kinds[] = {
        {lane->round_overload, &lane->told_overload, GAP_OVERLOAD},
        {lane->round_storage, &lane->told_storage, GAP_STORAGE},
    };

    for (size_t i = 0; i < 2; i++) {
        struct gap gap = {.count = kinds[i].refused - *kinds[i].told,
                          .reason = (uint8_t)kinds[i].reason};
        if (gap.reason == GAP_STORAGE)
            gap.extent_ms = stall_extent_ms(journal);
        struct event event = {
            .mono_ns = clock_mono(journal->clock),
            .kind = EVENT_GAP,
            .value = {.type = VALUE_GAP, .gap = &gap},
        };
        if (gap.count == 0)
            continue;
        journal->writer.refused_changed = true;
        if (!store_event(journal, &event))
            return false;
        *kinds[i].told = kinds[i].refused;
    }
    return true;
}

static bool take_lane(struct journal *journal, struct lane *lane)
{
    struct event event;
    bool room = true;

    while (room && ring_peek(&lane->ring, &event)) {
        room = store_event(journal, &event);
        if (room) {
            ring_pop(&lane->ring);
            journal->taken++;
        }
    }
    ring_release(&lane->ring);
    return room && tell_refused(journal, lane);
}

/* False when it has to be gone on with later, when the disk has made room. */
static bool take_lanes(struct journal *journal)
{
    struct writer *writer = &journal->writer;
    bool room = true;

    pthread_mutex_lock(&journal->lanes_mutex);
    while (room && writer->round_lane < journal->lane_count) {
        room = take_lane(journal, journal->lanes[writer->round_lane]);
        if (room)
            writer->round_lane++;
    }
    pthread_mutex_unlock(&journal->lanes_mutex);
    pthread_mutex_lock(&journal->own_mutex);
    if (journal->own_waiting > 0)
        pthread_cond_broadcast(&journal->own_room);
    pthread_mutex_unlock(&journal->own_mutex);
    return room;
}

static bool take_round(struct journal *journal)
{
    struct writer *writer = &journal->writer;

    if (!writer->in_round)
        begin_round(journal);
    if (!store_notes(journal) || !take_declarations(journal) || !take_lanes(journal))
        return false;
    writer->in_round = false;
    writer->taken_flush = writer->round_flush;
    stall_told(journal);
    return true;
}

/* When the open frame is to be committed. */
static int64_t frame_due_ns(const struct journal *journal)
{
    const struct buffer *open = journal->writer.open;
    if (!open)
        return NEVER;
    if (open->urgent || journal->commit_ns <= 0 ||
        open->used >= (size_t)journal->commit_bytes + FRAME_HEADER_SIZE)
        return 0;
    return open->since_ns + journal->commit_ns;
}

static bool flush_due(struct journal *journal)
{
    pthread_mutex_lock(&journal->commit.mutex);
    /* One after another, so that a later call cannot push an earlier one's commit away. */
    bool due = journal->writer.taken_flush != journal->flush_ready &&
               journal->commit.done >= journal->flush_commit;
    pthread_mutex_unlock(&journal->commit.mutex);
    return due;
}

static void flush_sealed(struct journal *journal)
{
    pthread_mutex_lock(&journal->commit.mutex);
    journal->flush_ready = journal->writer.taken_flush;
    journal->flush_commit = journal->commit.submitted;
    pthread_cond_broadcast(&journal->commit.durable);
    pthread_mutex_unlock(&journal->commit.mutex);
}

static bool something_retires(const struct journal *journal)
{
    for (size_t i = 0; i < journal->writer.retiring_count; i++)
        if (journal->writer.retiring[i].waits)
            return true;
    return false;
}

/* Commits what is due. False when that has to wait for the disk. */
static bool commit_due(struct journal *journal)
{
    struct writer *writer = &journal->writer;
    int64_t now = now_ns();
    bool flush = flush_due(journal);

    if (atomic_load(&journal->cursors_changed) && writer->cursors_due_ns == 0)
        writer->cursors_due_ns = now + CURSOR_IDLE_NS;
    bool moves = writer->cursors_due_ns != 0 && writer->cursors_due_ns <= now;
    bool note =
        (writer->boot_changed || writer->told_changed) && !writer->open && writer->has_segment;
    if (frame_due_ns(journal) <= now || moves || note || something_retires(journal) ||
        (flush && (writer->open || atomic_load(&journal->cursors_changed)))) {
        if (!store_seal(journal, false))
            return false;
    }
    if (flush)
        flush_sealed(journal);
    return true;
}

static bool has_untold(const struct lane *lane)
{
    return atomic_load(&lane->refused_overload) != lane->told_overload ||
           atomic_load(&lane->refused_storage) != lane->told_storage;
}

/* What a producer may have done just before it saw the writer awake. */
static bool missed_something(struct journal *journal, enum rest rest)
{
    const struct writer *writer = &journal->writer;
    bool missed = atomic_load(&journal->urgent) || atomic_load(&journal->closing) ||
                  atomic_load(&journal->clock_changed) ||
                  atomic_load(&journal->flush_wanted) != writer->taken_flush ||
                  (atomic_load(&journal->cursors_changed) && writer->cursors_due_ns == 0);
    if (rest == REST_IDLE)
        missed |= streams_count(&journal->state.streams) > journal->state.declared;
    pthread_mutex_lock(&journal->lanes_mutex);
    for (size_t i = 0; i < journal->lane_count && !missed; i++) {
        const struct lane *lane = journal->lanes[i];
        missed = ring_waiting(&lane->ring) >= (rest == REST_IDLE ? 1 : lane->wake_bytes) ||
                 (rest == REST_IDLE && has_untold(lane));
    }
    pthread_mutex_unlock(&journal->lanes_mutex);
    return missed;
}

/*
 * Rests until the time, until somebody wakes the writer, or (with `for_disk`) until the disk or the
 * spare thread has got something done since `progress`. The order makes that nothing is missed: the
 * writer first says how deeply it rests and then looks once more; a producer first shows its event
 * and then looks how deeply the writer rests.
 */
static void writer_rest(struct journal *journal, enum rest rest, bool for_disk, uint64_t progress,
                        int64_t until_ns)
{
    struct commit *commit = &journal->commit;
    struct timespec until = {.tv_sec = (time_t)(until_ns / NS_PER_S),
                             .tv_nsec = (long)(until_ns % NS_PER_S)};

    atomic_store(&journal->rest, rest);
    bool stay = rest == REST_AWAKE || !missed_something(journal, rest);
    atomic_store(&journal->writer.due_ns, until_ns);
    pthread_mutex_lock(&commit->mutex);
    commit->writer_waits = for_disk;
    while (stay && !commit->wake && !(for_disk && commit->progress != progress)) {
        if (until_ns == NEVER)
            pthread_cond_wait(&commit->writer, &commit->mutex);
        else if (pthread_cond_timedwait(&commit->writer, &commit->mutex, &until) != 0)
            stay = false;
    }
    atomic_store(&journal->writer.due_ns, now_ns());
    commit->writer_waits = false;
    commit->wake = false;
    pthread_mutex_unlock(&commit->mutex);
    atomic_store(&journal->rest, REST_AWAKE);
}

/* The next moment at which something is to be done by itself while no event waits. */
static int64_t idle_until_ns(const struct journal *journal)
{
    int64_t until = journal->writer.cursors_due_ns ? journal->writer.cursors_due_ns : NEVER;
    int64_t age = journal->writer.retiring_count > 0 ? NEVER : retention_wait_ns(journal);
    if (age != NEVER && now_ns() + age + NS_PER_S < until)
        until = now_ns() + age + NS_PER_S;
    return until;
}

/* When a segment is to be tried again, or the outage to be noted. Once one is being tried, the
 * spare thread wakes the writer. */
static int64_t retry_until_ns(const struct writer *writer)
{
    if (!writer->stalled)
        return NEVER;
    int64_t retry_ns = writer->retry_ns > now_ns() ? writer->retry_ns : NEVER;
    return retry_ns < writer->note_due_ns ? retry_ns : writer->note_due_ns;
}

/* Takes and commits what is there. Segments are begun in between, where nobody's lock is held: that
 * waits for the disk. */
static bool go_on(struct journal *journal)
{
    bool room;
    do {
        room = take_round(journal) && commit_due(journal);
    } while (!room && store_needs_segment(&journal->writer) && roll(journal));
    return room;
}

static bool seal(struct journal *journal, bool clean_end)
{
    while (!store_notes(journal) || !store_seal(journal, clean_end))
        if (!store_needs_segment(&journal->writer) || !roll(journal))
            return false;
    return true;
}

/* Everything is durable: the end is marked by a frame of its own. True when there is nothing more
 * to wait for. */
static bool finish(struct journal *journal)
{
    struct writer *writer = &journal->writer;

    if (writer->stalled) {
        stall_close(journal);
        return true;
    }
    /* That a cursor has changed may be old news: then no frame comes of it, and nothing to wait
     * for.
     */
    while (writer->open || atomic_load(&journal->cursors_changed))
        if (!seal(journal, false))
            return false;
    if (!commit_idle(&journal->commit))
        return false;
    return !writer->has_segment || seal(journal, true);
}

void *writer_main(void *context)
{
    struct journal *journal = context;
    struct writer *writer = &journal->writer;

    for (;;) {
        pthread_mutex_lock(&journal->commit.mutex);
        uint64_t progress = journal->commit.progress;
        pthread_mutex_unlock(&journal->commit.mutex);
        bool closing = atomic_load(&journal->closing);
        if (writer->stalled && atomic_load(&journal->storage_error) == ERR_FULL &&
            atomic_load(&journal->cursors_changed))
            writer->retry_ns = 0;
        roll_settle(journal);
        roll_look_around(journal);
        retention_release(journal, false);
        if (retention_wait_ns(journal) == 0 && writer->has_segment)
            retention_plan(journal);
        bool room = go_on(journal);
        if (closing && (room || writer->stalled) && finish(journal))
            break;
        if (writer->stalled && writer->note_due_ns <= now_ns())
            stall_note(journal, false);
        bool for_disk = writer->retiring_count > 0 || writer->taken_flush != journal->flush_ready;
        if (closing || !room)
            writer_rest(journal, REST_AWAKE, true, progress, retry_until_ns(writer));
        else if (writer->open)
            writer_rest(journal, REST_TIMED, for_disk, progress, frame_due_ns(journal));
        else
            writer_rest(journal, REST_IDLE, for_disk, progress, idle_until_ns(journal));
    }
    pthread_mutex_lock(&journal->commit.mutex);
    writer->ended = true;
    pthread_cond_broadcast(&journal->commit.durable);
    pthread_mutex_unlock(&journal->commit.mutex);
    return NULL;
}
