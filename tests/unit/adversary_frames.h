/*
 * The line of adversary.h and its frames: what is on its way on it, what an answer to each request
 * says, and all that may be wrong with a reply. Included by adversary.h.
 */
#ifndef TESTS_ADVERSARY_FRAMES_H
#define TESTS_ADVERSARY_FRAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "modbus/link_on.h"
#include "modbus/mbap.h"
#include "unit/random.h"

#define ADVERSARY_UNITS      4
#define ADVERSARY_RENUMBERED 3    /* of the units; one that is orderly */
#define ADVERSARY_FLIGHT     4096 /* pieces of frames that are on their way */
#define ADVERSARY_PIECE      160
#define ADVERSARY_LONGEST    260  /* bytes of an RTU frame */
#define ADVERSARY_STREAM     1024 /* bytes that are looked back at */
#define ADVERSARY_TIMEOUT_NS (100 * NS_PER_MS)
#define ADVERSARY_BYTE_NS    1145833         /* 9600 8E1 */
#define ADVERSARY_LATE_NS    (60 * NS_PER_S) /* as docs/modbus.md says */
#define ADVERSARY_HELD_NS    (10 * NS_PER_S)
#define ADVERSARY_MARGIN_NS  (50 * NS_PER_MS) /* from the bound on lateness */

enum adversary_line {
    ADVERSARY_RTU_SERIAL,
    ADVERSARY_RTU_NETWORK,
    ADVERSARY_ASCII_SERIAL,
    ADVERSARY_ASCII_NETWORK,
    ADVERSARY_MBAP,
    ADVERSARY_LINES,
};

enum adversary_kind {
    ADVERSARY_GOOD,
    ADVERSARY_SILENT,
    ADVERSARY_LATE,
    ADVERSARY_TWICE,
    ADVERSARY_FOREIGN,
    ADVERSARY_FOREIGN_BEFORE,
    ADVERSARY_ONE_BIT,
    ADVERSARY_TWO_BITS,
    ADVERSARY_ODD_BITS,
    ADVERSARY_BURST,
    ADVERSARY_TRUNCATED,
    ADVERSARY_SHORTER,
    ADVERSARY_LONGER,
    ADVERSARY_OTHER_FUNCTION,
    ADVERSARY_EXCEPTION,
    ADVERSARY_LATE_EXCEPTION,
    ADVERSARY_NOISE_BEFORE,
    ADVERSARY_NOISE_BEHIND,
    ADVERSARY_ECHO,
    ADVERSARY_KINDS,
};

/* What a byte is part of. */
enum adversary_mark {
    ADVERSARY_NO_FRAME, /* noise, or a frame that is damaged or not whole */
    ADVERSARY_HEAD,     /* it begins a whole frame */
    ADVERSARY_INSIDE,
};

struct adversary_piece {
    int64_t at_ns;
    uint32_t emission; /* all pieces of one have its number */
    uint32_t serial;   /* of the request that is answered when its last byte is read; 0: of none */
    uint32_t before;   /* a request of that serial, or it does not come at all; 0: of any */
    uint16_t size, taken;
    bool newest; /* it begins with the number of whatever request is the newest when it is read */
    struct adversary_piece *next;
    uint8_t bytes[ADVERSARY_PIECE], marks[ADVERSARY_PIECE];
};

/* Frames that may have begun among the bytes that were handed over: adversary_chance.h. */
struct adversary_chance {
    uint8_t bytes[ADVERSARY_STREAM];
    size_t size, count;
    struct adversary_start_of {
        size_t at;
        uint16_t crc;
        bool sent; /* so far it is one that was sent as a whole */
    } starts[ADVERSARY_LONGEST + 2];
};

struct adversary {
    struct driver_host host; /* first */
    struct clock clock;
    struct modbus_bus_options options;
    struct link *link;
    enum adversary_line line;
    uint64_t random;
    int64_t now_ns, byte_ns, silence_ns;
    uint16_t transaction;          /* of the newest request on the wire */
    uint32_t serial;               /* of the newest request on the wire... */
    uint32_t asked;                /* ...that the link was given, 0 before it is sent */
    bool answered;                 /* that one's own answer has been read */
    struct modbus_request request; /* that the link was given */
    uint8_t request_data[4];
    int64_t busy_ns[ADVERSARY_UNITS + 1]; /* the unit is at older requests until then */
    int64_t held_ns[ADVERSARY_UNITS + 1]; /* a disorderly one holds a reply back until then, and
                                             does all else as it should */
    bool cut;                             /* the connection ended in the midst of a frame */
    struct adversary_piece pieces[ADVERSARY_FLIGHT], *unused;
    struct adversary_piece *flight; /* by their times */
    uint32_t emissions;
    struct adversary_chance chance;
    uint64_t by_chance; /* bytes that were damaged because the CRC would have been right */
    uint64_t replies, good, wrong;
    uint64_t good_of[ADVERSARY_UNITS + 1]; /* by units */
    uint64_t met[ADVERSARY_KINDS];
};

