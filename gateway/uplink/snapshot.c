#include "uplink/snapshot.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/clock.h"
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

/* ,"key":"text", or nothing where there is no text */
static void put_text(struct text *text, const char *key, const char *value)
{
    if (!value || !value[0])
        return;
    text_printf(text, ",\"%s\":", key);
    text_json_string(text, value, strlen(value));
}

void snapshot_meta(struct text *text, const struct site *site, uint32_t epoch,
                   const struct journal_previous *previous, int64_t cert_until_s)
{
    text_string(text, "{\"schema\":1");
    put_text(text, "id", site->id);
    put_text(text, "name", site->name);
    put_text(text, "hw", site->hardware);
    put_text(text, "board", site->board);
    put_text(text, "version", SLUICE_VERSION);
    put_text(text, "config", site->fingerprint);
    put_text(text, "timezone", site->timezone);
    text_printf(text, ",\"epoch\":\"%08" PRIx32 "\"", epoch);
    if (previous->epoch != 0) {
        text_printf(text, ",\"prev\":{\"epoch\":\"%08" PRIx32 "\",\"last\":%" PRIu64,
                    previous->epoch, previous->last);
        put_text(text, "why", previous->why);
        text_string(text, "}");
    }
    if (cert_until_s != 0)
        text_printf(text, ",\"cert_until\":%" PRId64, cert_until_s * 1000);
    text_string(text, "}");
}

static const char *type_name(const struct site_point *point)
{
    switch (point->type) {
    case VALUE_BOOL:
        return "boolean";
    case VALUE_I64:
    case VALUE_U64:
        return "integer";
    case VALUE_TEXT:
    case VALUE_BYTES:
        return "string";
    default:
        return "number";
    }
}

/* A silence that was intended, and one more reading, or what the way takes where that is longer. */
static int64_t age_ms(int64_t silence_ns, int64_t every_ns)
{
    int64_t slack_ns = every_ns > 5 * NS_PER_S ? every_ns : 5 * NS_PER_S;

    if (silence_ns < every_ns)
        silence_ns = every_ns;
    return silence_ns > 0 ? (silence_ns + slack_ns) / NS_PER_MS : 0;
}

/* A value is stale when it is older than the longest silence that its point allows itself; 0 where
 * that has no end while the value does not change. */
static int64_t max_age_ms(const struct site_point *point)
{
    if (!point->on_change)
        return age_ms(point->at_most_ns, point->every_ns);
    return point->at_least_ns > 0 ? age_ms(point->at_least_ns, point->every_ns) : 0;
}

/* A device is not to be trusted when nothing of it, not even its heartbeat, came for so long. */
static int64_t device_max_age_ms(const struct site_device *device)
{
    int64_t every_ns = INT64_MAX;

    for (size_t i = 0; i < device->point_count; i++)
        if (device->points[i].every_ns < every_ns)
            every_ns = device->points[i].every_ns;
    return device->heartbeat_ns > 0 && device->point_count > 0
               ? age_ms(device->heartbeat_ns, every_ns)
               : 0;
}

/* ,"write":{"min":0,"max":1} of a point that takes commands. */
static void put_write(struct text *text, const struct site_write *write)
{
    const struct {
        const char *key;
        double number;
        bool given;
    } limits[] = {
        {"min", write->minimum, isfinite(write->minimum)},
        {"max", write->maximum, isfinite(write->maximum)},
        {"step", write->step, write->step > 0},
    };
    bool more = false;

    if (!write->allowed)
        return;
    text_string(text, ",\"write\":{");
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        if (!limits[i].given)
            continue;
        text_printf(text, "%s\"%s\":", more ? "," : "", limits[i].key);
        text_f64(text, limits[i].number, DECIMALS_SHORTEST);
        more = true;
    }
    text_string(text, "}");
}

static void put_point(struct text *text, const struct site_point *point)
{
    text_json_string(text, point->id, strlen(point->id));
    text_printf(text, ":{\"type\":\"%s\"", type_name(point));
    put_text(text, "name", point->name);
    put_text(text, "unit", point->unit);
    put_text(text, "ucum", point->ucum);
    put_text(text, "class", point->class);
    put_text(text, "state", point->state);
    if (max_age_ms(point) > 0)
        text_printf(text, ",\"max_age\":%" PRId64, max_age_ms(point));
    for (size_t i = 0; i < point->enum_count; i++) {
        text_printf(text, "%s\"%" PRId64 "\":", i == 0 ? ",\"enum\":{" : ",",
                    point->enums[i].value);
        text_json_string(text, point->enums[i].text, strlen(point->enums[i].text));
    }
    text_string(text, point->enum_count > 0 ? "}" : "");
    put_write(text, &point->write);
    text_string(text, "}");
}

void snapshot_device(struct text *text, const struct site_device *device)
{
    text_string(text, "{\"schema\":1");
    put_text(text, "id", device->id);
    put_text(text, "name", device->name);
    put_text(text, "vendor", device->vendor);
    put_text(text, "model", device->model);
    put_text(text, "profile", device->profile);
    if (device->unverified)
        text_string(text, ",\"unverified\":true");
    if (device_max_age_ms(device) > 0)
        text_printf(text, ",\"max_age\":%" PRId64, device_max_age_ms(device));
    text_string(text, ",\"points\":{");
    for (size_t i = 0; i < device->point_count; i++) {
        if (i > 0)
            text_string(text, ",");
        put_point(text, &device->points[i]);
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
    put_text(text, "unit", stream->unit);
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
