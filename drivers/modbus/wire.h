/*
 * What carries the bytes of a line: a serial port, a connection to a device server, or what a test
 * puts in its place. It knows bytes and nothing of frames. Waiting, and what time it is, are the
 * host's.
 */
#ifndef SLUICE_MODBUS_WIRE_H
#define SLUICE_MODBUS_WIRE_H

#include "field/driver.h"
#include "modbus/options.h"
#include "serial/port_place.h"

struct wire;

struct wire_ops {
    /* As link_ops.open (link.h); the sentence for the operator goes to `why`. */
    int (*open)(struct wire *wire, char *why, size_t why_size);

    /* Hands over all bytes, without waiting unless `drains`. Returns 0, or ERR_IO: the wire is
     * gone. */
    int (*write)(struct wire *wire, const uint8_t *bytes, size_t size);

    /* What has arrived, without waiting: how many bytes, 0 when there are none, ERR_IO when the
     * wire is gone. */
    int (*read)(struct wire *wire, uint8_t *bytes, size_t room);

    void (*close)(struct wire *wire); /* nothing happens when it is closed already */
};

struct wire {
    const struct wire_ops *ops;
    struct driver_host *host;
    const struct modbus_bus_options *options;
    int fd;             /* readable when bytes have arrived; -1 while it is closed */
    int64_t byte_ns;    /* what a byte takes; 0 where bytes come in no time that says anything */
    int64_t silence_ns; /* what separates two frames */
    bool drains;        /* writing returns when the last bit has left, and not before */
    struct port_place place; /* of a port */
    bool network;            /* silence may mean that the other end is gone */
};

/* Fill in a closed wire; `options` and `host` outlive it. */
void wire_port_init(struct wire *wire, const struct modbus_bus_options *options,
                    struct driver_host *host);
void wire_socket_init(struct wire *wire, const struct modbus_bus_options *options,
                      struct driver_host *host);

static inline int64_t wire_now(const struct wire *wire)
{
    return clock_mono(wire->host->clock);
}

/* The ops, heard by whoever listens to the bus (field/tap.h). What is sent counts as heard when its
 * last bit has left. */
static inline int wire_write(struct wire *wire, const uint8_t *bytes, size_t size)
{
    int error = wire->ops->write(wire, bytes, size);

    if (!error && tap_wanted(wire->host->tap))
        tap_put(wire->host->tap, TAP_SENT,
                wire_now(wire) + (wire->drains ? 0 : (int64_t)size * wire->byte_ns), bytes, size);
    return error;
}

static inline int wire_read(struct wire *wire, uint8_t *bytes, size_t room)
{
    int size = wire->ops->read(wire, bytes, room);

    if (size > 0 && tap_wanted(wire->host->tap))
        tap_put(wire->host->tap, TAP_RECEIVED, wire_now(wire), bytes, (size_t)size);
    return size;
}

/* Tells that the wire was opened or closed. */
static inline void wire_told(struct wire *wire, enum tap_kind kind)
{
    if (tap_wanted(wire->host->tap))
        tap_put(wire->host->tap, kind, wire_now(wire), NULL, 0);
}

/* Waits until bytes have arrived or the time comes: 1, 0 at the time, ERR_CLOSED when the bus is to
 * stop. */
static inline int wire_wait(struct wire *wire, int64_t until_mono_ns)
{
    return host_wait(wire->host, wire->fd, until_mono_ns);
}

#endif
