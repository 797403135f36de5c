#include "daemon/running.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/explain.h"
#include "core/error.h"
#include "core/log.h"
#include "daemon/doubt.h"
#include "daemon/ended.h"
#include "daemon/places.h"
#include "daemon/unstarted.h"
#include "field/driver.h"
#include "tls/pump.h"

int running_init(struct running *running, struct journal *journal, const struct clock *clock)
{
    memset(running, 0, sizeof *running);
    running->journal = journal;
    running->clock = clock;
    running->started_mono_ns = clock_mono(clock);
    int error = desk_open(&running->desk, journal, clock);
    running->doubts = error ? NULL : doubts_open();
    if (!error)
        pthread_mutex_init(&running->lock, NULL);
    return error;
}

static void set_text(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text ? text : "");
}

static int declare_point(struct journal *journal, const struct site_device *device,
                         const struct site_point *point, uint32_t *number)
{
    struct stream stream = {.type = point->type, .decimals = point->decimals};

    set_text(stream.device, sizeof stream.device, device->id);
    set_text(stream.point, sizeof stream.point, point->id);
    set_text(stream.name, sizeof stream.name, point->name);
    set_text(stream.unit, sizeof stream.unit, point->unit);
    int error = journal_declare(journal, &stream);
    *number = stream.number;
    return error;
}

static int declare_device(struct journal *journal, struct site_device *device)
{
    struct stream stream = {.type = VALUE_BOOL};

    set_text(stream.device, sizeof stream.device, device->id);
    set_text(stream.name, sizeof stream.name, device->name);
    int error = journal_declare(journal, &stream);
    device->stream = stream.number;
    for (size_t i = 0; i < device->point_count && !error; i++)
        error = declare_point(journal, device, &device->points[i], &device->streams[i]);
    return error;
}

/* What is learnt about a bus itself, as which adapter its port is. */
static int declare_bus(struct journal *journal, struct site_bus *bus)
{
    struct stream stream = {.type = VALUE_TEXT};

    if (!bus->driver->port)
        return 0;
    snprintf(stream.device, sizeof stream.device, "bus:%.*s", ID_SIZE_MAX - 5, bus->id);
    int error = journal_declare(journal, &stream);
    bus->stream = stream.number;
    return error;
}

static int declare_streams(struct journal *journal, struct site *site)
{
    for (size_t b = 0; b < site->bus_count; b++) {
        int error_of_bus = declare_bus(journal, &site->buses[b]);
        if (error_of_bus)
            return error_of_bus;
        for (size_t d = 0; d < site->buses[b].device_count; d++) {
            int error = declare_device(journal, &site->buses[b].devices[d]);
            if (error)
                return error;
        }
    }
    return 0;
}

static const struct site_bus *find_bus(const struct site *site, const char *id)
{
    for (size_t i = 0; i < site->bus_count; i++) {
        if (strcmp(site->buses[i].id, id) == 0)
            return &site->buses[i];
    }
    return NULL;
}

static const struct config_uplink *find_uplink(const struct config *config, const char *id)
{
    for (size_t i = 0; i < config->uplink_count; i++) {
        if (strcmp(config->uplinks[i].id, id) == 0)
            return &config->uplinks[i];
    }
    return NULL;
}

static bool goes_on(const struct running_bus *entry, const struct site *site)
{
    const struct site_bus *wanted = site ? find_bus(site, entry->bus->id) : NULL;

    return wanted && wanted->fingerprint == entry->bus->fingerprint;
}

/* Stops the buses that are not in `site` as they are; NULL stops all. Returns these. */
static struct running_bus *stop_buses(struct running *running, const struct site *site)
{
    struct running_bus **link = &running->buses, *stopped = NULL;

    /* All are asked first: each may take as long as the reply that it waits for. */
    for (struct running_bus *entry = running->buses; entry; entry = entry->next) {
        if (goes_on(entry, site))
            continue;
        desk_remove_bus(running->desk, entry->host);
        host_ask_stop(entry->host);
    }
    while (*link) {
        struct running_bus *entry = *link;
        const struct site_bus *wanted = site ? find_bus(site, entry->bus->id) : NULL;

        if (goes_on(entry, site)) {
            link = &entry->next;
            continue;
        }
        log_info("daemon", "bus %s stops: %s", entry->bus->id,
                 wanted ? "its configuration changed"
                 : site ? "it is no longer configured"
                        : "the gateway ends");
        host_stop(entry->host);
        *link = entry->next;
        entry->next = stopped;
        stopped = entry;
    }
    return stopped;
}

static void free_stopped(struct running_bus *stopped)
{
    while (stopped) {
        struct running_bus *next = stopped->next;

        free(stopped);
        stopped = next;
    }
}

/* A bus that was lent when its configuration changed stays lent: whoever borrowed it is on the
 * line. */
