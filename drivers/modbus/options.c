#include "modbus/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/choice.h"
#include "core/clock.h"
#include "core/error.h"
#include "modbus/tcp_window.h"

#define BUS(field)    offsetof(struct modbus_bus_options, field)
#define DEVICE(field) offsetof(struct modbus_device_options, field)
#define POINT(field)  offsetof(struct modbus_point_options, field)

#define MS ((double)NS_PER_MS)

static const struct option_choice numberings[] = {
    {"40001", MODBUS_NUMBERING_40001,
     "as in manuals: 4xxxx holding, 3xxxx input, 1xxxx discrete, 1 to 9999 coil; also 6 digits"},
    {"0-based", MODBUS_NUMBERING_0, "as on the wire, from 0; \"table\" says which table"},
    {NULL, 0, NULL},
};

static const struct option_choice tables[] = {
    {"holding", MODBUS_HOLDING_REGISTERS, "registers, function 3"},
    {"input", MODBUS_INPUT_REGISTERS, "registers, function 4"},
    {"coil", MODBUS_COILS, "bits, function 1"},
    {"discrete", MODBUS_DISCRETE_INPUTS, "bits, function 2"},
    {NULL, 0, NULL},
};

static const struct option_alias table_aliases[] = {
    {"hr", "holding"},
    {"holding registers", "holding"},
    {"register", "holding"},
    {"ir", "input"},
    {"input registers", "input"},
    {"co", "coil"},
    {"coils", "coil"},
    {"di", "discrete"},
    {"discrete inputs", "discrete"},
    {"contact", "discrete"},
    {0},
};

/* As two registers are meant where somebody names an order by its end. */
static const struct option_alias order_aliases[] = {
    {"big", "ABCD"},
    {"big endian", "ABCD"},
    {"be", "ABCD"},
    {"little", "DCBA"},
    {"little endian", "DCBA"},
    {"le", "DCBA"},
    {"swap", "CDAB"},
    {"swapped", "CDAB"},
    {"word swap", "CDAB"},
    {"little endian swap", "BADC"},
    {"big endian swap", "CDAB"},
    {"byte swap", "BADC"},
    {"1234", "ABCD"},
    {"3412", "CDAB"},
    {"2143", "BADC"},
    {"4321", "DCBA"},
    {0},
};

static const struct option_choice types[] = {
    {"bool", MODBUS_BOOL, "a coil, an input, a bit of a register, or whether a register is not 0"},
    {"u8", MODBUS_U8, "the low byte of a register without sign; with order \"BA\" the high one"},
    {"i8", MODBUS_I8, "the same with sign"},
    {"u16", MODBUS_U16, "16 bits without sign"},
    {"i16", MODBUS_I16, "16 bits with sign"},
    {"u32", MODBUS_U32, "32 bits without sign, 2 registers"},
    {"i32", MODBUS_I32, "32 bits with sign, 2 registers"},
    {"u64", MODBUS_U64, "64 bits without sign, 4 registers"},
    {"i64", MODBUS_I64, "64 bits with sign, 4 registers"},
    {"f32", MODBUS_F32, "IEEE 754 single, 2 registers"},
    {"f64", MODBUS_F64, "IEEE 754 double, 4 registers"},
    {"string", MODBUS_STRING, "text, two bytes a register; \"length\" says how many registers"},
    {"wide-string", MODBUS_WIDE_STRING,
     "text, one character in the low byte of each register; \"length\" says how many"},
    {NULL, 0, NULL},
};

static const struct option_choice scalings[] = {
    {"power", MODBUS_SCALE_POWER, "value x 10 to the power of that register, which has a sign"},
    {"decimals", MODBUS_SCALE_DECIMALS, "that register is the number of decimals"},
    {"decimals-low", MODBUS_SCALE_DECIMALS_LOW, "its low byte is the number of decimals"},
    {NULL, 0, NULL},
};

