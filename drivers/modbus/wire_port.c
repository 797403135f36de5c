#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "core/error.h"
#include "modbus/link.h"
#include "modbus/wire.h"

/* Which adapter it is, for a later life of the gateway. Who only asks has no sink. */
static void remember(struct wire *wire)
{
    char text[PORT_PLACE_TEXT_MAX];
    size_t size = port_place_news(&wire->place, wire->options->port, text);

    if (size && wire->host->sink)
        sink_bus_learnt(wire->host->sink, text, size);
}

static int open_port(struct wire *wire, char *why, size_t why_size)
{
    const struct modbus_bus_options *options = wire->options;
    int fd, error = port_place_open(&wire->place, &port_roots_system, options->port, &options->line,
                                    &options->rs485, &fd);

    if (error) {
        snprintf(why, why_size, "port %.100s: %s", options->port, wire->place.why);
        return error;
    }
    remember(wire);
    wire->fd = fd;
    wire->drains = wire->place.rs485.mode == PORT_RS485_RTS;
    wire->byte_ns = port_byte_ns(&options->line);
    wire->silence_ns = link_silence_ns(options);
    return 0;
}

static int write_port(struct wire *wire, const uint8_t *bytes, size_t size)
{
    const struct modbus_bus_options *options = wire->options;

    ssize_t written = port_rs485_write(wire->fd, &wire->place.rs485, &options->line, bytes, size);

    return written == (ssize_t)size ? 0 : ERR_IO;
}

static int read_port(struct wire *wire, uint8_t *bytes, size_t room)
{
    ssize_t size = read(wire->fd, bytes, room);

    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR))
        return ERR_IO;
    return size > 0 ? (int)size : 0;
}

static void close_port(struct wire *wire)
{
    port_close(wire->fd);
    wire->fd = -1;
}

void wire_port_init(struct wire *wire, const struct modbus_bus_options *options,
                    struct driver_host *host)
{
    static const struct wire_ops ops = {open_port, write_port, read_port, close_port};
    char text[PORT_PLACE_TEXT_MAX];

    *wire = (struct wire){
        .ops = &ops,
        .host = host,
        .options = options,
        .fd = -1,
    };
    size_t size = host_bus_learnt(host, text, sizeof text);
    if (size)
        port_place_take(&wire->place, options->port, text, size);
}
