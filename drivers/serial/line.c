#include "serial/line.h"

#include <string.h>

void line_init(struct line_framer *framer, const struct line_framing *framing)
{
    memset(framer, 0, sizeof(*framer));
    framer->framing = *framing;
    framer->start_size = strlen(framing->start);
    framer->end_size = strlen(framing->end);
}

void line_reset(struct line_framer *framer)
{
    framer->head = framer->used = framer->scanned = 0;
    framer->line_end = framer->rejected_end = 0;
    framer->skipping = false;
}

static size_t back_by(size_t place, size_t distance)
{
    return place > distance ? place - distance : 0;
}

static void compact(struct line_framer *framer)
{
    size_t gone = framer->head;

    memmove(framer->data, framer->data + gone, framer->used - gone);
    framer->head = 0;
    framer->used -= gone;
    framer->scanned = back_by(framer->scanned, gone);
    framer->rejected_end = back_by(framer->rejected_end, gone);
}

size_t line_feed(struct line_framer *framer, const uint8_t *bytes, size_t size)
{
    size_t room;

    if (framer->head == framer->used)
        line_reset(framer);
    else if (framer->head > sizeof(framer->data) / 2 || sizeof(framer->data) - framer->used < size)
        compact(framer);
    room = sizeof(framer->data) - framer->used;
    if (size > room)
        size = room;
    memcpy(framer->data + framer->used, bytes, size);
    framer->used += size;
    return size;
}

static void drop_to(struct line_framer *framer, size_t place)
{
    framer->dropped_bytes += place - framer->head;
    framer->head = place;
}

/* Moves the head to the next start mark, or to what may become one. */
static bool seek_start(struct line_framer *framer)
{
    const uint8_t *found;

    if (framer->start_size == 0 || framer->head == framer->used)
        return framer->head < framer->used;
    found = memmem(framer->data + framer->head, framer->used - framer->head, framer->framing.start,
                   framer->start_size);
    if (found) {
        drop_to(framer, (size_t)(found - framer->data));
        return true;
    }
    if (framer->used - framer->head >= framer->start_size)
        drop_to(framer, framer->used - (framer->start_size - 1));
    return false;
}

/* Gives up the line at the head: the next may begin right behind its first byte, or behind its end.
 */
static void give_up(struct line_framer *framer, size_t end)
{
    drop_to(framer, framer->start_size > 0 || framer->end_size == 0 ? framer->head + 1 : end);
}

static bool hand_out(struct line_framer *framer, size_t end, size_t end_mark_size,
                     struct line *line)
{
    framer->line_end = end;
    line->data = framer->data + framer->head;
    line->size = end - end_mark_size - framer->head;
    line->hidden = framer->head < framer->rejected_end;
    return true;
}

static bool next_of_length(struct line_framer *framer, struct line *line)
{
    while (seek_start(framer)) {
        size_t end = framer->head + framer->framing.length;

        if (end > framer->used)
            return false;
        if (memcmp(framer->data + end - framer->end_size, framer->framing.end, framer->end_size) ==
            0)
            return hand_out(framer, end, framer->end_size, line);
        drop_to(framer, framer->head + 1);
    }
    return false;
}

/* The place of the next end mark, or the number of bytes used. */
static size_t seek_end(struct line_framer *framer)
{
    const uint8_t *found;

    if (framer->scanned < framer->head)
        framer->scanned = framer->head;
    found = memmem(framer->data + framer->scanned, framer->used - framer->scanned,
                   framer->framing.end, framer->end_size);
    if (found) {
        framer->scanned = (size_t)(found - framer->data);
        return framer->scanned;
    }
    framer->scanned = back_by(framer->used, framer->end_size - 1);
    return framer->used;
}

static bool next_by_end(struct line_framer *framer, struct line *line)
{
    while (framer->skipping || seek_start(framer)) {
        size_t mark = seek_end(framer), end = mark + framer->end_size;

        if (mark == framer->used) {
            if (!framer->skipping && framer->scanned <= framer->head + framer->framing.length_max)
                return false;
            if (framer->start_size > 0) {
                drop_to(framer, framer->head + 1);
                continue;
            }
            framer->skipping = true;
            drop_to(framer, back_by(framer->used, framer->end_size - 1));
            return false;
        }
        if (framer->skipping) {
            framer->skipping = false;
            drop_to(framer, end);
        } else if (mark - framer->head > framer->framing.length_max) {
            give_up(framer, end);
        } else if (mark == framer->head) {
            framer->head = end; /* an empty line says nothing */
        } else {
            return hand_out(framer, end, framer->end_size, line);
        }
    }
    return false;
}

bool line_next(struct line_framer *framer, struct line *line)
{
    return framer->framing.length > 0 ? next_of_length(framer, line) : next_by_end(framer, line);
}

void line_accept(struct line_framer *framer)
{
    framer->head = framer->line_end;
}

void line_reject(struct line_framer *framer)
{
    if (framer->line_end > framer->rejected_end)
        framer->rejected_end = framer->line_end;
    give_up(framer, framer->line_end);
}
