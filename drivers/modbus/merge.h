/*
 * Which reads fetch a set of registers at the least time on the wire: pure arithmetic. What stands
 * in the way (a register that must not be read, a gap that the device refuses) is a barrier.
 */
#ifndef SLUICE_MODBUS_MERGE_H
#define SLUICE_MODBUS_MERGE_H

#include <stdbool.h>
#include <stdint.h>

/* What a read costs: `fixed_ns` for asking at all, `byte_ns` for each byte of data. */
struct merge_terms {
    int64_t fixed_ns, byte_ns;
    uint32_t limit; /* registers (or bits) that one read may ask for */
    bool bits;
};

/* Registers that are wanted. */
struct merge_span {
    uint32_t index;    /* the caller's */
    uint32_t barriers; /* how many there are below it */
    uint16_t address, count;
};

struct merge_read {
    uint32_t first, spans; /* range of the spans that it serves */
    uint16_t address, count;
};

/* Time that a read of `count` registers (or bits) takes. */
int64_t merge_cost_ns(const struct merge_terms *terms, uint32_t count);

/*
 * Fills `reads`, which has room for `count` of them, with those that fetch all spans, in order of
 * address, and returns how many there are. `spans` are sorted by address. No read crosses a barrier
 * or asks for more than the limit, which is the largest span where that is larger. The sum of their costs
 * is the least that there is: since no read of such a set lies within another, each serves
 * neighbours, and going through the spans once with the best cost so far finds it. ERR_NOMEM.
 */
int merge_spans(const struct merge_terms *terms, const struct merge_span *spans, uint32_t count,
                struct merge_read *reads);

#endif
