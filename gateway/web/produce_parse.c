/* What a program sends, from JSON to events. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/status.h"
#include "web/producers_inside.h"
#include "web/reply.h"

#define PREFIX_SIZE 9 /* of "producer:", which stands before the device's id in a stream */
/* The journal keeps the order in which events come: an older one could not be found by its time. */
#define AGE_MAX_NS    (300 * NS_PER_S)
#define AHEAD_MAX_NS  (5 * NS_PER_S)
#define SENTENCE_SIZE 256

static int refuse(struct http_reply *reply, const char *sentence)
{
    reply_error(reply, 400, sentence);
    return ERR_INVALID;
}

static int refuse_event(struct http_reply *reply, size_t index, const char *key,
                        const char *expected)
{
    char sentence[SENTENCE_SIZE];

    snprintf(sentence, sizeof sentence, "events[%zu]%s: %s", index, key, expected);
    return refuse(reply, sentence);
}

static int type_of(const char *name)
{
    static const struct {
        const char *name;
        enum value_type type;
    } types[] = {{"number", VALUE_F64},
                 {"integer", VALUE_I64},
                 {"boolean", VALUE_BOOL},
                 {"string", VALUE_TEXT}};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, name) == 0)
            return (int)types[i].type;
    }
    return ERR_INVALID;
}

/* 64-bit integers beyond what a double holds come as texts. */
static bool integer_of(const struct json *json, int64_t *integer)
{
    char *end;

    if (json->type == JSON_NUMBER)
        return json_integer(json, integer);
    if (json->type != JSON_STRING || json->size == 0)
        return false;
    errno = 0;
    *integer = strtoll(json->text, &end, 10);
    return errno == 0 && *end == '\0' && json->text[0] != ' ';
}

static bool value_of(const struct json *json, uint8_t type, struct value *value)
{
    *value = (struct value){.type = type, .decimals = DECIMALS_SHORTEST};
    switch ((enum value_type)type) {
    case VALUE_F64:
        value->f = json->number;
        return json->type == JSON_NUMBER && isfinite(json->number);
    case VALUE_I64:
        return integer_of(json, &value->i);
    case VALUE_BOOL:
        value->b = json->truth;
        return json->type == JSON_BOOL;
    default:
        value->size = (uint16_t)json->size;
        value->data = json->text;
        return json->type == JSON_STRING && json->size <= EVENT_VALUE_SIZE_MAX;
    }
}

static const char *expected_of(uint8_t type)
{
    switch ((enum value_type)type) {
    case VALUE_F64:
        return "a number is expected, or null where there is none";
    case VALUE_I64:
        return "a whole number is expected (beyond 2^53 as a text), or null where there is none";
    case VALUE_BOOL:
        return "true, false or null is expected";
    default:
        return "a text of at most 4096 bytes is expected, or null where there is none";
    }
}

/* A negative error for a word that is none. */
static int quality_of(const struct json *quality, bool has_value)
{
    if (!quality)
        return has_value ? STATUS_GOOD : STATUS_BAD;
    if (quality->type != JSON_STRING)
        return ERR_INVALID;
    if (strcmp(quality->text, "good") == 0)
        return has_value ? STATUS_GOOD : ERR_INVALID;
    if (strcmp(quality->text, "uncertain") == 0)
        return has_value ? STATUS_UNCERTAIN : ERR_INVALID;
    return strcmp(quality->text, "bad") == 0 ? STATUS_BAD : ERR_INVALID;
}

/* Between the wall clock of the sender and the monotonic clock of the journal. */
static int time_of(const struct json *time, int64_t now_wall_ns, int64_t *mono_ns)
{
    int64_t ms;

    if (!time)
        return 0;
    if (time->type != JSON_NUMBER || !json_integer(time, &ms) ||
        ms > (now_wall_ns + AHEAD_MAX_NS) / NS_PER_MS ||
        ms < (now_wall_ns - AGE_MAX_NS) / NS_PER_MS)
        return ERR_INVALID;
    /* The middle of the millisecond: the journal may relate both clocks a little otherwise. */
    *mono_ns += ms * NS_PER_MS + NS_PER_MS / 2 - now_wall_ns;
    return 0;
}

