/*
 * A line of devices that do all that a line is expected to survive (docs/modbus.md), on a wire and
 * a clock that are not real: a million replies take seconds, and the same seed gives the same run.
 * It knows which reply belongs to which request, so it can tell a right value from a wrong one
 * whatever the value is. Included by the test and by the bench.
 *
 * Odd units answer in order, up to 60 s late; even ones out of order, up to 10 s late. Damage is of
 * the kinds that the checksum always finds: with CRC-16 one, two or any odd number of wrong bits,
 * and bursts of up to 16; with LRC one character that is wrong or missing; TCP does not damage what
 * it carries, so there it is headers that are not what they should be.
 */
#ifndef TESTS_ADVERSARY_H
#define TESTS_ADVERSARY_H

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
#define ADVERSARY_FLIGHT     4096 /* pieces of frames that are on their way */
#define ADVERSARY_PIECE      160
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

struct adversary_piece {
    int64_t at_ns;
    uint32_t serial; /* of the request that is answered when its last byte is read; 0: of none */
    uint16_t size, taken;
    struct adversary_piece *next;
    uint8_t bytes[ADVERSARY_PIECE];
};

struct adversary {
    struct driver_host host; /* first */
    struct clock clock;
    struct modbus_bus_options options;
    struct link *link;
    enum adversary_line line;
    uint64_t random;
    int64_t now_ns, byte_ns, silence_ns;
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
    uint64_t replies, good, wrong;
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
                              size_t size, uint32_t serial)
{
    size_t step = size > ADVERSARY_PIECE || adversary_below(adversary, 2) ? 2 : size;
    struct adversary_piece piece = {.at_ns = begin_ns};

    for (size_t at = 0; at < size; at += step) {
        piece.size = (uint16_t)(size - at < step ? size - at : step);
        piece.at_ns = begin_ns + (int64_t)(at + piece.size) * adversary->byte_ns;
        piece.serial = at + piece.size == size ? serial : 0;
        memcpy(piece.bytes, bytes + at, piece.size);
        adversary_insert(adversary, &piece);
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

/* All bytes that a request causes. */
static size_t adversary_compose(struct adversary *adversary, enum adversary_kind kind,
                                const struct adversary_asked *asked, uint8_t *out)
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
    if (kind == ADVERSARY_NOISE_BEFORE) {
        before = 1 + adversary_below(adversary, 4);
        random_fill(&adversary->random, out, before);
    }
    frame = adversary_frame(adversary, asked, unit, pdu, size, out + before);
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
        return 2 * frame;
    case ADVERSARY_NOISE_BEHIND:
        size = 1 + adversary_below(adversary, 4);
        random_fill(&adversary->random, out + frame, size);
        return frame + size;
    default:
        return before + frame;
    }
}

static void adversary_reply(struct adversary *adversary, const struct adversary_asked *asked)
{
    uint64_t dice = adversary_below(adversary, 2 * ADVERSARY_KINDS);
    bool held = adversary->now_ns < adversary->held_ns[asked->unit];
    enum adversary_kind kind =
        dice < ADVERSARY_KINDS && !held ? (enum adversary_kind)dice : ADVERSARY_GOOD;
    bool late = kind == ADVERSARY_LATE || kind == ADVERSARY_LATE_EXCEPTION;
    bool orderly = asked->unit % 2;
    int64_t bound_ns = orderly ? ADVERSARY_LATE_NS : ADVERSARY_HELD_NS;
    int64_t out_ns = adversary->now_ns + (int64_t)asked->wire_size * adversary->byte_ns;
    int64_t begin_ns =
        out_ns + adversary->silence_ns + (int64_t)adversary_below(adversary, 20 * NS_PER_MS);
    uint8_t bytes[2 * FRAMES_BYTES_MAX];
    size_t size = adversary_compose(adversary, kind, asked, bytes);
    int64_t took_ns = (int64_t)size * adversary->byte_ns, end_ns;

    adversary->met[kind]++;
    adversary->replies++;
    if (kind == ADVERSARY_SILENT || adversary->cut)
        return;
    if (late)
        begin_ns += adversary_lateness(adversary, bound_ns);
    if ((orderly || !late) && begin_ns < adversary->busy_ns[asked->unit])
        begin_ns = adversary->busy_ns[asked->unit];
    begin_ns = adversary_free_ns(adversary, begin_ns, took_ns);
    if (begin_ns + took_ns > out_ns + bound_ns - ADVERSARY_MARGIN_NS)
        return; /* it would be later than is assumed */
    adversary->cut = adversary->line == ADVERSARY_MBAP && kind == ADVERSARY_TRUNCATED;
    while (adversary->cut && adversary->flight)
        adversary_drop(adversary);
    end_ns = adversary_emit(adversary, begin_ns, bytes, size,
                            adversary_answers(kind) ? asked->serial : 0);
    if (orderly || !late)
        adversary->busy_ns[asked->unit] = end_ns + adversary->silence_ns;
    else
        adversary->held_ns[asked->unit] = end_ns;
}

