/*
 * Modbus RTU: unit, PDU, CRC (Modbus over serial line 1.02, 2.5.1). What ends a frame is its own
 * length, as the PDU tells it, and not a silence: networks and USB adapters break frames up.
 */
#include <string.h>

#include "core/error.h"
#include "modbus/frames.h"

#define AROUND_PDU    3 /* unit and CRC */
#define LEAST         5 /* an exception */
#define IDENTITY_HEAD 8 /* unit, function, type, code, conformity, more, next, count of objects */

/* The polynomial 8005, reflected, from FFFF; the same document, 6.2.2. */
static uint16_t crc16(const uint8_t *data, size_t size)
{
    unsigned crc = 0xFFFF;

    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1;
    }
    return (uint16_t)crc;
}

bool frames_rtu_sound(const uint8_t *bytes, size_t size)
{
    uint16_t crc = crc16(bytes, size - 2);

    return bytes[size - 2] == (uint8_t)crc && bytes[size - 1] == (uint8_t)(crc >> 8);
}

static size_t encode(uint8_t unit, const uint8_t *pdu, size_t size, uint8_t bytes[FRAMES_BYTES_MAX])
{
    uint16_t crc;

    bytes[0] = unit;
    memcpy(bytes + 1, pdu, size);
    crc = crc16(bytes, size + 1);
    bytes[size + 1] = (uint8_t)crc;
    bytes[size + 2] = (uint8_t)(crc >> 8);
    return size + AROUND_PDU;
}

/* A size that must be seen to be told: at least so much, or ERR_CHECKSUM where that is too much. */
static int at_least(size_t size)
{
    return size > FRAMES_ADU_MAX ? ERR_CHECKSUM : (int)size;
}

/* 43/14 says its length nowhere: it is the sum of its objects' lengths. */
static int identity_size(const uint8_t *bytes, size_t have)
{
    size_t size = IDENTITY_HEAD;

    if (have < IDENTITY_HEAD)
        return IDENTITY_HEAD;
    for (unsigned i = 0; i < bytes[IDENTITY_HEAD - 1]; i++) {
        if (have < size + 2)
            return at_least(size + 2);
        size += 2u + bytes[size + 1];
    }
    return at_least(size + 2);
}

/* How many bytes the reply has that begins with these, or, where more must be seen to tell, how
 * many it has at least. ERR_CHECKSUM: it answers nothing that pdu.h can ask, or is longer than any.
 */
static int reply_size(const uint8_t *bytes, size_t have)
{
    if (have < LEAST || bytes[1] & 0x80)
        return LEAST;
    switch (bytes[1]) {
    case MODBUS_COILS:
    case MODBUS_DISCRETE_INPUTS:
    case MODBUS_HOLDING_REGISTERS:
    case MODBUS_INPUT_REGISTERS:
        return at_least(bytes[2] + 5u);
    case PDU_WRITE_COIL:
    case PDU_WRITE_REGISTER:
    case PDU_WRITE_COILS:
    case PDU_WRITE_REGISTERS:
        return 8;
    case PDU_MASK_REGISTER:
        return 10;
    case PDU_IDENTIFY:
        return identity_size(bytes, have);
    default:
        return ERR_CHECKSUM;
    }
}

static int decode(const uint8_t *bytes, size_t have, uint8_t adu[FRAMES_ADU_MAX],
                  struct frame *frame, size_t *wanted)
{
    int size = reply_size(bytes, have);

    (void)adu;
    if (size < 0)
        return size;
    if (have < (size_t)size) {
        *wanted = (size_t)size - have;
        return 0;
    }
    if (!frames_rtu_sound(bytes, (size_t)size))
        return ERR_CHECKSUM;
    *frame =
        (struct frame){.unit = bytes[0], .pdu = bytes + 1, .pdu_size = (size_t)size - AROUND_PDU};
    return 1;
}

const struct frames_codec frames_rtu = {
    .bytes_of_one = 1,
    .bytes_around = AROUND_PDU - 1,
    .bytes_least = LEAST,
    .encode = encode,
    .decode = decode,
};
