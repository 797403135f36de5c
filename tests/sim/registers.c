#include "registers.h"

#include <stdlib.h>
#include <string.h>

#include "wire.h"

/* Modbus Application Protocol V1.1b3, clause 7 */
enum { ILLEGAL_FUNCTION = 1, ILLEGAL_ADDRESS = 2, ILLEGAL_VALUE = 3, DEVICE_FAILURE = 4 };

#define ADDRESSES     65536
#define WRITABLE_FROM 6 /* registers below are made by the unit itself */
#define REGISTER_HELD 1
#define COIL_HELD     2
#define COIL_ON       4

/* A triangle of 60 s between -1000 and 1000, shifted by unit so that no two run together. */
static int16_t wave(const struct unit *unit)
{
    int64_t phase = (wire_now_ns() / WIRE_MS + unit->id * 1777) % 60000;

    return (int16_t)(phase < 30000 ? phase / 15 - 1000 : 3000 - phase / 15);
}

static void put_word(uint8_t *at, uint16_t word)
{
    at[0] = (uint8_t)(word >> 8);
    at[1] = (uint8_t)word;
}

static uint16_t value_of(const struct unit *unit, uint32_t address)
{
    uint16_t word;
    uint32_t bits;
    float value;

    if (unit->written && unit->written[address] & REGISTER_HELD)
        return unit->held[address];
    switch (address) {
    case 0:
        return (uint16_t)(unit->counter >> 16);
    case 1:
        return (uint16_t)unit->counter;
    case 2:
        return (uint16_t)wave(unit);
    case 4:
    case 5:
        /* A step of 1/8 is exact in binary: whoever reads it can compare without a tolerance. */
        value = 20.0f + (float)unit->id + (float)(wave(unit) / 125) / 8.0f;
        memcpy(&bits, &value, sizeof bits);
        return (uint16_t)(address == 4 ? bits >> 16 : bits);
    default:
        /* The unit shows in the high byte, so that another unit's block is seen to be foreign. */
        word = (uint16_t)(0x1000u + 0x100u * unit->id + address);
        return word ? word : 1;
    }
}

void registers_exception(uint8_t function, uint8_t code, struct registers_reply *reply)
{
    reply->pdu[0] = function | 0x80;
    reply->pdu[1] = code;
    reply->length = 2;
    reply->exception = true;
    reply->has_counter = false;
}

static void read_words(struct unit *unit, uint32_t address, uint32_t count,
                       struct registers_reply *reply)
{
    if (address == 0)
        unit->counter++;
    reply->has_counter = address == 0 && count >= 2;
    reply->counter = unit->counter;
    reply->pdu[1] = (uint8_t)(count * 2);
    reply->length = 2 + count * 2;
    for (uint32_t i = 0; i < count; i++)
        put_word(reply->pdu + 2 + 2 * i, value_of(unit, address + i));
}

static bool coil_is_on(const struct unit *unit, uint32_t address)
{
    if (unit->written && unit->written[address] & COIL_HELD)
        return (unit->written[address] & COIL_ON) != 0;
    return (address + unit->id) % 2 != 0;
}

static void read_bits(const struct unit *unit, uint32_t address, uint32_t count,
                      struct registers_reply *reply)
{
    uint32_t bytes = (count + 7) / 8;

    memset(reply->pdu + 2, 0, bytes);
    reply->pdu[1] = (uint8_t)bytes;
    reply->length = 2 + bytes;
    for (uint32_t i = 0; i < count; i++) {
        if (coil_is_on(unit, address + i))
            reply->pdu[2 + i / 8] |= (uint8_t)(1u << i % 8);
    }
}

/* Writes go to memory of their own; it stays with the unit. */
static bool has_memory(struct unit *unit)
{
    if (!unit->held)
        unit->held = calloc(ADDRESSES, sizeof *unit->held);
    if (!unit->written)
        unit->written = calloc(ADDRESSES, sizeof *unit->written);
    return unit->held && unit->written;
}

static void hold_word(struct unit *unit, uint32_t address, uint16_t word)
{
    if (unit->stuck)
        return;
    unit->held[address] = word;
    unit->written[address] |= REGISTER_HELD;
}

