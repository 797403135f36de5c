/* Links on a wire that is given: for what brings wires of its own. */
#ifndef SLUICE_MODBUS_LINK_ON_H
#define SLUICE_MODBUS_LINK_ON_H

#include "modbus/frames.h"
#include "modbus/link.h"

/* Make a closed link on a copy of the closed `wire`: on a line, with our own frames; and Modbus
 * TCP. ERR_NOMEM. */
int link_new_on(struct link **link, const struct wire *wire, const struct frames_codec *codec);
int link_new_tcp_on(struct link **link, const struct wire *wire);

#endif
