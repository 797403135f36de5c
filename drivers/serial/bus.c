#include "serial/bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"
#include "core/status.h"
#include "serial/device.h"

#define REOPEN_NS NS_PER_S
#define IDLE_NS   (60 * NS_PER_S) /* the longest wait for nothing in particular */
#define READ_SIZE 512
#define GAP_BYTE_TIMES                                                                             \
    4 /* left between a reply and the next request, for the line to turn round                     \
       */

struct bus {
    const struct site_bus *site;
    const struct serial_bus_options *options;
    struct driver_host *host;
    struct line_framer framer;
    struct checksum checksum;
    char text[LINE_SIZE_MAX + 1]; /* the line at hand */
    struct device *devices;
    bool asked;
    int fd; /* -1: the port is not there */
    bool told_missing;
    struct device *last; /* the device that was asked last */
    bool waiting;        /* for its reply */
    int64_t sent_ns;
    int64_t deadline_ns;    /* of the whole reply */
    uint16_t fault;         /* what is wrong with the reply so far */
    size_t echo_left;       /* bytes of the request that the adapter has yet to return */
    int64_t quiet_until_ns; /* what comes before is nobody's: a late reply must not answer the next
                               request */
};

static int64_t now(const struct bus *bus)
{
    return clock_mono(bus->host->clock);
}

static void close_port(struct bus *bus)
{
    port_close(bus->fd);
    bus->fd = -1;
    bus->waiting = false;
}

static void lose_port(struct bus *bus, const char *why)
{
    log_warn("serial", "bus %s: the port %s failed (%s); trying it again each second",
             bus->site->id, bus->options->port, why);
    bus->told_missing = true;
    close_port(bus);
    for (size_t i = 0; i < bus->site->device_count; i++)
        device_lost(&bus->devices[i], now(bus), STATUS_NO_PORT);
}

static const char *port_advice(int error)
{
    switch (error) {
    case ERR_NOT_FOUND:
        return "there is no such port: plug the adapter in, or see /dev/serial/by-id for its name";
    case ERR_DENIED:
        return "permission denied: add the daemon's user to the group that owns the port (dialout)";
    case ERR_BUSY:
        return "another program uses it";
    default:
        return error_text(error);
    }
}

static void try_port(struct bus *bus)
{
    int error = port_open(bus->options->port, &bus->options->line, &bus->fd);
    bool returned = bus->told_missing;

    if (error && !bus->told_missing) {
        log_warn("serial", "bus %s: cannot open %s: %s; trying it again each second", bus->site->id,
                 bus->options->port, port_advice(error));
        bus->told_missing = true;
        for (size_t i = 0; i < bus->site->device_count; i++)
            device_lost(&bus->devices[i], now(bus), STATUS_NO_PORT);
    }
    if (error)
        return;
    if (returned)
        log_info("serial", "bus %s: the port %s is there again", bus->site->id, bus->options->port);
    bus->told_missing = false;
    line_reset(&bus->framer);
    bus->quiet_until_ns = 0;
    for (size_t i = 0; i < bus->site->device_count; i++) {
        device_restart(&bus->devices[i], now(bus));
        if (returned)
            atomic_fetch_add(&bus->devices[i].stats->reconnects, 1);
    }
}

/* The reply is over, for better or worse: the line is left alone for a while before the next
 * request. */
static void end_reply(struct bus *bus, int64_t quiet_ns)
{
    bus->waiting = false;
    bus->quiet_until_ns = now(bus) + quiet_ns;
    line_reset(&bus->framer);
}

static void miss_reply(struct bus *bus, uint16_t status)
{
    struct device *device = bus->last;

    if (status == STATUS_TIMEOUT)
        atomic_fetch_add(&device->stats->timeouts, 1);
    /* A reply that is late by up to another time-out is thrown away instead of taken for the next
     * one. */
    end_reply(bus, device->options->timeout_ns);
    device_missed(device, now(bus), status);
}