static uint64_t adversary_below(struct adversary *adversary, uint64_t bound)
{
    return random_below(&adversary->random, bound);
}

static int64_t adversary_mono(void *context)
{
    return ((struct adversary *)context)->now_ns;
}

static int adversary_wait(struct driver_host *host, int fd, int64_t until_mono_ns)
{
    struct adversary *adversary = (struct adversary *)host;
    const struct adversary_piece *next = adversary->flight;

    (void)fd;
    if (next && next->at_ns <= adversary->now_ns)
        return 1;
    if (next && next->at_ns <= until_mono_ns) {
        adversary->now_ns = next->at_ns;
        return 1;
    }
    if (until_mono_ns > adversary->now_ns)
        adversary->now_ns = until_mono_ns;
    return 0;
}

static void adversary_insert(struct adversary *adversary, const struct adversary_piece *piece)
{
    struct adversary_piece *made = adversary->unused, **at = &adversary->flight;

    if (!made)
        abort();
    adversary->unused = made->next;
    while (*at && (*at)->at_ns <= piece->at_ns)
        at = &(*at)->next;
    *made = *piece;
    made->next = *at;
    *at = made;
}

static void adversary_drop(struct adversary *adversary)
{
    struct adversary_piece *gone = adversary->flight;

    adversary->flight = gone->next;
    gone->next = adversary->unused;
    adversary->unused = gone;
}

/* When a frame that would begin then can: when the line is free. */
static int64_t adversary_free_ns(const struct adversary *adversary, int64_t begin_ns,
                                 int64_t took_ns)
{
    for (const struct adversary_piece *piece = adversary->flight; piece; piece = piece->next) {
        int64_t began_ns = piece->at_ns - piece->size * adversary->byte_ns;

        if (began_ns < begin_ns + took_ns && piece->at_ns >= begin_ns)
            begin_ns = piece->at_ns + 1;
    }
    return begin_ns;
}

/* Sends bytes in one piece, as an adapter hands them over, or in twos. Returns when the last is
 * there. */
static int64_t adversary_emit(struct adversary *adversary, int64_t begin_ns, const uint8_t *bytes,
                              const uint8_t *marks, size_t size, uint32_t serial,
                              struct adversary_piece piece)
{
    size_t step = size > ADVERSARY_PIECE || adversary_below(adversary, 2) ? 2 : size;

    piece.at_ns = begin_ns;
    piece.emission = ++adversary->emissions;
    for (size_t at = 0; at < size; at += step) {
        piece.size = (uint16_t)(size - at < step ? size - at : step);
        piece.at_ns = begin_ns + (int64_t)(at + piece.size) * adversary->byte_ns;
        piece.serial = at + piece.size == size ? serial : 0;
        memcpy(piece.bytes, bytes + at, piece.size);
        memcpy(piece.marks, marks + at, piece.size);
        adversary_insert(adversary, &piece);
        piece.newest = false;
    }
    return piece.at_ns;
}

/* What an answer to the request of that serial says: nobody else's is like it. */
static size_t adversary_answer(uint32_t serial, const uint8_t *asked, size_t asked_size,
                               unsigned count, uint8_t *pdu)
{
    uint64_t random = serial;
    size_t size;

    pdu[0] = asked[0];
    if (asked[0] <= MODBUS_INPUT_REGISTERS) {
        size = pdu_data_size(asked[0], count);
        pdu[1] = (uint8_t)size;
        random_fill(&random, pdu + 2, size);
        return 2 + size;
    }
    if (asked[0] == PDU_IDENTIFY) {
        const uint8_t identity[] = {asked[1], asked[2], 1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 1, 1, 'x'};

        memcpy(pdu + 1, identity, sizeof identity);
        random_fill(&random, pdu + 9, 4);
        return 1 + sizeof identity;
    }
    size = asked[0] == PDU_MASK_REGISTER ? 7 : 5;
    memcpy(pdu + 1, asked + 1, size - 1 < asked_size - 1 ? size - 1 : asked_size - 1);
    return size;
}

struct adversary_asked {
    uint32_t serial;
    uint16_t transaction;
    uint8_t unit;
    uint8_t pdu[PDU_SIZE_MAX];
    size_t size, wire_size;
    const uint8_t *wire;
    uint8_t foreign; /* a unit that is not the one asked */
};

