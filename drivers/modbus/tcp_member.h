/*
 * A bus in the engine: polled over its connection, or lent. A device that takes one connection only
 * can be asked by another program while its bus is lent. On the loop's thread.
 */
#ifndef SLUICE_MODBUS_TCP_MEMBER_H
#define SLUICE_MODBUS_TCP_MEMBER_H

#include "modbus/tcp_bus.h"

struct tcp_member;

/* As tcp_bus_open and tcp_bus_close. */
int tcp_member_open(struct tcp_member **member, struct tcp_shared *shared,
                    const struct site_bus *site, struct driver_host *host);
void tcp_member_close(struct tcp_member *member);

/* Whether a request is under way. */
bool tcp_member_at_work(const struct tcp_member *member);

/* A command may have come, or the bus may have been lent or taken back, or is to stop. */
void tcp_member_wake(struct tcp_member *member);

#endif