static const struct json *member(const struct json *object, const char *key)
{
    const struct json *found = json_find(object, key);

    return found && found->type != JSON_NULL ? found : NULL;
}

static int parse_event(struct produce *produce, const struct json *json, struct http_reply *reply)
{
    size_t index = produce->count;
    struct event *event = &produce->events[index];
    const struct json *time = member(json, "t"), *value = member(json, "v");
    int quality;

    if (json->type != JSON_OBJECT)
        return refuse_event(reply, index, "", "an object with \"v\" is expected");
    *event = (struct event){.kind = EVENT_READING, .mono_ns = clock_mono(&clock_system)};
    if (time && clock_trust(&clock_system) == CLOCK_UNSET)
        return refuse_event(reply, index, ".t",
                            "the clock of this gateway was never set; leave the time out");
    if (time_of(time, clock_wall(&clock_system), &event->mono_ns))
        return refuse_event(reply, index, ".t",
                            "milliseconds since 1970 are expected, at most five minutes ago and "
                            "not ahead of this gateway's clock");
    if (value && !value_of(value, produce->stream.type, &event->value))
        return refuse_event(reply, index, ".v", expected_of(produce->stream.type));
    quality = quality_of(member(json, "q"), value != NULL);
    if (quality < 0)
        return refuse_event(reply, index, ".q",
                            "good, uncertain or bad is expected; only bad where there is no value");
    event->status = (uint16_t)quality;
    if (event_quality(event->status)[0] == 'b')
        event->value = (struct value){.type = VALUE_NONE};
    produce->count++;
    return 0;
}

static int parse_events(struct produce *produce, const struct json *list, struct http_reply *reply)
{
    if (!list || list->type != JSON_LIST || list->count == 0 || list->count > PRODUCERS_EVENTS_MAX)
        return refuse(reply, "events: a list of 1 to 1000 events is expected");
    produce->events = calloc(list->count, sizeof *produce->events);
    if (!produce->events) {
        reply_failure(reply, ERR_NOMEM);
        return ERR_NOMEM;
    }
    for (const struct json *item = list->first; item; item = item->next) {
        int error = parse_event(produce, item, reply);
        if (error)
            return error;
    }
    return 0;
}

static bool fits(char *out, size_t size, const char *text)
{
    return (size_t)snprintf(out, size, "%s", text) < size;
}

int produce_parse(struct produce *produce, const struct body *body, struct http_reply *reply)
{
    const char *device = "", *point = "", *type = "", *unit = "", *name = "";
    struct stream *stream = &produce->stream;
    int64_t after = -1;

    if (body_text(body, "device", &device, reply) || body_text(body, "point", &point, reply) ||
        body_text(body, "type", &type, reply) || body_text(body, "unit", &unit, reply) ||
        body_text(body, "name", &name, reply) || body_integer(body, "after", &after, reply))
        return ERR_INVALID;
    if (!id_valid(device) || strlen(device) >= ID_SIZE_MAX - PREFIX_SIZE || !id_valid(point))
        return refuse(reply,
                      "device, point: ids of a-z 0-9 - _ are expected, at most 54 characters "
                      "of a device and 63 of a point");
    if (type_of(type) < 0)
        return refuse(reply, "type: number, integer, boolean or string is expected");
    *stream = (struct stream){.type = (uint8_t)type_of(type), .decimals = DECIMALS_SHORTEST};
    fits(stream->device, sizeof stream->device, device);
    fits(stream->point, sizeof stream->point, point);
    if (!fits(stream->unit, sizeof stream->unit, unit) ||
        !fits(stream->name, sizeof stream->name, name))
        return refuse(reply, "unit, name: at most 31 and 127 bytes are expected");
    produce->has_after = after >= 0;
    produce->after = after >= 0 ? (uint64_t)after : 0;
    return parse_events(produce, json_find(body->root, "events"), reply);
}
