/* The thread of a Modbus bus: driver.run of both drivers. */
#ifndef SLUICE_MODBUS_BUS_H
#define SLUICE_MODBUS_BUS_H

#include "field/driver.h"

int modbus_rtu_run(const struct site_bus *bus, struct driver_host *host);
int modbus_tcp_run(const struct site_bus *bus, struct driver_host *host);

#endif
