#include "daemon/figures.h"
#include "daemon/unstarted.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "field/driver.h"
#include "web/metrics.h"

/* What is told of each device. */
enum device_figure {
    DEVICE_UP,
    DEVICE_REQUESTS,
    DEVICE_REPLIES,
    DEVICE_RECONNECTS,
    DEVICE_ROUND_TRIP,
    DEVICE_AGE,
    DEVICE_SHARE,
};

static const struct {
    const char *name, *type, *help;
    enum device_figure figure;
} device_metrics[] = {
    {"sluice_device_up", "gauge", "1 while the device answers.", DEVICE_UP},
    {"sluice_device_requests_total", "counter", "Requests to the device.", DEVICE_REQUESTS},
    {"sluice_device_replies_total", "counter", "Replies of the device.", DEVICE_REPLIES},
    {"sluice_device_reconnects_total", "counter", "Connections that were made anew.",
     DEVICE_RECONNECTS},
    {"sluice_device_round_trip_seconds", "gauge", "How long the last reply took.",
     DEVICE_ROUND_TRIP},
    {"sluice_device_last_reply_age_seconds", "gauge", "Time since the last reply; none before it.",
     DEVICE_AGE},
    {"sluice_device_bus_share_ratio", "gauge", "Part of the bus's time that the device takes.",
     DEVICE_SHARE},
};

static void put_device(struct text *text, enum device_figure figure, const char *name,
                       const struct metric_label *labels, const struct driver_stats *stats,
                       int64_t now_ns)
{
    int64_t last = atomic_load(&stats->last_reply_ns);

    if (figure == DEVICE_AGE && last == 0)
        return;
    metric_begin(text, name, labels);
    switch (figure) {
    case DEVICE_UP:
        metric_end(text, atomic_load(&stats->up));
        break;
    case DEVICE_REQUESTS:
        metric_end(text, atomic_load(&stats->requests));
        break;
    case DEVICE_REPLIES:
        metric_end(text, atomic_load(&stats->replies));
        break;
    case DEVICE_RECONNECTS:
        metric_end(text, atomic_load(&stats->reconnects));
        break;
    case DEVICE_ROUND_TRIP:
        metric_end_seconds(text, atomic_load(&stats->round_trip_ns));
        break;
    case DEVICE_AGE:
        metric_end_seconds(text, now_ns > last ? now_ns - last : 0);
        break;
    case DEVICE_SHARE: /* millionths to ns of a second: the same number of digits */
        metric_end_seconds(text, (int64_t)atomic_load(&stats->share_ppm) * 1000);
        break;
    }
}

static void put_errors(struct text *text, const char *name, const char *bus, const char *device,
                       const struct driver_stats *stats)
{
    const struct {
        const char *kind;
        uint64_t count;
    } kinds[] = {
        {"timeout", atomic_load(&stats->timeouts)},
        {"corrupt", atomic_load(&stats->corrupt)},
        {"unexpected", atomic_load(&stats->unexpected)},
        {"exception", atomic_load(&stats->exceptions)},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct metric_label labels[] = {
            {"bus", bus}, {"device", device}, {"kind", kinds[i].kind}, {NULL, NULL}};
        metric_begin(text, name, labels);
        metric_end(text, kinds[i].count);
    }
}

static void write_buses(const struct running *running, struct text *text, int64_t now_ns)
{
    static const char failed[] = "sluice_bus_failed";

    metric_head(text, failed, "gauge", "1 when the driver of the bus has given up.");
    for (const struct running_bus *bus = running->buses; bus; bus = bus->next) {
        struct metric_label labels[] = {{"bus", bus->bus->id}, {NULL, NULL}};
        metric_begin(text, failed, labels);
        metric_end(text, host_error(bus->host) != 0);
    }
    for (size_t m = 0; m < sizeof device_metrics / sizeof *device_metrics; m++) {
        metric_head(text, device_metrics[m].name, device_metrics[m].type, device_metrics[m].help);
        for (const struct running_bus *bus = running->buses; bus; bus = bus->next) {
            for (size_t d = 0; d < bus->bus->device_count; d++) {
                struct metric_label labels[] = {
                    {"bus", bus->bus->id}, {"device", bus->bus->devices[d].id}, {NULL, NULL}};
                put_device(text, device_metrics[m].figure, device_metrics[m].name, labels,
                           &host_stats(bus->host)[d], now_ns);
            }
        }
    }
    static const char errors[] = "sluice_device_errors_total";
    metric_head(text, errors, "counter", "What went wrong with requests, by kind.");
    for (const struct running_bus *bus = running->buses; bus; bus = bus->next) {
        for (size_t d = 0; d < bus->bus->device_count; d++)
            put_errors(text, errors, bus->bus->id, bus->bus->devices[d].id,
                       &host_stats(bus->host)[d]);
    }
}

enum uplink_figure {
    UPLINK_ONLINE,
    UPLINK_BACKLOG,
    UPLINK_IN_FLIGHT,
    UPLINK_CONNECTS,
    UPLINK_PUBLISHED,
    UPLINK_ACKNOWLEDGED,
    UPLINK_REFUSED,
    UPLINK_REPLAYED,
    UPLINK_SENT,
};

static uint64_t uplink_figure(const struct uplink_stats *stats, enum uplink_figure figure)
{
    switch (figure) {
    case UPLINK_ONLINE:
        return strcmp(stats->state, "online") == 0;
    case UPLINK_BACKLOG:
        return stats->backlog;
    case UPLINK_IN_FLIGHT:
        return stats->in_flight;
    case UPLINK_CONNECTS:
        return stats->connects;
    case UPLINK_PUBLISHED:
        return stats->published;
    case UPLINK_ACKNOWLEDGED:
        return stats->acknowledged;
    case UPLINK_REFUSED:
        return stats->refused;
    case UPLINK_REPLAYED:
        return stats->replayed;
    default:
        return stats->bytes;
    }
}

