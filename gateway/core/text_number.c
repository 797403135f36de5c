#include "core/text_number.h"

#include "core/decimal.h"
#include "core/event.h"

#include <stdio.h>
#include <stdlib.h>

/* Without an exponent from 1e-7 up to 1e21, as people write numbers. */
#define PLAIN_EXPONENT_MIN (-7)
#define PLAIN_EXPONENT_MAX 20
#define PLAIN_MIN          1e-7

/*
 * Any decimal of the SURE digits survives in a float (or double), and any float (or double) survives
 * in the MAX digits: IEEE 754-2019, 5.12.2.
 */
#define DIGITS_F32_SURE 6
#define DIGITS_F64_SURE 15
#define DIGITS_F32_MAX  9
#define DIGITS_F64_MAX  17

static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

/* Writes the digits so that they end at `end`; returns where they begin. */
static char *put_backwards(char *end, uint64_t value)
{
    while (value >= 100) {
        end -= 2;
        memcpy(end, pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value < 10) {
        *--end = (char)('0' + value);
        return end;
    }
    end -= 2;
    memcpy(end, pairs + value * 2, 2);
    return end;
}

static char *put_whole(char *out, uint64_t value)
{
    char digits[20];
    char *end = digits + sizeof(digits);
    size_t size = (size_t)(end - put_backwards(end, value));
    memcpy(out, end - size, size);
    return out + size;
}

char *number_put_u64(char *out, uint64_t value)
{
    return put_whole(out, value);
}

char *number_put_i64(char *out, int64_t value)
{
    if (value < 0)
        *out++ = '-';
    return put_whole(out, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

/* mantissa / 10^exponent, without zeros at its end. */
static char *put_decimal(char *out, int64_t mantissa, unsigned exponent)
{
    char digits[DECIMAL_EXPONENT_MAX + 20];
    char *end = digits + sizeof(digits);
    uint64_t magnitude = mantissa < 0 ? -(uint64_t)mantissa : (uint64_t)mantissa;
    if (magnitude == 0)
        exponent = 0;
    for (; exponent > 0 && magnitude % 10 == 0; exponent--)
        magnitude /= 10;
    char *first = put_backwards(end, magnitude);
    while (end - first <= (ptrdiff_t)exponent)
        *--first = '0';
    if (mantissa < 0)
        *out++ = '-';
    size_t whole = (size_t)(end - first) - exponent;
    memcpy(out, first, whole);
    out += whole;
    if (exponent > 0) {
        *out++ = '.';
        memcpy(out, first + whole, exponent);
        out += exponent;
    }
    return out;
}

/* Lays out digits d.ddd * 10^exponent. `digits` has none but digits, and no zeros at its end. */
static char *put_layout(char *out, const char *digits, int count, int exponent)
{
    bool plain = exponent >= PLAIN_EXPONENT_MIN && exponent <= PLAIN_EXPONENT_MAX;
    int point = plain ? exponent + 1 : 1; /* how many digits stand before the point */
    if (point <= 0) {
        *out++ = '0';
        *out++ = '.';
        for (; point < 0; point++)
            *out++ = '0';
        memcpy(out, digits, (size_t)count);
        return out + count;
    }
    for (int i = 0; i < count || i < point; i++) {
        if (i == point)
            *out++ = '.';
        *out++ = i < count ? digits[i] : '0';
    }
    if (!plain) {
        *out++ = 'e';
        out = number_put_i64(out, exponent);
    }
    return out;
}

static bool reads_back(double candidate, double value, bool as_f32)
{
    return as_f32 ? (float)candidate == (float)value : candidate == value;
}

/* By the C library: the fewest digits that read back the same, beginning with `fewest`. */
static char *put_by_library(char *out, double value, bool as_f32, int fewest)
{
    char printed[40];
    int most = as_f32 ? DIGITS_F32_MAX : DIGITS_F64_MAX;
    for (int tried = fewest; tried <= most; tried++) {
        snprintf(printed, sizeof(printed), "%.*e", tried - 1, value);
        if (tried == most || reads_back(strtod(printed, NULL), value, as_f32))
            break;
    }
    /* The point is the locale's, so only what cannot vary is taken: digits, signs and the e. */
    char digits[DIGITS_F64_MAX];
    int count = 0;
    const char *at = printed;
    for (; *at != 'e'; at++)
        if (*at >= '0' && *at <= '9')
            digits[count++] = *at;
    while (count > 1 && digits[count - 1] == '0')
        count--;
    if (value < 0)
        *out++ = '-';
    return put_layout(out, digits, count, (int)strtol(at + 1, NULL, 10));
}

/*
 * Ascending exponents find the fewest digits. Every decimal of 15 digits is found here, and every
 * float of an ordinary size, so that the library has to print only what computations leave, and
 * numbers far from one.
 */
static char *put_shortest(char *out, double value, bool as_f32)
{
    for (unsigned exponent = 0; exponent <= DECIMAL_EXPONENT_MAX; exponent++) {
        int64_t mantissa;
        if (!decimal_scale(value, exponent, DECIMAL_MANTISSA_LIMIT, &mantissa))
            break;
        if (reads_back((double)mantissa / decimal_power[exponent], value, as_f32))
            return put_decimal(out, mantissa, exponent);
    }
    int fewest = as_f32 ? DIGITS_F32_SURE : DIGITS_F64_SURE;
    bool was_tried = !as_f32 && fabs(value) < DECIMAL_MANTISSA_LIMIT;
    return put_by_library(out, value, as_f32, fewest + was_tried);
}

/* Below 1e-7. The smallest of all, which are not normalised, have fewer digits than can be relied
 * on. */
static char *put_tiny(char *out, double value, bool as_f32)
{
    bool normal = fabs(value) >= (as_f32 ? (double)FLT_MIN : DBL_MIN);
    int fewest = !normal ? 1 : as_f32 ? DIGITS_F32_SURE : DIGITS_F64_SURE;
    return put_by_library(out, value, as_f32, fewest);
}

char *number_put_f64(char *out, double value, int decimals)
{
    if (!isfinite(value)) {
        memcpy(out, "null", 4);
        return out + 4;
    }
    for (int digits = decimals < DECIMALS_MAX ? decimals : DECIMALS_MAX; digits >= 0; digits--) {
        int64_t mantissa;
        if (decimal_scale(value, (unsigned)digits, DECIMAL_MANTISSA_LIMIT, &mantissa))
            return put_decimal(out, mantissa, (unsigned)digits);
    }
    bool as_f32 = decimals == DECIMALS_SHORTEST_F32 && fabs(value) <= (double)FLT_MAX;
    if (as_f32)
        value = (double)(float)value;
    if (value != 0 && fabs(value) < PLAIN_MIN)
        return put_tiny(out, value, as_f32);
    return put_shortest(out, value, as_f32);
}
