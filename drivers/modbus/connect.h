/* Opens a TCP connection without blocking for longer than allowed. */
#ifndef SLUICE_MODBUS_CONNECT_H
#define SLUICE_MODBUS_CONNECT_H

#include "field/driver.h"
#include "modbus/options.h"

/*
 * Connects to `address`, trying each of a name's addresses until the time-out, which also ends when
 * the bus is to stop (looking up a name in DNS does neither: it takes what the resolver takes). The
 * socket blocks, is close-on-exec and has TCP_NODELAY. Returns it, or ERR_CLOSED, ERR_NAME,
 * ERR_REFUSED, ERR_UNREACHABLE, ERR_TIMEOUT, ERR_IO.
 */
int connect_tcp(const struct modbus_host *address, int64_t timeout_ns, struct driver_host *host);

/* The error that stands for what connect() failed with. */
int connect_error(int failure);

/* A sentence for the operator about what it returned. */
void connect_explain(const struct modbus_host *address, int error, char *why, size_t why_size);

#endif