static void keep_lent(struct running_bus *entry, const struct running_bus *stopped, int64_t now_ns)
{
    while (stopped && strcmp(stopped->bus->id, entry->bus->id) != 0)
        stopped = stopped->next;
    if (!stopped || stopped->lease.number == 0 || stopped->lease.until_mono_ns <= now_ns)
        return;
    host_lend(entry->host, stopped->lease.until_mono_ns);
    entry->lease = stopped->lease;
}

static bool uplink_goes_on(const struct running_uplink *entry, const struct config *config)
{
    const struct config_uplink *wanted = config ? find_uplink(config, entry->config->id) : NULL;

    return wanted && wanted->fingerprint == entry->config->fingerprint;
}

/* As stop_buses: those that are not in `config` as they are. A broker that does not answer takes
 * all of the grace. */
static struct running_uplink *stop_uplinks(struct running *running, const struct config *config,
                                           int64_t grace_ns)
{
    struct running_uplink **link = &running->uplinks, *stopped = NULL;

    for (struct running_uplink *entry = running->uplinks; entry; entry = entry->next) {
        if (!uplink_goes_on(entry, config))
            uplink_ask_stop(entry->uplink, grace_ns);
    }
    while (*link) {
        struct running_uplink *entry = *link;
        const struct config_uplink *wanted = config ? find_uplink(config, entry->config->id) : NULL;

        if (uplink_goes_on(entry, config)) {
            link = &entry->next;
            continue;
        }
        log_info("daemon", "uplink %s stops: %s", entry->config->id,
                 wanted   ? "its configuration changed"
                 : config ? "it is no longer configured"
                          : "the gateway ends");
        uplink_stop(entry->uplink, grace_ns);
        *link = entry->next;
        entry->next = stopped;
        stopped = entry;
    }
    return stopped;
}

static void free_stopped_uplinks(struct running_uplink *stopped)
{
    while (stopped) {
        struct running_uplink *next = stopped->next;

        free(stopped);
        stopped = next;
    }
}

static bool bus_runs(const struct running *running, const char *id)
{
    for (const struct running_bus *entry = running->buses; entry; entry = entry->next) {
        if (strcmp(entry->bus->id, id) == 0)
            return true;
    }
    return false;
}

/* `stopped`: what ran before. The caller tells of an error, as of one of start_uplink. */
static int start_bus(struct running *running, const struct site_bus *bus,
                     const struct running_bus *stopped)
{
    struct running_bus *entry = calloc(1, sizeof *entry);
    int error = ERR_NOMEM;

    if (entry && !running->engines)
        running->engines = engines_open(running->clock);
    if (entry && running->engines)
        error = host_start(&entry->host, running->engines, running->journal, bus, running->clock,
                           desk_done, running->desk);
    if (!error) {
        error = desk_add_bus(running->desk, bus, entry->host);
        if (error)
            host_stop(entry->host);
    }
    if (error) {
        free(entry);
        return error;
    }
    entry->bus = bus;
    entry->generation = running->current;
    keep_lent(entry, stopped, clock_mono(running->clock));
    struct running_bus **end = &running->buses;
    while (*end)
        end = &(*end)->next;
    *end = entry;
    log_info("daemon", "bus %s runs: %s, %zu device%s", bus->id, bus->driver->name,
             bus->device_count, bus->device_count == 1 ? "" : "s");
    return 0;
}

static struct running_uplink *running_uplink(const struct running *running, const char *id)
{
    for (struct running_uplink *entry = running->uplinks; entry; entry = entry->next) {
        if (strcmp(entry->config->id, id) == 0)
            return entry;
    }
    return NULL;
}

static int start_uplink(struct running *running, const struct config_uplink *config)
{
    struct running_uplink *entry = calloc(1, sizeof *entry);
    struct uplink_options *options = config->options;
    int error = 0;

    if (!entry)
        return ERR_NOMEM;
    entry->config = config;
    entry->generation = running->current;
    if (!running->pump)
        error = pump_open(&running->pump);
    if (!error)
        error = places_take(running, entry);
    options->first = config == running->current->config->uplinks;
    options->held = running_is_held(running);
    options->pump = running->pump;
    options->desk = desk_seam(running->desk);
    options->place = entry->place;
    if (!error)
        error = uplink_start(&entry->uplink, running->journal, &running->current->config->site,
                             options, running->clock);
    if (error) {
        free(entry);
        return error;
    }
    struct running_uplink **end = &running->uplinks;
    while (*end)
        end = &(*end)->next;
    *end = entry;
    if (config->warning)
        log_warn("daemon", "uplink %s: %s", config->id, config->warning);
    return 0;
}

static bool generation_used(const struct running *running, const struct generation *generation)
{
    for (const struct running_bus *entry = running->buses; entry; entry = entry->next) {
        if (entry->generation == generation)
            return true;
    }
    for (const struct running_uplink *entry = running->uplinks; entry; entry = entry->next) {
        if (entry->generation == generation)
            return true;
    }
    return false;
}

