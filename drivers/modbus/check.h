/* What no single option of a Modbus bus can say about itself: driver.check of the drivers. The line
 * of a port that says none gets the usual one. */
#ifndef SLUICE_MODBUS_CHECK_H
#define SLUICE_MODBUS_CHECK_H

#include "field/driver.h"
#include "modbus/options.h"

int modbus_rtu_check(struct site_bus *bus, struct driver_complaints *complaints);
int modbus_ascii_check(struct site_bus *bus, struct driver_complaints *complaints);
int modbus_tcp_check(struct site_bus *bus, struct driver_complaints *complaints);

/*
 * Function code and address on the wire of a register as manuals number it (40101 or 440101:
 * function 3, address 100). Returns 0, or ERR_INVALID for a number that is in no table. Coils above
 * 9999 cannot be written this way.
 */
int modbus_resolve_40001(int64_t reg, uint8_t *function, uint16_t *address);

#endif
