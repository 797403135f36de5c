/*
 * Where a driver puts what it has read. A sink belongs to one bus and is used by that bus's thread only. It never blocks: when the
 * bus's ring into the journal is full, the newest is refused, counted, and told as a gap.
 */
#ifndef SLUICE_FIELD_SINK_H
#define SLUICE_FIELD_SINK_H

#include "core/event.h"
#include "core/site.h"

struct sink;

/*
 * A reading of a point, taken at `mono_ns`. Points of one read share that time. `status` is STATUS_GOOD, or why `value` is not to be trusted: a
 * bad status stores no value, whatever `value` holds. Readings that the point's on_change rule suppresses are
 * not stored. Text is copied. Returns 0, or ERR_FULL when it was refused.
 */
int sink_reading(struct sink *sink, const struct site_point *point, int64_t mono_ns, const struct value *value,
                 uint16_t status);

/* The device came up, or went down for the reason given. Stored only when that differs from what was last told. */
void sink_state(struct sink *sink, const struct site_device *device, bool up, uint16_t status);

#endif
