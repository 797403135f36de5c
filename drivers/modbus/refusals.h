/*
 * The configured points that a device refuses by exception 1, 2 or 3. That is hardly ever the
 * device's mood: a register is wrong, or the device is another model. So each is told in the log
 * once, in words that say what to look at, and once more when it is answered after all.
 *
 * Used by the bus's thread only.
 */
#ifndef SLUICE_MODBUS_REFUSALS_H
#define SLUICE_MODBUS_REFUSALS_H

#include "modbus/plan.h"

/* Of one device, in the log; the others are in the status. */
#define REFUSALS_TOLD_MAX 16

/* The points of a block are refused with `status` (STATUS_ILLEGAL_...). Returns whether any was not
 * known to be. */
bool refusals_tell(struct plan *plan, const struct plan_block *block, uint16_t status);

/* A block was answered. Returns whether any of its points was refused before. */
bool refusals_over(struct plan *plan, const struct plan_block *block);

#endif
