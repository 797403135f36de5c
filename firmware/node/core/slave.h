/*
 * Answers requests of Modbus: functions 1 to 6, 15 to 17 and 43/14, with the exceptions of the
 * application protocol 1.1b3 in the order of its diagrams: first the count, then the address, then
 * the value. Knows nothing of what the registers mean.
 */
#ifndef SLUICE_NODE_SLAVE_H
#define SLUICE_NODE_SLAVE_H

#include <stddef.h>
#include <stdint.h>

#include "node/core/pdu.h"

/* The tables, by the function that reads them. */
enum slave_table {
    SLAVE_COILS = PDU_READ_COILS,
    SLAVE_DISCRETE = PDU_READ_DISCRETE,
    SLAVE_HOLDING = PDU_READ_HOLDING,
    SLAVE_INPUT = PDU_READ_INPUT,
};

/* A run of registers, or bits, that one part of the program looks after. */
struct area {
    uint8_t table; /* enum slave_table */
    uint16_t first, count;
    /* The register, or 0 and 1, at `index` from the area's first. */
    uint16_t (*read)(void *context, uint16_t index);
    /*
     * Takes `count` of them, all or none: registers high byte first, bits packed as function 15 has
     * them. Returns 0 or an enum pdu_exception, after which nothing has changed. NULL: not to be
     * written, which is an illegal address.
     */
    uint8_t (*write)(void *context, uint16_t index, uint16_t count, const uint8_t *data);
    void *context;
};

#define SLAVE_OBJECTS 7 /* of identification, 6.21: three basic, four regular ones */

struct slave {
    const struct area *areas; /* a request must lie within one of them */
    uint8_t area_count;
    /* Maker, product code, revision, URL, product name, model, application; NULL where there is
     * none. Each at most SLAVE_TEXT_MAX bytes. */
    const char *objects[SLAVE_OBJECTS];
};

#define SLAVE_TEXT_MAX 240 /* so that any single object has room in a reply */

/* Answers the request of `size` bytes. Returns the size of the reply, at least 2. */
size_t slave_answer(const struct slave *slave, const uint8_t *pdu, size_t size,
                    uint8_t reply[PDU_SIZE_MAX]);

#endif
