/* A contact that closes and opens: its bouncing taken away, its pulses counted (S0 meters, rain
 * gauges, doors). */
#ifndef SLUICE_NODE_INPUT_H
#define SLUICE_NODE_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#define INPUT_STEADY_MS 5 /* IEC 62053-31 pulses last 30 ms at least, and so do the gaps */

/* All zero is a contact that nobody has looked at. */
struct input {
    bool known; /* what it looked like first is no pulse */
    bool closed;
    uint8_t differs_ms; /* for how long it has looked otherwise */
    uint32_t count;     /* how often it closed */
};

/* What it looks like, once a millisecond. */
void input_sample(struct input *input, bool closed);

#endif
