/* The last good readings of points, from the journal: for a counter whose meter was replaced while
 * the gateway was off. */
#ifndef SLUICE_FIELD_LAST_H
#define SLUICE_FIELD_LAST_H

#include "field/driver.h"
#include "journal/journal.h"

/*
 * Fills in the items as driver_host_ops.last_good has it. A reading is passed over as long as it is
 * bad, and LAST_STEPS_MAX times at most: a device that was away over some starts of the gateway is
 * told bad at each. Reads a checkpoint and up to a segment for each step. Any thread.
 */
#define LAST_STEPS_MAX 8
void last_good(struct journal *journal, const struct site_device *device, struct driver_last *items,
               size_t count);

#endif
