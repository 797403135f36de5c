/* The parts of tcp_bus.c and tcp_outcome.c that both need. */
#ifndef SLUICE_MODBUS_TCP_BUS_INSIDE_H
#define SLUICE_MODBUS_TCP_BUS_INSIDE_H

#include "modbus/tcp_bus.h"
#include "modbus/tcp_flight.h"
#include "modbus/tcp_window.h"
#include "modbus/writing.h"

/* What is known of the unit of a device. */
struct unit {
    struct fence fence; /* of devices with one unit number, the first one's is used */
    bool alone;         /* the next request is to be sent while no other is under way */
};

struct flight {
    bool used;
    bool unsent; /* its frame is to be sent as soon as nothing is left to be read */
    bool beside; /* it was sent while others were under way */
    bool writes; /* it is of a command, not of the turn */
    uint32_t device;
    struct polling_turn turn;
    struct tcp_flight tcp;
};

struct tcp_bus {
    struct tcp_shared *shared;
    const struct modbus_bus_options *options;
    struct polling polling;
    struct writing writing;
    uint16_t gone; /* why it cannot be connected to at present; 0: nobody knows that it cannot */
    struct loop_timer *timer;
    struct dial *dial;        /* while it connects */
    struct loop_watch *watch; /* while it is connected */
    int fd;
    bool rests;      /* nothing new is begun */
    bool asked;      /* anything, on this connection */
    uint16_t number; /* of the last request */
    uint32_t device; /* that was asked last */
    unsigned silent;
    size_t heard;     /* bytes since the last request */
    int64_t heard_ns; /* when the last of them came */
    struct mbap mbap;
    struct unit *units; /* of each device */
    unsigned alone;     /* how many of them are */
    struct tcp_window window;
    unsigned under_way;
    struct flight *flights; /* window.most of them */
};

static inline int64_t tcp_bus_now(const struct tcp_bus *bus)
{
    return clock_mono(bus->shared->clock);
}

/* The unit number of a device, and what is known of that unit's requests. */
static inline int64_t tcp_bus_unit(const struct tcp_bus *bus, uint32_t device)
{
    return ((const struct modbus_device_options *)bus->polling.site->devices[device].options)->unit;
}

struct fence *tcp_bus_fence(struct tcp_bus *bus, uint32_t device);

/* Closes the connection; what was under way stays. */
void tcp_bus_hang_up(struct tcp_bus *bus);

/* All requests that are under way but `other` (NULL: all) have no outcome: the connection is gone.
 */
void tcp_bus_excuse_all(struct tcp_bus *bus, const struct flight *other);

/* While several requests may be under way, the unit of this one gets no other, or may again. */
void tcp_bus_hold(struct tcp_bus *bus, const struct flight *flight, bool held);

/* A request has its outcome: as of link_ops.transact. Afterwards the connection may be closed. */
void tcp_bus_conclude(struct tcp_bus *bus, struct flight *flight, int result);

#endif
