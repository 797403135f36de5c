#include "modbus/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "modbus/decode.h"
#include "modbus/write.h"
#include "serial/port_find.h"

struct checking {
    struct driver_complaints *complaints;
    const struct site_device *device;
    const struct site_point *point;
    int error;
};

__attribute__((format(printf, 3, 4))) static void complain(struct checking *checking,
                                                           const char *key, const char *format, ...)
{
    char sentence[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    checking->complaints->tell(checking->complaints, checking->device, checking->point, key,
                               sentence);
    checking->error = ERR_CONFIG;
}

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
    complain(checking, key,
             "found %" PRId64 "; with numbering \"0-based\" registers go from 0 to 65535", reg);
    return true;
}

/* Sets function and address. */
static bool check_place(struct checking *checking, struct modbus_point_options *point,
                        int numbering)
{
    if (numbering == MODBUS_NUMBERING_0) {
        if (beyond_65535(checking, "reg", point->reg))
            return false;
        point->function = (uint8_t)(point->table ? point->table : (int)MODBUS_HOLDING_REGISTERS);
        point->address = (uint16_t)point->reg;
        return true;
    }
    if (modbus_resolve_40001(point->reg, &point->function, &point->address) != 0) {
        complain(checking, "reg",
                 "found %" PRId64 "; with numbering \"40001\": 40001 to 49999 or 400001 to 465536 "
                 "holding, 3xxxx or 3xxxxx input, 1xxxx or 1xxxxx discrete, 1 to 9999 coil",
                 point->reg);
        return false;
    }
    if (point->table && point->table != point->function) {
        complain(checking, "table",
                 "register %" PRId64 " is in another table; leave \"table\" out, or use numbering "
                 "\"0-based\"",
                 point->reg);
        return false;
    }
    return true;
}

