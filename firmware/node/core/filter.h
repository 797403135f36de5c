/* Calms a row of readings: a median against outliers, then a low pass against noise. */
#ifndef SLUICE_NODE_FILTER_H
#define SLUICE_NODE_FILTER_H

#include <stdint.h>

#define FILTER_WINDOW 5

/* All zero is a filter that has seen nothing. */
struct filter {
    int32_t window[FILTER_WINDOW]; /* the last readings, as a ring */
    uint8_t held, next;
    int32_t mean; /* of the low pass, in 1/256 */
};

/*
 * The next reading, of a range of -2^22 to 2^22; returns what to show for it. `median`: 0 off, 1 of
 * the last three, 2 of the last five (of fewer, as long as there are no more). `low_pass`: 0 off,
 * else what is shown moves by 1/2^low_pass of the way to each reading, from the first one on.
 */
int32_t filter_add(struct filter *filter, unsigned median, unsigned low_pass, int32_t reading);

/* Forgets all: behind a gap nothing old is mixed in. */
void filter_clear(struct filter *filter);

#endif
