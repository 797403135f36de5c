/* A clock that stands still until it is moved. Thread-safe. */
#ifndef SLUICE_TESTS_FAKE_CLOCK_H
#define SLUICE_TESTS_FAKE_CLOCK_H

#include <stdatomic.h>

#include "core/clock.h"

struct fake_clock {
    struct clock clock;
    _Atomic int64_t wall_ns;
    _Atomic int64_t mono_ns;
    _Atomic int trust;
};

/* A synchronised clock in November 2026, 100 s after the start of the machine. */
void fake_clock_init(struct fake_clock *fake);

/* Lets time pass. */
void fake_clock_advance(struct fake_clock *fake, int64_t ns);

/* Sets the wall clock forth or back. */
void fake_clock_step(struct fake_clock *fake, int64_t ns);

#endif