static uint8_t adversary_hex(const uint8_t *digits)
{
    const char text[3] = {(char)digits[0], (char)digits[1], 0};

    return (uint8_t)strtoul(text, NULL, 16);
}

/* What the frame of a request says; it is known to be whole. */
static void adversary_read_request(const struct adversary *adversary, const uint8_t *bytes,
                                   size_t size, struct adversary_asked *asked)
{
    if (adversary->line <= ADVERSARY_RTU_NETWORK) {
        asked->unit = bytes[0];
        asked->size = size - 3;
        memcpy(asked->pdu, bytes + 1, asked->size);
    } else if (adversary->line <= ADVERSARY_ASCII_NETWORK) {
        asked->unit = adversary_hex(bytes + 1);
        asked->size = (size - 7) / 2;
        for (size_t i = 0; i < asked->size; i++)
            asked->pdu[i] = adversary_hex(bytes + 3 + 2 * i);
    } else {
        asked->transaction = (uint16_t)(bytes[0] << 8 | bytes[1]);
        asked->unit = bytes[6];
        asked->size = size - 7;
        memcpy(asked->pdu, bytes + 7, asked->size);
    }
}

static int adversary_write(struct wire *wire, const uint8_t *bytes, size_t size)
{
    struct adversary *adversary = (struct adversary *)wire->host;
    struct adversary_asked asked = {
        .serial = ++adversary->serial, .wire = bytes, .wire_size = size};
    uint8_t given[PDU_SIZE_MAX];

    adversary_read_request(adversary, bytes, size, &asked);
    /* A polled unit that speaks for another could not be told from itself once it is late. */
    asked.foreign = (uint8_t)(asked.unit % ADVERSARY_UNITS + (adversary->flight ? 100 : 1));
    if (asked.size == pdu_encode(&adversary->request, given) &&
        memcmp(asked.pdu, given, asked.size) == 0) {
        adversary->asked = asked.serial;
        adversary->answered = false;
    }
    adversary_reply(adversary, &asked);
    return 0;
}

static int adversary_read(struct wire *wire, uint8_t *bytes, size_t room)
{
    struct adversary *adversary = (struct adversary *)wire->host;
    size_t have = 0;

    while (have < room && adversary->flight && adversary->flight->at_ns <= adversary->now_ns) {
        struct adversary_piece *piece = adversary->flight;
        size_t left = (size_t)(piece->size - piece->taken);
        size_t size = left < room - have ? left : room - have;

        memcpy(bytes + have, piece->bytes + piece->taken, size);
        piece->taken = (uint16_t)(piece->taken + size);
        have += size;
        if (piece->taken < piece->size)
            break;
        if (piece->serial && piece->serial == adversary->asked)
            adversary->answered = true;
        adversary_drop(adversary);
    }
    return (int)have;
}

static int adversary_open(struct wire *wire, char *why, size_t why_size)
{
    struct adversary *adversary = (struct adversary *)wire->host;

    (void)why;
    (void)why_size;
    /* What a connection carried goes with it; a device server hands on what comes late. */
    while (adversary->line == ADVERSARY_MBAP && adversary->flight)
        adversary_drop(adversary);
    adversary->cut = false;
    wire->fd = 0;
    return 0;
}

static void adversary_close(struct wire *wire)
{
    wire->fd = -1;
}

