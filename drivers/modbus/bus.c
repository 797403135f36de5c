#include "modbus/bus.h"

#include "core/error.h"
#include "core/status.h"
#include "modbus/link.h"
#include "modbus/polling.h"
#include "modbus/writing.h"

#define REOPEN_PORT_MOST_NS (1 * NS_PER_S) /* an adapter may be plugged in at any time */
#define REOPEN_HOST_MOST_NS (30 * NS_PER_S)

struct bus {
    struct polling polling;
    struct polling_scratch scratch;
    struct writing writing;
    struct driver_host *host;
    struct link *link;
    uint16_t closed_status; /* why the link is */
};

static int64_t now(const struct bus *bus)
{
    return clock_mono(bus->host->clock);
}

static int open_link(struct bus *bus)
{
    int error = bus->link->ops->open(bus->link);

    if (error == ERR_CLOSED)
        return error;
    bus->closed_status = error ? link_open_status(error) : STATUS_COMMUNICATION;
    if (error)
        polling_not_opened(&bus->polling, bus->closed_status, bus->link->why);
    else
        polling_opened(&bus->polling);
    return 0;
}

static int transact_write(struct bus *bus, const struct modbus_request *request)
{
    struct link_reply reply;
    int64_t start = now(bus);
    int result = bus->link->ops->transact(bus->link, request, &reply);

    if (result == ERR_CLOSED)
        return result;
    writing_take(&bus->writing, result, &reply, now(bus) - start, !bus->link->open);
    return 0;
}

static int take_turn(struct bus *bus, const struct polling_turn *turn)
{
    struct modbus_request request = polling_request(&bus->polling, turn->block);
    struct link_reply reply;
    int64_t start = now(bus);
    int result = bus->link->ops->transact(bus->link, &request, &reply);

    if (result == ERR_CLOSED)
        return result;
    polling_take(&bus->polling, turn, result, &reply, now(bus) - start, !bus->link->open);
    return 0;
}

/* Commands fail at once while the line is gone. */
static int wait_closed(struct bus *bus)
{
    writing_link_closed(&bus->writing, bus->closed_status);
    return host_rest(bus->host, -1, bus->polling.open_ns);
}

/* One transaction, or one wait; commands go ahead of polls. ERR_CLOSED when the bus is to stop. */
static int step(struct bus *bus)
{
    struct modbus_request request;
    struct polling_turn turn;
    int64_t moment = now(bus), wake;

    polling_heed(&bus->polling);
    if (!bus->link->open && moment >= bus->polling.open_ns)
        return open_link(bus);
    if (!bus->link->open)
        return wait_closed(bus);
    if (writing_next(&bus->writing, &request))
        return transact_write(bus, &request);
    if (!polling_next(&bus->polling, moment, &turn, &wake))
        return host_rest(bus->host, -1, wake);
    /* On a line that never rests the bus is given up between two requests. */
    if (host_rest(bus->host, -1, moment) < 0)
        return ERR_CLOSED;
    return take_turn(bus, &turn);
}

/* The bus is lent, or is to stop: false. What is known of its devices outlives a loan. */
static bool come_back(struct bus *bus)
{
    bus->link->ops->close(bus->link);
    writing_free(&bus->writing);
    if (!host_wait_lent(bus->host))
        return false;
    polling_back(&bus->polling);
    return true;
}

int modbus_line_run(const struct site_bus *site, struct driver_host *host)
{
    const struct modbus_bus_options *options = site->options;
    struct bus bus = {.host = host, .closed_status = STATUS_COMMUNICATION};
    int error = link_new_line(&bus.link, options, host);

    if (error)
        return error;
    error = polling_make(&bus.polling, site, host, &bus.scratch,
                         options->port ? REOPEN_PORT_MOST_NS : REOPEN_HOST_MOST_NS);
    bus.writing.polling = &bus.polling;
    while (!error) {
        error = step(&bus);
        if (error == ERR_CLOSED && come_back(&bus))
            error = 0;
    }
    writing_free(&bus.writing);
    polling_free(&bus.polling);
    link_free(bus.link);
    return error == ERR_CLOSED ? 0 : error;
}
