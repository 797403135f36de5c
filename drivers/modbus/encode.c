#include "modbus/encode.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"

#define OFF_STEP_MAX 1e-6               /* of a step, beside what a double cannot tell */
#define EXACT_MAX    9007199254740992.0 /* 2^53: integers above are not told apart by a double */

struct range {
    double lowest, highest; /* of the raw number; where that is beyond 2^53, 2^53 */
    bool is_signed;
};

static struct range range_of(const struct modbus_point_options *point)
{
    bool is_signed = point->type == MODBUS_I8 || point->type == MODBUS_I16 ||
                     point->type == MODBUS_I32 || point->type == MODBUS_I64;
    double span = fmin(ldexp(1, point->width - is_signed), EXACT_MAX);

    return (struct range){is_signed ? -span : 0, span < EXACT_MAX ? span - 1 : span, is_signed};
}

/* What a raw number reads as. */
static double scaled(const struct modbus_point_options *point, double raw)
{
    return (raw * point->multiply + point->add) / point->divide;
}

static double unscaled(const struct modbus_point_options *point, double number)
{
    return (number * point->divide - point->add) / point->multiply;
}

static void tell_range(const struct modbus_point_options *point, double one, double other,
                       char *why, size_t size)
{
    double low = scaled(point, one), high = scaled(point, other);
    struct text text;
    char memory[128];

    text_init(&text, memory, sizeof memory);
    text_f64(&text, low < high ? low : high, point->decimals);
    text_string(&text, " to ");
    text_f64(&text, low < high ? high : low, point->decimals);
    snprintf(why, size, "the register holds %s", memory);
}

static bool means_nothing(const struct modbus_point_options *point, double one, double other)
{
    for (size_t i = 0; i < point->na.count; i++) {
        if (point->na.items[i] == one || point->na.items[i] == other)
            return true;
    }
    return false;
}

static bool refuse_sentinel(char *why, size_t size)
{
    snprintf(why, size, "the device takes this number for \"not available\"");
    return false;
}

static bool encode_scaled(const struct modbus_point_options *point, double number, uint64_t *raw,
                          char *why, size_t size)
{
    double exact = unscaled(point, number), whole = nearbyint(exact);
    double tolerance = OFF_STEP_MAX + fabs(exact) * 4e-16;
    struct range range = range_of(point);

    if (!(whole >= range.lowest && whole <= range.highest)) {
        tell_range(point, range.lowest, range.highest, why, size);
        return false;
    }
    if (fabs(exact - whole) > tolerance) {
        struct text text;
        char memory[160];

        text_init(&text, memory, sizeof memory);
        text_f64(&text, scaled(point, floor(exact)), point->decimals);
        text_string(&text, " and ");
        text_f64(&text, scaled(point, floor(exact) + 1), point->decimals);
        snprintf(why, size, "it lies between what the register can hold, %s; nothing is rounded",
                 memory);
        return false;
    }
    *raw = range.is_signed ? (uint64_t)(int64_t)whole : (uint64_t)whole;
    return true;
}

static bool encode_whole(const struct modbus_point_options *point, const struct value *value,
                         uint64_t *raw, char *why, size_t size)
{
    double number = value->type == VALUE_I64 ? (double)value->i : (double)value->u;
    struct range range = range_of(point);

    /* 64 bits hold all that a value of the type can be. */
    if (point->width < 64 && !(number >= range.lowest && number <= range.highest)) {
        tell_range(point, range.lowest, range.highest, why, size);
        return false;
    }
    *raw = value->type == VALUE_I64 ? (uint64_t)value->i : value->u;
    return true;
}

static bool encode_integer(const struct modbus_point_options *point, const struct value *value,
                           uint64_t *raw, char *why, size_t size)
{
    unsigned unused = 64u - point->width;

    if (!(value->type == VALUE_F64 ? encode_scaled(point, value->f, raw, why, size)
                                   : encode_whole(point, value, raw, why, size)))
        return false;
    *raw = *raw << unused >> unused;
    if (means_nothing(point, (double)*raw, (double)((int64_t)(*raw << unused) >> unused)))
        return refuse_sentinel(why, size);
    *raw <<= point->low;
    return true;
}