/* Begins; `seed` names the run. The struct is large: not for the stack. */
static void adversary_start(struct adversary *adversary, enum adversary_line line, uint64_t seed)
{
    static const struct driver_host_ops host_ops = {.wait = adversary_wait};
    static const struct wire_ops ops = {adversary_open, adversary_write, adversary_read,
                                        adversary_close};
    bool network = line == ADVERSARY_RTU_NETWORK || line >= ADVERSARY_ASCII_NETWORK;
    struct wire wire = {.ops = &ops,
                        .host = &adversary->host,
                        .options = &adversary->options,
                        .fd = -1,
                        .network = network};
    int error;

    memset(adversary, 0, sizeof *adversary);
    for (size_t i = 0; i < ADVERSARY_FLIGHT; i++) {
        adversary->pieces[i].next = adversary->unused;
        adversary->unused = &adversary->pieces[i];
    }
    adversary->clock = (struct clock){.mono_ns = adversary_mono, .context = adversary};
    adversary->host = (struct driver_host){.ops = &host_ops, .clock = &adversary->clock};
    adversary->line = line;
    adversary->random = seed;
    adversary->byte_ns = network ? 0 : ADVERSARY_BYTE_NS;
    adversary->silence_ns = network ? 2 * NS_PER_MS : 7 * ADVERSARY_BYTE_NS / 2;
    wire.byte_ns = adversary->byte_ns;
    wire.silence_ns = adversary->silence_ns;
    error = line == ADVERSARY_MBAP
                ? link_new_tcp_on(&adversary->link, &wire)
                : link_new_on(&adversary->link, &wire,
                              line <= ADVERSARY_RTU_NETWORK ? &frames_rtu : &frames_ascii);
    if (error)
        abort();
}

static void adversary_choose(struct adversary *adversary)
{
    static const uint8_t functions[] = {3, 3, 3, 3, 4, 1, 2, 5, 6, 15, 16, 22, 43};
    struct modbus_request *request = &adversary->request;
    uint8_t *data = adversary->request_data;

    *request = (struct modbus_request){
        .unit = (uint8_t)(1 + adversary_below(adversary, ADVERSARY_UNITS)),
        .function = functions[adversary_below(adversary, sizeof functions)],
        .address = (uint16_t)adversary_below(adversary, 3),
        .count = (uint16_t)(1 + adversary_below(adversary, 3)),
        .timeout_ns = ADVERSARY_TIMEOUT_NS,
    };
    if (request->function <= MODBUS_DISCRETE_INPUTS)
        request->count = (uint16_t)(8 * request->count - 3);
    if (request->function <= MODBUS_INPUT_REGISTERS)
        return;
    /* Few different ones, so that one can be taken for another. */
    data[0] = request->function == PDU_IDENTIFY ? 0x0E : (uint8_t)adversary_below(adversary, 2);
    data[1] = 4;
    data[2] = (uint8_t)adversary_below(adversary, 2);
    data[3] = 0;
    request->data = data;
    request->data_size = 2;
    if (request->function == PDU_WRITE_COILS || request->function == PDU_WRITE_REGISTERS)
        request->count = request->function == PDU_WRITE_COILS ? 16 : 1;
    if (request->function == PDU_MASK_REGISTER)
        request->data_size = 4;
    if (request->function == PDU_IDENTIFY)
        request->data_size = 3;
}

/* Whether what the link handed over is the answer of that unit to that request. */
static bool adversary_is_right(const struct adversary *adversary, const struct link_reply *reply)
{
    size_t offset = pdu_data_offset(adversary->request.function), size;
    uint8_t asked[PDU_SIZE_MAX], answer[PDU_SIZE_MAX];

    size = pdu_encode(&adversary->request, asked);
    size = adversary_answer(adversary->asked, asked, size, adversary->request.count, answer);
    return adversary->answered && reply->size == size - offset &&
           memcmp(reply->data, answer + offset, reply->size) == 0;
}

/* One request, chosen at random, and the verdict on what came of it. */
static void adversary_ask(struct adversary *adversary)
{
    struct link *link = adversary->link;
    uint64_t pause = adversary_below(adversary, 1000);
    struct link_reply reply;
    int result;

    adversary->now_ns += pause < 500   ? 0
                         : pause < 998 ? (int64_t)adversary_below(adversary, 50 * NS_PER_MS)
                                       : (int64_t)adversary_below(adversary, 80 * NS_PER_S);
    adversary_choose(adversary);
    adversary->asked = 0;
    adversary->answered = false;
    if (!link->open && link->ops->open(link) != 0)
        abort();
    result = link->ops->transact(link, &adversary->request, &reply);
    if (result == 0)
        adversary->good++;
    if (result == 0 && !adversary_is_right(adversary, &reply))
        adversary->wrong++;
    if (result == ERR_EXCEPTION && !adversary->answered)
        adversary->wrong++;
}

static void adversary_stop(struct adversary *adversary)
{
    link_free(adversary->link);
}

#endif