static const struct option_choice device_orders[] = {
    {"ABCD", MODBUS_ABCD, "the most significant byte first, as the protocol has it"},
    {"CDAB", MODBUS_CDAB, "the low register first"},
    {"BADC", MODBUS_BADC, "the bytes of each register swapped"},
    {"DCBA", MODBUS_DCBA, "both"},
    {NULL, 0, NULL},
};

static const struct option_choice write_functions[] = {
    {"auto", MODBUS_WRITE_AUTO, "5 for a coil, 6 for a single register, 16 for several"},
    {"multiple", MODBUS_WRITE_MULTIPLE,
     "15 for a coil and 16 for registers, also for a single one"},
    {NULL, 0, NULL},
};

static const struct option_choice bit_writes[] = {
    {"mask", MODBUS_BIT_MASK, "by function 22, which leaves the other bits alone"},
    {"rewrite", MODBUS_BIT_REWRITE,
     "the register is read and written back with the bit changed, for devices without function 22; "
     "what the device itself changes in between is undone"},
    {NULL, 0, NULL},
};

/* In the order of enum modbus_order, from MODBUS_AB. */
static const struct option_choice orders[] = {
    {"AB", MODBUS_AB, "16 bits and strings: high byte first"},
    {"BA", MODBUS_BA, "16 bits and strings: low byte first"},
    {"ABCD", MODBUS_ABCD, "32 bits: the most significant byte first"},
    {"CDAB", MODBUS_CDAB, "32 bits: the low register first"},
    {"BADC", MODBUS_BADC, "32 bits: the bytes of each register swapped"},
    {"DCBA", MODBUS_DCBA, "32 bits: both"},
    {"ABCDEFGH", MODBUS_ABCDEFGH, "64 bits: the most significant byte first"},
    {"GHEFCDAB", MODBUS_GHEFCDAB, "64 bits: the lowest register first"},
    {"BADCFEHG", MODBUS_BADCFEHG, "64 bits: the bytes of each register swapped"},
    {"HGFEDCBA", MODBUS_HGFEDCBA, "64 bits: both"},
    {"EFGHABCD", MODBUS_EFGHABCD, "64 bits: the low half first"},
    {"CDABGHEF", MODBUS_CDABGHEF, "64 bits: the registers of each half swapped"},
    {"FEHGBADC", MODBUS_FEHGBADC, "64 bits: the low half first, bytes swapped"},
    {"DCBAHGFE", MODBUS_DCBAHGFE, "64 bits: registers of each half and bytes swapped"},
    {NULL, 0, NULL},
};

#define HOST_PATTERN "^(\\[[0-9A-Fa-f:.%]+[0-9A-Za-z]*\\]|[^:\\[\\] ]+)(:[0-9]{1,5})?$"

/* What is the same on a line whatever its frames are. */
#define PORT_ROW                                                                                   \
    {                                                                                              \
        "port", OPTION_TEXT, BUS(port),                                                            \
            .exclusive = true, .example = "\"by-id:usb-FTDI_A50285BI-if00-port0\"",                \
            .help = "the serial port as \"sluice ports\" names it: board:LABEL, by-id:NAME, "      \
                    "by-path:NAME, usb:VID:PID:SERIAL, or a device file"                           \
    }
#define LINE_HOST_ROW                                                                              \
    {                                                                                              \
        "host", OPTION_PARSED, BUS(host),                                                          \
            .exclusive = true, .parse = modbus_parse_host, .pattern = HOST_PATTERN,                \
            .example = "\"10.0.7.30:4001\"",                                                       \
            .help =                                                                                \
                "instead of \"port\": address or name and port of a device server that hands the " \
                "bytes of its line on as they are"                                                 \
    }
#define SILENCE_ROW                                                                                \
    {                                                                                              \
        "silence", OPTION_DURATION, BUS(silence_ns),                                               \
            .minimum = 0, .maximum = 1000 * MS, .fallback = "\"0ms\"", .example = "\"5ms\"",       \
            .help = "the quiet between two frames; 0ms: 3.5 characters, 1.75 ms above 19200 baud"  \
    }
