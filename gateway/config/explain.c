#include "config/explain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/json_write.h"
#include "config/quantity.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/limits.h"
#include "core/zone.h"
#include "field/driver.h"

#define DAY_S   86400.0
#define MONTH_S (365.25 / 12 * DAY_S)

/* docs/mqtt.md: a reading in a batch, the batch around them, and a reading that goes alone with its
 * topic. */
#define BATCH_EVENT_BYTES 95.0
#define BATCH_BYTES       140.0
#define BATCH_SIZE_MAX    65536.0
#define ALONE_BYTES       170.0
/* MQTT's header and PUBACK, TCP/IP's headers there and back; a TLS record each way. */
#define MESSAGE_BYTES     120.0
#define LARGE_BYTES_MONTH 500e6
#define MESSAGE_TLS_BYTES 60.0

/* docs/journal-format.md: an event with its share of checkpoints, and what begins each commit. */
#define STORED_EVENT_BYTES 10.0
#define FRAME_BYTES        64.0
#define SECTOR_BYTES       4096.0

/* How often most devices speak that do so by themselves. */
#define OWN_PACE_HZ 1.0

struct rates {
    double most, least; /* events a second: when all values change always, and when none does */
};

static struct driver_load load_of(const struct site_bus *bus)
{
    struct driver_load load = {.busy_share = -1};
    if (bus->driver->load)
        bus->driver->load(bus, &load);
    return load;
}

static double hertz(int64_t interval_ns)
{
    return interval_ns > 0 ? (double)NS_PER_S / (double)interval_ns : 0;
}

/* What the points of a device store, and its heartbeat while they store less often than it. A
 * quality that changes adds to it. `own_hz`: it speaks so often by itself; 0: it is asked. */
static struct rates rates_of_device(const struct site_device *device, double own_hz)
{
    struct rates rates = {0};
    for (size_t i = 0; i < device->point_count; i++) {
        const struct site_point *point = &device->points[i];
        double read = fmax(hertz(point->every_ns), own_hz);
        if (point->at_most_ns > 0)
            read = fmin(read, hertz(point->at_most_ns));
        rates.most += read;
        rates.least += point->on_change ? fmin(read, hertz(point->at_least_ns)) : read;
    }
    if (rates.most > 0)
        rates.least = fmax(rates.least, fmin(hertz(device->heartbeat_ns), rates.most));
    return rates;
}

static struct rates rates_of(const struct site_bus *bus, size_t *points)
{
    struct rates rates = {0};
    double own_hz = load_of(bus).own_pace ? OWN_PACE_HZ : 0;
    *points = 0;
    for (size_t i = 0; i < bus->device_count; i++) {
        struct rates device = rates_of_device(&bus->devices[i], own_hz);
        *points += bus->devices[i].point_count;
        rates.most += device.most;
        rates.least += device.least;
    }
    return rates;
}

static struct rates rates_of_site(const struct site *site)
{
    struct rates all = {0};
    for (size_t i = 0; i < site->bus_count; i++) {
        size_t points;
        struct rates rates = rates_of(&site->buses[i], &points);
        all.most += rates.most;
        all.least += rates.least;
    }
    return all;
}

static double uplink_bytes_month(const struct config_uplink_plan *plan, double events_s)
{
    double linger_s = (double)plan->linger_ns / (double)NS_PER_S;
    double messages_s = events_s, payload_s = events_s * ALONE_BYTES;
    if (!plan->each_alone) {
        double full_s = events_s * BATCH_EVENT_BYTES / BATCH_SIZE_MAX;
        messages_s = linger_s > 0 ? fmin(events_s, fmax(full_s, 1 / linger_s)) : events_s;
        payload_s = events_s * BATCH_EVENT_BYTES + messages_s * BATCH_BYTES;
    }
    double overhead = MESSAGE_BYTES + (plan->tls ? MESSAGE_TLS_BYTES : 0);
    return (payload_s + messages_s * overhead) * MONTH_S;
}

