#include "modbus/bus.h"

#include <string.h>

#include "core/error.h"
#include "core/log.h"
#include "core/status.h"
#include "modbus/decode.h"
#include "modbus/devices.h"
#include "modbus/link.h"
#include "modbus/plan.h"

#define ITEMS_MAX          64
#define BUSY_MAX           3
#define BUSY_RETRY_NS      (500 * NS_PER_MS)
#define REFUSED_RETRY_NS   (60 * NS_PER_S) /* a register that the device does not have */
#define LOST_MAX           3               /* connections in a row that brought no reply */
#define REOPEN_NS          (1 * NS_PER_S)
#define REOPEN_TCP_MOST_NS (30 * NS_PER_S)

struct bus {
    const struct site_bus *site;
    struct driver_host *host;
    struct link *link;
    struct plan plan;
    struct devices devices;
    int64_t open_ns;   /* when to open the link again */
    int64_t reopen_ns; /* how long to wait when that fails */
    int64_t reopen_most_ns;
    bool told;     /* that the link does not work */
    unsigned lost; /* times in a row that it was lost without a reply */
    struct sink_item items[ITEMS_MAX];
    char text[MODBUS_TEXT_SIZE_MAX];
};

static int64_t now(const struct bus *bus)
{
    return clock_mono(bus->host->clock);
}

/* Nobody can be reached: told once, with what the operator can do. */
static void link_failed(struct bus *bus, uint16_t status, const char *why)
{
    if (!bus->told)
        log_warn("modbus", "bus %s: %s; it is tried again until it works", bus->site->id, why);
    bus->told = true;
    devices_link_lost(&bus->devices, status);
    bus->open_ns = now(bus) + bus->reopen_ns;
    bus->reopen_ns *= 2;
    if (bus->reopen_ns > bus->reopen_most_ns)
        bus->reopen_ns = bus->reopen_most_ns;
}

static int open_link(struct bus *bus)
{
    int error = bus->link->ops->open(bus->link);

    if (error == ERR_CLOSED)
        return error;
    if (error) {
        link_failed(bus, link_open_status(error), bus->link->why);
        return 0;
    }
    devices_link_back(&bus->devices);
    return 0;
}

/*
 * The link closed itself under a request. One that was idle for long may have been closed by the
 * other side, so the first time it is opened again at once; and so is always one that was closed
 * for being silent: what is known then is that devices do not answer, and that is told of them.
 */
static void link_lost(struct bus *bus, uint32_t device, int result)
{
    atomic_fetch_add(&bus->host->stats[device].reconnects, 1);
    bus->open_ns = now(bus);
    if (result == ERR_TIMEOUT || ++bus->lost < LOST_MAX)
        return;
    bus->lost = 0;
    link_failed(bus, STATUS_COMMUNICATION,
                "the port or connection breaks down as soon as it is used");
}

/* Somebody answered: that it could be opened says little, since some accept connections only to
 * close them. */
static void link_works(struct bus *bus)
{
    if (bus->told)
        log_info("modbus", "bus %s works again", bus->site->id);
    bus->told = false;
    bus->lost = 0;
    bus->reopen_ns = REOPEN_NS;
}

static void account(struct driver_stats *stats, int result, const struct link_reply *reply,
                    int64_t took_ns)
{
    atomic_fetch_add(&stats->requests, reply->requests);
    atomic_fetch_add(&stats->unexpected, reply->strays);
    atomic_fetch_add(&stats->busy_ns, took_ns);
    if (result == ERR_TIMEOUT)
        atomic_fetch_add(&stats->timeouts, 1);
    if (result == ERR_CHECKSUM)
        atomic_fetch_add(&stats->corrupt, 1);
    if (result == ERR_EXCEPTION)
        atomic_fetch_add(&stats->exceptions, 1);
    if (result == 0 || result == ERR_EXCEPTION) {
        atomic_fetch_add(&stats->replies, 1);
        atomic_store(&stats->round_trip_ns, reply->mono_ns - reply->sent_ns);
        atomic_store(&stats->last_reply_ns, reply->mono_ns);
    }
}

/* All points of the block, with the time at which the reply was there. A text lives in the one
 * buffer, so it goes out by itself. */
static void put_values(struct bus *bus, const struct plan_block *block,
                       const struct link_reply *reply)
{
    size_t count = 0;

    for (uint32_t i = 0; i < block->points; i++) {
        const struct site_point *point = bus->plan.points[block->first + i];
        const struct modbus_point_options *options = point->options;
        struct sink_item *item = &bus->items[count++];

        item->point = point;
        item->status =
            modbus_decode(options, reply->data, (unsigned)(options->address - block->address),
                          bus->text, &item->value);
        if (count == ITEMS_MAX || item->value.type == VALUE_TEXT) {
            sink_readings(bus->host->sink, reply->mono_ns, bus->items, count);
            count = 0;
        }
    }
    sink_readings(bus->host->sink, reply->mono_ns, bus->items, count);
}

static void put_bad(struct bus *bus, const struct plan_block *block, int64_t mono_ns,
                    uint16_t status)
{
    for (uint32_t i = 0; i < block->points; i++)
        sink_reading(bus->host->sink, bus->plan.points[block->first + i], mono_ns, NULL, status);
}

