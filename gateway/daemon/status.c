/* The status object: everything that an operator asks first, as one JSON document. */
#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/status.h"
#include "daemon/doubt.h"
#include "daemon/identity.h"
#include "daemon/lend.h"
#include "daemon/page.h"
#include "daemon/running.h"
#include "daemon/timekeeper.h"
#include "daemon/unstarted.h"
#include "field/driver.h"
#include "field/report.h"
#include "journal/cursor.h"
#include "modbus/advice.h"

static void put_text(struct text *text, const char *key, const char *value)
{
    text_printf(text, "\"%s\":", key);
    text_json_string(text, value ? value : "", value ? strlen(value) : 0);
}

static void put_dropped(struct text *text, const uint64_t dropped[8])
{
    bool first = true;

    text_string(text, "\"dropped\":{");
    for (unsigned reason = GAP_CRASH; reason <= GAP_STORAGE; reason++) {
        if (!dropped[reason])
            continue;
        text_printf(text, "%s\"%s\":%" PRIu64, first ? "" : ",",
                    gap_reason_name((enum gap_reason)reason), dropped[reason]);
        first = false;
    }
    text_string(text, "}");
}

static void put_config(const struct running *running, struct text *text)
{
    const struct config *config = running->current->config;
    char folder[PATH_MAX] = "", path[2 * PATH_MAX];

    /* Whoever reads this may be in another folder. */
    bool relative = config->path[0] != '/' && getcwd(folder, sizeof folder);
    snprintf(path, sizeof path, "%s%s%s", folder, relative ? "/" : "", config->path);
    text_string(text, "\"config\":{");
    put_text(text, "path", path);
    text_string(text, ",");
    put_text(text, "fingerprint", config->site.fingerprint);
    text_printf(text, ",\"since\":%" PRId64, running->configured_wall_ns / NS_PER_MS);
    if (running->refused.wall_ns != 0) {
        text_printf(text, ",\"refused\":{\"at\":%" PRId64 ",",
                    running->refused.wall_ns / NS_PER_MS);
        put_text(text, "why", running->refused.why);
        text_string(text, "}");
    }
    text_string(text, "}");
}

/* How far the clock is trusted, and the end of its object. */
static void put_trust(struct running *running, struct text *text)
{
    struct timekeeper_look look = {.source = TIME_NOBODY};

    if (running->timekeeper)
        timekeeper_look(running->timekeeper, &look);
    text_printf(text, "\"trust\":\"%s\",\"by\":\"%s\",\"behind\":%s,",
                clock_trust_name(clock_trust(running->clock)), time_source_name(look.source),
                look.behind && *look.why ? "true" : "false");
    put_text(text, "why", look.why);
    text_string(text, "}");
}

/* Nothing where nothing is asked. */
static void put_identity(struct running *running, struct text *text)
{
    struct identity_look look = {.state = IDENTITY_SURE};

    if (running->identity)
        identity_look(running->identity, &look);
    if (look.state == IDENTITY_SURE)
        return;
    text_printf(text,
                ",\"identity\":{\"state\":\"%s\",\"since\":%" PRId64
                ",\"machine\":%s,\"board\":%s,\"medium\":%s}",
                identity_state_name(look.state), look.since_ms, look.machine ? "true" : "false",
                look.board ? "true" : "false", look.medium ? "true" : "false");
}

static void put_gateway(struct running *running, struct text *text)
{
    const struct config *config = running->current->config;

    text_string(text, "{\"schema\":1,");
    put_text(text, "id", config->site.id);
    text_string(text, ",");
    put_text(text, "name", config->site.name);
    text_string(text, ",");
    put_text(text, "version", SLUICE_VERSION);
    text_string(text, ",");
    put_config(running, text);
    text_printf(text, ",\"uptime_s\":%" PRId64,
                (clock_mono(running->clock) - running->started_mono_ns) / NS_PER_S);
    text_printf(text, ",\"clock\":{\"t\":%" PRId64 ",", clock_wall(running->clock) / NS_PER_MS);
    put_trust(running, text);
    put_identity(running, text);
}

