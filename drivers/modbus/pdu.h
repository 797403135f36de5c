/*
 * What a request asks and what a reply says, without the frame around it: the protocol data unit of
 * the Modbus application protocol 1.1b3, chapter 6. Pure.
 */
#ifndef SLUICE_MODBUS_PDU_H
#define SLUICE_MODBUS_PDU_H

#include <stddef.h>
#include <stdint.h>

#include "modbus/options.h"

#define PDU_SIZE_MAX 253 /* the same, 4.1 */

enum pdu_function {
    PDU_WRITE_COIL = 5,
    PDU_WRITE_REGISTER = 6,
    PDU_WRITE_COILS = 15,
    PDU_WRITE_REGISTERS = 16,
    PDU_MASK_REGISTER = 22,
    PDU_IDENTIFY = 43, /* 43/14: read device identification */
};

struct modbus_request {
    uint8_t unit, function;  /* enum modbus_table to read, or enum pdu_function */
    uint16_t address, count; /* registers or bits; 1 for functions 5, 6 and 22; unused by 43 */
    /*
     * Functions that write, as it goes over the wire; NULL for those that read. 5: FF00 or 0000;
     * 6: the register; 15: the bits, packed; 16: the registers; 22: the AND mask, the OR mask. 43:
     * 0E, the code of what to read, the number of the object.
     */
    const uint8_t *data;
    uint8_t data_size;
    int64_t timeout_ns;
};

/* The size of the data of a reply to a read of `count`. */
static inline unsigned pdu_data_size(uint8_t function, unsigned count)
{
    return function <= MODBUS_DISCRETE_INPUTS ? (count + 7) / 8 : 2 * count;
}

/* Writes the request's PDU and returns its size. */
size_t pdu_encode(const struct modbus_request *request, uint8_t pdu[PDU_SIZE_MAX]);

/* The size of the PDU that answers the request; 0 where the answer itself says it (43). */
size_t pdu_reply_size(const struct modbus_request *request);

/* What a frame says, checked against the request that it should answer. */
enum pdu_match {
    PDU_ANSWER,    /* the shape that was asked for; of a write: that it was done */
    PDU_EXCEPTION, /* an exception to that function; its code is pdu[1] */
    PDU_OTHER,     /* something else */
};

/* `pdu` begins with the function code and is `size` bytes. */
enum pdu_match pdu_match(const struct modbus_request *request, const uint8_t *pdu, size_t size);

/* Where the data of an answer begins: behind the count of a read, else behind the function. */
static inline size_t pdu_data_offset(uint8_t function)
{
    return function <= MODBUS_INPUT_REGISTERS ? 2 : 1;
}

#endif
