#include "serial/line.h"

#include <string.h>

static void rewind_places(struct line_framer *framer)
{
    framer->head = framer->used = framer->scanned = 0;
    framer->silent_end = framer->line_end = framer->rejected_end = 0;
}

void line_reset(struct line_framer *framer)
{
    rewind_places(framer);
    framer->skipping = false;
}

void line_reframe(struct line_framer *framer, const struct line_framing *framing)
{
    framer->framing = *framing;
    framer->start_size = strlen(framing->start);
    framer->end_size = strlen(framing->end);
    framer->scanned = framer->silent_end = framer->rejected_end = 0;
    framer->skipping = false;
}

void line_init(struct line_framer *framer, const struct line_framing *framing)
{
    line_reset(framer);
    line_reframe(framer, framing);
    framer->dropped_bytes = 0;
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
    framer->silent_end = back_by(framer->silent_end, gone);
    framer->rejected_end = back_by(framer->rejected_end, gone);
}

size_t line_feed(struct line_framer *framer, const uint8_t *bytes, size_t size)
{
    size_t room;

    if (framer->head == framer->used)
        rewind_places(framer);
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
    bool by_end = framer->end_size > 0 || framer->framing.by_silence;

    drop_to(framer, framer->start_size > 0 || !by_end ? framer->head + 1 : end);
}

static bool hand_out(struct line_framer *framer, size_t end, struct line *line)
{
    size_t tail = framer->end_size + framer->framing.trailer;

    framer->line_end = end;
    line->data = framer->data + framer->head;
    line->content_size = end - tail - framer->head;
    line->size = framer->framing.trailer > 0 ? end - framer->head : line->content_size;
    line->hidden = framer->head < framer->rejected_end;
    return true;
}

#define LENGTH_NOT_YET SIZE_MAX

/* The length of the line at the head; 0 when no line begins there, LENGTH_NOT_YET when its field
 * has not come. */
static size_t find_length(const struct line_framer *framer)
{
    const struct line_framing *framing = &framer->framing;
    const uint8_t *field = framer->data + framer->head + framing->length_at;
    size_t width = framing->length_field == LINE_LENGTH_U8 ? 1 : 2;
    size_t least = framer->start_size + framer->end_size + framing->trailer + 1;
    int64_t length;

    if (framing->length_field == LINE_LENGTH_NONE)
        return framing->length;
    if (framer->head + framing->length_at + width > framer->used)
        return LENGTH_NOT_YET;
    length = field[0];
    if (framing->length_field == LINE_LENGTH_U16)
        length = length << 8 | field[1];
    else if (framing->length_field == LINE_LENGTH_U16_LITTLE)
        length |= (int64_t)field[1] << 8;
    length += framing->length_plus;
    if (length < (int64_t)least || length > (int64_t)framing->length_max)
        return 0;
    return (size_t)length;
}

static bool next_of_length(struct line_framer *framer, struct line *line)
{
    while (seek_start(framer)) {
        size_t length = find_length(framer), end = framer->head + length;

        if (length == LENGTH_NOT_YET || (length > 0 && end > framer->used))
            return false;
        if (length > 0 && memcmp(framer->data + end - framer->framing.trailer - framer->end_size,
                                 framer->framing.end, framer->end_size) == 0)
            return hand_out(framer, end, line);
        drop_to(framer, framer->head + 1);
    }
    return false;
}

/* What came between two silences is one line, from its start mark on. */
static bool next_by_silence(struct line_framer *framer, struct line *line)
{
    if (framer->skipping || framer->used - framer->head > framer->framing.length_max) {
        framer->skipping = framer->silent_end < framer->used;
        drop_to(framer, framer->used);
        return false;
    }
    if (framer->silent_end <= framer->head)
        return false;
    if (seek_start(framer) && framer->silent_end > framer->head + framer->framing.trailer)
        return hand_out(framer, framer->silent_end, line);
    drop_to(framer, framer->silent_end);
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

/* There is no end mark yet: a line that is too long for one is noise. Returns whether to look on.
 */
static bool give_up_too_long(struct line_framer *framer)
{
    if (!framer->skipping && framer->scanned <= framer->head + framer->framing.length_max)
        return false;
    if (framer->start_size > 0) {
        drop_to(framer, framer->head + 1);
        return true;
    }
    framer->skipping = true;
    drop_to(framer, back_by(framer->used, framer->end_size - 1));
    return false;
}

static bool next_by_end(struct line_framer *framer, struct line *line)
{
    while (framer->skipping || seek_start(framer)) {
        size_t mark = seek_end(framer), end = mark + framer->end_size + framer->framing.trailer;

        if (mark == framer->used) {
            if (!give_up_too_long(framer))
                return false;
        } else if (end > framer->used) {
            return false;
        } else if (framer->skipping) {
            framer->skipping = false;
            drop_to(framer, end);
        } else if (mark - framer->head > framer->framing.length_max) {
            give_up(framer, end);
        } else if (mark == framer->head) {
            framer->head = end; /* an empty line says nothing */
        } else {
            return hand_out(framer, end, line);
        }
    }
    return false;
}

bool line_next(struct line_framer *framer, struct line *line)
{
    if (framer->framing.by_silence)
        return next_by_silence(framer, line);
    return framer->framing.length > 0 || framer->framing.length_field != LINE_LENGTH_NONE
               ? next_of_length(framer, line)
               : next_by_end(framer, line);
}

void line_silence(struct line_framer *framer)
{
    if (framer->framing.by_silence) {
        framer->silent_end = framer->used;
        return;
    }
    if (framer->head == framer->used)
        return;
    framer->skipping = false;
    if (framer->start_size > 0)
        drop_to(framer, framer->head + 1);
    else
        drop_to(framer, framer->used);
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