static void free_unused_generations(struct running *running)
{
    struct generation **link = running->current ? &running->current->older : &running->current;

    while (*link) {
        struct generation *generation = *link;
        if (generation_used(running, generation)) {
            link = &generation->older;
            continue;
        }
        *link = generation->older;
        config_free(generation->config);
        free(generation);
    }
}

static int start_what_is_new(struct running *running, const struct running_bus *stopped)
{
    const struct config *config = running->current->config;
    int first_error = 0;

    for (size_t i = 0; i < config->uplink_count; i++) {
        struct running_uplink *entry = running_uplink(running, config->uplinks[i].id);
        int error = 0;
        if (entry)
            uplink_site_changed(entry->uplink, &config->site);
        else
            error = start_uplink(running, &config->uplinks[i]);
        if (error)
            unstarted_add(running, &config->uplinks[i], NULL, error);
        first_error = first_error ? first_error : error;
    }
    for (size_t i = 0; i < config->site.bus_count; i++) {
        const struct site_bus *bus = &config->site.buses[i];
        int error = bus_runs(running, bus->id) ? 0 : start_bus(running, bus, stopped);
        if (error)
            unstarted_add(running, NULL, bus, error);
        first_error = first_error ? first_error : error;
    }
    return first_error;
}

void running_retry(struct running *running)
{
    struct unstarted **link = &running->unstarted;

    pthread_mutex_lock(&running->lock);
    while (*link) {
        struct unstarted *waiting = *link;
        int error = waiting->uplink ? start_uplink(running, waiting->uplink)
                                    : start_bus(running, waiting->bus, NULL);
        if (error) {
            unstarted_again(waiting, error);
            link = &waiting->next;
            continue;
        }
        if (waiting->uplink)
            log_info("daemon", "uplink %s runs", waiting->uplink->id);
        *link = waiting->next;
        free(waiting);
    }
    pthread_mutex_unlock(&running->lock);
}

static void put_config_event(struct running *running)
{
    const char *fingerprint = running->current->config->site.fingerprint;
    struct event event = {.kind = EVENT_CONFIG, .mono_ns = clock_mono(running->clock)};

    event.value.type = VALUE_TEXT;
    event.value.data = fingerprint;
    event.value.size = (uint16_t)strlen(fingerprint);
    journal_put(running->journal, &event);
}

int running_apply(struct running *running, struct config *config, bool trial)
{
    struct generation *generation = calloc(1, sizeof *generation);

    if (!generation) {
        config_free(config);
        return ERR_NOMEM;
    }
    int error = declare_streams(running->journal, &config->site);
    if (error) {
        log_error("daemon",
                  "the configuration cannot be applied: the journal takes no "
                  "declarations: %s",
                  error_text(error));
        config_free(config);
        free(generation);
        return error;
    }
    pthread_mutex_lock(&running->lock);
    generation->config = config;
    generation->older = running->current;
    running->current = generation;
    running->configured_wall_ns = clock_wall(running->clock);
    running->outage_days = config_outage_days(config);
    unstarted_clear(running);
    struct running_bus *stopped = stop_buses(running, &config->site);
    struct running_uplink *ended = stop_uplinks(running, config, NS_PER_S);
    put_config_event(running);
    ended_tell(running->journal, config, running->clock);
    running->trial = trial;
    if (!trial)
        places_settle(running, ended);
    error = start_what_is_new(running, stopped);
    if (!trial)
        places_give_up(running);
    free_stopped(stopped);
    free_stopped_uplinks(ended);
    free_unused_generations(running);
    pthread_mutex_unlock(&running->lock);
    return error;
}

void running_keep(struct running *running)
{
    pthread_mutex_lock(&running->lock);
    if (running->trial) {
        running->trial = false;
        places_settle(running, NULL);
        places_give_up(running);
    }
    pthread_mutex_unlock(&running->lock);
}

void running_refused(struct running *running, const char *why)
{
    pthread_mutex_lock(&running->lock);
    running->refused.wall_ns = why ? clock_wall(running->clock) : 0;
    snprintf(running->refused.why, sizeof running->refused.why, "%s", why ? why : "");
    pthread_mutex_unlock(&running->lock);
}

void running_stop(struct running *running, int64_t grace_ns)
{
    pthread_mutex_lock(&running->lock);
    free_stopped(stop_buses(running, NULL));
    journal_flush(running->journal, NS_PER_S);
    free_stopped_uplinks(stop_uplinks(running, NULL, grace_ns));
    unstarted_clear(running);
    while (running->current) {
        struct generation *generation = running->current;
        running->current = generation->older;
        config_free(generation->config);
        free(generation);
    }
    desk_close(running->desk);
    running->desk = NULL;
    pump_close(running->pump);
    running->pump = NULL;
    engines_close(running->engines);
    running->engines = NULL;
    doubts_close(running->doubts);
    running->doubts = NULL;
    pthread_mutex_unlock(&running->lock);
    pthread_mutex_destroy(&running->lock);
}
