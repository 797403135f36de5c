#include <errno.h>
#include <linux/serial.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/error.h"
#include "modbus/link.h"
#include "modbus/wire.h"

static int set_rs485(int fd)
{
    struct serial_rs485 mode;

    if (ioctl(fd, TIOCGRS485, &mode) < 0)
        return ERR_UNSUPPORTED;
    mode.flags |= SER_RS485_ENABLED;
    return ioctl(fd, TIOCSRS485, &mode) < 0 ? ERR_UNSUPPORTED : 0;
}

static const char *advice(int error)
{
    switch (error) {
    case ERR_NOT_FOUND:
        return "it is not there: plug the adapter in, or correct \"port\"";
    case ERR_BUSY:
        return "another program has it: end that program";
    case ERR_DENIED:
        return "permission denied: the gateway's user must be in the group of the port (dialout)";
    default:
        return error_text(error);
    }
}

static int open_port(struct wire *wire, char *why, size_t why_size)
{
    const struct modbus_bus_options *options = wire->options;
    int fd, error = port_open(options->port, &options->line, &fd);

    if (error) {
        snprintf(why, why_size, "port %s: %s", options->port, advice(error));
        return error;
    }
    if (options->rs485 == MODBUS_RS485_KERNEL && set_rs485(fd) != 0) {
        port_close(fd);
        snprintf(why, why_size,
                 "port %s: its driver cannot switch RS-485; set \"rs485\" to \"none\" if the "
                 "transceiver switches by itself",
                 options->port);
        return ERR_UNSUPPORTED;
    }
    wire->fd = fd;
    wire->byte_ns = port_byte_ns(&options->line);
    wire->silence_ns = link_silence_ns(options);
    return 0;
}

static int write_port(struct wire *wire, const uint8_t *bytes, size_t size)
{
    return write(wire->fd, bytes, size) == (ssize_t)size ? 0 : ERR_IO;
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

    *wire = (struct wire){
        .ops = &ops,
        .host = host,
        .options = options,
        .fd = -1,
    };
}
