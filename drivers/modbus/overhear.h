/* Listening to a line without a word. */
#ifndef SLUICE_MODBUS_OVERHEAR_H
#define SLUICE_MODBUS_OVERHEAR_H

#include "field/driver.h"
#include "modbus/listen.h"
#include "modbus/options.h"

/* Gets bytes as they come; with size 0 when none have come for `patience_ns`, once. Returns false
 * to end. */
typedef bool overhear_fn(void *context, int64_t mono_ns, const uint8_t *bytes, size_t size);

/*
 * Opens the port (or, where options->port is NULL, a connection to options->host) and hands over
 * what arrives until the moment. Returns 0, ERR_CLOSED when the host stops, or an error of opening
 * or reading with a sentence in `why`. On the thread of `host`.
 */
int overhear(const struct modbus_bus_options *options, struct driver_host *host,
             int64_t patience_ns, int64_t until_mono_ns, overhear_fn *fn, void *context, char *why,
             size_t why_size);

/* The same for so long, into what a line carries: *verdict. */
int overhear_line(const struct modbus_bus_options *options, struct driver_host *host,
                  int64_t for_ns, struct listen *listen, enum listen_verdict *verdict, char *why,
                  size_t why_size);

#endif
