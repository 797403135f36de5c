/* How a person's questions reach the devices of a line, without a gateway: the same links as the
 * drivers', asked by whoever waits for the answer. */
#ifndef SLUICE_MODBUS_ASK_H
#define SLUICE_MODBUS_ASK_H

#include "modbus/link.h"
#include "modbus/read.h"

struct ask;

/*
 * What reaches the line of a question (host, port, line, frames, echo, timeout_ns of `read`): the
 * options of a bus, as far as they can be without driver->check, and the driver. 0; ERR_INVALID
 * with a sentence in `why`.
 */
int ask_line(const struct modbus_read *read, struct modbus_bus_options *bus,
             const struct driver **driver, char *why, size_t why_size);

/*
 * Opens a bus that driver->check has agreed to; `bus` and `host` outlive it. It is waited by the
 * host, so that who gives it can stop what is under way (ERR_CLOSED); NULL: nothing stops it. 0,
 * ERR_NOMEM, or the error of the link's open, with a sentence in `why`.
 */
int ask_open(struct ask **ask, const struct driver *driver, const struct modbus_bus_options *bus,
             struct driver_host *host, char *why, size_t why_size);
void ask_close(struct ask *ask); /* NULL is fine */

/*
 * One transaction, as a link's (link.h); the link is opened again when one before has cost it. An
 * error of that has its sentence in ask_why until the next call; "" for others. Blocks.
 */
int ask_read(struct ask *ask, const struct modbus_request *request, struct link_reply *reply);
const char *ask_why(const struct ask *ask);

#endif
