/* Who has a serial port. */
#ifndef SLUICE_SERIAL_PORT_HOLDER_H
#define SLUICE_SERIAL_PORT_HOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "serial/port_find.h"

#define PORT_HOLDER_MAX 96

/*
 * Names the process that uses the port, as "minicom (process 4711)": by its lock on the port, by a
 * lock file as modem programs leave (LCK..ttyUSB0), or because it has it open, which only root sees
 * of others' processes. False when nobody was found. Looks at every process: not for often.
 */
bool port_holder(const struct port_roots *roots, const char *path, char out[PORT_HOLDER_MAX]);

/* The same by lock file only, which a program may have that locks in no other way. Files of
 * processes that have ended do not count. */
bool port_holder_by_file(const struct port_roots *roots, const char *path,
                         char out[PORT_HOLDER_MAX]);

#endif
