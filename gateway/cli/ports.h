/* The list that `sluice ports` prints. */
#ifndef SLUICE_CLI_PORTS_H
#define SLUICE_CLI_PORTS_H

#include <stdbool.h>
#include <stdio.h>

#include "serial/port_find.h"

/* `rs485`: opens each port that nobody uses, to ask it. Returns an exit code. */
int ports_print(const struct port_roots *roots, bool json, bool rs485, FILE *out);

#endif
