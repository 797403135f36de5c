/* Numbers that look random and are the same in each run (splitmix64), so that a failure can be
 * repeated. */
#ifndef SLUICE_TESTS_UNIT_RANDOM_H
#define SLUICE_TESTS_UNIT_RANDOM_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* From 0 to bound - 1. */
static inline uint64_t random_below(uint64_t *state, uint64_t bound)
{
    return random_next(state) % bound;
}

/* A number of any magnitude: small ones are as frequent as large ones. */
static inline uint64_t random_magnitude(uint64_t *state)
{
    return random_next(state) >> random_below(state, 64);
}

static inline void random_fill(uint64_t *state, void *out, size_t size)
{
    uint8_t *bytes = out;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)random_next(state);
}

#endif
