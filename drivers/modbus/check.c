#include "modbus/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "field/complain.h"
#include "modbus/decode.h"
#include "modbus/write.h"
#include "serial/port_find.h"

struct checking {
    struct complaining complaining;
    const struct site_bus *bus;
    bool function_known, address_known; /* of the point: false where what they rely on is wrong */
};

/* The options that a point's type follows from where it does not say one. */
#define TYPE_KEYS "type bit bits"

int modbus_resolve_40001(int64_t reg, uint8_t *function, uint16_t *address)
{
    static const struct {
        int64_t first, last;
        uint8_t function;
    } ranges[] = {
        {1, 9999, MODBUS_COILS},
        {10001, 19999, MODBUS_DISCRETE_INPUTS},
        {30001, 39999, MODBUS_INPUT_REGISTERS},
        {40001, 49999, MODBUS_HOLDING_REGISTERS},
        {100001, 165536, MODBUS_DISCRETE_INPUTS},
        {300001, 365536, MODBUS_INPUT_REGISTERS},
        {400001, 465536, MODBUS_HOLDING_REGISTERS},
    };

    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (reg >= ranges[i].first && reg <= ranges[i].last) {
            *function = ranges[i].function;
            *address = (uint16_t)(reg - ranges[i].first);
            return 0;
        }
    }
    return ERR_INVALID;
}

static bool beyond_65535(struct checking *checking, const char *key, int64_t reg)
{
    if (reg <= 65535)
        return false;
    complain(&checking->complaining, key, "device.numbering",
             "found %" PRId64 "; with numbering \"0-based\" registers go from 0 to 65535", reg);
    return true;
}

static void check_place_0(struct checking *checking, struct modbus_point_options *point)
{
    if (point->table)
        point->function = (uint8_t)point->table;
    checking->function_known = complain_sound(&checking->complaining, "table");
    if (beyond_65535(checking, "reg", point->reg))
        return;
    point->address = (uint16_t)point->reg;
    checking->address_known = complain_sound(&checking->complaining, "reg");
}

/* Registers that count from 1 in a manual are written so by mistake: what nothing else says of a
 * coil is none. False where that is told. */
static bool check_coil_40001(struct checking *checking, const struct modbus_point_options *point)
{
    if (point->function != MODBUS_COILS || point->type == MODBUS_BOOL || point->table)
        return true;
    complain(&checking->complaining, "reg", "type device.numbering",
             "found %" PRId64 ", which with numbering \"40001\" is a coil: holding register "
             "%" PRId64 " is %" PRId64 ", input register %" PRId64 " is %" PRId64
             "; where the coil is meant, say \"type\": \"bool\"",
             point->reg, point->reg, 40000 + point->reg, point->reg, 30000 + point->reg);
    return false;
}

static void check_place_40001(struct checking *checking, struct modbus_point_options *point)
{
    if (modbus_resolve_40001(point->reg, &point->function, &point->address) != 0) {
        complain(&checking->complaining, "reg", "device.numbering",
                 "found %" PRId64 "; with numbering \"40001\": 40001 to 49999 or 400001 to 465536 "
                 "holding, 3xxxx or 3xxxxx input, 1xxxx or 1xxxxx discrete, 1 to 9999 coil",
                 point->reg);
        return;
    }
    if (point->table && point->table != point->function)
        complain(&checking->complaining, "table", "reg device.numbering",
                 "register %" PRId64 " is in another table; leave \"table\" out, or use numbering "
                 "\"0-based\"",
                 point->reg);
    checking->function_known = checking->address_known =
        check_coil_40001(checking, point) && complain_sound(&checking->complaining, "reg table");
}

/* Sets function and address, as far as they are known. */
static void check_place(struct checking *checking, struct modbus_point_options *point,
                        int numbering)
{
    point->function = MODBUS_HOLDING_REGISTERS;
    point->address = 0;
    checking->function_known = checking->address_known = false;
    if (!complain_sound(&checking->complaining, "device.numbering"))
        return;
    if (numbering == MODBUS_NUMBERING_0)
        check_place_0(checking, point);
    else if (numbering == MODBUS_NUMBERING_40001)
        check_place_40001(checking, point);
}

