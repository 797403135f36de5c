/*
 * How many requests may be under way at once on a connection of Modbus TCP, each to another unit. A
 * second one is sent only when the first is overdue, as that of a unit that is slow or dead, so
 * that a server whose units answer sees one at a time. Many servers forget what comes while they
 * wait, or hang up: one that does is asked one at a time for an hour. Pure: no I/O.
 */
#ifndef SLUICE_MODBUS_TCP_WINDOW_H
#define SLUICE_MODBUS_TCP_WINDOW_H

#include <stdbool.h>
#include <stddef.h>

#include "core/clock.h"

#define TCP_IN_FLIGHT_MAX   16
#define TCP_WINDOW_AGAIN_NS (3600 * NS_PER_S)

struct tcp_window {
    unsigned most;    /* 1 to TCP_IN_FLIGHT_MAX */
    unsigned ignored; /* requests in a row beside others that got no answer */
    unsigned hung_up; /* times in a row that the connection broke while several were under way */
    int64_t alone_until_ns;
};

/* `in_flight` is what the operator says that the server takes; 0: nothing, so that it is one. */
void tcp_window_init(struct tcp_window *window, unsigned in_flight, size_t units);

/* How many may be under way. */
unsigned tcp_window_size(const struct tcp_window *window, int64_t now_ns);

/* A request that was sent beside others was answered. */
void tcp_window_answered(struct tcp_window *window);

/* One was not; the connection broke while several were under way. Return whether it is one at a
 * time from now on because of that. */
bool tcp_window_ignored(struct tcp_window *window, int64_t now_ns);
bool tcp_window_hung_up(struct tcp_window *window, int64_t now_ns);

#endif