static void ask(struct bus *bus, struct device *device)
{
    size_t size = strlen(device->options->request);
    int64_t byte_ns = port_byte_ns(&bus->options->line);
    ssize_t sent;

    device_begin(device, now(bus));
    port_flush_input(bus->fd);
    line_reset(&bus->framer);
    bus->last = device;
    atomic_fetch_add(&device->stats->requests, 1);
    atomic_fetch_add(&device->stats->busy_ns, (int64_t)size * byte_ns);
    sent = write(bus->fd, device->options->request, size);
    if (sent < 0 && errno != EAGAIN) {
        lose_port(bus, strerror(errno));
        return;
    }
    bus->sent_ns = now(bus);
    bus->waiting = true;
    bus->fault = STATUS_TIMEOUT;
    bus->echo_left = bus->options->echo ? size : 0;
    bus->deadline_ns = bus->sent_ns + (int64_t)size * byte_ns + device->options->timeout_ns;
    if (sent != (ssize_t)size) {
        port_flush_output(bus->fd);
        miss_reply(bus, STATUS_COMMUNICATION);
    }
}

/* Whom a fault is counted for: whoever was asked; on a bus whose devices speak by themselves nobody
 * can tell, and the first one is taken. */
static struct driver_stats *fault_stats(struct bus *bus)
{
    return bus->last ? bus->last->stats : bus->devices[0].stats;
}

static void count_bytes(struct bus *bus, struct device *device, size_t line_size)
{
    int64_t bytes = (int64_t)(line_size + bus->framer.end_size);

    atomic_fetch_add(&device->stats->busy_ns, bytes * port_byte_ns(&bus->options->line));
}

/* Offers a line to the device that was asked. Returns whether it took it. */
static bool offer_reply(struct bus *bus, const char *line, size_t size, int64_t read_ns)
{
    struct device *device = bus->last;
    enum device_took took = device_offer(device, line, size, read_ns);

    if (took == DEVICE_NOT_MINE) {
        bus->fault = STATUS_UNEXPECTED;
        return false;
    }
    count_bytes(bus, device, size);
    if (took == DEVICE_COMPLETE) {
        atomic_store(&device->stats->round_trip_ns, read_ns - bus->sent_ns);
        end_reply(bus, GAP_BYTE_TIMES * port_byte_ns(&bus->options->line));
        device_answered(device, read_ns);
    } else {
        bus->fault = STATUS_FORMAT; /* unless the rest comes */
    }
    return true;
}

/* Offers a line to the devices that speak by themselves; the first whose it is takes it. */
static bool offer_to_all(struct bus *bus, const char *line, size_t size, int64_t read_ns)
{
    for (size_t i = 0; i < bus->site->device_count; i++) {
        struct device *device = &bus->devices[i];

        if (device_offer(device, line, size, read_ns) == DEVICE_NOT_MINE)
            continue;
        count_bytes(bus, device, size);
        device_answered(device, read_ns);
        return true;
    }
    return false;
}

static bool offer(struct bus *bus, const char *line, size_t size, int64_t read_ns)
{
    return bus->asked ? offer_reply(bus, line, size, read_ns)
                      : offer_to_all(bus, line, size, read_ns);
}

/*
 * Copies a line's text into bus->text without its checksum. A zero byte stands for one that came
 * with a parity error, as no line's text has any.
 */
static bool copy_text(struct bus *bus, const struct line *line, size_t *size)
{
    if (checksum_check(&bus->checksum, line->data, line->size, size) < 0 ||
        memchr(line->data, 0, *size))
        return false;
    memcpy(bus->text, line->data, *size);
    bus->text[*size] = 0;
    return true;
}

