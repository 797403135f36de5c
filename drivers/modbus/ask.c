#include "modbus/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "field/wait.h"
#include "modbus/modbus.h"

struct ask {
    struct driver_host host;
    struct link *link;
    const char *why;
};

static int wait_alone(struct driver_host *host, int fd, int64_t until_mono_ns)
{
    return wait_readable(fd, -1, host->clock, until_mono_ns);
}

static const struct driver_host_ops ops = {.wait = wait_alone};

/* Which driver it would be; NULL: no such frames. */
static const struct driver *driver_of(const struct modbus_read *read)
{
    if (!read->frames)
        return read->host ? &driver_modbus_tcp : &driver_modbus_rtu;
    if (strcmp(read->frames, "rtu") == 0)
        return &driver_modbus_rtu;
    if (strcmp(read->frames, "ascii") == 0)
        return &driver_modbus_ascii;
    return strcmp(read->frames, "tcp") == 0 && read->host ? &driver_modbus_tcp : NULL;
}

int ask_line(const struct modbus_read *read, struct modbus_bus_options *bus,
             const struct driver **driver, char *why, size_t why_size)
{
    *bus = (struct modbus_bus_options){.port = read->port, .echo = read->echo};
    bus->timeout_ns = bus->connect_timeout_ns = read->timeout_ns ? read->timeout_ns : NS_PER_S;
    *driver = driver_of(read);
    if (!*driver) {
        snprintf(why, why_size, "frames: found \"%s\"; allowed: rtu, ascii%s", read->frames,
                 read->host ? ", tcp" : "; tcp needs a HOST");
        return ERR_INVALID;
    }
    if (read->line && port_parse_settings(read->line, &bus->line, why, why_size) != 0)
        return ERR_INVALID;
    if (read->host)
        return modbus_parse_host(read->host, &bus->host, why, why_size);
    if (!read->port) {
        snprintf(why, why_size, "a host or a serial port is needed");
        return ERR_INVALID;
    }
    return 0;
}

int ask_open(struct ask **out, const struct driver *driver, const struct modbus_bus_options *bus,
             struct driver_host *host, char *why, size_t why_size)
{
    struct ask *ask = calloc(1, sizeof *ask);
    int error = ERR_NOMEM;

    snprintf(why, why_size, "%s", error_text(ERR_NOMEM));
    if (!ask)
        return ERR_NOMEM;
    ask->host.ops = &ops;
    ask->host.clock = &clock_system;
    ask->why = "";
    if (!host)
        host = &ask->host;
    error = driver == &driver_modbus_tcp ? link_new_tcp(&ask->link, bus, host)
                                         : link_new_line(&ask->link, bus, host);
    if (!error) {
        error = ask->link->ops->open(ask->link);
        if (error)
            snprintf(why, why_size, "%s", error == ERR_CLOSED ? "stopped" : ask->link->why);
    } else {
        snprintf(why, why_size, "%s", error_text(error));
    }
    if (error) {
        ask_close(ask);
        return error;
    }
    why[0] = '\0';
    *out = ask;
    return 0;
}

void ask_close(struct ask *ask)
{
    if (!ask)
        return;
    link_free(ask->link);
    free(ask);
}

int ask_read(struct ask *ask, const struct modbus_request *request, struct link_reply *reply)
{
    struct link *link = ask->link;
    int error;

    *reply = (struct link_reply){0};
    ask->why = "";
    if (!link->open) {
        error = link->ops->open(link);
        if (error) {
            ask->why = link->why;
            return error;
        }
    }
    return link->ops->transact(link, request, reply);
}

const char *ask_why(const struct ask *ask)
{
    return ask->why;
}