static bool encode_float(const struct modbus_point_options *point, const struct value *value,
                         uint64_t *raw, char *why, size_t size)
{
    double number = point->scaled ? unscaled(point, value->f) : value->f;
    float single = (float)number;
    uint32_t bits;

    if (!isfinite(number) || (point->type == MODBUS_F32 && !isfinite(single))) {
        snprintf(why, size, "the registers cannot hold a number so large");
        return false;
    }
    if (means_nothing(point, number, number) ||
        (point->type == MODBUS_F32 && means_nothing(point, (double)single, (double)single)))
        return refuse_sentinel(why, size);
    if (point->type == MODBUS_F64) {
        memcpy(raw, &number, sizeof number);
        return true;
    }
    memcpy(&bits, &single, sizeof bits);
    *raw = bits;
    return true;
}

static bool encode_text(const struct modbus_point_options *point, const struct value *value,
                        uint8_t *out, char *why, size_t size)
{
    const uint8_t *bytes = value->data;
    unsigned swap = point->shift[0] == 0, step = point->type == MODBUS_WIDE_STRING ? 2 : 1;

    if (value->size > point->size / step) {
        snprintf(why, size, "a text has at most %u bytes there, and this one has %u",
                 point->size / step, value->size);
        return false;
    }
    memset(out, 0, point->size);
    for (size_t i = 0; i < value->size; i++) {
        if (bytes[i] == 0) {
            snprintf(why, size, "a text cannot hold a zero byte");
            return false;
        }
        out[(step * i + step - 1) ^ swap] = bytes[i];
    }
    return true;
}

static bool encode_bool(const struct modbus_point_options *point, bool on, uint64_t *raw, char *why,
                        size_t size)
{
    unsigned bit = point->bit < 0 ? 0 : (unsigned)point->bit;

    *raw = (uint64_t)on << bit;
    if (point->bit < 0 && means_nothing(point, (double)*raw, (double)*raw))
        return refuse_sentinel(why, size);
    return true;
}

bool modbus_encode(const struct modbus_point_options *point, const struct value *value,
                   uint8_t out[ENCODE_SIZE_MAX], char *why, size_t why_size)
{
    uint64_t raw = 0;
    bool fits;

    if (point->function <= MODBUS_DISCRETE_INPUTS) {
        out[0] = value->b;
        return true;
    }
    if (point->type == MODBUS_STRING || point->type == MODBUS_WIDE_STRING)
        return encode_text(point, value, out, why, why_size);
    if (point->type == MODBUS_BOOL)
        fits = encode_bool(point, value->b, &raw, why, why_size);
    else if (point->type == MODBUS_F32 || point->type == MODBUS_F64)
        fits = encode_float(point, value, &raw, why, why_size);
    else
        fits = encode_integer(point, value, &raw, why, why_size);
    for (unsigned i = 0; fits && i < point->size; i++)
        out[i] = (uint8_t)(raw >> point->shift[i]);
    return fits;
}

bool modbus_encode_part(const struct modbus_point_options *point, uint8_t mask[2])
{
    bool bit = point->type == MODBUS_BOOL && point->bit >= 0;
    bool field = point->type != MODBUS_BOOL && point->type != MODBUS_STRING &&
                 point->type != MODBUS_WIDE_STRING && point->width < 8 * point->size;
    uint64_t raw =
        bit ? UINT64_C(1) << point->bit : ((UINT64_C(1) << point->width % 64) - 1) << point->low;

    if (point->function <= MODBUS_DISCRETE_INPUTS || point->size != 2 || !(bit || field))
        return false;
    for (unsigned i = 0; i < 2; i++)
        mask[i] = (uint8_t)(raw >> point->shift[i]);
    return true;
}
