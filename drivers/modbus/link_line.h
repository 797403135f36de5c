/* The inside of a link on a line: for what makes wires of its own. */
#ifndef SLUICE_MODBUS_LINK_LINE_H
#define SLUICE_MODBUS_LINK_LINE_H

#include "modbus/frames.h"
#include "modbus/link.h"

/* Makes a closed link on a copy of the closed `wire`, with our own frames. ERR_NOMEM. */
int link_new_line(struct link **link, const struct wire *wire, const struct frames_codec *codec);

#endif
