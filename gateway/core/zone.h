/*
 * The time zone of the place where the gateway is, for what goes by local midnight. The C library
 * has one zone for a process, and so has a gateway: it is set when a configuration is taken, and
 * asked for by any thread.
 */
#ifndef SLUICE_CORE_ZONE_H
#define SLUICE_CORE_ZONE_H

#include <stdint.h>

#define ZONE_NAME_SIZE_MAX 65 /* with its zero */

/*
 * Whether the database of time zones (package tzdata) has that IANA name ("Europe/Berlin"): 0,
 * ERR_NOT_FOUND, or ERR_UNSUPPORTED when there is no database to tell; "UTC" is always known.
 */
int zone_find(const char *name);

/*
 * From now on local time is that of the zone `name`. Returns as zone_find; local time is UTC where
 * that fails. Any thread; a zone_ahead_ns at the same time has the one zone or the other.
 */
int zone_set(const char *name);

/* How far local time is ahead of UTC at that moment, in ns: summer time counts. Any thread. */
int64_t zone_ahead_ns(int64_t wall_ns);

#endif
