/* Reading once, without a gateway: what a person with a laptop at a cabinet does. Same link, same
 * decoding as the driver's. */
#ifndef SLUICE_MODBUS_READ_H
#define SLUICE_MODBUS_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"
#include "field/driver.h"

struct modbus_read {
    const char *host;   /* "10.0.7.20:502"; NULL: by... */
    const char *port;   /* ...this serial port... */
    const char *line;   /* ...with these settings; NULL: "9600 8E1", of ASCII "9600 7E1" */
    const char *frames; /* NULL, "tcp", "rtu", "ascii"; unless said tcp of a host, rtu of a port */
    bool echo;          /* the adapter returns what is sent */
    int64_t unit;       /* 1 to 247 on a serial line, 0 to 255 over TCP */
    int64_t reg;        /* as manuals number it (40101), or, where a table is given, from 0 */
    const char *table;  /* NULL, "holding", "input", "coil", "discrete" */
    int64_t count;      /* values, not registers; at most MODBUS_READ_MAX */
    const char *type;   /* as in configurations; NULL: u16, or bool for bits */
    const char *order;  /* as in configurations; NULL: most significant byte first */
    int64_t length;     /* of a string, in registers */
    int64_t timeout_ns; /* for connecting and for each reply; 0: 1 s */
    struct driver_host *waits; /* how it is waited (ask_open); NULL: nothing stops it */
};

#define MODBUS_READ_MAX 2000

/* Gets each value with the number of its register in the request's own numbering. Text lives until
 * the function returns. */
typedef void modbus_read_fn(void *context, int64_t reg, const struct value *value, uint16_t status);

/* Whether it can be asked at all, before a line is taken for it. 0, or ERR_INVALID with a sentence.
 */
int modbus_read_check(const struct modbus_read *read, char *why, size_t why_size);

/*
 * Reads, in as many requests as it takes, and hands over each value in order; of type VALUE_NONE
 * where `status` is not good. Returns 0, or an error with a sentence for the user in `why`:
 * ERR_INVALID for what cannot be asked, ERR_EXCEPTION when the device says no, else an error of the
 * link. Values handed over before an error are right. Blocks; any thread.
 */
int modbus_read_once(const struct modbus_read *read, modbus_read_fn *each, void *context, char *why,
                     size_t why_size);

/*
 * The registers that a question is about, one by one, on a line that stays open: `type`, `order`
 * and `length` of it do not matter, `count` is how many.
 */
struct modbus_registers;

/* Whether they can be asked for at all: holding or input registers only. As modbus_read_check. */
int modbus_registers_check(const struct modbus_read *read, char *why, size_t why_size);

/* Opens. Errors as of modbus_read_once. `read` outlives it. */
int modbus_registers_open(struct modbus_registers **registers, const struct modbus_read *read,
                          char *why, size_t why_size);
void modbus_registers_close(struct modbus_registers *registers); /* NULL is fine */

/* Where they are: the function code that reads them, and the first address on the wire. */
void modbus_registers_place(const struct modbus_registers *registers, uint8_t *function,
                            uint16_t *address);

/*
 * Reads those that are `there` (all, at first) into `data`, two bytes each with the high one first.
 * What the device refuses by exceptions 2 and 3 is asked for in halves, until a register stands
 * alone that it refuses: that one is not there from then on. Returns 0, or the error of the first
 * read that failed otherwise, as modbus_read_once. Blocks.
 */
int modbus_registers_read(struct modbus_registers *registers, uint8_t *data, bool *there, char *why,
                          size_t why_size);

#endif
