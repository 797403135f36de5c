/* What to look at when a device does not answer: that depends on how it is reached. Pure. */
#ifndef SLUICE_MODBUS_ADVICE_H
#define SLUICE_MODBUS_ADVICE_H

#include <stdint.h>

#include "core/site.h"

#define ADVICE_SIZE      384
#define ADVICE_SCAN_SIZE 320

/*
 * What a status of a device on this bus means and what to do, with the command that finds who
 * answers there; as status_help where the bus makes no difference. Written to `out`, or a constant.
 */
const char *advice_for(const struct site_bus *bus, uint16_t status, char out[ADVICE_SIZE]);

/* What is said of a port that fails while it is open. */
extern const char advice_port_failed[];

/* Writes "sluice scan 10.0.7.20", with what the scan has to know of the bus. Returns `out`. */
const char *advice_scan(const struct site_bus *bus, char out[ADVICE_SCAN_SIZE]);

#endif
