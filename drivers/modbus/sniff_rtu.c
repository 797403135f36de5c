#include "modbus/sniff_rtu.h"

#include "core/error.h"

#define IDENTITY_HEAD 7 /* function, type, code, conformity, more, next, count of objects */

/* Modbus application protocol 1.1b3, chapter 6. */
int sniff_request_size(const uint8_t *pdu, size_t have)
{
    if (have < 1)
        return 0;
    switch (pdu[0]) {
    case MODBUS_COILS:
    case MODBUS_DISCRETE_INPUTS:
    case MODBUS_HOLDING_REGISTERS:
    case MODBUS_INPUT_REGISTERS:
    case PDU_WRITE_COIL:
    case PDU_WRITE_REGISTER:
    case 8: /* diagnostics */
        return 5;
    case 7:  /* exception status */
    case 11: /* event counter */
    case 12: /* event log */
    case 17: /* server id */
        return 1;
    case PDU_WRITE_COILS:
    case PDU_WRITE_REGISTERS:
        return have < 6 ? 0 : 6 + pdu[5];
    case PDU_MASK_REGISTER:
        return 7;
    case 23: /* write and read registers */
        return have < 10 ? 0 : 10 + pdu[9];
    case PDU_IDENTIFY:
        return 4;
    default:
        return ERR_NOT_FOUND;
    }
}

/* 43/14 says its length nowhere: it is the sum of its objects' lengths. */
static int identity_size(const uint8_t *pdu, size_t have)
{
    size_t size = IDENTITY_HEAD;

    if (have < IDENTITY_HEAD)
        return 0;
    for (unsigned i = 0; i < pdu[IDENTITY_HEAD - 1]; i++) {
        if (have < size + 2)
            return size + 2 > PDU_SIZE_MAX ? ERR_NOT_FOUND : 0;
        size += 2u + pdu[size + 1];
    }
    return size > PDU_SIZE_MAX ? ERR_NOT_FOUND : (int)size;
}

int sniff_reply_size(const uint8_t *pdu, size_t have)
{
    if (have < 1)
        return 0;
    if (pdu[0] & 0x80)
        return 2;
    switch (pdu[0]) {
    case MODBUS_COILS:
    case MODBUS_DISCRETE_INPUTS:
    case MODBUS_HOLDING_REGISTERS:
    case MODBUS_INPUT_REGISTERS:
    case 12:
    case 17:
    case 23:
        return have < 2 ? 0 : 2 + pdu[1];
    case PDU_WRITE_COIL:
    case PDU_WRITE_REGISTER:
    case PDU_WRITE_COILS:
    case PDU_WRITE_REGISTERS:
    case 8:
    case 11:
        return 5;
    case 7:
        return 2;
    case PDU_MASK_REGISTER:
        return 7;
    case PDU_IDENTIFY:
        return identity_size(pdu, have);
    default:
        return ERR_NOT_FOUND;
    }
}

/* Behind garbage a checksum alone proves little: of thousands of places one fits by chance. */
static bool is_plausible(const uint8_t *bytes, size_t have)
{
    if (bytes[0] > 247 || (bytes[1] & 0x7F) == 0)
        return false;
    if (!(bytes[1] & 0x80))
        return sniff_request_size(bytes + 1, have - 1) >= 0;
    return have < 3 || (bytes[2] >= 1 && bytes[2] <= 11);
}

/* The frame of a function whose sizes are known: its size, 0 where more may make one. *known:
 * whether the function is. */
static int known_at(const uint8_t *bytes, size_t have, enum sniff_way way, bool *known)
{
    int sizes[2] = {ERR_NOT_FOUND, ERR_NOT_FOUND};
    bool hope = false;

    if (way != SNIFF_RECEIVED)
        sizes[0] = sniff_request_size(bytes + 1, have - 1);
    if (way != SNIFF_SENT)
        sizes[1] = sniff_reply_size(bytes + 1, have - 1);
    for (int i = 0; i < 2; i++) {
        size_t size = (size_t)sizes[i] + SNIFF_RTU_AROUND;

        if (sizes[i] < 0 || size > FRAMES_ADU_MAX)
            continue;
        if (sizes[i] == 0 || have < size)
            hope = true;
        else if (frames_rtu_sound(bytes, size))
            return (int)size;
    }
    *known = sizes[0] >= 0 || sizes[1] >= 0;
    return hope ? 0 : ERR_NOT_FOUND;
}

/* The frame of a function that nobody knows: up to the silence, or to where a frame begins. */
static int unknown_at(const uint8_t *bytes, size_t have, enum sniff_way way)
{
    bool known;

    for (size_t size = SNIFF_RTU_LEAST; size <= have && size <= FRAMES_ADU_MAX; size++) {
        size_t left = have - size;

        if (frames_rtu_sound(bytes, size) &&
            (left == 0 ||
             (left >= SNIFF_RTU_LEAST && known_at(bytes + size, left, way, &known) > 0) ||
             (left >= SNIFF_RTU_LEAST && left <= FRAMES_ADU_MAX &&
              frames_rtu_sound(bytes + size, left))))
            return (int)size;
    }
    return ERR_NOT_FOUND;
}

int sniff_rtu_at(const uint8_t *bytes, size_t have, enum sniff_way way, bool last, bool behind)
{
    bool known = true;
    int size;

    if (have < 2)
        return last ? ERR_NOT_FOUND : 0;
    if (behind && !is_plausible(bytes, have))
        return ERR_NOT_FOUND;
    size = known_at(bytes, have, way, &known);
    if (size > 0)
        return size;
    if (!last)
        return known ? size : 0;
    return behind ? ERR_NOT_FOUND : unknown_at(bytes, have, way);
}