static void hold_coil(struct unit *unit, uint32_t address, bool on)
{
    if (unit->stuck)
        return;
    unit->written[address] =
        (uint8_t)((unit->written[address] & REGISTER_HELD) | COIL_HELD | (on ? COIL_ON : 0));
}

static uint16_t word_at(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

/* The exception for a write, or 0. `count` registers or coils; `pdu` is the whole request. */
static uint8_t refuse_write(struct unit *unit, const uint8_t *pdu, uint32_t count)
{
    uint32_t address = word_at(pdu + 1);
    bool coils = pdu[0] == 5 || pdu[0] == 15;

    if (pdu[0] == 5 && word_at(pdu + 3) != 0xFF00 && word_at(pdu + 3) != 0)
        return ILLEGAL_VALUE;
    if (pdu[0] == 15 && (count == 0 || count > 1968 || pdu[5] != (count + 7) / 8))
        return ILLEGAL_VALUE;
    if (pdu[0] == 16 && (count == 0 || count > 123 || pdu[5] != 2 * count))
        return ILLEGAL_VALUE;
    if (address + count > unit->registers || (!coils && address < WRITABLE_FROM))
        return ILLEGAL_ADDRESS;
    return has_memory(unit) ? 0 : DEVICE_FAILURE;
}

static void carry_out(struct unit *unit, const uint8_t *pdu, uint32_t count)
{
    uint32_t address = word_at(pdu + 1);

    switch (pdu[0]) {
    case 5:
        hold_coil(unit, address, pdu[3] != 0);
        break;
    case 6:
        hold_word(unit, address, word_at(pdu + 3));
        break;
    case 15:
        for (uint32_t i = 0; i < count; i++)
            hold_coil(unit, address + i, pdu[6 + i / 8] >> i % 8 & 1);
        break;
    case 16:
        for (uint32_t i = 0; i < count; i++)
            hold_word(unit, address + i, word_at(pdu + 6 + 2 * i));
        break;
    default: /* 22 */
        hold_word(unit, address,
                  (uint16_t)((value_of(unit, address) & word_at(pdu + 3)) |
                             (word_at(pdu + 5) & ~word_at(pdu + 3))));
        break;
    }
}

static bool answer_write(struct unit *unit, const uint8_t *pdu, size_t length,
                         struct registers_reply *reply)
{
    bool many = pdu[0] == 15 || pdu[0] == 16;
    size_t fixed = many ? 6 : pdu[0] == 22 ? 7 : 5;
    uint32_t count = 1;
    uint8_t code;

    if (length < fixed || length != fixed + (many ? pdu[5] : 0))
        return false;
    if (many)
        count = word_at(pdu + 3);
    code = refuse_write(unit, pdu, count);
    if (code) {
        registers_exception(pdu[0], code, reply);
        return true;
    }
    carry_out(unit, pdu, count);
    reply->length = pdu[0] == 22 ? 7 : 5;
    memcpy(reply->pdu, pdu, reply->length);
    return true;
}

static bool writes(uint8_t function)
{
    return function == 5 || function == 6 || function == 15 || function == 16 || function == 22;
}

bool registers_answer(struct unit *unit, const uint8_t *pdu, size_t length,
                      struct registers_reply *reply)
{
    uint32_t address, count, limit;

    if (length < 1)
        return false;
    reply->pdu[0] = pdu[0];
    reply->exception = false;
    reply->has_counter = false;
    if (writes(pdu[0]) && pdu[0] != unit->lacks)
        return answer_write(unit, pdu, length, reply);
    if (pdu[0] < 1 || pdu[0] > 4 || pdu[0] == unit->lacks) {
        registers_exception(pdu[0] & 0x7f, ILLEGAL_FUNCTION, reply);
        return true;
    }
    if (length != 5)
        return false;

    address = (uint32_t)pdu[1] << 8 | pdu[2];
    count = (uint32_t)pdu[3] << 8 | pdu[4];
    limit = pdu[0] <= 2 ? 2000 : 125;
    if (count == 0 || count > limit)
        registers_exception(pdu[0], ILLEGAL_VALUE, reply);
    else if (address + count > unit->registers)
        registers_exception(pdu[0], ILLEGAL_ADDRESS, reply);
    else if (pdu[0] <= 2)
        read_bits(unit, address, count, reply);
    else
        read_words(unit, address, count, reply);
    return true;
}
