#include "serial/bus.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/log.h"
#include "core/status.h"
#include "serial/inside.h"

#define REOPEN_NS NS_PER_S
#define IDLE_NS   (60 * NS_PER_S) /* the longest wait for nothing in particular */

static void close_port(struct bus *bus)
{
    port_close(bus->fd);
    bus->fd = -1;
    bus->waiting = false;
    bus->again = NULL;
}

void bus_lose_port(struct bus *bus, const char *why)
{
    log_warn("serial", "bus %s: the port %s failed (%s); trying it again each second",
             bus->site->id, bus->options->port, why);
    bus->told_missing = true;
    close_port(bus);
    for (size_t i = 0; i < bus->site->device_count; i++)
        device_lost(&bus->devices[i], bus_now(bus), STATUS_NO_PORT);
}

/* An exchange begins with the line of its device; devices that speak by themselves have one. */
static const struct port_settings *first_line(const struct bus *bus)
{
    return bus->asked || bus->site->device_count == 0
               ? &bus->options->line
               : serial_line(bus->options, bus->devices[0].options);
}

/* Which adapter it is, for a later life of the gateway. */
static void remember(struct bus *bus)
{
    char text[PORT_PLACE_TEXT_MAX];
    size_t size = port_place_news(&bus->place, bus->options->port, text);

    if (size)
        sink_bus_learnt(bus->host->sink, text, size);
}

/* Which one it was in an earlier life. */
static void recall(struct bus *bus)
{
    char text[PORT_PLACE_TEXT_MAX];
    size_t size = host_bus_learnt(bus->host, text, sizeof text);

    if (size)
        port_place_take(&bus->place, bus->options->port, text, size);
}

static int open_port(struct bus *bus)
{
    const struct serial_bus_options *options = bus->options;
    int error = port_place_open(&bus->place, &port_roots_system, options->port, first_line(bus),
                                &options->rs485, &bus->fd);

    if (!error)
        remember(bus);
    return error;
}

static void try_port(struct bus *bus)
{
    int error = open_port(bus);
    bool returned = bus->told_missing;

    if (error && !bus->told_missing) {
        log_warn("serial", "bus %s: cannot open %s: %s; trying it again each second", bus->site->id,
                 bus->options->port, bus->place.why);
        bus->told_missing = true;
        for (size_t i = 0; i < bus->site->device_count; i++)
            device_lost(&bus->devices[i], bus_now(bus), STATUS_NO_PORT);
    }
    if (error)
        return;
    if (returned)
        log_info("serial", "bus %s: the port %s is there again", bus->site->id, bus->options->port);
    bus->told_missing = false;
    bus->exchange.line = *first_line(bus);
    line_reset(&bus->framer);
    bus->quiet_until_ns = 0;
    for (size_t i = 0; i < bus->site->device_count; i++) {
        device_restart(&bus->devices[i], bus_now(bus));
        if (returned)
            atomic_fetch_add(&bus->devices[i].stats->reconnects, 1);
    }
}

static int64_t first_silent_ns(const struct bus *bus)
{
    int64_t first_ns = INT64_MAX;

    for (size_t i = 0; i < bus->site->device_count; i++) {
        if (bus->devices[i].silent_ns < first_ns)
            first_ns = bus->devices[i].silent_ns;
    }
    return first_ns;
}

/* Bytes that go on coming and make no line of anybody are no silence: the rate, the checksum or the
 * choice of what is sent is another. */
static uint16_t why_silent(const struct bus *bus, const struct device *device, int64_t now_ns)
{
    int64_t since_ns = now_ns - device->options->silent_after_ns / 2;

    return bus->received_ns > since_ns && bus->heard_ns < bus->received_ns &&
                   bus->heard_ns < since_ns
               ? STATUS_CORRUPT
               : STATUS_TIMEOUT;
}

static void check_silence(struct bus *bus)
{
    int64_t now_ns = bus_now(bus);

    for (size_t i = 0; i < bus->site->device_count; i++) {
        struct device *device = &bus->devices[i];

        if (device->silent_ns > now_ns)
            continue;
        uint16_t status = why_silent(bus, device, now_ns);
        atomic_fetch_add(
            status == STATUS_TIMEOUT ? &device->stats->timeouts : &device->stats->corrupt, 1);
        device_lost(device, now_ns, status);
    }
}

/* Does what is due, and returns when the next thing will be. */
static int64_t do_due(struct bus *bus)
{
    if (bus->fd < 0) {
        try_port(bus);
        return bus->fd < 0 ? bus_now(bus) + REOPEN_NS : bus_now(bus);
    }
    receive_notice_silence(bus);
    if (!bus->asked) {
        check_silence(bus);
        return bus_sooner(first_silent_ns(bus), receive_silence_ns(bus));
    }
    return asking_do_due(bus);
}

static void poll_bus(struct bus *bus)
{
    for (;;) {
        /* Between two exchanges the bus can be given up, also where they follow each other at once.
         */
        if (!bus->waiting && host_rest(bus->host, -1, bus_now(bus)) < 0)
            return;
        int64_t until_ns = do_due(bus), idle_ns = bus_now(bus) + IDLE_NS;
        int64_t wake_ns = until_ns < idle_ns ? until_ns : idle_ns;
        int ready = bus->waiting ? host_wait(bus->host, bus->fd, wake_ns)
                                 : host_rest(bus->host, bus->fd, wake_ns);

        if (ready < 0)
            return;
        if (ready > 0 && bus->fd >= 0)
            receive_bytes(bus);
    }
}

static int open_bus(struct bus *bus)
{
    bus->devices = calloc(bus->site->device_count + 1, sizeof(*bus->devices));
    if (!bus->devices)
        return ERR_NOMEM;
    for (size_t i = 0; i < bus->site->device_count; i++) {
        int error = device_open(&bus->devices[i], &bus->site->devices[i], &bus->host->stats[i],
                                bus->host->sink);

        if (error)
            return error;
    }
    bus->asked = bus->site->device_count > 0 && serial_is_asked(bus->devices[0].options);
    /* Devices that speak by themselves share their framing: a check saw to it. */
    if (bus->site->device_count == 0)
        receive_frame_as_text(bus);
    else
        receive_frame_as(bus, &bus->devices[0]);
    for (size_t i = 0; i < bus->site->device_count; i++)
        bus->framing.is_binary |= !bus->asked && bus->devices[i].is_binary;
    line_init(&bus->framer, &bus->framing.line);
    recall(bus);
    return 0;
}

int serial_run(const struct site_bus *site, struct driver_host *host)
{
    struct bus *bus;
    int error;

    bus = calloc(1, sizeof(*bus));
    if (!bus)
        return ERR_NOMEM;
    bus->site = site;
    bus->options = site->options;
    bus->host = host;
    bus->fd = -1;
    error = open_bus(bus);
    if (!error)
        poll_bus(bus);
    close_port(bus);
    for (size_t i = 0; bus->devices && i < site->device_count; i++)
        device_close(&bus->devices[i]);
    free(bus->devices);
    free(bus);
    return error;
}
