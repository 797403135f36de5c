/* The Modbus drivers. docs/modbus.md says what they do and what they take for granted. */
#ifndef SLUICE_MODBUS_MODBUS_H
#define SLUICE_MODBUS_MODBUS_H

#include "field/driver.h"

extern const struct driver driver_modbus_rtu; /* "modbus-rtu": a serial line with units 1 to 247 */
extern const struct driver driver_modbus_tcp; /* "modbus-tcp": one connection, units 0 to 255 */

#endif
