/* What a Modbus bus asks of its wire: driver.load of both drivers. Pure arithmetic. */
#ifndef SLUICE_MODBUS_LOAD_H
#define SLUICE_MODBUS_LOAD_H

#include "field/driver.h"

void modbus_rtu_load(const struct site_bus *bus, struct driver_load *load);
void modbus_tcp_load(const struct site_bus *bus, struct driver_load *load);

#endif
