#include "modbus/rtu.h"

#include <string.h>

#include "core/error.h"

#define IDENTITY_HEAD 8 /* unit, function, type, code, conformity, more, next, count of objects */

uint16_t rtu_crc(const uint8_t *data, size_t size)
{
    unsigned crc = 0xFFFF;

    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1;
    }
    return (uint16_t)crc;
}

size_t rtu_encode(uint8_t unit, const uint8_t *pdu, size_t size, uint8_t frame[RTU_FRAME_MAX])
{
    uint16_t crc;

    frame[0] = unit;
    memcpy(frame + 1, pdu, size);
    crc = rtu_crc(frame, size + 1);
    frame[size + 1] = (uint8_t)crc;
    frame[size + 2] = (uint8_t)(crc >> 8);
    return size + RTU_AROUND_PDU;
}

/* 43/14 says its length nowhere: it is the sum of its objects' lengths. */
static int identity_size(const uint8_t *bytes, size_t have)
{
    size_t size = IDENTITY_HEAD;

    if (have < IDENTITY_HEAD)
        return 0;
    for (unsigned i = 0; i < bytes[IDENTITY_HEAD - 1]; i++) {
        if (size + 2 > RTU_FRAME_MAX)
            return ERR_PROTOCOL;
        if (have < size + 2)
            return 0;
        size += 2u + bytes[size + 1];
    }
    return size + 2 > RTU_FRAME_MAX ? ERR_PROTOCOL : (int)size + 2;
}

int rtu_reply_size(const uint8_t *bytes, size_t have)
{
    if (have < 3)
        return 0;
    if (bytes[1] & 0x80)
        return RTU_FRAME_LEAST;
    switch (bytes[1]) {
    case MODBUS_COILS:
    case MODBUS_DISCRETE_INPUTS:
    case MODBUS_HOLDING_REGISTERS:
    case MODBUS_INPUT_REGISTERS:
        return bytes[2] > PDU_SIZE_MAX - 2 ? ERR_PROTOCOL : bytes[2] + 5;
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
        return ERR_PROTOCOL;
    }
}

bool rtu_is_sound(const uint8_t *frame, size_t size)
{
    uint16_t crc;

    if (size < RTU_FRAME_LEAST)
        return false;
    crc = rtu_crc(frame, size - 2);
    return frame[size - 2] == (uint8_t)crc && frame[size - 1] == (uint8_t)(crc >> 8);
}
