/* Asks a device over a link for its identification (ident.h). */
#ifndef SLUICE_MODBUS_IDENTIFY_H
#define SLUICE_MODBUS_IDENTIFY_H

#include "modbus/ident.h"
#include "modbus/link.h"

/*
 * Asks for the regular objects, and for the basic ones where the device refuses those. Returns 0
 * when it said something (ident_known), ERR_EXCEPTION when it has no identification, ERR_PROTOCOL
 * when what it said makes no sense, or another error of the link, which is then of no use to ask
 * further. `ident` holds what was said before an error. On the thread of the link.
 */
int identify(struct link *link, uint8_t unit, int64_t timeout_ns, struct ident *ident);

#endif