#define TURNAROUND_ROW                                                                             \
    {                                                                                              \
        "turnaround", OPTION_DURATION, BUS(turnaround_ns),                                         \
            .minimum = 0, .maximum = 10000 * MS, .fallback = "\"5ms\"",                            \
            .help = "how long devices take before they answer, for the load that check tells; "    \
                    "nothing "                                                                     \
                    "waits for it"                                                                 \
    }
#define ECHO_ROW                                                                                   \
    {                                                                                              \
        "echo", OPTION_BOOL, BUS(echo),                                                            \
            .fallback = "false",                                                                   \
            .help = "whether the adapter returns what is sent (two-wire RS-485)"                   \
    }
#define CONNECT_ROW                                                                                \
    {                                                                                              \
        "connect_timeout", OPTION_DURATION, BUS(connect_timeout_ns),                               \
            .minimum = 50 * MS, .maximum = 60000 * MS, .fallback = "\"3s\"",                       \
            .help = "how long connecting may take"                                                 \
    }

/* All of a line's rows: how many data bits it may have, its settings where none are said and as an
 * example, and how long a reply may take. */
#define LINE_ROWS(data_bits, usual, other, reply)                                                  \
    PORT_ROW, LINE_HOST_ROW,                                                                       \
        {"line",                                                                                   \
         OPTION_PARSED,                                                                            \
         BUS(line),                                                                                \
         .parse = port_parse_settings,                                                             \
         .pattern = "^[0-9]+ " data_bits "[NEO][12]$",                                             \
         .example = "\"" other "\"",                                                               \
         .help = "baud, data bits, parity, stop bits: the same on all devices of the line; a "     \
                 "port has " usual " unless said otherwise; of a host's line only the load is "    \
                 "reckoned with it"},                                                              \
        {"timeout",                                                                                \
         OPTION_DURATION,                                                                          \
         BUS(timeout_ns),                                                                          \
         .minimum = 5 * MS,                                                                        \
         .maximum = 60000 * MS,                                                                    \
         .fallback = reply,                                                                        \
         .help = "how long a whole reply may take after the request's end"},                       \
        SILENCE_ROW, TURNAROUND_ROW, PORT_RS485_ROWS(BUS(rs485)), ECHO_ROW, CONNECT_ROW

const struct option modbus_rtu_bus_rows[] = {
    LINE_ROWS("8", "9600 8E1", "19200 8E1", "\"500ms\""),
    {.key = NULL},
};

const struct option modbus_ascii_bus_rows[] = {
    LINE_ROWS("[78]", "9600 7E1", "9600 7E1", "\"1s\""),
    {.key = NULL},
};

const struct option modbus_tcp_bus_rows[] = {
    {"host", OPTION_PARSED, BUS(host), .required = true, .parse = modbus_parse_host,
     .pattern = HOST_PATTERN, .example = "\"10.0.7.20:502\"",
     .help = "address or name, and the port where it is not 502; IPv6 in brackets"},
    {"timeout", OPTION_DURATION, BUS(timeout_ns), .minimum = 5 * MS, .maximum = 60000 * MS,
     .fallback = "\"500ms\"", .help = "how long a whole reply may take"},
    CONNECT_ROW,
    {"in_flight", OPTION_INT, BUS(in_flight), .minimum = 1, .maximum = TCP_IN_FLIGHT_MAX,
     .fallback = "1",
     .help = "how many requests, each to another unit, may be under way at once, where one is "
             "overdue: more than 1 only if the server takes that"},
    {.key = NULL},
};

