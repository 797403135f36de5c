/*
 * What CRC-16 cannot tell. The beginning of a frame that was cut off, completed by the bytes of
 * another, and a frame whose length was damaged, have the right CRC once in 65,536 times: nobody
 * who looks at the bytes can know that they are none. The adversary is bound to what the CRC always
 * finds, so it looks at each byte before it hands it over, and damages one bit more where bytes
 * that were never sent as a frame would make one. With lengths and a CRC of its own, not those of
 * the codec that is tried. Included by adversary.h.
 */
#ifndef TESTS_ADVERSARY_CHANCE_H
#define TESTS_ADVERSARY_CHANCE_H

#include "unit/adversary_frames.h"

static uint16_t adversary_crc(uint16_t crc, uint8_t byte)
{
    crc ^= byte;
    for (int bit = 0; bit < 8; bit++)
        crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1);
    return crc;
}

/* How long the reply is that begins so, or how long at least; 0: there is none such. */
static size_t adversary_length(const uint8_t *bytes, size_t have)
{
    size_t size = 8;

    if (have < 2 || bytes[1] & 0x80)
        return 5;
    switch (bytes[1]) {
    case 1:
    case 2:
    case 3:
    case 4:
        return have < 3 ? 5 : bytes[2] + 5u;
    case 5:
    case 6:
    case 15:
    case 16:
        return 8;
    case 22:
        return 10;
    case 43: /* objects, each behind its number and length */
        for (unsigned i = 0; have >= 8 && i < bytes[7] && have >= size + 2; i++)
            size += 2u + bytes[size + 1];
        return size + 2;
    default:
        return 0;
    }
}

/* Whether the bytes since `start` and this one are a frame that nobody sent. */
static bool adversary_is_chance(const struct adversary_chance *chance,
                                const struct adversary_start_of *start, uint8_t byte, uint8_t mark)
{
    uint8_t bytes[ADVERSARY_STREAM];
    size_t have = chance->size - start->at;
    bool sent = start->sent && mark == ADVERSARY_INSIDE;

    if (have < 4 || sent || adversary_crc(start->crc, byte) != 0)
        return false;
    memcpy(bytes, chance->bytes + start->at, have);
    bytes[have] = byte;
    return adversary_length(bytes, have + 1) == have + 1;
}

static bool adversary_any_chance(const struct adversary_chance *chance, uint8_t byte, uint8_t mark)
{
    for (size_t i = 0; i < chance->count; i++) {
        if (adversary_is_chance(chance, &chance->starts[i], byte, mark))
            return true;
    }
    return false;
}

/* Takes note of a byte that is handed over. */
static void adversary_note(struct adversary_chance *chance, uint8_t byte, uint8_t mark)
{
    size_t kept = 0;

    if (chance->size == ADVERSARY_STREAM) { /* only what may still become a frame is needed */
        size_t gone = ADVERSARY_STREAM - ADVERSARY_LONGEST;

        memmove(chance->bytes, chance->bytes + gone, ADVERSARY_LONGEST);
        chance->size = ADVERSARY_LONGEST;
        for (size_t i = 0; i < chance->count; i++)
            chance->starts[i].at -= gone;
    }
    if (byte >= 1 && byte <= ADVERSARY_UNITS)
        chance->starts[chance->count++] = (struct adversary_start_of){
            .at = chance->size, .crc = 0xFFFF, .sent = mark == ADVERSARY_HEAD};
    chance->bytes[chance->size++] = byte;
    for (size_t i = 0; i < chance->count; i++) {
        struct adversary_start_of start = chance->starts[i];
        size_t have = chance->size - start.at, size;

        start.crc = adversary_crc(start.crc, byte);
        start.sent = start.sent && (have == 1 || mark == ADVERSARY_INSIDE);
        size = adversary_length(chance->bytes + start.at, have);
        if (size > have && size <= ADVERSARY_LONGEST)
            chance->starts[kept++] = start;
    }
    chance->count = kept;
}

/* The frame of which byte `at` of the piece is one is damaged from here on. */
static void adversary_unmark(struct adversary_piece *piece, size_t at)
{
    uint32_t emission = piece->emission;
    struct adversary_piece *last = piece;

    for (; piece && piece->emission == emission; last = piece, piece = piece->next, at = 0) {
        for (; at < piece->size; at++) {
            if (piece->marks[at] == ADVERSARY_HEAD)
                return; /* another one behind it is what answers */
            piece->marks[at] = ADVERSARY_NO_FRAME;
        }
    }
    last->serial = 0;
}

/* Looks at the next `size` bytes of a piece before they are handed over. */
static void adversary_forestall(struct adversary *adversary, struct adversary_piece *piece,
                                size_t size)
{
    struct adversary_chance *chance = &adversary->chance;

    for (size_t at = piece->taken; at < piece->taken + size; at++) {
        uint8_t byte = piece->bytes[at], mark = piece->marks[at];

        if (adversary_any_chance(chance, byte, mark)) {
            adversary->by_chance++;
            piece->marks[at] = mark == ADVERSARY_NO_FRAME ? mark : ADVERSARY_INSIDE;
            if (mark != ADVERSARY_NO_FRAME)
                adversary_unmark(piece, at);
            for (int bit = 0; bit < 8 && adversary_any_chance(chance, piece->bytes[at], 0); bit++)
                piece->bytes[at] = byte ^ (uint8_t)(1u << bit);
        }
        adversary_note(chance, piece->bytes[at], piece->marks[at]);
    }
}

#endif
