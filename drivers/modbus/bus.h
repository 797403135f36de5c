/* The thread of a bus whose transactions come one after another on a wire: driver.run of
 * "modbus-rtu" and "modbus-ascii". */
#ifndef SLUICE_MODBUS_BUS_H
#define SLUICE_MODBUS_BUS_H

#include "field/driver.h"

int modbus_line_run(const struct site_bus *bus, struct driver_host *host);

#endif
