/* The thread of a serial bus. */
#ifndef SLUICE_SERIAL_BUS_H
#define SLUICE_SERIAL_BUS_H

#include "field/driver.h"

/* struct driver's `run`. */
int serial_run(const struct site_bus *site, struct driver_host *host);

#endif
