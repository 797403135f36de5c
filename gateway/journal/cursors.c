#include "journal/cursors.h"

#include "core/error.h"

#include <string.h>

void cursors_init(struct cursors *cursors)
{
    memset(cursors, 0, sizeof(*cursors));
    pthread_mutex_init(&cursors->mutex, NULL);
}

void cursors_clear(struct cursors *cursors)
{
    pthread_mutex_destroy(&cursors->mutex);
}

struct cursor *cursors_find(struct cursors *cursors, const char *name)
{
    for (size_t i = 0; i < CURSORS_MAX; i++) {
        struct cursor *cursor = &cursors->table[i];
        if (cursor->state == CURSOR_LIVE && strcmp(cursor->name, name) == 0)
            return cursor;
    }
    return NULL;
}

struct cursor *cursors_place(struct cursors *cursors)
{
    for (size_t i = 0; i < CURSORS_MAX; i++)
        if (cursors->table[i].state == CURSOR_UNUSED)
            return &cursors->table[i];
    return NULL;
}

uint64_t cursor_missing(const struct cursor *cursor, uint64_t first, uint64_t last)
{
    if (first < cursor->low)
        first = cursor->low;
    if (first > last)
        return 0;
    uint64_t missing = last - first + 1;
    for (uint32_t i = 0; i < cursor->range_count; i++) {
        uint64_t from = cursor->ranges[i].first > first ? cursor->ranges[i].first : first;
        uint64_t to = cursor->ranges[i].last < last ? cursor->ranges[i].last : last;
        if (from <= to)
            missing -= to - from + 1;
    }
    return missing;
}

/* Ranges that begin at low are no longer above it. */
static void raise_low(struct cursor *cursor)
{
    uint32_t done = 0;
    while (done < cursor->range_count && cursor->ranges[done].first <= cursor->low) {
        if (cursor->ranges[done].last >= cursor->low)
            cursor->low = cursor->ranges[done].last + 1;
        done++;
    }
    cursor->range_count -= done;
    memmove(cursor->ranges, cursor->ranges + done, cursor->range_count * sizeof(cursor->ranges[0]));
}

int64_t cursor_mark(struct cursor *cursor, uint64_t first, uint64_t last)
{
    uint64_t missing = cursor_missing(cursor, first, last);
    if (missing == 0)
        return 0;
    if (first < cursor->low)
        first = cursor->low;
    struct cursor_range *ranges = cursor->ranges;
    uint32_t from = 0; /* ranges from..to-1 touch first..last and become one with it */
    while (from < cursor->range_count && ranges[from].last + 1 < first)
        from++;
    uint32_t to = from;
    while (to < cursor->range_count && ranges[to].first <= last + 1)
        to++;
    if (to > from) {
        if (ranges[from].first < first)
            first = ranges[from].first;
        if (ranges[to - 1].last > last)
            last = ranges[to - 1].last;
    } else if (first != cursor->low && cursor->range_count == CURSOR_RANGES_MAX) {
        return ERR_FULL;
    }
    if (first == cursor->low) {
        cursor->low = last + 1;
        cursor->range_count -= to;
        memmove(ranges, ranges + to, cursor->range_count * sizeof(*ranges));
    } else {
        memmove(ranges + from + 1, ranges + to, (cursor->range_count - to) * sizeof(*ranges));
        ranges[from] = (struct cursor_range){first, last};
        cursor->range_count = cursor->range_count - (to - from) + 1;
    }
    cursor->changed = true;
    return (int64_t)missing;
}

bool cursor_told(struct cursor *cursor, uint64_t first, uint64_t last)
{
    struct cursor_range *untold = &cursor->untold;

    if (untold->first == 0 || first > untold->first || last < untold->first)
        return false;
    untold->first = last + 1;
    if (untold->first > untold->last)
        *untold = (struct cursor_range){0};
    cursor->changed = true;
    return true;
}