static double journal_bytes_s(const struct config_journal *journal, double events_s)
{
    double commits_s = fmin(events_s, hertz(journal->commit_ns));
    if (commits_s <= 0)
        return 0;
    double commit = FRAME_BYTES + events_s / commits_s * STORED_EVENT_BYTES;
    if (journal->sector == CONFIG_SECTOR_ON)
        commit = ceil(commit / SECTOR_BYTES) * SECTOR_BYTES;
    return commit * commits_s;
}

/* Estimates are not told with sixteen digits. */
static double thousandths(double value)
{
    return round(value * 1000) / 1000;
}

/* Days that the journal reaches back; infinite where nothing is written. */
static double outage_days(const struct config_journal *journal, double events_s)
{
    double days = (double)journal->keep_bytes / journal_bytes_s(journal, events_s) / DAY_S;
    if (journal->max_age_ns > 0)
        days = fmin(days, (double)journal->max_age_ns / (double)NS_PER_S / DAY_S);
    return days;
}

double config_outage_days(const struct config *config)
{
    double events_s = rates_of_site(&config->site).most;

    /* To about a second: a small journal holds an hour. */
    return events_s > 0 ? round(outage_days(&config->journal, events_s) * 1e5) / 1e5 : 0;
}

/* Null where nothing is stored. */
static void outage_json(struct json_writer *writer, const struct config *config)
{
    double days = config_outage_days(config);

    if (days > 0)
        json_write_number(writer, "outage_days", days);
    else
        json_write_raw(writer, "outage_days", "null");
}

/* Three digits, and never an exponent. */
static const char *figure(double value, char out[32])
{
    snprintf(out, 32, value >= 100 ? "%.0f" : "%.3g", value);
    return out;
}

/* "3.2 days", "5.3 hours", "1 minute" */
static const char *span(double days, char out[48])
{
    static const struct {
        double a_day;
        const char *name;
    } units[] = {{1, "day"}, {24, "hour"}, {24 * 60, "minute"}};
    size_t unit = days >= 1 ? 0 : days * 24 >= 1 ? 1 : 2;
    char number[32];
    figure(days * units[unit].a_day, number);
    snprintf(out, 48, "%s %s%s", number, units[unit].name, strcmp(number, "1") == 0 ? "" : "s");
    return out;
}

static void explain_unverified(const struct site_bus *bus, FILE *out)
{
    for (size_t i = 0; i < bus->device_count; i++)
        if (bus->devices[i].unverified)
            fprintf(out,
                    "  device %s: the profile %s is unverified; compare readings with its display, "
                    "then say \"verified\": true\n",
                    bus->devices[i].id, bus->devices[i].profile);
}

static void explain_pointless(const struct site_bus *bus, FILE *out)
{
    for (size_t i = 0; i < bus->device_count; i++)
        if (bus->devices[i].point_count == 0)
            fprintf(out, "  device %s: it has no points, so nothing is read of it\n",
                    bus->devices[i].id);
}

static void explain_bus(const struct site_bus *bus, FILE *out)
{
    size_t points;
    char number[32];
    struct driver_load load = load_of(bus);
    rates_of(bus, &points);
    fprintf(out, "bus %s (%s): %zu device%s, %zu point%s", bus->id, bus->driver->name,
            bus->device_count, bus->device_count == 1 ? "" : "s", points, points == 1 ? "" : "s");
    if (load.requests_per_s > 0)
        fprintf(out, ", %s requests/s", figure(load.requests_per_s, number));
    if (load.busy_share >= 0)
        fprintf(out, ", %s %% of its time", figure(load.busy_share * 100, number));
    fputc('\n', out);
    if (load.busy_share > 1)
        fprintf(out, "  more than it can carry: points will be read less often than asked for\n");
    if (load.note[0])
        fprintf(out, "  %s\n", load.note);
    explain_pointless(bus, out);
    explain_unverified(bus, out);
}