static void put_outage(const struct running *running, struct text *text)
{
    text_string(text, "\"outage_days\":");
    if (running->outage_days > 0)
        text_f64(text, running->outage_days, DECIMALS_SHORTEST);
    else
        text_string(text, "null");
    text_string(text, ",");
}

static void put_journal(struct running *running, struct text *text)
{
    struct journal_stats stats;
    struct journal_previous previous;

    journal_stats(running->journal, &stats);
    journal_previous(running->journal, &previous);
    text_printf(text, ",\"journal\":{\"epoch\":\"%08" PRIx32 "\"", stats.epoch);
    if (previous.epoch)
        text_printf(text,
                    ",\"prev\":{\"epoch\":\"%08" PRIx32 "\",\"last\":%" PRIu64
                    ",\"why\":\"%s\",\"t\":%" PRId64 "}",
                    previous.epoch, previous.last, previous.why, previous.newest_ns / NS_PER_MS);
    text_printf(text,
                ",\"produced\":%" PRIu64 ",\"stored\":%" PRIu64 ",\"refused\":%" PRIu64
                ",\"waiting\":%" PRIu64 ",\"oldest\":%" PRIu64 ",\"newest\":%" PRIu64
                ",\"oldest_t\":%" PRId64 ",\"newest_t\":%" PRId64,
                stats.produced, stats.stored, stats.refused, stats.waiting, stats.oldest,
                stats.newest, (stats.oldest_wall_ns + NS_PER_MS - 1) / NS_PER_MS,
                stats.newest_wall_ns / NS_PER_MS);
    text_printf(text,
                ",\"bytes\":%" PRIu64 ",\"keep_bytes\":%" PRIu64 ",\"segments\":%" PRIu32
                ",\"streams\":%" PRIu32 ",\"commits\":%" PRIu64 ",\"commit_bytes\":%" PRIu64
                ",\"commit_ms\":%" PRId64 ",\"last_sync_us\":%" PRId64 ",\"worst_sync_us\":%" PRId64
                ",",
                stats.bytes, stats.keep_bytes, stats.segments, stats.streams, stats.commits,
                stats.commit_bytes, stats.commit_ns / NS_PER_MS, stats.last_sync_ns / NS_PER_US,
                stats.worst_sync_ns / NS_PER_US);
    put_outage(running, text);
    put_dropped(text, stats.dropped);
    text_string(text, ",");
    put_text(text, "error", stats.storage_error ? error_text(stats.storage_error) : "");
    text_string(text, "}");
}

/* What it costs, and what the driver learnt about it. */
static void put_learnt(struct text *text, struct host *host, size_t device)
{
    struct driver_stats *stats = &host_stats(host)[device];

    text_printf(text, ",\"bus_percent\":%.2f,\"turnaround_us\":%" PRId64,
                (double)atomic_load(&stats->share_ppm) / 1e4,
                atomic_load(&stats->turnaround_ns) / NS_PER_US);
    text_printf(text,
                ",\"learnt\":{\"max_block\":%" PRIu32 ",\"cuts\":%" PRIu32 ",\"refused\":%" PRIu32,
                atomic_load(&stats->learnt_block), atomic_load(&stats->learnt_cuts),
                atomic_load(&stats->learnt_refused));
    host_about(host, device, text);
    text_string(text, "}");
}

/* On a serial line without units. */
static const char silent_line[] = "nothing came in time: check power, wiring and line settings";

/* By the newest configuration: a profile may have been confirmed while the bus went on. */
static bool is_unverified(const struct running *running, const struct running_bus *entry,
                          size_t index)
{
    const struct site *site = &running->current->config->site;

    for (size_t i = 0; i < site->bus_count; i++) {
        if (strcmp(site->buses[i].id, entry->bus->id) == 0 && index < site->buses[i].device_count)
            return site->buses[i].devices[index].unverified;
    }
    return false;
}

