#include "node/core/slave.h"

#include <stdbool.h>
#include <string.h>

#define READ_BITS_MAX       2000 /* 6.1 */
#define READ_REGISTERS_MAX  125  /* 6.3 */
#define WRITE_BITS_MAX      1968 /* 6.11 */
#define WRITE_REGISTERS_MAX 123  /* 6.12 */

#define SERVER_ID   0x53 /* 6.13: anything that a maker likes */
#define SERVER_RUNS 0xFF

#define IDENTIFY_TYPE       14 /* MEI type, 6.21 */
#define IDENTIFY_BASIC      1  /* codes of what to read... */
#define IDENTIFY_EXTENDED   3
#define IDENTIFY_ONE        4    /* ...as a stream, or a single object */
#define IDENTIFY_BASIC_LAST 2    /* the last object of the basic ones */
#define IDENTIFY_LEVEL      0x82 /* regular ones, as a stream and singly */
#define IDENTIFY_HEAD       7    /* bytes of a reply before its objects */

static size_t refuse(const uint8_t *pdu, uint8_t exception, uint8_t *reply)
{
    reply[0] = pdu[0] | PDU_EXCEPTION;
    reply[1] = exception;
    return 2;
}

static const struct area *area_of(const struct slave *slave, uint8_t table, uint16_t address,
                                  uint16_t count)
{
    for (uint8_t i = 0; i < slave->area_count; i++) {
        const struct area *area = &slave->areas[i];

        if (area->table == table && address >= area->first &&
            (uint32_t)address + count <= (uint32_t)area->first + area->count)
            return area;
    }
    return NULL;
}

static size_t read_table(const struct slave *slave, const uint8_t *pdu, uint8_t *reply)
{
    uint16_t address = pdu_u16(pdu + 1), count = pdu_u16(pdu + 3);
    bool bits = pdu[0] <= PDU_READ_DISCRETE;
    const struct area *area;

    if (count == 0 || count > (bits ? READ_BITS_MAX : READ_REGISTERS_MAX))
        return refuse(pdu, PDU_ILLEGAL_VALUE, reply);
    area = area_of(slave, pdu[0], address, count);
    if (!area)
        return refuse(pdu, PDU_ILLEGAL_ADDRESS, reply);
    reply[0] = pdu[0];
    reply[1] = (uint8_t)(bits ? (count + 7) / 8 : 2 * count);
    memset(reply + 2, 0, reply[1]);
    for (uint16_t i = 0; i < count; i++) {
        uint16_t value = area->read(area->context, (uint16_t)(address - area->first + i));

        if (!bits)
            pdu_put_u16(reply + 2 + 2 * i, value);
        else if (value)
            reply[2 + i / 8] |= (uint8_t)(1 << i % 8);
    }
    return 2u + reply[1];
}

/* Hands on what is to be written; the reply of all four functions is how their request begins. */
static size_t write_area(const struct slave *slave, const uint8_t *pdu, uint16_t count,
                         const uint8_t *data, uint8_t *reply)
{
    bool bits = pdu[0] == PDU_WRITE_COIL || pdu[0] == PDU_WRITE_COILS;
    uint16_t address = pdu_u16(pdu + 1);
    const struct area *area = area_of(slave, bits ? SLAVE_COILS : SLAVE_HOLDING, address, count);
    uint8_t exception = PDU_ILLEGAL_ADDRESS;

    if (area && area->write)
        exception = area->write(area->context, (uint16_t)(address - area->first), count, data);
    if (exception)
        return refuse(pdu, exception, reply);
    memcpy(reply, pdu, 5);
    return 5;
}

static size_t write_single(const struct slave *slave, const uint8_t *pdu, uint8_t *reply)
{
    uint16_t value = pdu_u16(pdu + 3);
    uint8_t on = value != 0;

    if (pdu[0] == PDU_WRITE_REGISTER)
        return write_area(slave, pdu, 1, pdu + 3, reply);
    if (value != 0xFF00 && value != 0)
        return refuse(pdu, PDU_ILLEGAL_VALUE, reply);
    return write_area(slave, pdu, 1, &on, reply);
}

