#include "journal/ring.h"

#include "core/error.h"

#include <stdlib.h>
#include <string.h>

#define UNIT 32
#define PAGE 4096 /* a ring that begins within a page would touch one more */

/* A record with kind 0 fills the ring up to its end: the next record is at the beginning. */
struct record {
    int64_t mono_ns;
    uint64_t value;
    uint32_t stream;
    uint16_t units; /* of UNIT bytes, with the data behind */
    uint16_t size;  /* of a text */
    uint16_t status;
    uint8_t kind;
    uint8_t type;
    uint8_t urgent;
    uint8_t unused[3];
};
_Static_assert(sizeof(struct record) == UNIT, "a record is one unit");
_Static_assert(sizeof(struct gap) <= UNIT, "a gap fits behind it");
_Static_assert(UNIT + EVENT_VALUE_SIZE_MAX <= RING_SIZE_MIN / 2, "an empty ring takes any event");
_Static_assert(RING_SIZE_MAX / 2 / UNIT <= UINT16_MAX, "a record can fill what is left");

int ring_init(struct ring *ring, size_t size)
{
    memset(ring, 0, sizeof(*ring));
    ring->size = RING_SIZE_MIN;
    while (ring->size < size && ring->size < RING_SIZE_MAX)
        ring->size *= 2;
    ring->data = aligned_alloc(PAGE, ring->size);
    return ring->data ? 0 : ERR_NOMEM;
}

void ring_clear(struct ring *ring)
{
    free(ring->data);
    ring->data = NULL;
}

static struct record *record_at(const struct ring *ring, size_t position)
{
    return (struct record *)(void *)(ring->data + (position & (ring->size - 1)));
}

static size_t data_size(const struct event *event)
{
    switch ((enum value_type)event->value.type) {
    case VALUE_TEXT:
    case VALUE_BYTES:
        return event->value.size;
    case VALUE_GAP:
        return sizeof(struct gap);
    default:
        return 0;
    }
}

bool ring_fits(const struct event *event)
{
    return event->kind >= EVENT_READING && event->kind < EVENT_DECLARE &&
           event->value.type <= VALUE_GAP && event->value.size <= EVENT_VALUE_SIZE_MAX;
}

/* Behind `from` and before `to`, which may have wrapped around. */
static bool is_between(size_t position, size_t from, size_t to)
{
    return position != from && position - from < to - from;
}

/* How far the taker is; what was never put is as good as taken. */
static void look_at_tail(struct ring *ring)
{
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    size_t begun = atomic_load_explicit(&ring->begun, memory_order_relaxed);

    ring->tail_seen = ring->next - tail < ring->next - begun ? tail : begun;
}

/* Whether `want` bytes more are free; looks at the taker's position only when what is known does
 * not do. */
static bool has_room(struct ring *ring, size_t want)
{
    if (ring->next + want - ring->tail_seen <= ring->size)
        return true;
    look_at_tail(ring);
    return ring->next + want - ring->tail_seen <= ring->size;
}

/* Goes to the ring's beginning where all that was published has been taken and given back, and
 * nothing was put since. */
static void begin_anew(struct ring *ring)
{
    size_t offset = ring->next & (ring->size - 1);

    if (offset == 0 || ring->next != atomic_load_explicit(&ring->head, memory_order_relaxed))
        return;
    look_at_tail(ring);
    if (ring->tail_seen != ring->next)
        return;
    ring->next += ring->size - offset;
    ring->tail_seen = ring->next;
    atomic_store_explicit(&ring->begun, ring->next, memory_order_relaxed);
}

bool ring_put(struct ring *ring, const struct event *event)
{
    size_t extra = data_size(event);
    size_t units = 1 + (extra + UNIT - 1) / UNIT;

    begin_anew(ring);
    size_t to_end = ring->size - (ring->next & (ring->size - 1));
    size_t fill = units * UNIT > to_end ? to_end : 0;

    if (!has_room(ring, fill + units * UNIT))
        return false;
    if (fill > 0) {
        *record_at(ring, ring->next) = (struct record){.units = (uint16_t)(fill / UNIT)};
        ring->next += fill;
    }
    struct record *record = record_at(ring, ring->next);
    record->mono_ns = event->mono_ns;
    record->stream = event->stream;
    record->units = (uint16_t)units;
    record->size = extra > 0 ? event->value.size : 0;
    record->status = event->status;
    record->kind = event->kind;
    record->type = event->value.type;
    record->urgent = event->urgent;
    if (event->value.type == VALUE_BOOL)
        record->value = event->value.b;
    else if (event->value.type == VALUE_NONE)
        record->value = 0;
    else if (extra == 0)
        record->value = event->value.u;
    if (extra > 0)
        memcpy(record + 1, event->value.type == VALUE_GAP ? event->value.gap : event->value.data,
               extra);
    ring->next += units * UNIT;
    return true;
}

size_t ring_publish(struct ring *ring, size_t many)
{
    /* Sequentially consistent, with the look at the writer's sleep that follows: see writer_rest.
     */
    atomic_store(&ring->head, ring->next);
    if (ring->next - ring->tail_seen >= many)
        look_at_tail(ring);
    return ring->next - ring->tail_seen;
}

void ring_limit(struct ring *ring)
{
    size_t begun;

    ring->limit = atomic_load(&ring->head);
    begun = atomic_load_explicit(&ring->begun, memory_order_relaxed);
    /* One at or behind the limit is of what is not published yet. */
    if (is_between(begun, ring->taken, ring->limit))
        ring->taken = begun;
}

bool ring_peek(struct ring *ring, struct event *event)
{
    if (ring->taken == ring->limit)
        return false;
    struct record *record = record_at(ring, ring->taken);
    if (record->kind == 0) {
        ring->taken += (size_t)record->units * UNIT;
        record = record_at(ring, ring->taken);
    }
    event->mono_ns = record->mono_ns;
    event->stream = record->stream;
    event->status = record->status;
    event->kind = record->kind;
    event->urgent = record->urgent;
    event->value.type = record->type;
    event->value.size = record->size;
    event->value.decimals = DECIMALS_SHORTEST;
    switch ((enum value_type)record->type) {
    case VALUE_BOOL:
        event->value.b = record->value != 0;
        break;
    case VALUE_TEXT:
    case VALUE_BYTES:
        event->value.data = record + 1;
        break;
    case VALUE_GAP:
        event->value.gap = (struct gap *)(void *)(record + 1);
        break;
    default:
        event->value.u = record->value;
        break;
    }
    return true;
}

void ring_pop(struct ring *ring)
{
    ring->taken += (size_t)record_at(ring, ring->taken)->units * UNIT;
}

void ring_release(struct ring *ring)
{
    atomic_store_explicit(&ring->tail, ring->taken, memory_order_release);
}

size_t ring_waiting(const struct ring *ring)
{
    struct ring *own = (struct ring *)ring; /* C11 loads from no constant */
    size_t tail = atomic_load(&own->tail);
    size_t head = atomic_load(&own->head);
    size_t begun = atomic_load(&own->begun);

    return head - (is_between(begun, tail, head) ? begun : tail);
}
