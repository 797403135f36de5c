#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/error.h"
#include "modbus/connect.h"
#include "modbus/wire.h"

/* A device server breaks frames up and joins them; what belongs together, or comes twice, is there
 * within so long. */
#define SILENCE_NS (2 * NS_PER_MS)

static int open_socket(struct wire *wire, char *why, size_t why_size)
{
    const struct modbus_host *address = &wire->options->host;
    int fd = connect_tcp(address, wire->options->connect_timeout_ns, wire->host);

    if (fd < 0) {
        connect_explain(address, fd, why, why_size);
        return fd;
    }
    wire->fd = fd;
    return 0;
}

static int write_socket(struct wire *wire, const uint8_t *bytes, size_t size)
{
    return send(wire->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size ? 0 : ERR_IO;
}

static int read_socket(struct wire *wire, uint8_t *bytes, size_t room)
{
    ssize_t size = recv(wire->fd, bytes, room, MSG_DONTWAIT);

    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR))
        return ERR_IO;
    return size > 0 ? (int)size : 0;
}

static void close_socket(struct wire *wire)
{
    if (wire->fd >= 0)
        close(wire->fd);
    wire->fd = -1;
}

void wire_socket_init(struct wire *wire, const struct modbus_bus_options *options,
                      struct driver_host *host)
{
    static const struct wire_ops ops = {open_socket, write_socket, read_socket, close_socket};

    *wire = (struct wire){.ops = &ops,
                          .host = host,
                          .options = options,
                          .fd = -1,
                          .silence_ns = SILENCE_NS,
                          .network = true};
}