static void take_lines(struct bus *bus, int64_t read_ns)
{
    struct line line;
    size_t size;

    while ((!bus->asked || bus->waiting) && line_next(&bus->framer, &line)) {
        if (!copy_text(bus, &line, &size)) {
            bus->fault = STATUS_CORRUPT;
            if (!line.hidden)
                atomic_fetch_add(&fault_stats(bus)->corrupt, 1);
            line_reject(&bus->framer);
        } else if (offer(bus, bus->text, size, read_ns)) {
            line_accept(&bus->framer);
        } else {
            if (!line.hidden)
                atomic_fetch_add(&fault_stats(bus)->unexpected, 1);
            line_reject(&bus->framer);
        }
    }
}

/* Leaves out what the adapter returns of the request. */
static size_t skip_echo(struct bus *bus, const uint8_t *bytes, size_t size)
{
    const char *request = bus->last ? bus->last->options->request : "";
    size_t at = 0;

    while (bus->echo_left > 0 && at < size) {
        if (bytes[at] != (uint8_t)request[strlen(request) - bus->echo_left]) {
            bus->echo_left = 0;
            break;
        }
        bus->echo_left--;
        at++;
    }
    return at;
}

static void receive(struct bus *bus)
{
    uint8_t bytes[READ_SIZE];
    ssize_t got = read(bus->fd, bytes, sizeof(bytes));
    int64_t read_ns = now(bus);
    size_t at;

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        lose_port(bus, got < 0 ? strerror(errno) : "it was unplugged");
        return;
    }
    if (bus->asked && !bus->waiting) {
        atomic_fetch_add(&fault_stats(bus)->unexpected, 1);
        return;
    }
    at = skip_echo(bus, bytes, (size_t)got);
    while (at < (size_t)got && (!bus->asked || bus->waiting)) {
        at += line_feed(&bus->framer, bytes + at, (size_t)got - at);
        take_lines(bus, read_ns);
    }
}

/* The asked device whose request is due first. */
static struct device *first_due(struct bus *bus)
{
    struct device *first = &bus->devices[0];

    for (size_t i = 1; i < bus->site->device_count; i++) {
        if (bus->devices[i].next_ns < first->next_ns)
            first = &bus->devices[i];
    }
    return first;
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

static void check_silence(struct bus *bus)
{
    int64_t now_ns = now(bus);

    for (size_t i = 0; i < bus->site->device_count; i++) {
        struct device *device = &bus->devices[i];

        if (device->silent_ns > now_ns)
            continue;
        atomic_fetch_add(&device->stats->timeouts, 1);
        device_lost(device, now_ns, STATUS_TIMEOUT);
    }
}

/* Does what is due, and returns when the next thing will be. */
static int64_t do_due(struct bus *bus)
{
    struct device *due;
    int64_t due_ns;

    if (bus->fd < 0) {
        try_port(bus);
        return bus->fd < 0 ? now(bus) + REOPEN_NS : now(bus);
    }
    if (!bus->asked) {
        check_silence(bus);
        return first_silent_ns(bus);
    }
    if (bus->waiting && now(bus) >= bus->deadline_ns)
        miss_reply(bus, bus->fault);
    if (bus->waiting)
        return bus->deadline_ns;
    due = first_due(bus);
    due_ns = due->next_ns > bus->quiet_until_ns ? due->next_ns : bus->quiet_until_ns;
    if (due_ns > now(bus))
        return due_ns;
    ask(bus, due);
    return bus->waiting ? bus->deadline_ns : now(bus);
}

static void poll_bus(struct bus *bus)
{
    for (;;) {
        int64_t until_ns = do_due(bus), idle_ns = now(bus) + IDLE_NS;
        int ready = host_wait(bus->host, bus->fd, until_ns < idle_ns ? until_ns : idle_ns);

        if (ready < 0)
            return;
        if (ready > 0 && bus->fd >= 0)
            receive(bus);
    }
}

static int open_bus(struct bus *bus)
{
    struct line_framing framing;

    serial_framing(bus->options, &framing);
    serial_checksum(bus->options, &bus->checksum);
    line_init(&bus->framer, &framing);
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