static size_t write_multiple(const struct slave *slave, const uint8_t *pdu, size_t size,
                             uint8_t *reply)
{
    bool bits = pdu[0] == PDU_WRITE_COILS;
    uint16_t count = pdu_u16(pdu + 3);
    size_t bytes = bits ? (count + 7u) / 8 : 2u * count;

    if (count == 0 || count > (bits ? WRITE_BITS_MAX : WRITE_REGISTERS_MAX) || pdu[5] != bytes ||
        size != 6 + bytes)
        return refuse(pdu, PDU_ILLEGAL_VALUE, reply);
    return write_area(slave, pdu, count, pdu + 6, reply);
}

/* The next object from `object` on that there is; SLAVE_OBJECTS when there is none. */
static uint8_t next_object(const struct slave *slave, uint8_t object)
{
    while (object < SLAVE_OBJECTS && !slave->objects[object])
        object++;
    return object;
}

static size_t identify(const struct slave *slave, const uint8_t *pdu, uint8_t *reply)
{
    uint8_t code = pdu[2], object = pdu[3];
    uint8_t last = code == IDENTIFY_BASIC ? IDENTIFY_BASIC_LAST : SLAVE_OBJECTS - 1;
    size_t size = IDENTIFY_HEAD;

    if (pdu[1] != IDENTIFY_TYPE)
        return refuse(pdu, PDU_ILLEGAL_FUNCTION, reply);
    if (code < IDENTIFY_BASIC || code > IDENTIFY_ONE)
        return refuse(pdu, PDU_ILLEGAL_VALUE, reply);
    if (code == IDENTIFY_ONE && (object > last || !slave->objects[object]))
        return refuse(pdu, PDU_ILLEGAL_ADDRESS, reply);
    /* A stream that begins where nothing is begins at the first one, 6.21. */
    if (object > last)
        object = 0;
    object = next_object(slave, object);
    if (code == IDENTIFY_ONE)
        last = object;
    memcpy(reply, pdu, 3);
    reply[3] = IDENTIFY_LEVEL;
    reply[4] = reply[5] = reply[6] = 0; /* more follows, from which one; how many there are */
    for (; object <= last; object = next_object(slave, (uint8_t)(object + 1))) {
        size_t length = strlen(slave->objects[object]);

        if (size + 2 + length > PDU_SIZE_MAX) {
            reply[4] = 0xFF;
            reply[5] = object;
            break;
        }
        reply[size] = object;
        reply[size + 1] = (uint8_t)length;
        memcpy(reply + size + 2, slave->objects[object], length);
        size += 2 + length;
        reply[6]++;
    }
    return size;
}

/* The texts of the identification in one, as older masters ask for them: 6.13. */
static size_t report(const struct slave *slave, uint8_t *reply)
{
    size_t size = 4, length;

    for (uint8_t object = 0; object < SLAVE_OBJECTS; object++) {
        length = slave->objects[object] ? strlen(slave->objects[object]) : 0;
        if (!length || size + 1 + length > PDU_SIZE_MAX)
            continue;
        reply[size++] = ' ';
        memcpy(reply + size, slave->objects[object], length);
        size += length;
    }
    reply[0] = PDU_REPORT_SERVER;
    reply[1] = (uint8_t)(size - 2);
    reply[2] = SERVER_ID;
    reply[3] = SERVER_RUNS;
    return size;
}

size_t slave_answer(const struct slave *slave, const uint8_t *pdu, size_t size,
                    uint8_t reply[PDU_SIZE_MAX])
{
    size_t wanted = pdu_request_size(pdu, size);

    if (wanted == 0)
        return refuse(pdu, PDU_ILLEGAL_FUNCTION, reply);
    if (size < wanted ||
        (size > wanted && pdu[0] != PDU_WRITE_COILS && pdu[0] != PDU_WRITE_REGISTERS))
        return refuse(pdu, PDU_ILLEGAL_VALUE, reply);
    switch (pdu[0]) {
    case PDU_WRITE_COIL:
    case PDU_WRITE_REGISTER:
        return write_single(slave, pdu, reply);
    case PDU_WRITE_COILS:
    case PDU_WRITE_REGISTERS:
        return write_multiple(slave, pdu, size, reply);
    case PDU_REPORT_SERVER:
        return report(slave, reply);
    case PDU_IDENTIFY:
        return identify(slave, pdu, reply);
    default:
        return read_table(slave, pdu, reply);
    }
}
