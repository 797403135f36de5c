/*
 * A line of devices that do all that a line is expected to survive (docs/modbus.md), on a wire and
 * a clock that are not real: a million replies take seconds, and the same seed gives the same run.
 * It knows which reply belongs to which request, so it can tell a right value from a wrong one
 * whatever the value is. Included by the test and by the bench.
 *
 * Odd units answer in order, up to 60 s late; even ones out of order, up to 10 s late. Damage is of
 * the kinds that the checksum always finds: with CRC-16 one, two or any odd number of wrong bits,
 * and bursts of up to 16 (and never a CRC that is right by chance: adversary_chance.h); with LRC
 * one character that is wrong or missing; TCP does not damage what it carries, so there it is
 * headers that are not what they should be; and one unit is behind a gateway that puts the newest
 * number on whatever comes.
 */
#ifndef TESTS_ADVERSARY_H
#define TESTS_ADVERSARY_H

#include "unit/adversary_chance.h"

/* What is not what was asked for does not come behind a newer request: nobody could tell it from
 * the answer to that one, when it is of the same length. */
static bool adversary_misfits(enum adversary_kind kind)
{
    return kind == ADVERSARY_SHORTER || kind == ADVERSARY_LONGER ||
           kind == ADVERSARY_OTHER_FUNCTION;
}

/* A gateway that gets the numbers wrong makes no other mistake: one is enough. */
static enum adversary_kind adversary_kind(enum adversary_kind kind, bool renumbered)
{
    bool others = kind == ADVERSARY_FOREIGN || kind == ADVERSARY_FOREIGN_BEFORE ||
                  kind == ADVERSARY_ONE_BIT || kind == ADVERSARY_TWO_BITS ||
                  kind == ADVERSARY_ODD_BITS || kind == ADVERSARY_BURST;

    return renumbered && (others || adversary_misfits(kind)) ? ADVERSARY_GOOD : kind;
}

static void adversary_reply(struct adversary *adversary, const struct adversary_asked *asked)
{
    uint64_t dice = adversary_below(adversary, 2 * ADVERSARY_KINDS);
    bool held = adversary->now_ns < adversary->held_ns[asked->unit];
    bool renumbered = adversary->line == ADVERSARY_MBAP && asked->unit == ADVERSARY_RENUMBERED;
    enum adversary_kind kind = adversary_kind(
        dice < ADVERSARY_KINDS && !held ? (enum adversary_kind)dice : ADVERSARY_GOOD, renumbered);
    bool late = kind == ADVERSARY_LATE || kind == ADVERSARY_LATE_EXCEPTION;
    bool orderly = asked->unit % 2;
    int64_t bound_ns = orderly ? ADVERSARY_LATE_NS : ADVERSARY_HELD_NS;
    int64_t out_ns = adversary->now_ns + (int64_t)asked->wire_size * adversary->byte_ns;
    int64_t begin_ns =
        out_ns + adversary->silence_ns + (int64_t)adversary_below(adversary, 20 * NS_PER_MS);
    uint8_t bytes[2 * FRAMES_BYTES_MAX], marks[2 * FRAMES_BYTES_MAX];
    size_t size = adversary_compose(adversary, kind, asked, bytes, marks);
    int64_t took_ns = (int64_t)size * adversary->byte_ns, end_ns;
    struct adversary_piece piece = {0};

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
    if (adversary_misfits(kind) && adversary->line != ADVERSARY_MBAP)
        piece.before = asked->serial + 1;
    piece.newest = renumbered;
    end_ns = adversary_emit(adversary, begin_ns, bytes, marks, size,
                            adversary_answers(kind) ? asked->serial : 0, piece);
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
    adversary->transaction = asked.transaction;
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

        if (piece->before && piece->before <= adversary->serial && piece->taken == 0) {
            adversary_drop(adversary);
            continue;
        }
        size_t left = (size_t)(piece->size - piece->taken);
        size_t size = left < room - have ? left : room - have;

        if (piece->newest) {
            piece->bytes[0] = (uint8_t)(adversary->transaction >> 8);
            piece->bytes[1] = (uint8_t)adversary->transaction;
            piece->newest = false;
        }
        if (adversary->line <= ADVERSARY_RTU_NETWORK)
            adversary_forestall(adversary, piece, size);
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
    adversary->good += result == 0;
    adversary->good_of[adversary->request.unit] += result == 0;
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
