/* The engines (driver.h) of a gateway: one for each driver that has one, started with its first
 * bus. */
#ifndef SLUICE_FIELD_ENGINES_H
#define SLUICE_FIELD_ENGINES_H

#include "field/driver.h"

struct engines;

/* NULL: out of memory. `clock` outlives them. Close them when all hosts have stopped; NULL is fine.
 */
struct engines *engines_open(const struct clock *clock);
void engines_close(struct engines *engines);

/* The engine of that driver. 0, ERR_NOMEM, or the error of its thread. One thread at a time. */
int engines_get(struct engines *engines, const struct driver *driver,
                struct driver_engine **engine);

/* How long the most silent of them has owed a sign of life, as driver_engine_ops.silent_ns; NULL:
 * 0. One thread at a time. */
int64_t engines_silent_ns(struct engines *engines);

#endif