/* The device is there, and says no. Exceptions 10 and 11 are a gateway's and say that it is not. */
static void take_exception(struct bus *bus, struct plan_block *block,
                           const struct link_reply *reply)
{
    uint16_t status = link_read_status(ERR_EXCEPTION, reply->exception);

    devices_answered(&bus->devices, block->device);
    if ((status == STATUS_ILLEGAL_ADDRESS || status == STATUS_ILLEGAL_VALUE) &&
        plan_split(&bus->plan, block, now(bus)))
        return;
    if ((status == STATUS_ACKNOWLEDGE || status == STATUS_DEVICE_BUSY) &&
        ++block->busy < BUSY_MAX) {
        block->due_ns =
            now(bus) + (block->every_ns < BUSY_RETRY_NS ? block->every_ns : BUSY_RETRY_NS);
        return;
    }
    block->busy = 0;
    put_bad(bus, block, reply->mono_ns, status);
    plan_done(block, now(bus));
    if (status == STATUS_ILLEGAL_FUNCTION || status == STATUS_ILLEGAL_ADDRESS ||
        status == STATUS_ILLEGAL_VALUE) {
        int64_t retry = now(bus) + REFUSED_RETRY_NS;

        if (block->due_ns < retry)
            block->due_ns = retry;
    }
}

static void take_failure(struct bus *bus, struct plan_block *block, uint16_t status)
{
    /* Again soon, but behind what has been waiting. */
    block->due_ns = now(bus);
    devices_failed(&bus->devices, block->device, status);
}

static int read_block(struct bus *bus, struct plan_block *block)
{
    const struct modbus_bus_options *options = bus->site->options;
    const struct modbus_device_options *device = bus->site->devices[block->device].options;
    struct link_request request = {
        .unit = (uint8_t)device->unit,
        .function = block->function,
        .address = block->address,
        .count = block->count,
        .timeout_ns = device->timeout_ns ? device->timeout_ns : options->timeout_ns,
    };
    struct link_reply reply;
    int64_t start = now(bus);
    int result = bus->link->ops->read(bus->link, &request, &reply);
    uint16_t status = link_read_status(result, reply.exception);

    if (result == ERR_CLOSED)
        return result;
    account(&bus->host->stats[block->device], result, &reply, now(bus) - start);
    if (result == 0 || result == ERR_EXCEPTION)
        link_works(bus);
    if (result == 0) {
        devices_answered(&bus->devices, block->device);
        block->busy = 0;
        put_values(bus, block, &reply);
        plan_done(block, now(bus));
    } else if (result == ERR_EXCEPTION && status != STATUS_GATEWAY_PATH &&
               status != STATUS_GATEWAY_TARGET) {
        take_exception(bus, block, &reply);
    } else {
        take_failure(bus, block, status);
        if (!bus->link->open)
            link_lost(bus, block->device, result);
    }
    return 0;
}

static int probe(struct bus *bus, struct plan_block *block)
{
    int64_t start = now(bus);
    int error = read_block(bus, block);

    devices_probed(&bus->devices, now(bus), now(bus) - start);
    return error;
}

/* One transaction, or one wait. ERR_CLOSED when the bus is to stop. */
static int step(struct bus *bus)
{
    int64_t moment = now(bus), wake, next_due;
    struct plan_block *due, *dead;
    int error;

    if (!bus->link->open && moment >= bus->open_ns)
        return open_link(bus);
    if (!bus->link->open)
        return host_wait(bus->host, -1, bus->open_ns);
    due = plan_next(&bus->plan, moment, &wake);
    next_due = due ? moment : wake;
    dead = devices_probe(&bus->devices, moment, next_due, &wake);
    if (dead)
        error = probe(bus, dead);
    else if (due)
        error = read_block(bus, due);
    else
        error = host_wait(bus->host, -1, wake);
    return error;
}

static int run(const struct site_bus *site, struct driver_host *host, struct link *link,
               int64_t reopen_most_ns)
{
    struct bus bus = {
        .site = site,
        .host = host,
        .link = link,
        .reopen_ns = REOPEN_NS,
        .reopen_most_ns = reopen_most_ns,
    };
    int error = plan_make(&bus.plan, site);

    if (!error)
        error = devices_make(&bus.devices, &bus.plan, host);
    if (!error)
        plan_start(&bus.plan, now(&bus));
    while (!error)
        error = step(&bus);
    devices_free(&bus.devices);
    plan_free(&bus.plan);
    return error == ERR_CLOSED ? 0 : error;
}

int modbus_rtu_run(const struct site_bus *bus, struct driver_host *host)
{
    struct link *link;
    int error = link_new_rtu(&link, bus->options, host);

    if (!error) {
        error = run(bus, host, link, REOPEN_NS);
        link_free(link);
    }
    return error;
}

int modbus_tcp_run(const struct site_bus *bus, struct driver_host *host)
{
    struct link *link;
    int error = link_new_tcp(&link, bus->options, host);

    if (!error) {
        error = run(bus, host, link, REOPEN_TCP_MOST_NS);
        link_free(link);
    }
    return error;
}
