/* What goes over a bus that this gateway polls, as lines of JSON: for sluice trace. */
#ifndef SLUICE_DAEMON_OVERHEAR_H
#define SLUICE_DAEMON_OVERHEAR_H

#include "daemon/running.h"
#include "web/api.h"

/* api_source.listen; `context` is a struct running. Thread-safe. */
int overhear_bus(void *context, const char *bus, void (*wake)(void *context), void *wake_context,
                 struct api_listener **listener);

#endif
