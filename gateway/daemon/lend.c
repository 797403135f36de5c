#include "daemon/lend.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "core/error.h"
#include "core/log.h"
#include "modbus/modbus.h"
#include "modbus/options.h"
#include "serial/port_find.h"

/* The text of an option of a bus that its driver calls so; NULL where it has none. */
static const char *bus_option(const struct site_bus *bus, const char *key)
{
    for (const struct option *row = bus->driver->bus.options; row && row->key; row++) {
        if (strcmp(row->key, key) == 0 && row->type == OPTION_TEXT)
            return *(const char *const *)(const void *)((const char *)bus->options + row->offset);
    }
    return NULL;
}

bool lend_is_modbus(const struct site_bus *bus)
{
    return bus->driver == &driver_modbus_rtu || bus->driver == &driver_modbus_ascii ||
           bus->driver == &driver_modbus_tcp;
}

/* Whether two names mean one port: by the device, since names are many. */
static bool same_port(const char *a, const char *b)
{
    static const struct port_identity unknown;
    char paths[2][PORT_PATH_MAX];
    struct stat files[2];

    if (strcmp(a, b) == 0)
        return true;
    return port_find(&port_roots_system, a, &unknown, paths[0]) == 0 &&
           port_find(&port_roots_system, b, &unknown, paths[1]) == 0 &&
           stat(paths[0], &files[0]) == 0 && stat(paths[1], &files[1]) == 0 &&
           files[0].st_rdev != 0 && files[0].st_rdev == files[1].st_rdev;
}

static bool same_host(const struct site_bus *bus, const char *name)
{
    const struct modbus_bus_options *options = bus->options;
    struct modbus_host host;
    char why[128];

    return lend_is_modbus(bus) && !options->port && !strchr(name, '/') &&
           modbus_parse_host(name, &host, why, sizeof why) == 0 &&
           host.port == options->host.port && strcmp(host.name, options->host.name) == 0;
}

struct running_bus *lend_find_bus(struct running *running, const char *id, const char *port)
{
    for (struct running_bus *entry = running->buses; entry; entry = entry->next) {
        const char *its_port = bus_option(entry->bus, "port");

        if (id && strcmp(entry->bus->id, id) == 0)
            return entry;
        if (port && its_port && same_port(its_port, port))
            return entry;
        if (port && same_host(entry->bus, port))
            return entry;
    }
    return NULL;
}

static uint64_t new_number(void)
{
    uint64_t number = 0;

    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        number = (uint64_t)clock_mono(&clock_system);
    return number >> 12 | 1; /* JSON's numbers hold 53 bits */
}

/* How the bus is reached, for whoever knows its id only. */
static void put_place(struct text *answer, const struct site_bus *bus)
{
    const struct modbus_bus_options *options = bus->options;
    const struct port_settings *line;

    text_printf(answer, ",\"driver\":\"%s\"", bus->driver->name);
    if (!lend_is_modbus(bus))
        return;
    line = &options->line;
    if (!options->port) {
        text_printf(answer, ",\"host\":\"%s:%u\"", options->host.name,
                    (unsigned)options->host.port);
        return;
    }
    text_string(answer, ",\"port\":");
    text_json_string(answer, options->port, strlen(options->port));
    text_printf(answer, ",\"line\":\"%" PRId32 " %u%c%u\"", line->baud, line->data_bits,
                line->parity, line->stop_bits);
}

/* Which units of the bus are the configuration's. */
static void put_units(struct text *answer, const struct site_bus *bus)
{
    text_string(answer, ",\"units\":[");
    for (size_t i = 0; i < bus->device_count; i++) {
        const struct modbus_device_options *device = bus->devices[i].options;

        text_printf(answer, "%s%u", i ? "," : "", (unsigned)device->unit);
    }
    text_string(answer, "]");
}

static int take_lease(struct running_bus *entry, const struct api_lease *lease, int64_t now_ns,
                      struct text *answer)
{
    int64_t for_ns = lease->for_ns < LEND_MOST_NS ? lease->for_ns : LEND_MOST_NS;
    bool held = entry->lease.number != 0 && entry->lease.until_mono_ns > now_ns;

    if (held && entry->lease.number != lease->number) {
        text_printf(answer, "bus %s is lent to %s for another %" PRId64 " s", entry->bus->id,
                    entry->lease.by, (entry->lease.until_mono_ns - now_ns) / NS_PER_S + 1);
        return ERR_BUSY;
    }
    if (!held && for_ns == 0) { /* it is over already */
        text_printf(answer, "{\"bus\":\"%s\",\"lease\":0", entry->bus->id);
        put_place(answer, entry->bus);
        if (lend_is_modbus(entry->bus))
            put_units(answer, entry->bus);
        text_string(answer, "}\n");
        return 0;
    }
    host_lend(entry->host, for_ns ? now_ns + for_ns : 0);
    if (!held)
        entry->lease.number = new_number();
    entry->lease.until_mono_ns = now_ns + for_ns;
    if (!held || lease->by) {
        struct text by;

        text_init(&by, entry->lease.by, sizeof entry->lease.by);
        text_printf(&by, "%.60s", lease->by && *lease->by ? lease->by : "another program");
    }
    text_printf(answer,
                "{\"bus\":\"%s\",\"lease\":%" PRIu64 ",\"for_ms\":%" PRId64 ",\"free\":%s}\n",
                entry->bus->id, for_ns ? entry->lease.number : 0, for_ns / NS_PER_MS,
                host_lent(entry->host) ? "true" : "false");
    if (!for_ns)
        entry->lease.number = 0;
    return 0;
}

int lend_bus(void *context, const struct api_lease *lease, struct text *answer)
{
    struct running *running = context;
    struct running_bus *entry;
    int error = ERR_NOT_FOUND;

    pthread_mutex_lock(&running->lock);
    entry = lend_find_bus(running, lease->bus, lease->port);
    if (entry)
        error = take_lease(entry, lease, clock_mono(running->clock), answer);
    else
        text_printf(answer, "no bus of this gateway has that %s", lease->bus ? "id" : "port");
    pthread_mutex_unlock(&running->lock);
    return error;
}

void lend_status(struct text *text, const struct running_bus *entry, int64_t now_mono_ns)
{
    int64_t left_ns = entry->lease.until_mono_ns - now_mono_ns;

    if (entry->lease.number == 0 || left_ns <= 0)
        return;
    text_string(text, ",\"lent\":{\"to\":");
    text_json_string(text, entry->lease.by, strlen(entry->lease.by));
    text_printf(text, ",\"for_ms\":%" PRId64 "}", left_ns / NS_PER_MS);
}
