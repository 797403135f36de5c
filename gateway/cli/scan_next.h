/* What a person does with what a scan has found. */
#ifndef SLUICE_CLI_SCAN_NEXT_H
#define SLUICE_CLI_SCAN_NEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "modbus/scan.h"

#define SCAN_NEXT_MAX                                                                              \
    247 /* as many as one line has units; of further settings it is only counted */

struct scan_next_device {
    uint8_t unit;
    char line[24];
    char profile[64]; /* "" where none fits */
};

/* The devices that are new. All zero: none yet. */
struct scan_next {
    struct scan_next_device devices[SCAN_NEXT_MAX];
    unsigned count;
    unsigned apart;  /* so many more, at another setting than the first one's */
    bool taken[256]; /* units that the gateway polls already: nothing is proposed for them */
    unsigned polled; /* so many of those that were found */
};

/* A device was found; `profile` is the one that fits, or NULL. */
void scan_next_take(struct scan_next *next, const struct scan_found *found, const char *profile);

/*
 * Prints what to write into the configuration, and how to find out what the registers of a device
 * without a profile mean. `place` is the port or host, `driver` that of a bus there, `bus` the id
 * of the gateway's own bus, or "".
 */
void scan_next_print(const struct scan_next *next, const char *place, const char *driver,
                     const char *bus);

#endif