static void write_uplinks(const struct running *running, struct text *text)
{
    static const struct {
        const char *name, *type, *help;
        enum uplink_figure figure;
    } metrics[] = {
        {"sluice_uplink_online", "gauge", "1 while the broker is connected.", UPLINK_ONLINE},
        {"sluice_uplink_backlog_events", "gauge", "Events that the broker has not acknowledged.",
         UPLINK_BACKLOG},
        {"sluice_uplink_in_flight_messages", "gauge", "Messages that wait for their answer.",
         UPLINK_IN_FLIGHT},
        {"sluice_uplink_connects_total", "counter", "Connections that were made.", UPLINK_CONNECTS},
        {"sluice_uplink_published_messages_total", "counter", "Messages that were sent.",
         UPLINK_PUBLISHED},
        {"sluice_uplink_acknowledged_messages_total", "counter",
         "Messages that the broker has acknowledged.", UPLINK_ACKNOWLEDGED},
        {"sluice_uplink_refused_messages_total", "counter", "Messages that the broker refused.",
         UPLINK_REFUSED},
        {"sluice_uplink_replayed_events_total", "counter", "Events that were sent again.",
         UPLINK_REPLAYED},
        {"sluice_uplink_sent_bytes_total", "counter", "Bytes of payload that were sent.",
         UPLINK_SENT},
    };

    for (size_t m = 0; m < sizeof metrics / sizeof *metrics; m++) {
        metric_head(text, metrics[m].name, metrics[m].type, metrics[m].help);
        for (const struct running_uplink *entry = running->uplinks; entry; entry = entry->next) {
            struct metric_label labels[] = {{"uplink", entry->config->id}, {NULL, NULL}};
            struct uplink_stats stats;

            uplink_stats(entry->uplink, &stats);
            metric_begin(text, metrics[m].name, labels);
            metric_end(text, uplink_figure(&stats, metrics[m].figure));
        }
        for (const struct unstarted *at = running->unstarted; at; at = at->next) {
            struct metric_label labels[] = {{"uplink", at->uplink ? at->uplink->id : ""},
                                            {NULL, NULL}};

            if (!at->uplink)
                continue;
            metric_begin(text, metrics[m].name, labels);
            metric_end(text, 0);
        }
    }
}

static void write_points(const struct running *running, struct text *text)
{
    static const char age[] = "sluice_point_age_seconds";
    int64_t now_ns = clock_wall(running->clock);

    metric_head(text, age, "gauge", "Time since the newest stored reading was taken.");
    for (const struct running_bus *bus = running->buses; bus; bus = bus->next) {
        for (size_t d = 0; d < bus->bus->device_count; d++) {
            const struct site_device *device = &bus->bus->devices[d];

            for (size_t p = 0; p < device->point_count; p++) {
                struct journal_stream_ledger ledger;
                struct metric_label labels[] = {
                    {"device", device->id}, {"point", device->points[p].id}, {NULL, NULL}};

                if (journal_stream_ledger(running->journal, device->streams[p], &ledger) ||
                    ledger.last_n == 0)
                    continue;
                metric_begin(text, age, labels);
                metric_end_seconds(text,
                                   now_ns > ledger.last_wall_ns ? now_ns - ledger.last_wall_ns : 0);
            }
        }
    }
}

/* By the names that all programs give them. */
static void write_process(struct text *text)
{
    struct rusage usage = {0};
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (file && fscanf(file, "%*u %lu", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    metric_head(text, "process_resident_memory_bytes", "gauge", "Resident memory.");
    metric_begin(text, "process_resident_memory_bytes", NULL);
    metric_end(text, (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE));
    getrusage(RUSAGE_SELF, &usage);
    metric_head(text, "process_cpu_seconds_total", "counter",
                "Time of the processor, all threads.");
    metric_begin(text, "process_cpu_seconds_total", NULL);
    metric_end_seconds(text, (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * NS_PER_S +
                                 (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * NS_PER_US);
}

static void write_gateway(const struct running *running, struct text *text, int64_t now_ns)
{
    const struct site *site = &running->current->config->site;
    struct metric_label labels[] = {{"gateway", site->id},
                                    {"version", SLUICE_VERSION},
                                    {"configuration", site->fingerprint},
                                    {NULL, NULL}};

    metric_head(text, "sluice_info", "gauge", "1; who this is, by its labels.");
    metric_begin(text, "sluice_info", labels);
    metric_end(text, 1);
    metric_head(text, "sluice_uptime_seconds", "gauge", "Time since the daemon started.");
    metric_begin(text, "sluice_uptime_seconds", NULL);
    metric_end_seconds(text, now_ns - running->started_mono_ns);
    metric_head(text, "sluice_clock_trust", "gauge",
                "How far the clock is to be trusted: 0 it was never set, 1 it runs free, 2 it is "
                "synchronised.");
    metric_begin(text, "sluice_clock_trust", NULL);
    metric_end(text, clock_trust(running->clock));
}

void figures_write(struct running *running, struct text *text, bool points)
{
    int64_t now_ns = clock_mono(running->clock);

    write_process(text);
    pthread_mutex_lock(&running->lock);
    if (running->current) {
        write_gateway(running, text, now_ns);
        write_buses(running, text, now_ns);
        write_uplinks(running, text);
        if (points)
            write_points(running, text);
    }
    pthread_mutex_unlock(&running->lock);
}
