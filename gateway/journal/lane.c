#include "journal/lane.h"

#include "core/error.h"
#include "journal/inside.h"

#include <stdlib.h>
#include <string.h>

#define LANE_SIZE    (256 * 1024)
#define ROOM_WAIT_NS (100 * NS_PER_MS)

int lane_init(struct lane *lane, struct journal *journal, size_t size_bytes)
{
    memset(lane, 0, sizeof(*lane));
    lane->journal = journal;
    int error = ring_init(&lane->ring, size_bytes);
    lane->wake_bytes = lane->ring.size / 2;
    if (4 * journal->commit_bytes < (int64_t)lane->wake_bytes)
        lane->wake_bytes = (size_t)(4 * journal->commit_bytes);
    return error;
}

int lane_enter(struct journal *journal, struct lane *lane)
{
    int error = 0;

    pthread_mutex_lock(&journal->lanes_mutex);
    if (journal->lane_count == LANES_MAX)
        error = ERR_FULL;
    if (error == 0 && journal->lane_count == journal->lane_room) {
        size_t room = journal->lane_room ? 2 * journal->lane_room : 16;
        struct lane **grown = realloc(journal->lanes, room * sizeof(grown[0]));

        if (grown) {
            journal->lanes = grown;
            journal->lane_room = room;
        } else {
            error = ERR_NOMEM;
        }
    }
    if (error == 0)
        journal->lanes[journal->lane_count++] = lane;
    pthread_mutex_unlock(&journal->lanes_mutex);
    return error;
}

int lane_open(struct lane **opened, struct journal *journal, size_t size_bytes)
{
    struct lane *lane = aligned_alloc(64, (sizeof(*lane) + 63) / 64 * 64);
    if (!lane)
        return ERR_NOMEM;
    int error = lane_init(lane, journal, size_bytes ? size_bytes : LANE_SIZE);
    if (error == 0)
        error = lane_enter(journal, lane);
    if (error < 0) {
        ring_clear(&lane->ring);
        free(lane);
        return error;
    }
    *opened = lane;
    return 0;
}

static void leave(struct journal *journal, struct lane *lane)
{
    struct event event;
    size_t at = 0;

    pthread_mutex_lock(&journal->lanes_mutex);
    /* Only where nothing can be stored, or the disk hangs, is there anything left. */
    for (ring_limit(&lane->ring); ring_peek(&lane->ring, &event); ring_pop(&lane->ring))
        lane_refuse(lane, &event);
    while (journal->lanes[at] != lane)
        at++;
    memmove(&journal->lanes[at], &journal->lanes[at + 1],
            (--journal->lane_count - at) * sizeof(journal->lanes[0]));
    journal->put_before += lane->put;
    if (journal->writer.round_lane > at)
        journal->writer.round_lane--;
    /* What the lane refused is told by the journal's own lane from now on. */
    journal->own->refused_overload += lane->refused_overload - lane->told_overload;
    journal->own->refused_storage += lane->refused_storage - lane->told_storage;
    pthread_mutex_unlock(&journal->lanes_mutex);
}

void lane_close(struct lane *lane)
{
    if (!lane)
        return;
    int error = 0;
    while (ring_waiting(&lane->ring) > 0 && (error == 0 || error == ERR_TIMEOUT) &&
           !journal_hangs(lane->journal))
        error = journal_flush(lane->journal, NS_PER_S);
    struct journal *journal = lane->journal;
    leave(journal, lane);
    ring_clear(&lane->ring);
    free(lane);
}

void lane_refuse(struct lane *lane, const struct event *event)
{
    bool storage = atomic_load_explicit(&lane->journal->storage_error, memory_order_relaxed) != 0;
    struct stream_refused *of = streams_refused(&lane->journal->state.streams, event->stream);
    atomic_fetch_add_explicit(storage ? &lane->refused_storage : &lane->refused_overload, 1,
                              memory_order_release);
    if (of)
        atomic_fetch_add_explicit(&of->count, 1, memory_order_relaxed);
}

static void wake_for(struct lane *lane, size_t waiting, bool urgent)
{
    struct journal *journal = lane->journal;
    if (urgent)
        atomic_store(&journal->urgent, true);
    int rest = atomic_load(&journal->rest);
    if (rest == REST_IDLE || (rest == REST_TIMED && (urgent || waiting >= lane->wake_bytes)))
        journal_wake(journal, REST_TIMED);
}

static bool can_be_stored(const struct event *event, uint32_t streams)
{
    return event->stream <= streams && ring_fits(event);
}

static void count_put(struct lane *lane, size_t count)
{
    atomic_store_explicit(&lane->put,
                          atomic_load_explicit(&lane->put, memory_order_relaxed) + count,
                          memory_order_relaxed);
}

/* Into the ring, not yet shown to the writer. */
static size_t take(struct lane *lane, const struct event *events, size_t count, bool *urgent)
{
    uint32_t streams = streams_count(&lane->journal->state.streams);
    size_t taken = 0;

    while (taken < count && can_be_stored(&events[taken], streams) &&
           ring_put(&lane->ring, &events[taken]))
        *urgent |= events[taken++].urgent;
    return taken;
}

size_t lane_put(struct lane *lane, const struct event *events, size_t count)
{
    bool urgent = false;

    /* Counted before any of them is refused: what is seen as refused was seen to be put. */
    count_put(lane, count);
    size_t taken = take(lane, events, count, &urgent);
    /* Shown before the rest is counted as refused: the gap is told behind what was taken. */
    size_t waiting = taken > 0 ? ring_publish(&lane->ring, lane->wake_bytes) : 0;
    for (size_t i = taken; i < count; i++)
        lane_refuse(lane, &events[i]);
    if (taken > 0)
        wake_for(lane, waiting, urgent);
    return taken;
}

size_t lane_offer(struct lane *lane, const struct event *events, size_t count)
{
    bool urgent = false;
    size_t taken = take(lane, events, count, &urgent);

    count_put(lane, taken);
    if (taken > 0)
        wake_for(lane, ring_publish(&lane->ring, lane->wake_bytes), urgent);
    return taken;
}

static void wait_for_room(struct journal *journal)
{
    struct timespec until = journal_until(ROOM_WAIT_NS);
    journal->own_waiting++;
    pthread_cond_timedwait(&journal->own_room, &journal->own_mutex, &until);
    journal->own_waiting--;
}

int journal_put(struct journal *journal, const struct event *event)
{
    struct lane *own = journal->own;
    int error = 0;

    if (!can_be_stored(event, streams_count(&journal->state.streams)))
        return ERR_INVALID;
    pthread_mutex_lock(&journal->own_mutex);
    own->put++;
    while (!ring_put(&own->ring, event)) {
        error = atomic_load(&journal->storage_error);
        if (error == 0 && atomic_load(&journal->closing))
            error = ERR_CLOSED;
        else if (error == 0 && journal_hangs(journal))
            error = ERR_TIMEOUT;
        if (error < 0)
            break;
        wait_for_room(journal);
    }
    if (error < 0)
        lane_refuse(own, event);
    else
        wake_for(own, ring_publish(&own->ring, own->wake_bytes), event->urgent);
    pthread_mutex_unlock(&journal->own_mutex);
    return error;
}
