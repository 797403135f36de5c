/*
 * One Modbus TCP connection and the units behind it, as a state machine on the thread of a loop: it
 * never blocks, so that one thread serves any number of them. docs/modbus.md says what is promised.
 */
#ifndef SLUICE_MODBUS_TCP_BUS_H
#define SLUICE_MODBUS_TCP_BUS_H

#include "core/loop.h"
#include "field/driver.h"
#include "modbus/dial.h"
#include "modbus/polling.h"

/* What the buses of one thread share. */
struct tcp_shared {
    struct loop *loop;
    const struct clock *clock;
    struct dial_look_ups look_ups;
    struct polling_scratch scratch;
};

struct tcp_bus;

/* Begins to connect and to poll; all three outlive the bus. ERR_NOMEM. On the loop's thread, as is
 * closing, which lets go of what was asked. */
int tcp_bus_open(struct tcp_bus **bus, struct tcp_shared *shared, const struct site_bus *site,
                 struct driver_host *host);
void tcp_bus_close(struct tcp_bus *bus);

/* A command may have come. */
void tcp_bus_wake(struct tcp_bus *bus);

/* With `rest` nothing new is begun: only a command that is under way goes on. */
void tcp_bus_rest(struct tcp_bus *bus, bool rest);

/* Lets go of the connection: the bus was lent; and polls again, with all that it knows. */
void tcp_bus_leave(struct tcp_bus *bus);
void tcp_bus_back(struct tcp_bus *bus);

/* Whether a command is under way or, with `replies`, a reply is waited for. */
bool tcp_bus_at_work(const struct tcp_bus *bus, bool replies);

#endif
