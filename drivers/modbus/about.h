/* What the status says of a device beyond counters: which places its reads leave out, and which
 * configured points it refuses. */
#ifndef SLUICE_MODBUS_ABOUT_H
#define SLUICE_MODBUS_ABOUT_H

#include "core/text.h"
#include "modbus/plan.h"

#define ABOUT_SIZE_MAX   8192
#define ABOUT_POINTS_MAX 32 /* that are named; `refused` in the statistics counts them all */

/*
 * Writes members of a JSON object, or nothing where there is nothing to say:
 *
 *     "gaps":[{"function":3,"first":100,"last":107}],
 *     "identity":{"serial":"4711"},
 *     "points":[{"id":"flow","reg":40120,"function":3,"why":"exception 2","help":"..."}]
 *
 * Registers of `gaps` are as on the wire; `reg` is as it is configured.
 */
void about_device(const struct plan *plan, uint32_t index, struct text *text);

#endif