const struct option modbus_device_rows[] = {
    {"unit", OPTION_INT, DEVICE(unit), .required = true, .minimum = 0, .maximum = 255,
     .example = "7", .help = "the device's address: 1 to 247 on a serial line"},
    {"numbering", OPTION_CHOICE, DEVICE(numbering), .fixed = true, .choices = numberings,
     .example = "\"40001\"",
     .help = "how \"reg\" counts; must be said, since manuals differ by one"},
    {"order", OPTION_CHOICE, DEVICE(order), .choices = device_orders, .aliases = order_aliases,
     .fallback = "\"ABCD\"",
     .help = "byte order of the device's 32-bit values, and its like for 64 bits"},
    {"max_block", OPTION_INT, DEVICE(max_block), .minimum = 1, .maximum = MODBUS_REGISTERS_MAX,
     .fallback = "125", .help = "registers that one read may ask for; bits: 16 times as many"},
    {"gap", OPTION_INT, DEVICE(gap), .minimum = 0, .maximum = MODBUS_REGISTERS_MAX,
     .fallback = "125",
     .help = "how many registers that nobody asked for may be read over where that is cheaper than "
             "another request; 0: none, for devices in which reading a register has an effect; "
             "bits: 16 times as many"},
    {"align", OPTION_BOOL, DEVICE(align), .fallback = "false",
     .help = "whether all its points are read at full multiples of their interval on the clock"},
    {"timeout", OPTION_DURATION, DEVICE(timeout_ns), .minimum = 0, .maximum = 60000 * MS,
     .fallback = "\"0ms\"", .example = "\"2s\"", .help = "its own; 0ms: the bus's"},
    {"identify", OPTION_BOOL, DEVICE(identify), .fallback = "true",
     .help =
         "whether the device is asked who it is each time that it comes up, so that one that was "
         "replaced is told by an alarm: by its serial number, or by function 43; one that says "
         "nothing is asked once"},
    {"identity_reg", OPTION_INT, DEVICE(identity.reg), .minimum = 0, .maximum = 465536,
     .fallback = "0", .example = "40001",
     .help = "the register that holds the serial number, counted as \"numbering\" says"},
    {"identity_table", OPTION_CHOICE, DEVICE(identity.table), .choices = tables,
     .help = "its table, as a point's \"table\""},
    {"identity_type", OPTION_CHOICE, DEVICE(identity.type), .choices = types, .example = "\"u32\"",
     .help = "its type; without one there is no such register"},
    {"identity_length", OPTION_INT, DEVICE(identity.length), .minimum = 0,
     .maximum = MODBUS_REGISTERS_MAX, .fallback = "0", .help = "of a string, in registers"},
    {"identity_order", OPTION_CHOICE, DEVICE(identity.order), .choices = orders,
     .help = "in which order its bytes arrive; the device's unless said otherwise"},
    {"identity_offset", OPTION_NUMBER, DEVICE(identity.offset), .fallback = "0",
     .help = "added to it, where the device counts from elsewhere than its label"},
    {"alone", OPTION_BOOL, DEVICE(alone), .fallback = "false",
     .help = "whether each point is read by a request of its own, for devices that do not let "
             "neighbours be read together"},
    {"write_function", OPTION_CHOICE, DEVICE(write_function), .choices = write_functions,
     .fallback = "\"auto\"", .help = "which functions write"},
    {"bit_write", OPTION_CHOICE, DEVICE(bit_write), .choices = bit_writes, .fallback = "\"mask\"",
     .help = "how a point that is one bit of a register is written"},
    {.key = NULL},
};