/* Sets the address of the register that scales, which must be in the point's own table. */
static void check_scale_place(struct checking *checking, struct modbus_point_options *point,
                              int numbering)
{
    uint8_t function = point->function;

    if (point->scale_by && point->scale_reg < 0)
        complain(&checking->complaining, "scale_reg", "scale_by",
                 "is missing: the register that \"scale_by\" is about");
    if (point->scale_reg < 0)
        return;
    if (!point->scale_by)
        complain(&checking->complaining, "scale_by", "scale_reg",
                 "is missing: what \"scale_reg\" holds: power, decimals or "
                 "decimals-low");
    if (numbering == MODBUS_NUMBERING_0) {
        if (!beyond_65535(checking, "scale_reg", point->scale_reg))
            point->scale_address = (uint16_t)point->scale_reg;
    } else if (checking->function_known &&
               (modbus_resolve_40001(point->scale_reg, &function, &point->scale_address) != 0 ||
                function != point->function)) {
        complain(&checking->complaining, "scale_reg", NULL,
                 "found %" PRId64 "; it must be in the same table as register %" PRId64,
                 point->scale_reg, point->reg);
    }
}

static bool is_text(const struct modbus_point_options *point)
{
    return point->type == MODBUS_STRING || point->type == MODBUS_WIDE_STRING;
}

static bool is_whole(const struct modbus_point_options *point)
{
    return point->type != MODBUS_BOOL && point->type != MODBUS_F32 && point->type != MODBUS_F64 &&
           !is_text(point);
}

/* A field of bits, or a bit, of a register. */
static void check_bits_of_register(struct checking *checking,
                                   const struct modbus_point_options *point)
{
    unsigned size = modbus_decode_size(point) * 8;

    if (point->bits == 0 && point->bit >= 0 && point->type != MODBUS_BOOL)
        complain(&checking->complaining, "bit", "type bits",
                 "a bit of a register is of type "
                 "\"bool\"");
    if (point->bits == 0)
        return;
    if (!is_whole(point))
        complain(&checking->complaining, "bits", "type", "only whole numbers have fields of bits");
    else if (point->bit < 0)
        complain(&checking->complaining, "bit", "bits", "is missing: the lowest bit of the field");
    else if (point->bit + point->bits > size)
        complain(&checking->complaining, "bits", "bit type",
                 "bits %" PRId64 " to %" PRId64 " are more than the %u there "
                 "are",
                 point->bit, point->bit + point->bits - 1, size);
}

static void check_type(struct checking *checking, struct modbus_point_options *point)
{
    bool bits = checking->function_known && point->function <= MODBUS_DISCRETE_INPUTS;

    if (point->type == MODBUS_TYPE_UNSAID)
        point->type = bits || (point->bit >= 0 && point->bits == 0) ? MODBUS_BOOL : MODBUS_U16;
    if (bits && point->type != MODBUS_BOOL)
        complain(&checking->complaining, "type", NULL,
                 "coils and discrete inputs are of type \"bool\"");
    if (bits && (point->bit >= 0 || point->bits > 0))
        complain(&checking->complaining, "bit", "bits",
                 "coils and discrete inputs are single bits already");
    if (!bits)
        check_bits_of_register(checking, point);
    if (is_text(point) && point->length == 0)
        complain(&checking->complaining, "length", "type",
                 "a string needs its length in registers, 1 to %d", MODBUS_REGISTERS_MAX);
    if (!is_text(point) && point->length != 0)
        complain(&checking->complaining, "length", "type", "only a string has a length");
}

static void check_arithmetic(struct checking *checking, const struct modbus_point_options *point)
{
    bool number = point->type != MODBUS_BOOL && !is_text(point);

    if (point->scale == 0)
        complain(&checking->complaining, "scale", NULL,
                 "found 0, which would make every value the same");
    if (!number && (point->scale != 1 || point->offset != 0 || point->scale_by))
        complain(&checking->complaining, "scale", TYPE_KEYS " offset scale_by",
                 "only numbers can be scaled");
    if (point->na.count && (is_text(point) || (point->bit >= 0 && point->bits == 0)))
        complain(&checking->complaining, "na", TYPE_KEYS,
                 "only numbers have values that mean \"not available\"");
}

static void check_write(struct checking *checking, const struct modbus_point_options *point)
{
    const char *refusal = modbus_write_refusal(point);

    if (checking->complaining.point->write.allowed && refusal && checking->function_known)
        complain(&checking->complaining, "write",
                 point->function == MODBUS_INPUT_REGISTERS ? NULL : "type bits scale_by", "%s",
                 refusal);
}

