/* The Modbus drivers. docs/modbus.md says what they do and what they take for granted. */
#ifndef SLUICE_MODBUS_MODBUS_H
#define SLUICE_MODBUS_MODBUS_H

#include "field/driver.h"

/* "modbus-rtu", "modbus-ascii": a line with units 1 to 247. "modbus-tcp": one connection, units 0
 * to 255. */
extern const struct driver driver_modbus_rtu, driver_modbus_ascii, driver_modbus_tcp;

#endif