const struct option modbus_point_rows[] = {
    {"reg", OPTION_INT, POINT(reg), .required = true, .minimum = 0, .maximum = 465536,
     .example = "40101", .help = "the first register, counted as \"numbering\" says"},
    {"table", OPTION_CHOICE, POINT(table), .choices = tables, .aliases = table_aliases,
     .help = "with numbering \"0-based\": which table; holding unless said otherwise"},
    {"type", OPTION_CHOICE, POINT(type), .choices = types, .aliases = choice_number_types,
     .help = "u16 unless said otherwise; bool for coils, inputs and bits"},
    {"bit", OPTION_INT, POINT(bit), .minimum = -1, .maximum = 15, .fallback = "-1",
     .help = "a bit of a register, 0 is the least significant; -1: none"},
    {"bits", OPTION_INT, POINT(bits), .minimum = 0, .maximum = 32, .fallback = "0",
     .help = "how many bits from \"bit\" on are a number of their own; 0: \"bit\" is a single "
             "one"},
    {"length", OPTION_INT, POINT(length), .minimum = 0, .maximum = MODBUS_REGISTERS_MAX,
     .fallback = "0", .help = "of a string, in registers"},
    {"order", OPTION_CHOICE, POINT(order), .choices = orders, .aliases = order_aliases,
     .help = "in which order the bytes arrive, A is the most significant; the device's unless "
             "said otherwise"},
    {"scale", OPTION_NUMBER, POINT(scale), .fallback = "1", .example = "0.1",
     .help = "what the raw number is multiplied by"},
    {"offset", OPTION_NUMBER, POINT(offset), .fallback = "0", .help = "added after scaling"},
    {"scale_reg", OPTION_INT, POINT(scale_reg), .minimum = -1, .maximum = 465536, .fallback = "-1",
     .example = "40112",
     .help = "a register that says how the value is scaled, counted as \"reg\" and read together "
             "with it; -1: none"},
    {"scale_by", OPTION_CHOICE, POINT(scale_by), .choices = scalings, .example = "\"power\"",
     .help = "what \"scale_reg\" holds"},
    {"na", OPTION_NUMBERS, POINT(na), .example = "[-32768, 32767]",
     .help = "raw numbers that mean \"not available\", with or without sign"},
    {"align", OPTION_BOOL, POINT(align), .fallback = "false",
     .help = "whether it is read at full multiples of its interval on the clock: with \"15m\" at "
             "10:00, 10:15, 10:30"},
    {.key = NULL},
};

/* Where the name ends; `*port` begins behind it, or is NULL. NULL when it is no host at all. */
static const char *split_host(const char *text, const char **name, const char **port)
{
    const char *end;

    *name = text;
    if (*text == '[') {
        *name = text + 1;
        end = strchr(text, ']');
        if (!end || (end[1] != '\0' && end[1] != ':'))
            return NULL;
        *port = end[1] ? end + 2 : NULL;
        return end;
    }
    end = strchr(text, ':');
    if (end && strchr(end + 1, ':'))
        return NULL;
    *port = end ? end + 1 : NULL;
    return end ? end : text + strlen(text);
}

int modbus_parse_host(const char *text, void *field, char *why, size_t why_size)
{
    struct modbus_host *host = field;
    const char *name, *port = NULL;
    const char *end = split_host(text, &name, &port);
    size_t length = end ? (size_t)(end - name) : 0;
    char *rest = NULL;
    long number = 502;

    if (port)
        number = strtol(port, &rest, 10);
    if (length == 0 || length >= sizeof host->name || strcspn(text, " \t/") != strlen(text) ||
        (port && (*port < '0' || *port > '9' || *rest)) || number < 1 || number > 65535) {
        snprintf(why, why_size,
                 "allowed: an address or name, and a port from 1 to 65535 behind a colon, as "
                 "\"10.0.7.20:502\", \"plc.local\" or \"[fd00::7]:502\"");
        return ERR_INVALID;
    }
    memcpy(host->name, name, length);
    host->name[length] = '\0';
    host->port = (uint16_t)number;
    return 0;
}

struct modbus_point_options modbus_identity_point(const struct modbus_identity *identity)
{
    return (struct modbus_point_options){.reg = identity->reg,
                                         .table = identity->table,
                                         .type = identity->type,
                                         .order = identity->order,
                                         .length = identity->length,
                                         .offset = identity->offset,
                                         .function = identity->function,
                                         .address = identity->address,
                                         .count = identity->count,
                                         .bit = -1,
                                         .scale_reg = -1,
                                         .scale = 1};
}

const char *modbus_order_letters(int order)
{
    return order == MODBUS_ORDER_UNSAID ? "" : orders[order - MODBUS_AB].text;
}

int modbus_point_choice(const char *key, const char *name, int *value, char *why, size_t why_size)
{
    const struct option *row = modbus_point_rows;

    while (strcmp(row->key, key) != 0)
        row++;
    const struct option_choice *choice = choice_find(row, name);
    if (!choice) {
        choice_refuse(row, name, why, why_size);
        return ERR_INVALID;
    }
    *value = choice->value;
    return 0;
}
