/* What a Modbus bus asks of its wire: driver.load of the drivers. Pure arithmetic. A
 * line behind a device server can be reckoned with when its rate is said. */
#ifndef SLUICE_MODBUS_LOAD_H
#define SLUICE_MODBUS_LOAD_H

#include "field/driver.h"

void modbus_rtu_load(const struct site_bus *bus, struct driver_load *load);
void modbus_tcp_load(const struct site_bus *bus, struct driver_load *load);

#endif
