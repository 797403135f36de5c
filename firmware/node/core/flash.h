/*
 * The flash of a node as whoever stores something in it sees it: pages that are erased to ones, and
 * units that are written once. Behind it stands the driver of a SoC, or on a host a model that
 * loses its power.
 */
#ifndef SLUICE_NODE_FLASH_H
#define SLUICE_NODE_FLASH_H

#include <stddef.h>
#include <stdint.h>

#define NFLASH_UNIT_MAX 8

/* What a driver returns, below 0; 0 is success. */
enum nflash_error {
    NFLASH_RANGE = -1,   /* outside of the flash, or not at a full page or unit */
    NFLASH_STUCK = -2,   /* the hardware was not done in time */
    NFLASH_DIFFERS = -3, /* what was read back is not what was written */
};

struct nflash {
    /* Sets the page that begins at `at` to FF. A cut leaves any of its bits in either state. */
    int (*erase)(void *context, uint32_t at);
    /*
     * Writes where nothing was written since the last erase. Units that were written may be written
     * once more: all zero on every SoC, or with other bits cleared where it can (`clears`). `at`
     * and `size` are multiples of `unit`. A cut leaves a unit half written. What was written is
     * read back and compared: NFLASH_DIFFERS.
     */
    int (*write)(void *context, uint32_t at, const void *data, size_t size);
    int (*read)(void *context, uint32_t at, void *data, size_t size);
    void *context;
    uint32_t at, size; /* of the region that may be used; `at` is an address as the CPU has it */
    uint32_t page;     /* bytes that one erase takes */
    uint8_t unit;      /* the fewest bytes that can be written: 2, 4 or 8 */
    uint8_t
        clears; /* whether a written unit may be written again as long as bits are only cleared */
};

#endif
