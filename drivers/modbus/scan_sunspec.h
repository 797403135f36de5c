/* Whether a device describes itself as SunSpec does, and what it calls itself. */
#ifndef SLUICE_MODBUS_SCAN_SUNSPEC_H
#define SLUICE_MODBUS_SCAN_SUNSPEC_H

#include "modbus/scan.h"

/* Looks for the marker at 40000, 0 and 50000 and fills in found->sunspec and the names. 0, also
 * when there is none, or an error that ends the scan: the link is gone and cannot be opened. */
int scan_sunspec(struct link *link, int64_t timeout_ns, struct scan_found *found);

#endif