static size_t adversary_frame(const struct adversary *adversary,
                              const struct adversary_asked *asked, uint8_t unit, const uint8_t *pdu,
                              size_t size, uint8_t *out)
{
    const uint8_t head[] = {(uint8_t)(asked->transaction >> 8),
                            (uint8_t)asked->transaction,
                            0,
                            0,
                            0,
                            (uint8_t)(size + 1),
                            unit};

    if (adversary->line <= ADVERSARY_RTU_NETWORK)
        return frames_rtu.encode(unit, pdu, size, out);
    if (adversary->line <= ADVERSARY_ASCII_NETWORK)
        return frames_ascii.encode(unit, pdu, size, out);
    memcpy(out, head, sizeof head);
    memcpy(out + sizeof head, pdu, size);
    return size + sizeof head;
}

static void adversary_flip(uint8_t *bytes, uint64_t bit)
{
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static void adversary_damage_rtu(struct adversary *adversary, enum adversary_kind kind,
                                 uint8_t *bytes, size_t size)
{
    uint64_t bits = 8 * size, first = adversary_below(adversary, bits);
    uint64_t length = 2 + adversary_below(adversary, 15);
    unsigned count = 3 + 2 * (unsigned)adversary_below(adversary, 4);
    uint8_t before[ADVERSARY_PIECE];

    memcpy(before, bytes, size);
    if (kind == ADVERSARY_ODD_BITS) {
        for (unsigned i = 0; i < count; i++) /* one that is met twice leaves an odd number, too */
            adversary_flip(bytes, adversary_below(adversary, bits));
        return;
    }
    adversary_flip(bytes, first);
    if (kind == ADVERSARY_TWO_BITS)
        adversary_flip(bytes, (first + 1 + adversary_below(adversary, bits - 1)) % bits);
    for (uint64_t i = 1; kind == ADVERSARY_BURST && i < length && first + i < bits; i++) {
        if (adversary_below(adversary, 2))
            adversary_flip(bytes, first + i);
    }
}

/* A digit in the other case is the same digit. */
static bool adversary_same_digit(uint8_t a, uint8_t b)
{
    return (a ^ b) == 0x20 && (a | 0x20) >= 'a' && (a | 0x20) <= 'f';
}

static size_t adversary_damage_ascii(struct adversary *adversary, enum adversary_kind kind,
                                     uint8_t *bytes, size_t size)
{
    uint64_t at = adversary_below(adversary, size), bit = adversary_below(adversary, 7);
    uint8_t wrong = (uint8_t)(1u << bit);

    if (kind == ADVERSARY_BURST) {
        memmove(bytes + at, bytes + at + 1, size - at - 1);
        return size - 1;
    }
    if (kind == ADVERSARY_TWO_BITS)
        wrong |= (uint8_t)(1u << (bit + 1 + adversary_below(adversary, 6)) % 7);
    if (kind == ADVERSARY_ODD_BITS)
        wrong = (uint8_t)(1 + adversary_below(adversary, 127));
    if (adversary_same_digit(bytes[at], bytes[at] ^ wrong))
        wrong = 1;
    bytes[at] ^= wrong;
    return size;
}

static size_t adversary_damage(struct adversary *adversary, enum adversary_kind kind,
                               uint8_t *bytes, size_t size)
{
    if (adversary->line <= ADVERSARY_RTU_NETWORK) {
        adversary_damage_rtu(adversary, kind, bytes, size);
        return size;
    }
    if (adversary->line <= ADVERSARY_ASCII_NETWORK)
        return adversary_damage_ascii(adversary, kind, bytes, size);
    if (kind == ADVERSARY_ONE_BIT)
        adversary_flip(bytes, 8 * 6 + adversary_below(adversary, 8)); /* the unit */
    else if (kind == ADVERSARY_TWO_BITS)
        adversary_flip(bytes, 8 * 2 + adversary_below(adversary, 16)); /* the protocol */
    else if (kind == ADVERSARY_ODD_BITS)
        adversary_flip(bytes, 8 * 7 + adversary_below(adversary, 8)); /* the function */
    else
        bytes[5] = (uint8_t)(bytes[5] + 1); /* the length */
    return size;
}

/* How late a late reply is: mostly a little, now and then as late as it may be. */
static int64_t adversary_lateness(struct adversary *adversary, int64_t bound_ns)
{
    uint64_t dice = adversary_below(adversary, 100);
    int64_t most_ns = dice < 70 ? 4 * ADVERSARY_TIMEOUT_NS : dice < 97 ? 3 * NS_PER_S : bound_ns;

    return ADVERSARY_TIMEOUT_NS / 2 + (int64_t)adversary_below(adversary, (uint64_t)most_ns);
}

/* The PDU of the reply, with what is wrong in it. */
static size_t adversary_pdu(enum adversary_kind kind, const struct adversary_asked *asked,
                            uint8_t *pdu)
{
    unsigned count = (unsigned)(asked->pdu[3] << 8 | asked->pdu[4]);
    unsigned step = asked->pdu[0] <= MODBUS_DISCRETE_INPUTS ? 8 : 1;
    bool reads = asked->pdu[0] <= MODBUS_INPUT_REGISTERS;
    size_t size;

    if (kind == ADVERSARY_EXCEPTION || kind == ADVERSARY_LATE_EXCEPTION) {
        pdu[0] = asked->pdu[0] | 0x80;
        pdu[1] = 2;
        return 2;
    }
    if (reads && kind == ADVERSARY_SHORTER)
        count = count > step ? count - step : count + step;
    if (reads && kind == ADVERSARY_LONGER)
        count += step;
    size = adversary_answer(asked->serial, asked->pdu, asked->size, count, pdu);
    if (!reads && (kind == ADVERSARY_SHORTER || kind == ADVERSARY_LONGER))
        pdu[2]++; /* another address, or another identity */
    if (kind == ADVERSARY_OTHER_FUNCTION)
        pdu[0] ^= 7;
    return size;
}

static bool adversary_answers(enum adversary_kind kind)
{
    return kind == ADVERSARY_GOOD || kind == ADVERSARY_LATE || kind == ADVERSARY_TWICE ||
           kind == ADVERSARY_FOREIGN_BEFORE || kind == ADVERSARY_EXCEPTION ||
           kind == ADVERSARY_LATE_EXCEPTION || kind == ADVERSARY_NOISE_BEFORE ||
           kind == ADVERSARY_NOISE_BEHIND || kind == ADVERSARY_ECHO;
}

static bool adversary_damages(enum adversary_kind kind)
{
    return kind == ADVERSARY_ONE_BIT || kind == ADVERSARY_TWO_BITS || kind == ADVERSARY_ODD_BITS ||
           kind == ADVERSARY_BURST || kind == ADVERSARY_TRUNCATED;
}

static void adversary_mark(uint8_t *marks, size_t size)
{
    memset(marks, ADVERSARY_INSIDE, size);
    marks[0] = ADVERSARY_HEAD;
}

/* All bytes that a request causes, and what each is part of. */
static size_t adversary_compose(struct adversary *adversary, enum adversary_kind kind,
                                const struct adversary_asked *asked, uint8_t *out, uint8_t *marks)
{
    uint8_t pdu[PDU_SIZE_MAX], unit = asked->unit;
    size_t size = adversary_pdu(kind, asked, pdu), before = 0, frame;

    if (kind == ADVERSARY_FOREIGN)
        unit = asked->foreign;
    if (kind == ADVERSARY_FOREIGN_BEFORE)
        before = adversary_frame(adversary, asked, asked->foreign, pdu, size, out);
    if (kind == ADVERSARY_ECHO) {
        memcpy(out, asked->wire, asked->wire_size);
        before = asked->wire_size;
    }
    memset(marks, ADVERSARY_NO_FRAME, 2 * FRAMES_BYTES_MAX);
    if (before)
        adversary_mark(marks, before);
    if (kind == ADVERSARY_NOISE_BEFORE) {
        before = 1 + adversary_below(adversary, 4);
        random_fill(&adversary->random, out, before);
    }
    frame = adversary_frame(adversary, asked, unit, pdu, size, out + before);
    if (!adversary_damages(kind))
        adversary_mark(marks + before, frame);
    switch (kind) {
    case ADVERSARY_ONE_BIT:
    case ADVERSARY_TWO_BITS:
    case ADVERSARY_ODD_BITS:
    case ADVERSARY_BURST:
        return adversary_damage(adversary, kind, out, frame);
    case ADVERSARY_TRUNCATED:
        return 1 + adversary_below(adversary, frame - 1);
    case ADVERSARY_TWICE:
        memcpy(out + frame, out, frame);
        memcpy(marks + frame, marks, frame);
        return 2 * frame;
    case ADVERSARY_NOISE_BEHIND:
        size = 1 + adversary_below(adversary, 4);
        random_fill(&adversary->random, out + frame, size);
        return frame + size;
    default:
        return before + frame;
    }
}

#endif
