/* The driver "serial": sensors that write lines, by themselves or when asked. What they say is
 * data: see docs/serial.md. */
#ifndef SLUICE_SERIAL_SERIAL_H
#define SLUICE_SERIAL_SERIAL_H

#include "field/driver.h"

extern const struct driver driver_serial;

#endif
