#include "core/event_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/command.h"
#include "core/status.h"

_Static_assert(ID_SIZE_MAX + 16 <= UINT8_MAX, "a piece's size fits into a byte");

struct event_json_source event_json_source(const struct stream *stream,
                                           char out[EVENT_JSON_SOURCE_SIZE])
{
    static const char uplink[] = "uplink:", bus[] = "bus:";
    struct event_json_source source = {.decimals = stream->decimals};
    int device = 0, point = 0;

    out[0] = '\0';
    if (strncmp(stream->device, uplink, sizeof(uplink) - 1) == 0) {
        device = snprintf(out, EVENT_JSON_SOURCE_SIZE, "\"u\":\"%s\",",
                          stream->device + sizeof(uplink) - 1);
    } else if (strncmp(stream->device, bus, sizeof(bus) - 1) == 0) {
        device = snprintf(out, EVENT_JSON_SOURCE_SIZE, "\"b\":\"%s\",",
                          stream->device + sizeof(bus) - 1);
    } else if (stream->number != 0) {
        device = snprintf(out, EVENT_JSON_SOURCE_SIZE, "\"d\":\"%s\",", stream->device);
        if (stream->point[0])
            point = snprintf(out + device, EVENT_JSON_SOURCE_SIZE - (size_t)device, "\"p\":\"%s\",",
                             stream->point);
    }
    source.device = out;
    source.point = out + device;
    source.device_size = (uint8_t)device;
    source.point_size = (uint8_t)point;
    return source;
}

#define TEXT_CONSTANT(text, constant) text_raw(text, constant, sizeof(constant) - 1)

void event_json_gap(struct text *text, const struct gap *gap)
{
    const char *why = gap_reason_name(gap->reason);

    if (gap->first != 0)
        text_printf(text, ",\"lost\":[%" PRIu64 ",%" PRIu64 "]", gap->first, gap->last);
    if (gap->count != 0)
        text_printf(text, ",\"count\":%" PRIu64, gap->count);
    if (gap->extent_ms != 0)
        text_printf(text, ",\"extent_ms\":%" PRIu32, gap->extent_ms);
    text_printf(text, ",\"why\":\"%s\"}", why ? why : "unknown");
}

static void put_value(struct text *text, const struct event *event, int8_t decimals)
{
    struct value value = event->value;

    if (value.type == VALUE_F64)
        value.decimals = decimals;
    /* Nanoseconds of an offset are beyond what a double holds: told in milliseconds as all times
     * are. */
    if (event->kind == EVENT_CLOCK && value.type == VALUE_I64)
        value.i /= NS_PER_MS;
    /* Bad is null, never the old value with a new time; but that a device is down is what a state
     * says. */
    if (event->kind != EVENT_STATE && event_quality(event->status)[0] == 'b')
        value.type = VALUE_NONE;
    text_json_value(text, &value);
}

static void put_quality(struct text *text, const struct event *event, bool uncertain)
{
    uint16_t status = event->status;

    if (status == STATUS_GOOD && uncertain)
        status = STATUS_CLOCK_UNSET;
    if (event->kind == EVENT_STATE)
        TEXT_CONSTANT(text, ",\"q\":\"good\"");
    else
        text_printf(text, ",\"q\":\"%s\"", event_quality(status));
    if (status != STATUS_GOOD)
        text_printf(text, ",\"why\":\"%s\"", status_why(status));
    TEXT_CONSTANT(text, "}");
}

static void put_by(struct text *text, const char *id, const char *by)
{
    TEXT_CONSTANT(text, ",\"id\":");
    text_json_string(text, id, strlen(id));
    TEXT_CONSTANT(text, ",\"by\":");
    text_json_string(text, by, strlen(by));
}

static bool put_command(struct text *text, const struct event *event, int8_t decimals)
{
    struct command command;

    if (command_unpack(&command, event->value.data, event->value.size) != 0)
        return false;
    put_by(text, command.id, command.by);
    if (command.op == COMMAND_WRITE)
        TEXT_CONSTANT(text, ",\"op\":\"write\"");
    if (command.expires_ms != 0)
        text_printf(text, ",\"expires\":%" PRId64, command.expires_ms);
    text_printf(text, ",\"ttl\":%" PRId64 ",\"v\":", command.ttl_ms);
    command.value.decimals = decimals;
    text_json_value(text, &command.value);
    return true;
}

/* What was read back is told also where the result is bad. */
static bool put_result(struct text *text, const struct event *event, int8_t decimals)
{
    struct command_result result;

    if (command_result_unpack(&result, event->value.data, event->value.size) != 0)
        return false;
    put_by(text, result.id, result.by);
    if (result.command != 0)
        text_printf(text, ",\"command\":%" PRIu64, result.command);
    text_printf(text, ",\"ok\":%s,\"v\":", event->status == STATUS_GOOD ? "true" : "false");
    result.value.decimals = decimals;
    text_json_value(text, &result.value);
    if (result.words_size > 0) {
        TEXT_CONSTANT(text, ",\"help\":");
        text_json_string(text, result.words, result.words_size);
    }
    return true;
}

/* The members of a command or result; false for any other event, and for one of a later version. */
static bool put_order(struct text *text, const struct event *event, int8_t decimals)
{
    if (event->value.type != VALUE_BYTES)
        return false;
    if (event->kind == EVENT_COMMAND)
        return put_command(text, event, decimals);
    return event->kind == EVENT_RESULT && put_result(text, event, decimals);
}

void event_json(struct text *text, const struct event *event,
                const struct event_json_source *source, bool uncertain)
{
    TEXT_CONSTANT(text, "\"n\":");
    text_u64(text, event->n);
    if (event->kind == EVENT_READING) {
        TEXT_CONSTANT(text, ",\"k\":\"reading\",");
    } else {
        const char *kind = event_kind_name(event->kind);
        TEXT_CONSTANT(text, ",\"k\":\"");
        text_string(text, kind ? kind : "unknown");
        TEXT_CONSTANT(text, "\",");
    }
    text_raw(text, source->device, source->device_size);
    text_raw(text, source->point, source->point_size);
    TEXT_CONSTANT(text, "\"t\":");
    text_i64(text, event->wall_ns / NS_PER_MS);
    if (event->kind == EVENT_GAP && event->value.type == VALUE_GAP) {
        event_json_gap(text, event->value.gap);
        return;
    }
    if (!put_order(text, event, source->decimals)) {
        TEXT_CONSTANT(text, ",\"v\":");
        put_value(text, event, source->decimals);
    }
    if (event->status == STATUS_GOOD && !uncertain)
        TEXT_CONSTANT(text, ",\"q\":\"good\"}");
    else
        put_quality(text, event, uncertain);
}