/* What the figures stand on; of devices that speak by themselves nobody knows how often. */
static void explain_events(const struct site *site, const struct rates *rates, FILE *out)
{
    const struct site_bus *own = NULL;
    char number[32];
    size_t count = 0;
    for (size_t i = 0; i < site->bus_count; i++) {
        if (!load_of(&site->buses[i]).own_pace)
            continue;
        count++;
        own = own ? own : &site->buses[i];
    }
    fprintf(out, "events: %s %s/s", own ? "about" : "at most", figure(rates->most, number));
    if (rates->least < rates->most)
        fprintf(out, ", %s/s while nothing changes", figure(rates->least, number));
    if (own)
        fprintf(out,
                ", with a line a second from each device of bus %s%s: one that speaks more often "
                "makes more of them",
                own->id, count > 1 ? " and others like it" : "");
    fputs("; the figures below are reckoned with the most\n", out);
}

static void explain_uplink(const struct config_uplink *uplink, double events_s, FILE *out)
{
    double bytes = uplink_bytes_month(&uplink->plan, events_s);
    char number[32];
    fprintf(out, "uplink %s: about %s MB a month", uplink->id, figure(bytes / 1e6, number));
    if (uplink->plan.budget_bytes_month == 0 && bytes > LARGE_BYTES_MONTH)
        fprintf(out, "; much for a connection that is paid for: read less often, report on change, "
                     "or linger longer");
    if (uplink->plan.budget_bytes_month > 0)
        fprintf(out, " of %s MB%s", figure((double)uplink->plan.budget_bytes_month / 1e6, number),
                bytes > (double)uplink->plan.budget_bytes_month
                    ? ": more than the budget; read less often, report on change, or linger longer"
                    : "");
    fprintf(out, "\n  begins, where it is new, with %s\n",
            uplink->plan.from_now
                ? "what is stored from then on"
                : "all that the journal holds (\"from\": \"now\" leaves that out)");
}

static size_t aligned_points(const struct site *site)
{
    size_t count = 0;
    for (size_t i = 0; i < site->bus_count; i++)
        count += load_of(&site->buses[i]).aligned;
    return count;
}

static void explain_zone(const struct site *site, FILE *out)
{
    size_t count = aligned_points(site);
    if (count == 0)
        return;
    fprintf(out,
            "time zone %s: %zu point%s with \"align\" %s read at full multiples of the "
            "interval since midnight there",
            site->timezone, count, count == 1 ? "" : "s", count == 1 ? "is" : "are");
    if (zone_find(site->timezone) != 0)
        fputs("; it is not known on this machine, where midnight is that of UTC until the package "
              "tzdata is installed",
              out);
    fputc('\n', out);
}

/* Called for each point that can be written. */
typedef void writable_fn(void *context, const struct site_device *device,
                         const struct site_point *point);

static size_t each_writable(const struct site *site, writable_fn *visit, void *context)
{
    size_t count = 0;
    for (size_t i = 0; i < site->bus_count; i++) {
        for (size_t j = 0; j < site->buses[i].device_count; j++) {
            const struct site_device *device = &site->buses[i].devices[j];
            for (size_t k = 0; k < device->point_count; k++) {
                if (!device->points[k].write.allowed)
                    continue;
                visit(context, device, &device->points[k]);
                count++;
            }
        }
    }
    return count;
}

static void print_writable(void *context, const struct site_device *device,
                           const struct site_point *point)
{
    char limits[256];
    limits_text(point, limits, sizeof(limits));
    fprintf(context, "point %s/%s can be written: %s%s%s\n", device->id, point->id, limits,
            point->unit ? " " : "", point->unit ? point->unit : "");
}

static void explain_commands(const struct config *config, FILE *out)
{
    size_t takers = 0, writable = each_writable(&config->site, print_writable, out);
    for (size_t i = 0; i < config->uplink_count; i++) {
        const struct config_uplink *uplink = &config->uplinks[i];
        if (!uplink->plan.commands_root)
            continue;
        takers++;
        fprintf(out, "uplink %s takes commands on %s/%s/cmd%s\n", uplink->id,
                uplink->plan.commands_root, config->site.id,
                writable > 0 ? "" : ", but no point can be written: \"write\": {} opens one");
    }
    if (writable > 0 && takers == 0)
        fputs("no uplink takes commands (\"commands\": true opens one); sluice write does\n", out);
}