/* Whether it seems to be another model: by what it says of itself, or by what is read of it. */
static void put_doubt(const struct running *running, struct text *text,
                      const struct running_bus *entry, size_t index)
{
    const struct site_device *device = &entry->bus->devices[index];
    size_t odd = host_implausible(entry->host, index);
    size_t refused = atomic_load(&host_stats(entry->host)[index].learnt_refused);
    size_t misfits = odd + refused;
    /* What could not be read now, or has no value, does not speak against the profile. */
    size_t fits = misfits < device->point_count ? device->point_count - misfits : 0;
    size_t left = device->profile ? 0 : 1; /* one point of its own out of range is no model */
    char found[128] = "";
    const char *doubt = doubts_of(running->doubts, device);

    if (!*doubt && atomic_load(&host_stats(entry->host)[index].up) &&
        report_hardly_fits(fits, misfits, left)) {
        snprintf(found, sizeof found, "has hardly a point that fits: %zu implausible, %zu refused",
                 odd, refused);
        doubt = found;
    }
    if (!*doubt)
        return;
    text_string(text, ",");
    put_text(text, "doubt", doubt);
}

static void put_device(struct running *running, struct text *text, struct running_bus *entry,
                       size_t index)
{
    const struct site_device *device = &entry->bus->devices[index];
    struct driver_stats *stats = &host_stats(entry->host)[index];
    uint16_t status = atomic_load(&stats->status);
    bool up = atomic_load(&stats->up);
    int64_t last = atomic_load(&stats->last_reply_ns);
    int64_t probe = atomic_load(&stats->next_probe_ns);
    int64_t late = atomic_load(&stats->late_ns);
    int64_t now = clock_mono(running->clock);
    char advice[ADVICE_SIZE];

    text_string(text, "{");
    put_text(text, "id", device->id);
    text_string(text, ",");
    put_text(text, "name", device->name);
    text_string(text, ",");
    put_text(text, "profile", device->profile);
    if (is_unverified(running, entry, index))
        text_string(text, ",\"unverified\":true");
    put_doubt(running, text, entry, index);
    text_printf(text, ",\"points\":%zu,\"bad\":%" PRIu32 ",\"implausible\":%" PRIu32 ",\"up\":%s",
                device->point_count, host_bad(entry->host, index),
                host_implausible(entry->host, index), up ? "true" : "false");
    if (!up && status) {
        text_string(text, ",");
        put_text(text, "why", status_why(status));
        text_string(text, ",");
        put_text(text, "help",
                 lend_is_modbus(entry->bus) ? advice_for(entry->bus, status, advice)
                 : status == STATUS_TIMEOUT ? silent_line
                                            : status_help(status));
    }
    text_printf(text,
                ",\"requests\":%" PRIu64 ",\"replies\":%" PRIu64 ",\"timeouts\":%" PRIu64
                ",\"corrupt\":%" PRIu64 ",\"unexpected\":%" PRIu64 ",\"exceptions\":%" PRIu64
                ",\"reconnects\":%" PRIu64,
                atomic_load(&stats->requests), atomic_load(&stats->replies),
                atomic_load(&stats->timeouts), atomic_load(&stats->corrupt),
                atomic_load(&stats->unexpected), atomic_load(&stats->exceptions),
                atomic_load(&stats->reconnects));
    text_printf(text, ",\"round_trip_us\":%" PRId64,
                atomic_load(&stats->round_trip_ns) / NS_PER_US);
    if (last)
        text_printf(text, ",\"age_ms\":%" PRId64, (now - last) / NS_PER_MS);
    if (probe > now)
        text_printf(text, ",\"next_probe_ms\":%" PRId64, (probe - now) / NS_PER_MS);
    if (late && !up && status == STATUS_TIMEOUT)
        text_printf(text, ",\"late_ms\":%" PRId64, late / NS_PER_MS);
    put_learnt(text, entry->host, index);
    text_string(text, "}");
}

/* What stands for the devices of a bus where there is no room for them. */
struct sums {
    uint64_t up, down, bad, implausible, requests, replies, share_ppm;
};

static void put_sums(struct text *text, const struct sums *sums)
{
    text_printf(text,
                ",\"up\":%" PRIu64 ",\"down\":%" PRIu64 ",\"bad\":%" PRIu64
                ",\"implausible\":%" PRIu64 ",\"requests\":%" PRIu64 ",\"replies\":%" PRIu64
                ",\"bus_percent\":%.2f}",
                sums->up, sums->down, sums->bad, sums->implausible, sums->requests, sums->replies,
                (double)sums->share_ppm / 1e4);
}

