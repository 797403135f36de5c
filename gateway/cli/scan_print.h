/* What `sluice scan` prints. */
#ifndef SLUICE_CLI_SCAN_PRINT_H
#define SLUICE_CLI_SCAN_PRINT_H

#include "modbus/listen.h"
#include "modbus/scan.h"

/* How a line was found before anything was asked; `line` NULL: there is none to be set. */
void scan_print_heard(const struct listen *listen, enum listen_verdict verdict,
                      const struct port_settings *line, bool json);

/* A device; `profile` is a guess, NULL: none. */
void scan_print_found(const struct scan_found *found, const char *profile, bool json);

/* The last line of JSON: how many there are, and the units that were asked. */
void scan_print_end(int found, const char *units);

/* "2 min 10 s" */
const char *scan_print_time(int64_t ns, char text[32]);

#endif
