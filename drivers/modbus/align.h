/*
 * Moments on the wall clock at which a reading is due that is taken each quarter of an hour, each
 * hour, each day: multiples of the interval since local midnight. Pure.
 */
#ifndef SLUICE_MODBUS_ALIGN_H
#define SLUICE_MODBUS_ALIGN_H

#include <stdint.h>

/* How far local time is ahead of UTC at that moment, in ns: zone_ahead_ns (core/zone.h). */
typedef int64_t align_zone_fn(int64_t wall_ns);

/*
 * The last such moment that is not after `wall_ns`, and the first one behind it. Where summer time
 * begins or ends, moments are as far apart as always when the hour is a multiple of the interval
 * (none is left out, none comes twice), and a day has 23 or 25 hours.
 */
int64_t align_begin_ns(int64_t wall_ns, int64_t every_ns, align_zone_fn *zone);
int64_t align_next_ns(int64_t wall_ns, int64_t every_ns, align_zone_fn *zone);

#endif