/* Those that could not be started, behind those that run; and the end of the list. */
static void put_unstarted_buses(struct running *running, struct text *text, bool more, bool brief)
{
    for (const struct unstarted *at = running->unstarted; at; at = at->next) {
        char why[UNSTARTED_WHY_SIZE];

        if (!at->bus)
            continue;
        text_string(text, more ? ",{" : "{");
        more = true;
        put_text(text, "id", at->bus->id);
        text_string(text, ",");
        unstarted_why(at, why, sizeof why);
        put_text(text, "error", why);
        if (brief)
            put_sums(text, &(struct sums){.down = at->bus->device_count});
        else
            text_printf(text, ",\"driver\":\"%s\",\"devices\":[]}", at->bus->driver->name);
    }
    text_string(text, "]");
}

static void put_buses(struct running *running, struct text *text)
{
    text_string(text, ",\"buses\":[");
    for (struct running_bus *entry = running->buses; entry; entry = entry->next) {
        text_string(text, "{");
        put_text(text, "id", entry->bus->id);
        text_printf(text, ",\"driver\":\"%s\",", entry->bus->driver->name);
        put_text(text, "error", host_error(entry->host) ? error_text(host_error(entry->host)) : "");
        lend_status(text, entry, clock_mono(running->clock));
        text_string(text, ",\"devices\":[");
        for (size_t i = 0; i < entry->bus->device_count; i++) {
            put_device(running, text, entry, i);
            text_string(text, i + 1 < entry->bus->device_count ? "," : "");
        }
        text_printf(text, "]}%s", entry->next ? "," : "");
    }
    put_unstarted_buses(running, text, running->buses != NULL, false);
}

/* A bus with sums in place of its devices: a thousand of them would be too much for each second. */
static void put_bus_in_short(struct running *running, struct text *text, struct running_bus *entry)
{
    const struct driver_stats *stats = host_stats(entry->host);
    struct sums sums = {0};

    for (size_t i = 0; i < entry->bus->device_count; i++) {
        bool up = atomic_load(&stats[i].up);

        sums.up += up;
        sums.down += !up;
        sums.bad += up ? host_bad(entry->host, i) : 0;
        sums.implausible += up ? host_implausible(entry->host, i) : 0;
        sums.requests += atomic_load(&stats[i].requests);
        sums.replies += atomic_load(&stats[i].replies);
        sums.share_ppm += atomic_load(&stats[i].share_ppm);
    }
    text_string(text, "{");
    put_text(text, "id", entry->bus->id);
    text_string(text, ",");
    put_text(text, "error", host_error(entry->host) ? error_text(host_error(entry->host)) : "");
    lend_status(text, entry, clock_mono(running->clock));
    put_sums(text, &sums);
}

static void put_buses_in_short(struct running *running, struct text *text)
{
    text_string(text, ",\"buses\":[");
    for (struct running_bus *entry = running->buses; entry; entry = entry->next) {
        put_bus_in_short(running, text, entry);
        text_string(text, entry->next ? "," : "");
    }
    put_unstarted_buses(running, text, running->buses != NULL, true);
}

/* "untrusted": the name of the error, for programs and for pages in other languages. */
static void put_cause(struct text *text, int error)
{
    char name[32] = "";

    for (size_t i = 0; error && i + 1 < sizeof name && error_name(error)[i]; i++)
        name[i] = (char)tolower((unsigned char)error_name(error)[i]);
    put_text(text, "cause", name);
    text_string(text, ",");
}

