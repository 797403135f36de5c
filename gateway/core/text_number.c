#include "core/text_number.h"

#include "core/decimal.h"
#include "core/event.h"

#include <stdio.h>
#include <stdlib.h>

/* Without an exponent from 1e-7 up to 1e21, as people, and JavaScript, write numbers. */
#define PLAIN_EXPONENT_MIN (-7)
#define PLAIN_EXPONENT_MAX 20
#define PLAIN_MIN          1e-7

#define DIGITS_F32 9  /* enough to read back any float */
#define DIGITS_F64 17 /* and any double */

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

/* By the C library, for what is no short decimal: the fewest digits from `from` to `to` that read
 * back the same. */
static char *put_by_library(char *out, double value, int from, int to)
{
    char printed[40];
    for (int precision = from; precision <= to; precision++) {
        snprintf(printed, sizeof(printed), "%.*e", precision - 1, value);
        double back = strtod(printed, NULL);
        if (to == DIGITS_F32 ? (float)back == (float)value : back == value)
            break;
    }
    /* The point is the locale's, so only what cannot vary is taken: digits, signs and the e. */
    char digits[DIGITS_F64];
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
 * Ascending exponents find the fewest digits. All decimals of 15 digits, and all floats, are found
 * here; only results of computations, and numbers far from one, go on to the library.
 */
static char *put_shortest(char *out, double value)
{
    for (unsigned exponent = 0; exponent <= DECIMAL_EXPONENT_MAX; exponent++) {
        int64_t mantissa;
        if (!decimal_scale(value, exponent, DECIMAL_MANTISSA_LIMIT, &mantissa))
            break;
        if ((double)mantissa / decimal_power[exponent] == value)
            return put_decimal(out, mantissa, exponent);
    }
    return put_by_library(out, value, 15, DIGITS_F64);
}

static char *put_shortest_f32(char *out, double value)
{
    float single = (float)value;
    for (unsigned exponent = 0; exponent <= DECIMAL_EXPONENT_MAX; exponent++) {
        int64_t mantissa;
        if (!decimal_scale(value, exponent, DECIMAL_MANTISSA_LIMIT, &mantissa))
            break;
        if ((float)((double)mantissa / decimal_power[exponent]) == single)
            return put_decimal(out, mantissa, exponent);
    }
    return put_by_library(out, value, 6, DIGITS_F32);
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
    double magnitude = fabs(value);
    bool is_f32 = decimals == DECIMALS_SHORTEST_F32 && magnitude <= (double)FLT_MAX;
    if (magnitude != 0 && magnitude < PLAIN_MIN)
        return is_f32 ? put_by_library(out, value, 6, DIGITS_F32)
                      : put_by_library(out, value, 15, DIGITS_F64);
    return is_f32 ? put_shortest_f32(out, value) : put_shortest(out, value);
}
