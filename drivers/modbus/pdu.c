#include "modbus/pdu.h"

#include <string.h>

static bool reads(uint8_t function)
{
    return function >= MODBUS_COILS && function <= MODBUS_INPUT_REGISTERS;
}

static bool writes_many(uint8_t function)
{
    return function == PDU_WRITE_COILS || function == PDU_WRITE_REGISTERS;
}

static void put_u16(uint8_t *out, unsigned value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
}

size_t pdu_encode(const struct modbus_request *request, uint8_t pdu[PDU_SIZE_MAX])
{
    size_t size = 1;

    pdu[0] = request->function;
    if (request->function != PDU_IDENTIFY) {
        put_u16(pdu + 1, request->address);
        size = 3;
    }
    if (reads(request->function) || writes_many(request->function)) {
        put_u16(pdu + size, request->count);
        size += 2;
    }
    if (writes_many(request->function))
        pdu[size++] = request->data_size;
    if (request->data && request->data_size <= PDU_SIZE_MAX - size) {
        memcpy(pdu + size, request->data, request->data_size);
        size += request->data_size;
    }
    return size;
}

size_t pdu_reply_size(const struct modbus_request *request)
{
    if (reads(request->function))
        return 2 + pdu_data_size(request->function, request->count);
    if (request->function == PDU_IDENTIFY)
        return 0;
    return request->function == PDU_MASK_REGISTER ? 7 : 5;
}

/* 43/14: function, type, what was asked for, conformity, more, next, count, and the objects, each
 * with number and length. */
static bool identifies(const struct modbus_request *request, const uint8_t *pdu, size_t size)
{
    size_t at = 7;

    if (size < at || request->data_size < 2 || pdu[1] != request->data[0] ||
        pdu[2] != request->data[1])
        return false;
    for (unsigned i = 0; i < pdu[6]; i++) {
        if (at + 2 > size)
            return false;
        at += 2u + pdu[at + 1];
    }
    return at == size;
}

enum pdu_match pdu_match(const struct modbus_request *request, const uint8_t *pdu, size_t size)
{
    uint8_t sent[PDU_SIZE_MAX];

    if (size == 2 && pdu[0] == (request->function | 0x80))
        return PDU_EXCEPTION;
    if (size < 2 || pdu[0] != request->function)
        return PDU_OTHER;
    if (request->function == PDU_IDENTIFY)
        return identifies(request, pdu, size) ? PDU_ANSWER : PDU_OTHER;
    if (size != pdu_reply_size(request))
        return PDU_OTHER;
    if (reads(request->function))
        return pdu[1] == size - 2 ? PDU_ANSWER : PDU_OTHER;
    /* Writes are answered with the beginning of the request itself. */
    pdu_encode(request, sent);
    return memcmp(pdu, sent, size) == 0 ? PDU_ANSWER : PDU_OTHER;
}