static void put_uplink(struct running *running, struct text *text,
                       const struct config_uplink *uplink, const struct uplink_stats *stats,
                       const char *drill)
{
    int64_t now = clock_mono(running->clock);

    text_string(text, "{");
    put_text(text, "id", uplink->id);
    text_string(text, ",");
    put_text(text, "url", ((const struct uplink_options *)uplink->options)->url);
    text_printf(text, ",\"state\":\"%s\",\"since\":%" PRId64 ",", stats->state,
                stats->since_wall_ns / NS_PER_MS);
    put_text(text, "error", running_is_held(running) ? running_held_back : stats->error);
    text_string(text, ",");
    put_cause(text, stats->cause);
    put_text(text, "alarm", stats->alarm);
    text_printf(text, ",\"mqtt\":\"%s\",",
                stats->version == 5 ? "5"
                : stats->version    ? "3.1.1"
                                    : "");
    put_text(text, "tls", stats->tls);
    text_printf(text,
                ",\"delivery_proven\":%s,\"connects\":%" PRIu64 ",\"published\":%" PRIu64
                ",\"acknowledged\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"replayed\":%" PRIu64
                ",\"bytes\":%" PRIu64 ",\"in_flight\":%" PRIu32 ",\"backlog\":%" PRIu64,
                stats->delivery_proven ? "true" : "false", stats->connects, stats->published,
                stats->acknowledged, stats->refused, stats->replayed, stats->bytes,
                stats->in_flight, stats->backlog);
    if (stats->next_try_mono_ns > now)
        text_printf(text, ",\"next_try_ms\":%" PRId64, (stats->next_try_mono_ns - now) / NS_PER_MS);
    if (*drill) {
        text_string(text, ",");
        put_text(text, "drill", drill);
    }
    text_string(text, "}");
}

/* Who has it for a drill at present: a claim that was not renewed is over. */
static const char *drilled_by(const struct running *running, const struct running_uplink *entry)
{
    return entry->claim.until_mono_ns > clock_mono(running->clock) ? entry->claim.by : "";
}

static void put_uplinks(struct running *running, struct text *text)
{
    struct uplink_stats stats;
    bool more = false;

    text_string(text, ",\"uplinks\":[");
    for (struct running_uplink *entry = running->uplinks; entry; entry = entry->next) {
        uplink_stats(entry->uplink, &stats);
        text_string(text, more ? "," : "");
        put_uplink(running, text, entry->config, &stats, drilled_by(running, entry));
        more = true;
    }
    for (const struct unstarted *at = running->unstarted; at; at = at->next) {
        if (!at->uplink)
            continue;
        unstarted_stats(at, &stats);
        text_string(text, more ? "," : "");
        put_uplink(running, text, at->uplink, &stats, "");
        more = true;
    }
    text_string(text, "]");
}

struct ledger_writer {
    struct text *text;
    bool more;
};

static void put_cursor(void *context, const struct cursor_ledger *ledger)
{
    struct ledger_writer *writer = context;

    text_string(writer->text, writer->more ? "," : "");
    writer->more = true;
    text_json_string(writer->text, ledger->name, strlen(ledger->name));
    text_printf(writer->text,
                ":{\"low\":%" PRIu64 ",\"acked\":%" PRIu64 ",\"pending\":%" PRIu64 ",", ledger->low,
                ledger->acked, ledger->pending);
    put_dropped(writer->text, ledger->dropped);
    text_string(writer->text, "}");
}

static void put_consumers(struct running *running, struct text *text)
{
    struct ledger_writer writer = {.text = text};

    text_string(text, ",\"consumers\":{");
    cursor_each(running->journal, put_cursor, &writer);
    text_string(text, "}");
}

static void put_page(const struct running *running, struct text *text)
{
    if (!running->page)
        return;
    text_string(text, ",\"web\":");
    page_status(running->page, text);
}

void running_status(struct running *running, struct text *text)
{
    pthread_mutex_lock(&running->lock);
    if (running->current) {
        put_gateway(running, text);
        put_journal(running, text);
        put_buses(running, text);
        put_uplinks(running, text);
        put_consumers(running, text);
        put_page(running, text);
        text_string(text, "}\n");
    } else {
        text_string(text, "{\"schema\":1}\n");
    }
    pthread_mutex_unlock(&running->lock);
}

void running_brief(struct running *running, struct text *text)
{
    pthread_mutex_lock(&running->lock);
    text_string(text, "{");
    if (running->current) {
        put_config(running, text);
        text_string(text, ",\"clock\":{");
        put_trust(running, text);
        put_identity(running, text);
        put_journal(running, text);
        put_buses_in_short(running, text);
        put_uplinks(running, text);
        put_consumers(running, text);
    }
    text_string(text, "}");
    pthread_mutex_unlock(&running->lock);
}