static void check_order(struct checking *checking, const struct modbus_point_options *point)
{
    const char *letters = modbus_order_letters(point->order);
    size_t size = is_text(point) ? 2 : point->size;

    if (!*letters)
        return;
    if (checking->function_known && point->function <= MODBUS_DISCRETE_INPUTS)
        complain(&checking->complaining, "order", NULL, "found \"%s\"; a single bit has no order",
                 letters);
    else if (strlen(letters) != size)
        complain(&checking->complaining, "order", "type",
                 "found \"%s\"; this type has %zu bytes%s: allowed are %s", letters, size,
                 is_text(point) ? " in each register" : "",
                 size == 2   ? "AB, BA"
                 : size == 4 ? "ABCD, CDAB, BADC, DCBA"
                             : "ABCDEFGH, GHEFCDAB and the others of eight letters");
}

/* Moments on the clock that are the same every day. */
static void check_align(struct checking *checking, const struct modbus_device_options *device,
                        const struct site_point *point)
{
    const struct modbus_point_options *options = point->options;

    if ((device->align || options->align) &&
        (point->every_ns < NS_PER_S || 24 * 3600 * NS_PER_S % point->every_ns != 0))
        complain(&checking->complaining, "align", "device.align every device.every",
                 "its interval must divide a day, and be 1 s at least, to be read at the same "
                 "moments each day: as \"15m\", \"1h\", \"1d\"");
}

static void check_extent(struct checking *checking, const struct modbus_device_options *device,
                         const struct modbus_point_options *options)
{
    if (checking->address_known && options->address + options->count > 65536)
        complain(&checking->complaining, "reg", "type length scale_reg scale_by",
                 "the value goes beyond the last register, 65535 on the wire");
    if (checking->function_known && options->function >= MODBUS_HOLDING_REGISTERS &&
        options->count > device->max_block)
        complain(&checking->complaining, options->scale_by ? "scale_reg" : "length",
                 options->scale_by ? "type length scale_by reg device.max_block"
                                   : "type device.max_block",
                 "%u registers are more than \"max_block\" allows (%" PRId64 ")", options->count,
                 device->max_block);
}

static void check_point(struct checking *checking, const struct modbus_device_options *device,
                        struct site_point *point)
{
    struct modbus_point_options *options = point->options;
    enum value_type type;

    checking->complaining.point = point;
    check_place(checking, options, device->numbering);
    check_scale_place(checking, options, device->numbering);
    check_type(checking, options);
    check_arithmetic(checking, options);
    check_align(checking, device, point);
    modbus_decode_prepare(options, device->order, &type, &point->decimals);
    check_write(checking, options);
    check_order(checking, options);
    check_extent(checking, device, options);
    point->type = (uint8_t)type;
}

/* A reply on a serial line names its unit only: two devices of one unit could not be told apart. */
static void check_unit(struct checking *checking, const struct site_device *device)
{
    const struct modbus_device_options *options = device->options;
    struct complaining other = checking->complaining;

    if (options->unit < 1 || options->unit > 247)
        complain(&checking->complaining, "unit", "bus.driver",
                 "found %" PRId64 "; units on a serial line go from 1 to 247", options->unit);
    for (other.device = checking->bus->devices; other.device < device; other.device++) {
        if (((const struct modbus_device_options *)other.device->options)->unit == options->unit &&
            complain_sound(&other, "unit"))
            complain(&checking->complaining, "unit", "bus.driver",
                     "found %" PRId64 ", which is device %s already: each device of a line has a "
                     "unit of its own",
                     options->unit, other.device->id);
    }
}

