/* Opens a TCP connection without blocking for longer than allowed. */
#ifndef SLUICE_MODBUS_CONNECT_H
#define SLUICE_MODBUS_CONNECT_H

#include "field/driver.h"
#include "modbus/options.h"

/*
 * Looks up `address`, then connects to the first of its addresses that answers. `timeout_ns` is for
 * all of them together, from the moment the name is known; each gets an even share of what is left.
 * The look-up takes what the resolver takes. Both end at once when the bus is to stop. On the bus's
 * own thread. The socket blocks, is close-on-exec and has TCP_NODELAY. Returns it, or ERR_CLOSED
 * (the bus stops), ERR_NAME, or why the last address could not be reached: ERR_REFUSED,
 * ERR_UNREACHABLE, ERR_TIMEOUT; ERR_DESCRIPTORS, ERR_NOMEM, ERR_IO.
 */
int connect_tcp(const struct modbus_host *address, int64_t timeout_ns, struct driver_host *host);

/* A sentence for the operator about what it returned. */
void connect_explain(const struct modbus_host *address, int error, char *why, size_t why_size);

#endif