void cursors_retire(struct cursors *cursors, uint64_t last, enum gap_reason reason, struct gap *gap)
{
    *gap = (struct gap){.last = last, .reason = (uint8_t)reason};
    pthread_mutex_lock(&cursors->mutex);
    for (size_t i = 0; i < CURSORS_MAX; i++) {
        struct cursor *cursor = &cursors->table[i];
        if (cursor->state != CURSOR_LIVE || cursor->low > last)
            continue;
        uint64_t missing = cursor_missing(cursor, cursor->low, last);
        if (missing > 0 && (gap->count == 0 || cursor->low < gap->first))
            gap->first = cursor->low;
        if (missing > gap->count)
            gap->count = missing;
        cursor->dropped[reason] += missing;
        if (cursor->untold.first == 0)
            cursor->untold.first = cursor->low;
        cursor->untold.last = last;
        cursor->low = last + 1;
        raise_low(cursor);
        cursor->changed = true;
    }
    pthread_mutex_unlock(&cursors->mutex);
}

size_t cursors_count(struct cursors *cursors)
{
    size_t count = 0;
    pthread_mutex_lock(&cursors->mutex);
    for (size_t i = 0; i < CURSORS_MAX; i++)
        count += cursors->table[i].state == CURSOR_LIVE;
    pthread_mutex_unlock(&cursors->mutex);
    return count;
}

uint64_t cursors_lowest(struct cursors *cursors)
{
    uint64_t lowest = UINT64_MAX;
    pthread_mutex_lock(&cursors->mutex);
    for (size_t i = 0; i < CURSORS_MAX; i++)
        if (cursors->table[i].state == CURSOR_LIVE && cursors->table[i].low < lowest)
            lowest = cursors->table[i].low;
    pthread_mutex_unlock(&cursors->mutex);
    return lowest;
}

uint64_t cursors_highest(struct cursors *cursors)
{
    uint64_t highest = 0;
    pthread_mutex_lock(&cursors->mutex);
    for (size_t i = 0; i < CURSORS_MAX; i++) {
        const struct cursor *cursor = &cursors->table[i];
        if (cursor->state != CURSOR_LIVE)
            continue;
        uint64_t done = cursor->range_count > 0 ? cursor->ranges[cursor->range_count - 1].last
                                                : cursor->low - 1;
        if (done > highest)
            highest = done;
    }
    pthread_mutex_unlock(&cursors->mutex);
    return highest;
}

static void pack_cursor(const struct cursor *cursor, struct record_body *body)
{
    struct packer *packer = &body->packer;
    uint64_t end = cursor->low;

    record_begin(body);
    pack_text(packer, cursor->name);
    if (cursor->state == CURSOR_REMOVED)
        return;
    pack_varint(packer, cursor->began);
    pack_varint(packer, cursor->low);
    pack_varint(packer, cursor->acked);
    pack_varint(packer, GAP_REASONS);
    for (size_t i = 0; i < GAP_REASONS; i++)
        pack_varint(packer, cursor->dropped[i]);
    pack_varint(packer, cursor->range_count);
    for (uint32_t i = 0; i < cursor->range_count; i++) {
        const struct cursor_range *range = &cursor->ranges[i];
        pack_varint(packer, range->first - end);
        pack_varint(packer, range->last - range->first + 1);
        end = range->last + 1;
    }
    if (cursor->untold.first == 0)
        return;
    pack_varint(packer, cursor->untold.first);
    pack_varint(packer, cursor->untold.last);
}

/* Removals come first: a name may have been taken again. */
uint32_t cursors_pack(struct cursors *cursors, struct packer *out, bool all, uint32_t *next)
{
    uint32_t records = 0;
    struct record_body body;

    pthread_mutex_lock(&cursors->mutex);
    for (; *next < 2 * CURSORS_MAX; ++*next) {
        struct cursor *cursor = &cursors->table[*next % CURSORS_MAX];
        enum cursor_state wanted = *next < CURSORS_MAX ? CURSOR_REMOVED : CURSOR_LIVE;
        if (cursor->state != wanted || (all ? wanted == CURSOR_REMOVED : !cursor->changed))
            continue;
        pack_cursor(cursor, &body);
        if (!record_put(out, wanted == CURSOR_LIVE ? RECORD_CURSOR : RECORD_CURSOR_REMOVED, &body))
            break;
        records++;
        if (all)
            continue;
        cursor->changed = false;
        if (wanted == CURSOR_REMOVED)
            cursor->state = CURSOR_UNUSED;
    }
    pthread_mutex_unlock(&cursors->mutex);
    return records;
}

