#include "modbus/decode.h"

#include <math.h>
#include <string.h>

#include "core/decimal.h"
#include "core/status.h"

#define FLOAT_LEAST 1e-20
#define FLOAT_MOST  1e20

/* How a device's order for 32 bits reads for a value of `size` bytes. 16 bits and strings keep the
 * protocol's order. */
static void letters_like(int device_order, unsigned size, char letters[9])
{
    bool low_first = device_order == MODBUS_CDAB || device_order == MODBUS_DCBA;
    bool swapped = device_order == MODBUS_BADC || device_order == MODBUS_DCBA;
    unsigned words = size / 2;

    for (unsigned i = 0; i < words; i++) {
        unsigned word = low_first && words > 1 ? words - 1 - i : i;
        unsigned swap = swapped && words > 1;

        letters[2 * i + swap] = (char)('A' + 2 * word);
        letters[2 * i + 1 - swap] = (char)('B' + 2 * word);
    }
    letters[size] = '\0';
}

static bool is_text(int type)
{
    return type == MODBUS_STRING || type == MODBUS_WIDE_STRING;
}

static void prepare_order(struct modbus_point_options *point, int device_order)
{
    unsigned size = is_text(point->type) ? 2 : point->size;
    char letters[9];

    letters_like(device_order, size, letters);
    if (strlen(modbus_order_letters(point->order)) == size)
        memcpy(letters, modbus_order_letters(point->order), size);
    for (unsigned i = 0; i < size; i++)
        point->shift[i] = (uint8_t)(8 * (size - 1 - (unsigned)(letters[i] - 'A')));
}

/* The fewest decimals that write `number` exactly, for people's notion of exact; -1 when there are
 * none. */
static int decimals_of(double number)
{
    double power = 1;

    for (int decimals = 0; decimals <= DECIMALS_MAX; decimals++, power *= 10) {
        double scaled = number * power;

        if (fabs(scaled - nearbyint(scaled)) <= 1e-12 * fabs(scaled))
            return decimals;
    }
    return -1;
}

/* With a short decimal scale the arithmetic is in integers and ends with one division, whose result
 * is the double nearest to the decimal number: 2301 * 0.1 is 230.10000000000002, 2301 / 10 is
 * 230.1. */
static int8_t prepare_scale(struct modbus_point_options *point)
{
    int scale_decimals = decimals_of(point->scale), offset_decimals = decimals_of(point->offset);
    int decimals = scale_decimals > offset_decimals ? scale_decimals : offset_decimals;
    bool exact = scale_decimals >= 0 && offset_decimals >= 0;
    double power = exact ? pow(10, decimals) : 1;

    point->scaled = point->scale != 1 || point->offset != 0 || point->scale_by;
    point->multiply = exact ? nearbyint(point->scale * power) : point->scale;
    point->add = exact ? nearbyint(point->offset * power) : point->offset;
    point->divide = power;
    if (point->type == MODBUS_F32)
        return DECIMALS_SHORTEST_F32;
    if (point->type == MODBUS_F64 || !exact)
        return DECIMALS_SHORTEST;
    return (int8_t)decimals;
}

static bool is_float(int type)
{
    return type == MODBUS_F32 || type == MODBUS_F64;
}

static bool is_signed(int type)
{
    return type == MODBUS_I8 || type == MODBUS_I16 || type == MODBUS_I32 || type == MODBUS_I64;
}

unsigned modbus_decode_size(const struct modbus_point_options *point)
{
    switch (point->type) {
    case MODBUS_U32:
    case MODBUS_I32:
    case MODBUS_F32:
        return 4;
    case MODBUS_U64:
    case MODBUS_I64:
    case MODBUS_F64:
        return 8;
    case MODBUS_STRING:
    case MODBUS_WIDE_STRING:
        return (unsigned)(2 * point->length);
    default:
        return 2;
    }
}

static void prepare_bits(struct modbus_point_options *point)
{
    bool byte = point->type == MODBUS_U8 || point->type == MODBUS_I8;

    point->low = point->bits > 0 ? (uint8_t)point->bit : 0;
    point->width = point->bits > 0 ? (uint8_t)point->bits : byte ? 8 : (uint8_t)(8 * point->size);
}

/* From the value to the register that scales it, or the other way round. */
static void prepare_span(struct modbus_point_options *point)
{
    unsigned first = point->address, end = first + point->count;

    point->value_at = point->scale_at = 0;
    if (!point->scale_by)
        return;
    if (point->scale_address < first)
        first = point->scale_address;
    if (point->scale_address >= end)
        end = point->scale_address + 1u;
    point->value_at = (uint8_t)(point->address - first);
    point->scale_at = (uint8_t)(point->scale_address - first);
    point->address = (uint16_t)first;
    point->count = (uint16_t)(end - first);
}

