/*
 * A fuzz target: it takes any bytes and stops the program when something is wrong with what became
 * of them. With clang's libFuzzer it runs as it is; everywhere else replay.c feeds it mutated
 * seeds.
 */
#ifndef SLUICE_TESTS_FUZZ_H
#define SLUICE_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Makes a good input, to be mutated: at most `room` bytes, the same for the same `random`. Returns
 * its size. */
size_t fuzz_seed(uint64_t random, uint8_t *out, size_t room);

/* The next of a repeatable series. */
static inline uint64_t fuzz_next(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

#endif