static int unpack_cursor(struct cursor *cursor, struct unpacker *body)
{
    cursor->began = unpack_varint(body);
    cursor->low = unpack_varint(body);
    cursor->acked = unpack_varint(body);
    uint64_t reasons = unpack_varint(body);
    for (uint64_t i = 0; i < reasons && !body->bad; i++) {
        uint64_t dropped = unpack_varint(body);
        if (i < GAP_REASONS)
            cursor->dropped[i] = dropped;
    }
    uint64_t ranges = unpack_varint(body);
    if (body->bad || ranges > CURSOR_RANGES_MAX || cursor->began == 0 ||
        cursor->low < cursor->began)
        return ERR_CORRUPT;
    uint64_t end = cursor->low;
    for (uint32_t i = 0; i < ranges; i++) {
        uint64_t first = end + unpack_varint(body);
        uint64_t size = unpack_varint(body);
        if (body->bad || first <= end || size == 0 || first + size <= first)
            return ERR_CORRUPT;
        cursor->ranges[i] = (struct cursor_range){first, first + size - 1};
        end = first + size;
    }
    cursor->range_count = (uint32_t)ranges;
    if (body->at == body->end)
        return 0;
    struct cursor_range *untold = &cursor->untold;
    untold->first = unpack_varint(body);
    untold->last = unpack_varint(body);
    return body->bad || untold->first < cursor->began || untold->last < untold->first ||
                   untold->last >= cursor->low
               ? ERR_CORRUPT
               : 0;
}

/* The name is in records of both types, the rest in RECORD_CURSOR. */
static int unpack_record(struct cursor *found, uint8_t type, struct unpacker *body)
{
    *found = (struct cursor){.state = CURSOR_LIVE};
    unpack_text(body, found->name, sizeof(found->name));
    if (body->bad)
        return ERR_CORRUPT;
    return type == RECORD_CURSOR ? unpack_cursor(found, body) : 0;
}

int cursors_apply(struct cursors *cursors, uint8_t type, struct unpacker *body)
{
    struct cursor found;
    if (unpack_record(&found, type, body) < 0)
        return ERR_CORRUPT;
    pthread_mutex_lock(&cursors->mutex);
    struct cursor *cursor = cursors_find(cursors, found.name);
    if (type == RECORD_CURSOR_REMOVED) {
        if (cursor)
            cursor->state = CURSOR_UNUSED;
    } else {
        if (!cursor)
            cursor = cursors_place(cursors);
        if (cursor)
            *cursor = found;
    }
    pthread_mutex_unlock(&cursors->mutex);
    return cursor || type == RECORD_CURSOR_REMOVED ? 0 : ERR_CORRUPT;
}

/* What is done with only grows. */
static uint64_t done_count(const struct cursor *cursor)
{
    uint64_t done = cursor->acked;
    for (size_t i = 0; i < GAP_REASONS; i++)
        done += cursor->dropped[i];
    return done;
}

bool cursors_advance(struct cursors *cursors, struct unpacker *body)
{
    struct cursor found;
    if (unpack_record(&found, RECORD_CURSOR, body) < 0)
        return false;
    pthread_mutex_lock(&cursors->mutex);
    struct cursor *cursor = cursors_find(cursors, found.name);
    bool further =
        cursor && cursor->began == found.began && done_count(&found) > done_count(cursor);
    if (further) {
        *cursor = found;
        cursor->changed = true;
    }
    pthread_mutex_unlock(&cursors->mutex);
    return further;
}
