#include "registers.h"

#include <string.h>

#include "wire.h"

/* Modbus Application Protocol V1.1b3, clause 7 */
enum { ILLEGAL_FUNCTION = 1, ILLEGAL_ADDRESS = 2, ILLEGAL_VALUE = 3 };

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

static void read_bits(const struct unit *unit, uint32_t address, uint32_t count,
                      struct registers_reply *reply)
{
    uint32_t bytes = (count + 7) / 8;

    memset(reply->pdu + 2, 0, bytes);
    reply->pdu[1] = (uint8_t)bytes;
    reply->length = 2 + bytes;
    for (uint32_t i = 0; i < count; i++) {
        if ((address + i + unit->id) % 2)
            reply->pdu[2 + i / 8] |= (uint8_t)(1u << i % 8);
    }
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
    if (pdu[0] < 1 || pdu[0] > 4) {
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
