/* The functions of Modbus that a node knows, and how long what they say is: application protocol
 * 1.1b3, chapter 6. */
#ifndef SLUICE_NODE_PDU_H
#define SLUICE_NODE_PDU_H

#include <stddef.h>
#include <stdint.h>

#define PDU_SIZE_MAX 253 /* 4.1 */

enum pdu_function {
    PDU_READ_COILS = 1,
    PDU_READ_DISCRETE = 2,
    PDU_READ_HOLDING = 3,
    PDU_READ_INPUT = 4,
    PDU_WRITE_COIL = 5,
    PDU_WRITE_REGISTER = 6,
    PDU_WRITE_COILS = 15,
    PDU_WRITE_REGISTERS = 16,
    PDU_REPORT_SERVER = 17,
    PDU_IDENTIFY = 43,
};

#define PDU_EXCEPTION 0x80 /* added to the function that is refused */

/* Chapter 7. */
enum pdu_exception {
    PDU_ILLEGAL_FUNCTION = 1,
    PDU_ILLEGAL_ADDRESS = 2,
    PDU_ILLEGAL_VALUE = 3,
    PDU_DEVICE_FAILURE = 4,
    PDU_BUSY = 6,
};

static inline uint16_t pdu_u16(const uint8_t data[2])
{
    return (uint16_t)(data[0] << 8 | data[1]);
}

static inline void pdu_put_u16(uint8_t data[2], uint16_t value)
{
    data[0] = (uint8_t)(value >> 8);
    data[1] = (uint8_t)value;
}

/*
 * How many bytes the request has that begins with these `have` (the function first): 0 when its
 * function is not known, more than `have` when it is not all there. (What says its length may not
 * be there either; then so many bytes that it will be.)
 */
size_t pdu_request_size(const uint8_t *pdu, size_t have);

/* The same of a reply, and of an exception. */
size_t pdu_reply_size(const uint8_t *pdu, size_t have);

#endif
