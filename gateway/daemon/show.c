#include "daemon/show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/site_json.h"
#include "web/live.h"
#include "web/series.h"

struct show {
    struct running *running;
    struct api *api;
    struct live *live;
    struct series_source series;
};

static void use_site(void *context, void (*use)(void *use_context, const struct site *site),
                     void *use_context)
{
    struct running *running = ((struct show *)context)->running;

    pthread_mutex_lock(&running->lock);
    if (running->current)
        use(use_context, &running->current->config->site);
    pthread_mutex_unlock(&running->lock);
}

static void brief_journal(const struct running *running, struct text *text)
{
    struct journal_stats stats;

    journal_stats(running->journal, &stats);
    text_printf(text,
                "{\"journal\":{\"stored\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"waiting\":%" PRIu64
                ",\"bytes\":%" PRIu64,
                stats.stored, stats.refused, stats.waiting, stats.bytes);
    site_json_text(text, "error", stats.storage_error ? error_text(stats.storage_error) : "");
    text_string(text, "}");
}

static void brief_bus(struct text *text, const struct running_bus *entry, int64_t now_ns)
{
    const struct driver_stats *stats = host_stats(entry->host);
    size_t up = 0;

    for (size_t i = 0; i < entry->bus->device_count; i++)
        up += atomic_load(&stats[i].up);
    text_printf(text, "{\"id\":\"%s\",\"devices\":%zu,\"up\":%zu", entry->bus->id,
                entry->bus->device_count, up);
    if (entry->lease.number != 0 && entry->lease.until_mono_ns > now_ns)
        site_json_text(text, "lent", entry->lease.by);
    site_json_text(text, "error",
                   host_error(entry->host) ? error_text(host_error(entry->host)) : "");
    text_string(text, "}");
}

static void brief_uplink(struct text *text, const struct running_uplink *entry)
{
    struct uplink_stats stats;

    uplink_stats(entry->uplink, &stats);
    text_printf(text, "{\"id\":\"%s\",\"state\":\"%s\"", entry->config->id, stats.state);
    site_json_text(text, "error", stats.error);
    site_json_text(text, "alarm", stats.alarm);
    text_printf(text,
                ",\"backlog\":%" PRIu64 ",\"in_flight\":%" PRIu32 ",\"acknowledged\":%" PRIu64
                ",\"bytes\":%" PRIu64 "}",
                stats.backlog, stats.in_flight, stats.acknowledged, stats.bytes);
}

static void brief(void *context, struct text *text)
{
    struct running *running = ((struct show *)context)->running;
    int64_t now_ns = clock_mono(running->clock);

    pthread_mutex_lock(&running->lock);
    brief_journal(running, text);
    text_string(text, ",\"buses\":[");
    for (const struct running_bus *entry = running->buses; entry; entry = entry->next) {
        brief_bus(text, entry, now_ns);
        text_string(text, entry->next ? "," : "");
    }
    text_string(text, "],\"uplinks\":[");
    for (const struct running_uplink *entry = running->uplinks; entry; entry = entry->next) {
        brief_uplink(text, entry);
        text_string(text, entry->next ? "," : "");
    }
    text_string(text, "]}");
    pthread_mutex_unlock(&running->lock);
}

static bool was(void *context, const struct stream *stream, const char *device, const char *point)
{
    return running_was(context, stream, device, point);
}

static void wake(void *context)
{
    api_wake(context);
}

static int mount(struct show *show)
{
    show->series = (struct series_source){show->running->journal, was, show->running};
    struct routes tables[] = {live_routes(show->live), series_routes(&show->series)};
    int error = 0;

    for (size_t i = 0; i < sizeof tables / sizeof *tables && !error; i++)
        error = api_mount(show->api, &tables[i]);
    return error;
}

int show_open(struct show **out, struct api *api, struct running *running)
{
    struct show *show = calloc(1, sizeof *show);
    int error = ERR_NOMEM;

    if (show) {
        struct live_source source = {.site = use_site, .brief = brief, .context = show};

        show->running = running;
        show->api = api;
        error = live_open(&show->live, running->journal, &source, wake, api);
    }
    if (!error)
        error = mount(show);
    if (error) {
        show_close(show);
        return error;
    }
    *out = show;
    return 0;
}

void show_stop(struct show *show)
{
    if (show)
        live_stop(show->live);
}

void show_close(struct show *show)
{
    if (!show)
        return;
    live_close(show->live);
    free(show);
}
