/* Checks what no single option of a serial bus can. */
#ifndef SLUICE_SERIAL_CHECK_H
#define SLUICE_SERIAL_CHECK_H

#include "field/driver.h"

/* struct driver's `check`. */
int serial_check(struct site_bus *bus, struct driver_complaints *complaints);

#endif