void modbus_decode_prepare(struct modbus_point_options *point, int device_order,
                           enum value_type *type, int8_t *decimals)
{
    point->size = (uint8_t)modbus_decode_size(point);
    point->count = point->function <= MODBUS_DISCRETE_INPUTS ? 1 : (uint16_t)(point->size / 2);
    prepare_order(point, device_order);
    prepare_bits(point);
    prepare_span(point);
    point->decimals = prepare_scale(point);
    if (point->type == MODBUS_BOOL)
        *type = VALUE_BOOL;
    else if (is_text(point->type))
        *type = VALUE_TEXT;
    else if (is_float(point->type) || point->scaled)
        *type = VALUE_F64;
    else
        *type = is_signed(point->type) ? VALUE_I64 : VALUE_U64;
    if (*type != VALUE_F64)
        point->decimals = 0;
    *decimals = point->scale_by ? DECIMALS_SHORTEST : point->decimals;
}

/* The length of the UTF-8 sequence at `bytes` (RFC 3629), 0 when it is none. */
static size_t utf8_sequence(const uint8_t *bytes, size_t size)
{
    uint8_t lead = bytes[0], low = 0x80, high = 0xBF;
    size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;

    if (length == 0 || length > size || lead > 0xF4)
        return 0;
    if (lead == 0xE0 || lead == 0xF0)
        low = lead == 0xE0 ? 0xA0 : 0x90;
    if (lead == 0xED || lead == 0xF4)
        high = lead == 0xED ? 0x9F : 0x8F;
    for (size_t i = 1; i < length; i++, low = 0x80, high = 0xBF) {
        if (bytes[i] < low || bytes[i] > high)
            return 0;
    }
    return length;
}

static bool utf8_valid(const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        size_t length = utf8_sequence(bytes, size);

        if (length == 0)
            return false;
        bytes += length;
        size -= length;
    }
    return true;
}

static size_t latin1_to_utf8(const uint8_t *bytes, size_t size, char *out)
{
    size_t length = 0;

    for (size_t i = 0; i < size; i++) {
        if (bytes[i] < 0x80) {
            out[length++] = (char)bytes[i];
        } else {
            out[length++] = (char)(0xC0 | bytes[i] >> 6);
            out[length++] = (char)(0x80 | (bytes[i] & 0x3F));
        }
    }
    return length;
}

/* Up to the first zero, without blanks around it. What is not UTF-8 is taken for Latin-1, as old
 * panels send it. */
static void decode_text(const struct modbus_point_options *point, const uint8_t *data, char *text,
                        struct value *value)
{
    uint8_t bytes[2 * MODBUS_REGISTERS_MAX];
    unsigned swap = point->shift[0] == 0, step = point->type == MODBUS_WIDE_STRING ? 2 : 1;
    size_t begin = 0, size = 0;

    for (size_t at = step - 1; at < point->size && data[at ^ swap] != 0; at += step)
        bytes[size++] = data[at ^ swap];
    while (size > 0 && bytes[size - 1] == ' ')
        size--;
    while (begin < size && bytes[begin] == ' ')
        begin++;
    size -= begin;
    if (utf8_valid(bytes + begin, size))
        memcpy(text, bytes + begin, size);
    else
        size = latin1_to_utf8(bytes + begin, size, text);
    value->type = VALUE_TEXT;
    value->data = text;
    value->size = (uint16_t)size;
}

static bool is_sentinel(const struct modbus_point_options *point, double one, double other)
{
    for (size_t i = 0; i < point->na.count; i++) {
        if (point->na.items[i] == one || point->na.items[i] == other)
            return true;
    }
    return false;
}

/* The power of ten that the other register says; false when it says none that could be. */
static bool scale_power(const struct modbus_point_options *point, const uint8_t *registers,
                        int *power)
{
    const uint8_t *bytes = registers + 2 * (size_t)point->scale_at;
    int number = bytes[0] << 8 | bytes[1];

    if (point->scale_by == MODBUS_SCALE_POWER)
        *power = number < 0x8000 ? number : number - 0x10000;
    else
        *power = point->scale_by == MODBUS_SCALE_DECIMALS ? -number : -bytes[1];
    return *power >= -DECIMALS_MAX && *power <= DECIMALS_MAX;
}