/* Sets the place of the register that holds the serial number, and how many there are of it. */
static void check_identity(struct checking *checking, struct modbus_device_options *options)
{
    struct modbus_identity *identity = &options->identity;
    struct modbus_point_options point = modbus_identity_point(identity);
    bool text = identity->type == MODBUS_STRING || identity->type == MODBUS_WIDE_STRING;
    enum value_type type;
    int8_t decimals;

    if (identity->type == MODBUS_TYPE_UNSAID) {
        if (identity->reg > 0)
            complain(&checking->complaining, "identity_type", "identity_reg",
                     "is missing: the type of the serial number");
        return;
    }
    point.function = (uint8_t)(identity->table ? identity->table : (int)MODBUS_HOLDING_REGISTERS);
    point.address = (uint16_t)identity->reg;
    if (options->numbering == MODBUS_NUMBERING_40001 &&
        modbus_resolve_40001(identity->reg, &point.function, &point.address) != 0)
        point.function = 0;
    if (point.function < MODBUS_HOLDING_REGISTERS ||
        (options->numbering == MODBUS_NUMBERING_0 && identity->reg > 65535))
        complain(&checking->complaining, "identity_reg", "numbering identity_table",
                 "found %" PRId64
                 "; a holding or input register is expected, as \"numbering\" says",
                 identity->reg);
    if (text != (identity->length > 0))
        complain(&checking->complaining, "identity_length", "identity_type",
                 "a string needs its length in registers, and nothing else has one");
    if (identity->type == MODBUS_BOOL || (text && identity->offset != 0))
        complain(&checking->complaining, "identity_type", "identity_offset",
                 "a serial number is a whole number or a string; only a number has an offset");
    modbus_decode_prepare(&point, options->order, &type, &decimals);
    identity->function = point.function;
    identity->address = point.address;
    identity->count = point.count;
}

static void check_device(struct checking *checking, struct site_device *device, bool serial)
{
    struct modbus_device_options *options = device->options;

    checking->complaining.device = device;
    checking->complaining.point = NULL;
    if (serial)
        check_unit(checking, device);
    if (device->point_count > 0 && options->numbering == MODBUS_NUMBERING_UNSAID)
        complain(
            &checking->complaining, "numbering", NULL,
            "is missing: \"40001\" when registers are numbered as in most manuals, \"0-based\" "
            "when they count from 0 as on the wire");
    check_identity(checking, options);
    for (size_t i = 0; i < device->point_count; i++)
        check_point(checking, options, &device->points[i]);
}

/* What a device server does by itself. */
static void check_host(struct complaining *complaining, const struct modbus_bus_options *options)
{
    if (options->silence_ns)
        complain(complaining, "silence", "host", "the device server of a \"host\" keeps it");
    if (options->rs485.mode != PORT_RS485_BOARD && options->rs485.mode != PORT_RS485_NONE)
        complain(complaining, "rs485", "host",
                 "the device server of a \"host\" switches the transceiver");
    if (options->echo)
        complain(complaining, "echo", "host",
                 "the device server of a \"host\" does not return what is sent");
}

/* A line is reached by a port of this machine, or by a device server. */
static void check_line(struct complaining *complaining, struct modbus_bus_options *options)
{
    bool host = options->host.name[0];
    char why[256];

    if (!options->port && !host)
        complain(complaining, "port", "host",
                 "is missing: \"port\" for a serial line, or \"host\" for a device server");
    if (options->port && host)
        complain(complaining, "host", "port",
                 "found beside \"port\": a line is reached by the one or the other");
    if (options->port && !port_name_valid(&port_roots_system, options->port, why, sizeof why))
        complain(complaining, "port", NULL, "found \"%s\"; %s", options->port, why);
    if (host)
        check_host(complaining, options);
    if (options->port && options->line.baud == 0)
        options->line = (struct port_settings){
            .baud = 9600, .data_bits = options->ascii ? 7 : 8, .stop_bits = 1, .parity = 'E'};
    if (!options->ascii && options->line.baud && options->line.data_bits != 8)
        complain(complaining, "line", "driver", "Modbus RTU needs 8 data bits, as \"9600 8E1\"");
}

static int check_bus(struct site_bus *bus, struct driver_complaints *complaints, bool line)
{
    struct checking checking = {.complaining = {.complaints = complaints}, .bus = bus};

    if (line)
        check_line(&checking.complaining, bus->options);
    for (size_t i = 0; i < bus->device_count; i++)
        check_device(&checking, &bus->devices[i], line);
    return checking.complaining.error;
}

int modbus_rtu_check(struct site_bus *bus, struct driver_complaints *complaints)
{
    return check_bus(bus, complaints, true);
}

int modbus_ascii_check(struct site_bus *bus, struct driver_complaints *complaints)
{
    ((struct modbus_bus_options *)bus->options)->ascii = true;
    return check_bus(bus, complaints, true);
}

int modbus_tcp_check(struct site_bus *bus, struct driver_complaints *complaints)
{
    return check_bus(bus, complaints, false);
}