int config_explain(const struct config *config, FILE *out)
{
    const struct site *site = &config->site;
    struct rates rates = rates_of_site(site);
    char keep[QUANTITY_TEXT_SIZE], days[48];
    quantity_size_text((double)config->journal.keep_bytes, keep);
    fprintf(out, "%s: no errors; gateway %s, configuration %s\n", config->path, site->id,
            site->fingerprint);
    for (size_t i = 0; i < site->bus_count; i++)
        explain_bus(&site->buses[i], out);
    explain_events(site, &rates, out);
    for (size_t i = 0; i < config->uplink_count; i++)
        explain_uplink(&config->uplinks[i], rates.most, out);
    explain_commands(config, out);
    explain_zone(site, out);
    double outage = config_outage_days(config);
    if (outage > 0)
        fprintf(out, "journal: %s hold %s of outage\n", keep, span(outage, days));
    return ferror(out) ? ERR_IO : 0;
}

static void bus_json(struct json_writer *writer, const struct site_bus *bus)
{
    size_t points;
    struct driver_load load = load_of(bus);
    struct rates rates = rates_of(bus, &points);
    json_write_open(writer, NULL, '{');
    json_write_text(writer, "id", bus->id);
    json_write_text(writer, "driver", bus->driver->name);
    json_write_number(writer, "devices", (double)bus->device_count);
    json_write_number(writer, "points", (double)points);
    json_write_number(writer, "events_per_s", thousandths(rates.most));
    json_write_number(writer, "requests_per_s", thousandths(load.requests_per_s));
    if (load.busy_share >= 0)
        json_write_number(writer, "busy_share", thousandths(load.busy_share));
    else
        json_write_raw(writer, "busy_share", "null");
    json_write_text(writer, "note", load.note);
    json_write_bool(writer, "own_pace", load.own_pace);
    json_write_open(writer, "without_points", '[');
    for (size_t i = 0; i < bus->device_count; i++)
        if (bus->devices[i].point_count == 0)
            json_write_text(writer, NULL, bus->devices[i].id);
    json_write_close(writer, ']');
    json_write_open(writer, "unverified", '[');
    for (size_t i = 0; i < bus->device_count; i++)
        if (bus->devices[i].unverified)
            json_write_text(writer, NULL, bus->devices[i].id);
    json_write_close(writer, ']');
    json_write_close(writer, '}');
}

static void uplink_json(struct json_writer *writer, const struct config_uplink *uplink,
                        const char *gateway_id, double events_s)
{
    json_write_open(writer, NULL, '{');
    json_write_text(writer, "id", uplink->id);
    json_write_number(writer, "bytes_per_month",
                      floor(uplink_bytes_month(&uplink->plan, events_s)));
    if (uplink->plan.budget_bytes_month > 0)
        json_write_number(writer, "budget_bytes_per_month",
                          (double)uplink->plan.budget_bytes_month);
    if (uplink->plan.commands_root) {
        char topic[256];
        snprintf(topic, sizeof(topic), "%s/%s/cmd", uplink->plan.commands_root, gateway_id);
        json_write_text(writer, "commands", topic);
    }
    if (uplink->warning)
        json_write_text(writer, "warning", uplink->warning);
    json_write_close(writer, '}');
}

static void writable_json(void *context, const struct site_device *device,
                          const struct site_point *point)
{
    struct json_writer *writer = context;
    char limits[256];
    limits_text(point, limits, sizeof(limits));
    json_write_open(writer, NULL, '{');
    json_write_text(writer, "device", device->id);
    json_write_text(writer, "point", point->id);
    json_write_text(writer, "allowed", limits);
    json_write_close(writer, '}');
}

