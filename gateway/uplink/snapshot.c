#include "uplink/snapshot.h"

#include <inttypes.h>
#include <string.h>

#include "core/clock.h"
#include "core/site_json.h"
#include "core/status.h"

void snapshot_status(struct text *text, uint64_t session, int64_t since_ns, const char *why)
{
    text_printf(text, "{\"schema\":1,\"state\":\"%s\",\"session\":%" PRIu64,
                why ? "offline" : "online", session);
    if (why)
        text_printf(text, ",\"why\":\"%s\"}", why);
    else
        text_printf(text, ",\"since\":%" PRId64 "}", since_ns / NS_PER_MS);
}

void snapshot_meta(struct text *text, const struct site *site, uint32_t epoch,
                   const struct journal_previous *previous, int64_t cert_until_s)
{
    text_string(text, "{\"schema\":1");
    site_json_text(text, "id", site->id);
    site_json_text(text, "name", site->name);
    site_json_text(text, "hw", site->hardware);
    site_json_text(text, "board", site->board);
    site_json_text(text, "version", SLUICE_VERSION);
    site_json_text(text, "config", site->fingerprint);
    site_json_text(text, "timezone", site->timezone);
    text_printf(text, ",\"epoch\":\"%08" PRIx32 "\"", epoch);
    if (previous->epoch != 0) {
        text_printf(text, ",\"prev\":{\"epoch\":\"%08" PRIx32 "\",\"last\":%" PRIu64,
                    previous->epoch, previous->last);
        site_json_text(text, "why", previous->why);
        if (previous->newest_ns != 0)
            text_printf(text, ",\"t\":%" PRId64, previous->newest_ns / NS_PER_MS);
        text_string(text, "}");
    }
    if (cert_until_s != 0)
        text_printf(text, ",\"cert_until\":%" PRId64, cert_until_s * 1000);
    text_string(text, "}");
}

static void put_point(struct text *text, const struct site_point *point)
{
    int64_t max_age_ms = site_point_max_age_ms(point);

    text_json_string(text, point->id, strlen(point->id));
    text_string(text, ":{");
    site_json_point(text, point);
    if (max_age_ms > 0)
        text_printf(text, ",\"max_age\":%" PRId64, max_age_ms);
    site_json_writing(text, point);
    text_string(text, "}");
}

void snapshot_device(struct text *text, const struct site_device *device)
{
    text_string(text, "{\"schema\":1");
    site_json_text(text, "id", device->id);
    site_json_text(text, "name", device->name);
    site_json_text(text, "vendor", device->vendor);
    site_json_text(text, "model", device->model);
    site_json_text(text, "profile", device->profile);
    if (device->unverified)
        text_string(text, ",\"unverified\":true");
    if (site_device_max_age_ms(device) > 0)
        text_printf(text, ",\"max_age\":%" PRId64, site_device_max_age_ms(device));
    text_string(text, ",\"points\":{");
    for (size_t i = 0; i < device->point_count; i++) {
        if (i > 0)
            text_string(text, ",");
        put_point(text, &device->points[i]);
    }
    text_string(text, "}}");
}

void snapshot_produced(struct text *text, const struct journal *journal, const char *device)
{
    struct stream stream;
    bool more = false;

    text_string(text, "{\"schema\":1");
    site_json_text(text, "id", device);
    text_string(text, ",\"produced\":true,\"points\":{");
    for (uint32_t i = 1; i <= journal_stream_count(journal); i++) {
        if (!journal_stream(journal, i, &stream) || !stream.point[0] ||
            strcmp(stream.device, device) != 0 || journal_find(journal, device, stream.point) != i)
            continue;
        text_printf(text, "%s\"%s\":{\"type\":\"%s\"", more ? "," : "", stream.point,
                    site_type_name(stream.type));
        site_json_text(text, "name", stream.name);
        site_json_text(text, "unit", stream.unit);
        text_string(text, "}");
        more = true;
    }
    text_string(text, "}}");
}

struct ledger_writer {
    struct text *text;
    bool more;
};

static void put_uplink(void *context, const struct cursor_ledger *ledger)
{
    static const char prefix[] = "uplink/";
    struct ledger_writer *writer = context;
    struct text *text = writer->text;
    bool dropped = false;

    if (strncmp(ledger->name, prefix, sizeof(prefix) - 1) != 0)
        return;
    text_printf(text, "%s\"%s\":{\"acked\":%" PRIu64 ",\"pending\":%" PRIu64 ",\"dropped\":{",
                writer->more ? "," : "", ledger->name + sizeof(prefix) - 1, ledger->acked,
                ledger->pending);
    for (unsigned reason = 0; reason < sizeof(ledger->dropped) / sizeof(ledger->dropped[0]);
         reason++) {
        const char *name = gap_reason_name((enum gap_reason)reason);

        if (ledger->dropped[reason] == 0 || !name)
            continue;
        text_printf(text, "%s\"%s\":%" PRIu64, dropped ? "," : "", name, ledger->dropped[reason]);
        dropped = true;
    }
    text_string(text, "}}");
    writer->more = true;
}

void snapshot_ledger(struct text *text, const struct journal *journal)
{
    struct ledger_writer writer = {.text = text};
    struct journal_stats stats;

    journal_stats(journal, &stats);
    text_printf(text,
                "{\"schema\":1,\"epoch\":\"%08" PRIx32 "\",\"last\":%" PRIu64
                ",\"produced\":%" PRIu64 ",\"stored\":%" PRIu64 ",\"uplinks\":{",
                stats.epoch, stats.newest, stats.produced, stats.stored);
    cursor_each(journal, put_uplink, &writer);
    text_string(text, "}}");
}

void snapshot_value(struct text *text, const struct event *event, const struct stream *stream,
                    bool uncertain)
{
    struct value value = event->value;
    uint16_t status = event->status;

    if (status == STATUS_GOOD && uncertain)
        status = STATUS_CLOCK_UNSET;
    if (value.type == VALUE_F64)
        value.decimals = stream->decimals;
    if (event_quality(event->status)[0] == 'b')
        value.type = VALUE_NONE;
    text_printf(text, "{\"schema\":1,\"t\":%" PRId64 ",\"v\":", event->wall_ns / NS_PER_MS);
    text_json_value(text, &value);
    text_printf(text, ",\"q\":\"%s\"", event_quality(status));
    if (status != STATUS_GOOD)
        text_printf(text, ",\"why\":\"%s\"", status_why(status));
    site_json_text(text, "unit", stream->unit);
    text_printf(text, ",\"key\":\"%08" PRIx32 "-%" PRIu64 "\"}", event->epoch, event->n);
}

void snapshot_mark(struct text *text, uint32_t epoch, const char *uplink, uint64_t first,
                   uint64_t last, uint32_t count)
{
    text_printf(text,
                "{\"schema\":1,\"epoch\":\"%08" PRIx32 "\",\"uplink\":\"%s\",\"covers\":[%" PRIu64
                ",%" PRIu64 "],\"count\":%" PRIu32 "}",
                epoch, uplink, first, last, count);
}