/* Sets the address of the register that scales, which must be in the point's own table. */
static void check_scale_place(struct checking *checking, struct modbus_point_options *point,
                              int numbering)
{
    uint8_t function = point->function;

    if (point->scale_by && point->scale_reg < 0)
        complain(checking, "scale_reg", "is missing: the register that \"scale_by\" is about");
    if (point->scale_reg < 0)
        return;
    if (!point->scale_by)
        complain(checking, "scale_by",
                 "is missing: what \"scale_reg\" holds: power, decimals or "
                 "decimals-low");
    if (numbering == MODBUS_NUMBERING_0) {
        if (!beyond_65535(checking, "scale_reg", point->scale_reg))
            point->scale_address = (uint16_t)point->scale_reg;
    } else if (modbus_resolve_40001(point->scale_reg, &function, &point->scale_address) != 0 ||
               function != point->function) {
        complain(checking, "scale_reg",
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

static void check_bits(struct checking *checking, const struct modbus_point_options *point)
{
    if (point->function <= MODBUS_DISCRETE_INPUTS) {
        if (point->bit >= 0 || point->bits > 0)
            complain(checking, "bit", "coils and discrete inputs are single bits already");
    } else if (point->bits > 0) {
        unsigned size = modbus_decode_size(point) * 8;

        if (!is_whole(point))
            complain(checking, "bits", "only whole numbers have fields of bits");
        else if (point->bit < 0)
            complain(checking, "bit", "is missing: the lowest bit of the field");
        else if (point->bit + point->bits > size)
            complain(checking, "bits",
                     "bits %" PRId64 " to %" PRId64 " are more than the %u there "
                     "are",
                     point->bit, point->bit + point->bits - 1, size);
    } else if (point->bit >= 0 && point->type != MODBUS_BOOL) {
        complain(checking, "bit", "a bit of a register is of type \"bool\"");
    }
}

static void check_type(struct checking *checking, struct modbus_point_options *point)
{
    bool bits = point->function <= MODBUS_DISCRETE_INPUTS;

    if (point->type == MODBUS_TYPE_UNSAID)
        point->type = bits || (point->bit >= 0 && point->bits == 0) ? MODBUS_BOOL : MODBUS_U16;
    if (bits && point->type != MODBUS_BOOL)
        complain(checking, "type", "coils and discrete inputs are of type \"bool\"");
    check_bits(checking, point);
    if (is_text(point) && point->length == 0)
        complain(checking, "length", "a string needs its length in registers, 1 to %d",
                 MODBUS_REGISTERS_MAX);
    if (!is_text(point) && point->length != 0)
        complain(checking, "length", "only a string has a length");
}

static void check_arithmetic(struct checking *checking, const struct modbus_point_options *point)
{
    bool number = point->type != MODBUS_BOOL && !is_text(point);

    if (point->scale == 0)
        complain(checking, "scale", "found 0, which would make every value the same");
    if (!number && (point->scale != 1 || point->offset != 0 || point->scale_by))
        complain(checking, "scale", "only numbers can be scaled");
    if (point->na.count && (is_text(point) || (point->bit >= 0 && point->bits == 0)))
        complain(checking, "na", "only numbers have values that mean \"not available\"");
}

static void check_write(struct checking *checking, const struct modbus_point_options *point)
{
    const char *refusal = modbus_write_refusal(point);

    if (checking->point->write.allowed && refusal)
        complain(checking, "write", "%s", refusal);
}

static void check_order(struct checking *checking, const struct modbus_point_options *point)
{
    const char *letters = modbus_order_letters(point->order);
    size_t size = is_text(point) ? 2 : point->size;

    if (*letters && point->function <= MODBUS_DISCRETE_INPUTS)
        complain(checking, "order", "found \"%s\"; a single bit has no order", letters);
    else if (*letters && strlen(letters) != size)
        complain(checking, "order", "found \"%s\"; this type has %zu bytes%s: allowed are %s",
                 letters, size, is_text(point) ? " in each register" : "",
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
        complain(checking, "align",
                 "its interval must divide a day, and be 1 s at least, to be read at the same "
                 "moments each day: as \"15m\", \"1h\", \"1d\"");
}

static void check_point(struct checking *checking, const struct modbus_device_options *device,
                        struct site_point *point)
{
    struct modbus_point_options *options = point->options;
    enum value_type type;

    checking->point = point;
    if (!check_place(checking, options, device->numbering))
        return;
    check_scale_place(checking, options, device->numbering);
    check_type(checking, options);
    check_arithmetic(checking, options);
    check_align(checking, device, point);
    modbus_decode_prepare(options, device->order, &type, &point->decimals);
    check_write(checking, options);
    check_order(checking, options);
    point->type = (uint8_t)type;
    if (options->address + options->count > 65536)
        complain(checking, "reg", "the value goes beyond the last register, 65535 on the wire");
    if (options->function >= MODBUS_HOLDING_REGISTERS && options->count > device->max_block)
        complain(checking, options->scale_by ? "scale_reg" : "length",
                 "%u registers are more than \"max_block\" allows (%" PRId64 ")", options->count,
                 device->max_block);
}

/* A reply on a serial line names its unit only: two devices of one unit could not be told apart. */
static void check_unit(struct checking *checking, const struct site_bus *bus,
                       const struct site_device *device)
{
    const struct modbus_device_options *options = device->options;

    if (options->unit < 1 || options->unit > 247)
        complain(checking, "unit", "found %" PRId64 "; units on a serial line go from 1 to 247",
                 options->unit);
    for (const struct site_device *before = bus->devices; before < device; before++) {
        if (((const struct modbus_device_options *)before->options)->unit == options->unit)
            complain(checking, "unit",
                     "found %" PRId64 ", which is device %s already: each device of a line has a "
                     "unit of its own",
                     options->unit, before->id);
    }
}

static void check_device(struct checking *checking, const struct site_bus *bus,
                         struct site_device *device, bool serial)
{
    struct modbus_device_options *options = device->options;

    checking->device = device;
    checking->point = NULL;
    if (serial)
        check_unit(checking, bus, device);
    if (device->point_count > 0 && options->numbering == MODBUS_NUMBERING_UNSAID) {
        complain(
            checking, "numbering",
            "is missing: \"40001\" when registers are numbered as in most manuals, \"0-based\" "
            "when they count from 0 as on the wire");
        return;
    }
    for (size_t i = 0; i < device->point_count; i++)
        check_point(checking, options, &device->points[i]);
}

/* A line is reached by a port of this machine, or by a device server. */
static void check_line(struct checking *checking, struct modbus_bus_options *options)
{
    bool host = options->host.name[0];
    char why[256];

    if (!options->port && !host)
        complain(checking, "port",
                 "is missing: \"port\" for a serial line, or \"host\" for a device server");
    if (options->port && host)
        complain(checking, "host",
                 "found beside \"port\": a line is reached by the one or the other");
    if (options->port && !port_name_valid(options->port, why, sizeof why))
        complain(checking, "port", "found \"%s\"; %s", options->port, why);
    if (host && options->silence_ns)
        complain(checking, "silence", "the device server of a \"host\" keeps it");
    if (host && options->rs485.mode)
        complain(checking, "rs485", "the device server of a \"host\" switches the transceiver");
    if (host && options->echo)
        complain(checking, "echo", "the device server of a \"host\" does not return what is sent");
    if (options->port && options->line.baud == 0)
        options->line = (struct port_settings){
            .baud = 9600, .data_bits = options->ascii ? 7 : 8, .stop_bits = 1, .parity = 'E'};
    if (!options->ascii && options->line.baud && options->line.data_bits != 8)
        complain(checking, "line", "Modbus RTU needs 8 data bits, as \"9600 8E1\"");
}

static int check_bus(struct site_bus *bus, struct driver_complaints *complaints, bool line)
{
    struct checking checking = {.complaints = complaints};

    if (line)
        check_line(&checking, bus->options);
    for (size_t i = 0; i < bus->device_count; i++)
        check_device(&checking, bus, &bus->devices[i], line);
    return checking.error;
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