int config_explain_json(const struct config *config, FILE *out)
{
    const struct site *site = &config->site;
    struct rates rates = rates_of_site(site);
    struct json_writer writer = {.out = out};
    json_write_open(&writer, NULL, '{');
    json_write_text(&writer, "gateway", site->id);
    json_write_text(&writer, "config", site->fingerprint);
    json_write_number(&writer, "events_per_s", thousandths(rates.most));
    json_write_number(&writer, "events_per_s_unchanged", thousandths(rates.least));
    json_write_open(&writer, "buses", '[');
    for (size_t i = 0; i < site->bus_count; i++)
        bus_json(&writer, &site->buses[i]);
    json_write_close(&writer, ']');
    json_write_open(&writer, "uplinks", '[');
    for (size_t i = 0; i < config->uplink_count; i++)
        uplink_json(&writer, &config->uplinks[i], site->id, rates.most);
    json_write_close(&writer, ']');
    json_write_open(&writer, "writable", '[');
    each_writable(site, writable_json, &writer);
    json_write_close(&writer, ']');
    json_write_text(&writer, "timezone", site->timezone);
    json_write_number(&writer, "aligned_points", (double)aligned_points(site));
    json_write_open(&writer, "journal", '{');
    json_write_number(&writer, "keep_bytes", (double)config->journal.keep_bytes);
    json_write_number(&writer, "bytes_per_s",
                      thousandths(journal_bytes_s(&config->journal, rates.most)));
    outage_json(&writer, config);
    json_write_close(&writer, '}');
    json_write_close(&writer, '}');
    return ferror(out) ? ERR_IO : 0;
}

static void meaning_of_bus(struct json_writer *writer, const struct site_bus *bus)
{
    struct driver_load load = load_of(bus);
    size_t points;

    rates_of(bus, &points);
    json_write_open(writer, NULL, '{');
    json_write_text(writer, "id", bus->id);
    json_write_integer(writer, "devices", (int64_t)bus->device_count);
    json_write_integer(writer, "points", (int64_t)points);
    if (load.busy_share >= 0)
        json_write_number(writer, "percent", thousandths(load.busy_share * 100));
    else
        json_write_raw(writer, "percent", "null");
    json_write_number(writer, "requests_s", thousandths(load.requests_per_s));
    json_write_close(writer, '}');
}

static void meaning_of_uplink(struct json_writer *writer, const struct config_uplink *uplink,
                              double events_s)
{
    json_write_open(writer, NULL, '{');
    json_write_text(writer, "id", uplink->id);
    json_write_number(writer, "mb_month",
                      thousandths(uplink_bytes_month(&uplink->plan, events_s) / 1e6));
    if (uplink->plan.budget_bytes_month > 0)
        json_write_number(writer, "budget_mb_month",
                          thousandths((double)uplink->plan.budget_bytes_month / 1e6));
    if (uplink->warning)
        json_write_text(writer, "warning", uplink->warning);
    json_write_close(writer, '}');
}

/* The sentences for people, without the first, which names the file. */
static void meaning_in_words(struct json_writer *writer, const struct config *config)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    json_write_open(writer, "words", '[');
    if (out) {
        config_explain(config, out);
        fclose(out);
        char *rest = NULL, *line = strtok_r(text, "\n", &rest);
        while (line && (line = strtok_r(NULL, "\n", &rest)))
            json_write_text(writer, NULL, line + strspn(line, " "));
    }
    json_write_close(writer, ']');
    free(text);
}

void config_explain_meaning(const struct config *config, struct json_writer *writer,
                            const char *key)
{
    struct rates rates = rates_of_site(&config->site);

    json_write_open(writer, key, '{');
    json_write_open(writer, "buses", '[');
    for (size_t i = 0; i < config->site.bus_count; i++)
        meaning_of_bus(writer, &config->site.buses[i]);
    json_write_close(writer, ']');
    json_write_open(writer, "uplinks", '[');
    for (size_t i = 0; i < config->uplink_count; i++)
        meaning_of_uplink(writer, &config->uplinks[i], rates.most);
    json_write_close(writer, ']');
    json_write_number(writer, "events_s", thousandths(rates.most));
    outage_json(writer, config);
    meaning_in_words(writer, config);
    json_write_close(writer, '}');
}