/* Integers as long as it goes, and one division at the end: see prepare_scale. */
static uint16_t scale_number(const struct modbus_point_options *point, const uint8_t *registers,
                             double raw, struct value *value)
{
    double multiply = point->multiply, add = point->add, divide = point->divide;
    int power = 0;

    value->type = VALUE_F64;
    if (point->scale_by) {
        if (!scale_power(point, registers, &power))
            return STATUS_NOT_AVAILABLE;
        if (power >= 0)
            multiply *= decimal_power[power];
        add *= power < 0 ? decimal_power[-power] : 1;
        divide *= power < 0 ? decimal_power[-power] : 1;
        if (point->decimals >= 0)
            value->decimals = (int8_t)fmin(fmax(point->decimals - power, 0), DECIMALS_MAX);
    }
    value->f = point->scaled ? (raw * multiply + add) / divide : raw;
    return isfinite(value->f) ? STATUS_GOOD : STATUS_NOT_A_NUMBER;
}

static double float_of(const struct modbus_point_options *point, uint64_t raw)
{
    double number;

    if (point->type == MODBUS_F32) {
        uint32_t bits = (uint32_t)raw;
        float single;

        memcpy(&single, &bits, sizeof single);
        return (double)single;
    }
    memcpy(&number, &raw, sizeof number);
    return number;
}

static uint64_t raw_of(const struct modbus_point_options *point, const uint8_t *registers)
{
    const uint8_t *bytes = registers + 2 * (size_t)point->value_at;
    uint64_t raw = 0;

    for (unsigned i = 0; i < point->size; i++)
        raw |= (uint64_t)bytes[i] << point->shift[i];
    return raw;
}

static uint16_t decode_float(const struct modbus_point_options *point, const uint8_t *registers,
                             uint64_t raw, struct value *value)
{
    double number = float_of(point, raw);

    /* A sentinel such as -9999.9 is a rounded single in the register. */
    for (size_t i = 0; i < point->na.count; i++) {
        double sentinel = point->na.items[i];

        if (number == sentinel || (point->type == MODBUS_F32 && number == (double)(float)sentinel))
            return STATUS_NOT_AVAILABLE;
    }
    return scale_number(point, registers, number, value);
}

static uint16_t decode_integer(const struct modbus_point_options *point, const uint8_t *registers,
                               uint64_t raw, struct value *value)
{
    unsigned unused = 64 - point->width;
    int64_t number = (int64_t)(raw >> point->low << unused) >> unused;

    raw = raw >> point->low << unused >> unused;
    if (point->na.count && is_sentinel(point, (double)raw, (double)number))
        return STATUS_NOT_AVAILABLE;
    if (point->scaled)
        return scale_number(point, registers, is_signed(point->type) ? (double)number : (double)raw,
                            value);
    if (is_signed(point->type)) {
        value->type = VALUE_I64;
        value->i = number;
    } else {
        value->type = VALUE_U64;
        value->u = raw;
    }
    return STATUS_GOOD;
}

uint16_t modbus_decode(const struct modbus_point_options *point, const uint8_t *data,
                       unsigned index, char text[MODBUS_TEXT_SIZE_MAX], struct value *value)
{
    const uint8_t *registers = data + 2 * (size_t)index;
    uint64_t raw;

    *value = (struct value){.type = VALUE_BOOL, .decimals = point->decimals};
    if (point->function <= MODBUS_DISCRETE_INPUTS) {
        value->b = (data[index / 8] >> index % 8 & 1) != 0;
        return STATUS_GOOD;
    }
    if (is_text(point->type)) {
        decode_text(point, registers + 2 * (size_t)point->value_at, text, value);
        return STATUS_GOOD;
    }
    raw = raw_of(point, registers);
    if (point->type == MODBUS_BOOL) {
        if (point->na.count && is_sentinel(point, (double)raw, (double)raw))
            return STATUS_NOT_AVAILABLE;
        value->b = point->bit < 0 ? raw != 0 : (raw >> point->bit & 1) != 0;
        return STATUS_GOOD;
    }
    if (!is_float(point->type))
        return decode_integer(point, registers, raw, value);
    return decode_float(point, registers, raw, value);
}

/* Half of a whole number, or the halves of a float in a wrong order, make floats that are as good
 * as none: what people measure is nowhere near these bounds. */
static bool is_measurement(double number)
{
    return number == 0 || (fabs(number) >= FLOAT_LEAST && fabs(number) <= FLOAT_MOST);
}

uint16_t modbus_decode_reading(const struct modbus_point_options *point, const uint8_t *data,
                               unsigned index, char text[MODBUS_TEXT_SIZE_MAX], struct value *value)
{
    uint16_t status = modbus_decode(point, data, index, text, value);

    if (status == STATUS_GOOD && is_float(point->type) &&
        !is_measurement(float_of(point, raw_of(point, data + 2 * (size_t)index))))
        return STATUS_IMPLAUSIBLE;
    return status;
}
