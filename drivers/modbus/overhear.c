#include "modbus/overhear.h"

#include <stdio.h>

#include "core/error.h"
#include "modbus/advice.h"
#include "modbus/wire.h"

static int read_until(struct wire *wire, int64_t patience_ns, int64_t until_mono_ns,
                      overhear_fn *fn, void *context)
{
    int64_t quiet_ns = INT64_MAX; /* when what came last is all that comes */

    for (;;) {
        int ready = wire_wait(wire, quiet_ns < until_mono_ns ? quiet_ns : until_mono_ns);
        int64_t now = wire_now(wire);
        uint8_t bytes[1024];
        int size = 0;

        if (ready < 0)
            return ready;
        if (ready > 0)
            size = wire_read(wire, bytes, sizeof bytes);
        if (size < 0)
            return size;
        if (size > 0 || quiet_ns <= now) {
            quiet_ns = size > 0 ? now + patience_ns : INT64_MAX;
            if (!fn(context, now, bytes, (size_t)size))
                return 0;
        }
        if (now >= until_mono_ns)
            return 0;
    }
}

int overhear(const struct modbus_bus_options *options, struct driver_host *host,
             int64_t patience_ns, int64_t until_mono_ns, overhear_fn *fn, void *context, char *why,
             size_t why_size)
{
    struct wire wire;
    int error;

    if (options->port)
        wire_port_init(&wire, options, host);
    else
        wire_socket_init(&wire, options, host);
    error = wire.ops->open(&wire, why, why_size);
    if (error)
        return error;
    error = read_until(&wire, patience_ns, until_mono_ns, fn, context);
    wire.ops->close(&wire);
    if (error && error != ERR_CLOSED)
        snprintf(why, why_size, "%s",
                 options->port ? advice_port_failed : "the port or connection is gone");
    return error;
}

static bool feed(void *context, int64_t mono_ns, const uint8_t *bytes, size_t size)
{
    listen_feed(context, mono_ns, bytes, size);
    return true;
}

int overhear_line(const struct modbus_bus_options *options, struct driver_host *host,
                  int64_t for_ns, struct listen *listen, enum listen_verdict *verdict, char *why,
                  size_t why_size)
{
    int64_t byte_ns = options->port ? port_byte_ns(&options->line) : 0;
    int error;

    listen_init(listen, options->ascii ? SNIFF_ASCII : SNIFF_RTU, byte_ns);
    error = overhear(options, host, sniff_patience_ns(&listen->sniff),
                     clock_mono(host->clock) + for_ns, feed, listen, why, why_size);
    *verdict = listen_end(listen);
    return error;
}
