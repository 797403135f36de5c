/* What a Modbus bus, its devices and their points are configured with. The rows are in options.c.
 */
#ifndef SLUICE_MODBUS_OPTIONS_H
#define SLUICE_MODBUS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/option.h"
#include "serial/port.h"
#include "serial/port_rs485.h"

#define MODBUS_REGISTERS_MAX 125  /* of one read; Modbus application protocol 1.1b3, 6.3 */
#define MODBUS_BITS_MAX      2000 /* of one read; the same, 6.1 */

enum modbus_numbering { MODBUS_NUMBERING_UNSAID, MODBUS_NUMBERING_40001, MODBUS_NUMBERING_0 };

/* The function codes that read them. */
enum modbus_table {
    MODBUS_TABLE_UNSAID,
    MODBUS_COILS,
    MODBUS_DISCRETE_INPUTS,
    MODBUS_HOLDING_REGISTERS,
    MODBUS_INPUT_REGISTERS,
};

enum modbus_type {
    MODBUS_TYPE_UNSAID, /* u16, or bool where the table holds bits */
    MODBUS_BOOL,
    MODBUS_U8, /* one byte of a register */
    MODBUS_I8,
    MODBUS_U16,
    MODBUS_I16,
    MODBUS_U32,
    MODBUS_I32,
    MODBUS_U64,
    MODBUS_I64,
    MODBUS_F32,
    MODBUS_F64,
    MODBUS_STRING,
    MODBUS_WIDE_STRING, /* one character a register */
};

/* What the register at `scale_reg` does to the value. */
enum modbus_scale_by {
    MODBUS_SCALE_FIXED,
    MODBUS_SCALE_POWER,        /* value x 10^register, with sign (SunSpec's sunssf) */
    MODBUS_SCALE_DECIMALS,     /* value / 10^register */
    MODBUS_SCALE_DECIMALS_LOW, /* the same, of the register's low byte */
};

/* Which functions write a single coil or register. */
enum modbus_write_function { MODBUS_WRITE_AUTO, MODBUS_WRITE_MULTIPLE };

/* How one bit of a register is written. */
enum modbus_bit_write {
    MODBUS_BIT_MASK,    /* function 22: the device does it */
    MODBUS_BIT_REWRITE, /* the register is read, and written with the bit changed: not atomic */
};

/* In which order the bytes of a value arrive; A is the most significant. */
enum modbus_order {
    MODBUS_ORDER_UNSAID,
    MODBUS_AB,
    MODBUS_BA,
    MODBUS_ABCD,
    MODBUS_CDAB,
    MODBUS_BADC,
    MODBUS_DCBA,
    MODBUS_ABCDEFGH,
    MODBUS_GHEFCDAB,
    MODBUS_BADCFEHG,
    MODBUS_HGFEDCBA,
    MODBUS_EFGHABCD,
    MODBUS_CDABGHEF,
    MODBUS_FEHGBADC,
    MODBUS_DCBAHGFE,
};

/* "10.0.7.20:502", "plc.local", "[fd00::7]:1502" */
struct modbus_host {
    char name[256];
    uint16_t port;
};

struct modbus_bus_options {
    int64_t timeout_ns;
    /* On a line: by a serial port, or by a device server, which is a host. */
    const char *port;          /* NULL: by a device server */
    struct port_settings line; /* baud 0: unsaid, and unknown behind a device server */
    int64_t silence_ns;        /* 0: by the baud rate */
    int64_t turnaround_ns;     /* for the arithmetic of the load only */
    struct port_rs485 rs485;
    bool echo;
    bool ascii; /* worked out by modbus_ascii_check */
    /* Over the network */
    struct modbus_host host;
    int64_t connect_timeout_ns;
    int64_t in_flight; /* Modbus TCP: requests at once; 0: as 1 */
};

/* The register that holds a device's serial number. */
struct modbus_identity {
    int64_t reg; /* counted as a point's */
    int table, order;
    int type;        /* MODBUS_TYPE_UNSAID: it has none */
    int64_t length;  /* of a string, in registers */
    double offset;
    uint8_t function; /* these are worked out by modbus_check */
    uint16_t address, count;
};

struct modbus_device_options {
    int64_t unit;
    int numbering;      /* enum modbus_numbering */
    int order;          /* MODBUS_ABCD, CDAB, BADC, DCBA: stands for its like in 64 bits */
    int64_t max_block;  /* registers of one read; bits: 16 times as many */
    int64_t gap;        /* registers that may be read over */
    int64_t timeout_ns; /* 0: the bus's */
    bool identify;      /* it is asked who it is (passport.h) */
    struct modbus_identity identity;
    bool alone;         /* each point is read by a request of its own */
    bool align;         /* intervals of all points keep to the wall clock */
    int write_function; /* enum modbus_write_function */
    int bit_write;      /* enum modbus_bit_write */
};

struct modbus_point_options {
    int64_t reg;
    int table, type, order; /* enums above */
    int64_t bit;            /* -1: none */
    int64_t bits;           /* how many from `bit` on; 0: not a field of bits */
    int64_t length;         /* of a string, in registers */
    int64_t scale_reg;      /* counted as `reg` */
    int scale_by;           /* enum modbus_scale_by */
    double scale, offset;
    struct option_numbers na;
    bool align; /* its interval keeps to the wall clock */
    /* What follows is worked out by modbus_check and modbus_decode_prepare. */
    uint16_t address, count;      /* registers or bits, as they go over the wire */
    uint16_t scale_address;       /* of the register that scales */
    uint8_t function;             /* 1 to 4 */
    uint8_t value_at, scale_at;   /* where they stand among the registers that are read */
    uint8_t size;                 /* bytes of the raw value; a string has twice its length */
    uint8_t shift[8];             /* where each byte that arrives belongs */
    uint8_t low, width;           /* which bits of the raw number count */
    double multiply, add, divide; /* value = (raw * multiply + add) / divide */
    bool scaled;
    int8_t decimals;
};

extern const struct option modbus_rtu_bus_rows[], modbus_ascii_bus_rows[], modbus_tcp_bus_rows[];
extern const struct option modbus_device_rows[], modbus_point_rows[];

/* An option_parse_fn for struct modbus_host. */
int modbus_parse_host(const char *text, void *field, char *why, size_t why_size);

/* The point that the register of an identity is. */
struct modbus_point_options modbus_identity_point(const struct modbus_identity *identity);

/* The letters of an order ("CDAB"); "" for MODBUS_ORDER_UNSAID. */
const char *modbus_order_letters(int order);

/* What the name stands for ("holding", "f32", "CDAB") that a point's key "table", "type" or "order"
 * may have. 0; ERR_INVALID with a sentence that lists what is allowed in `why`. */
int modbus_point_choice(const char *key, const char *name, int *value, char *why, size_t why_size);

#endif
