/*
 * Doubles that are short decimals. A sensor's 230.1 is the double nearest to 2301/10, and an IEEE
 * division gives back that very double; so the pair (2301, 1) stands for it without loss, in fewer
 * bytes and without the arithmetic of a general printer.
 */
#ifndef SLUICE_CORE_DECIMAL_H
#define SLUICE_CORE_DECIMAL_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* With x87's excess precision a division rounds twice, and pairs would not mean the same
 * everywhere. */
_Static_assert(FLT_EVAL_METHOD == 0 || FLT_EVAL_METHOD == 1,
               "doubles must be evaluated as doubles");

/* Powers of ten up to 22 are exact doubles. */
#define DECIMAL_EXPONENT_MAX 22

/* A mantissa up to this is found for certain: beyond, the product's rounding error can reach a
 * half. */
#define DECIMAL_MANTISSA_LIMIT 0x1p51

extern const double decimal_power[DECIMAL_EXPONENT_MAX + 1];

static inline uint64_t double_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

/* The integer nearest to value * 10^exponent, halves away from zero. False, without it, from
 * `limit` (at most 2^62) on. */
static inline bool decimal_scale(double value, unsigned exponent, double limit, int64_t *mantissa)
{
    double scaled = value * decimal_power[exponent];
    if (!(fabs(scaled) < limit)) /* NaN too */
        return false;
    *mantissa = (int64_t)(scaled + copysign(0.5, scaled));
    return true;
}

/* Whether `value` is bit by bit *mantissa / 10^exponent with |*mantissa| < limit. Never for -0,
 * NaN, infinity. */
static inline bool decimal_exact(double value, unsigned exponent, double limit, int64_t *mantissa)
{
    if (!decimal_scale(value, exponent, limit, mantissa))
        return false;
    return double_bits((double)*mantissa / decimal_power[exponent]) == double_bits(value);
}

#endif
