/* What devices and points were called before. */
#ifndef SLUICE_DAEMON_WAS_H
#define SLUICE_DAEMON_WAS_H

#include <stdbool.h>

#include "core/site.h"

/* Whether a device of the configuration, or a point of one, has that name among its present and
 * earlier ones. `point` is "" for the device itself. */
bool was_named(const struct site *site, const char *device, const char *point);

#endif
