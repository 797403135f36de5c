/* What the registers and coils of a unit hold, and the Modbus functions that read and write them.
 */
#ifndef SIM_REGISTERS_H
#define SIM_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "units.h"

#define REGISTERS_PDU_MAX 253

/* The answer to one request. */
struct registers_reply {
    uint8_t pdu[REGISTERS_PDU_MAX];
    size_t length;
    bool exception;
    bool has_counter; /* both words of the counter are in it */
    uint32_t counter;
};

/* Answers a request PDU (function code first). Functions 1 to 6, 15, 16 and 22 are served, others
 * get exception 1. Returns false when the request has the wrong length for its function: no device
 * answers that. */
bool registers_answer(struct unit *unit, const uint8_t *pdu, size_t length,
                      struct registers_reply *reply);

void registers_exception(uint8_t function, uint8_t code, struct registers_reply *reply);

#endif
