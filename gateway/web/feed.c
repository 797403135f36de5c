#include "web/feed.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/command.h"
#include "core/error.h"
#include "core/event_json.h"
#include "core/status.h"
#include "journal/reader.h"

/* So many events are looked at in one call, so that a narrow filter over a long journal keeps
 * nobody waiting. */
#define EVENTS_PER_READ 20000

enum verdict { VERDICT_OPEN, VERDICT_YES, VERDICT_NO };

struct feed {
    struct journal *journal;
    struct reader *reader;
    struct feed_query query;
    char device[ID_SIZE_MAX], point[ID_SIZE_MAX];
    uint64_t end; /* when not following: one past the last n to show */
    uint64_t lines;
    uint8_t *verdicts; /* enum verdict, by stream number: whether it is wanted */
    uint32_t verdict_count;
    bool headed; /* the CSV header is out */
    bool ended;
};

static void copy_id(char out[ID_SIZE_MAX], const char **id)
{
    if (!*id)
        return;
    strncpy(out, *id, ID_SIZE_MAX - 1);
    *id = out;
}

int feed_open(struct feed **out, struct journal *journal, const struct feed_query *query)
{
    struct feed *feed = calloc(1, sizeof *feed);
    int error = ERR_NOMEM;

    if (!feed) {
        feed_names_close(query->names);
        return ERR_NOMEM;
    }
    feed->journal = journal;
    feed->query = *query;
    if (!feed->query.kinds)
        feed->query.kinds = ~(UINT32_C(1) << EVENT_DECLARE);
    copy_id(feed->device, &feed->query.device);
    copy_id(feed->point, &feed->query.point);
    feed->end = query->follow ? UINT64_MAX : journal_durable(journal, NULL) + 1;

    uint64_t start = query->newest ? journal_durable(journal, NULL) + 1 : query->from_n;
    error = reader_open(&feed->reader, journal, start);
    if (!error && !start && query->from_ns != INT64_MIN)
        error = reader_seek_time(feed->reader, query->from_ns);
    if (error) {
        feed_close(feed);
        return error;
    }
    *out = feed;
    return 0;
}

void feed_close(struct feed *feed)
{
    if (!feed)
        return;
    reader_close(feed->reader);
    feed_names_close(feed->query.names);
    free(feed->verdicts);
    free(feed);
}

uint64_t feed_position(const struct feed *feed)
{
    return reader_position(feed->reader);
}

/* Whether the stream is what was asked for: found out once for each stream. */
static bool is_wanted_stream(struct feed *feed, uint32_t number)
{
    struct stream stream;

    if (!feed->query.device && !feed->query.point)
        return true;
    if (number == 0)
        return false;
    if (number >= feed->verdict_count) {
        uint32_t count = number + 256;
        uint8_t *grown = realloc(feed->verdicts, count);
        if (!grown)
            return false;
        memset(grown + feed->verdict_count, VERDICT_OPEN, count - feed->verdict_count);
        feed->verdicts = grown;
        feed->verdict_count = count;
    }
    if (feed->verdicts[number] == VERDICT_OPEN)
        feed->verdicts[number] =
            journal_stream(feed->journal, number, &stream) &&
                    feed_asks(&feed->query, &stream, feed->query.device, feed->query.point)
                ? VERDICT_YES
                : VERDICT_NO;
    return feed->verdicts[number] == VERDICT_YES;
}

static bool wanted(struct feed *feed, const struct event *event)
{
    const struct feed_query *query = &feed->query;

    if (!(query->kinds >> event->kind & 1))
        return false;
    /* A hole has no time of its own and no stream: it is told wherever it is met. */
    if (event->n == 0)
        return true;
    return event->wall_ns >= query->from_ns && event->wall_ns < query->to_ns &&
           is_wanted_stream(feed, event->stream);
}

int feed_parse_kinds(const char *text, uint32_t *kinds)
{
    while (text && *text) {
        size_t size = strcspn(text, ",");
        uint32_t found = 0;

        for (unsigned kind = EVENT_READING; kind <= EVENT_DECLARE; kind++) {
            const char *name = event_kind_name((enum event_kind)kind);
            if (name && strlen(name) == size && memcmp(name, text, size) == 0)
                found = UINT32_C(1) << kind;
        }
        if (!found)
            return ERR_INVALID;
        *kinds |= found;
        text += size + (text[size] == ',');
    }
    return 0;
}

void feed_event_json(struct text *text, const struct event *event, const struct stream *stream)
{
    char room[EVENT_JSON_SOURCE_SIZE];
    struct event_json_source source = {.decimals = DECIMALS_SHORTEST};

    if (stream)
        source = event_json_source(stream, room);
    text_printf(text, "{\"epoch\":\"%08" PRIx32 "\",", event->epoch);
    event_json(text, event, &source, false);
}

static void put_member(struct text *text, const char *key, const char *value)
{
    text_printf(text, ",\"%s\":", key);
    text_json_string(text, value, strlen(value));
}

void feed_event_words(struct text *text, const struct event *event, const struct stream *stream,
                      const char *stands_for)
{
    feed_event_json(text, event, stream);
    if (text->cut || event->kind != EVENT_READING || !stream)
        return;
    text->size--; /* the brace that closes the object */
    if (stream->unit[0])
        put_member(text, "unit", stream->unit);
    if (stands_for)
        put_member(text, "text", stands_for);
    text_string(text, "}");
}

/* RFC 4180: quotes doubled; a field that a spreadsheet would take for a formula is no risk inside
 * quotes with a leading apostrophe. */
static void put_csv_text(struct text *text, const char *bytes, size_t size)
{
    text_string(text, "\"");
    if (size && strchr("=+-@\t\r", bytes[0]))
        text_string(text, "'");
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '"')
            text_string(text, "\"");
        text_raw(text, &bytes[i], 1);
    }
    text_string(text, "\"");
}

/* Of a command and a result: what is to be written, and what was read back. */
static bool value_of_order(const struct event *event, struct value *value)
{
    struct command_result result;
    struct command command;

    if (event->value.type != VALUE_BYTES)
        return false;
    if (event->kind == EVENT_COMMAND &&
        command_unpack(&command, event->value.data, event->value.size) == 0) {
        *value = command.value;
        return true;
    }
    if (event->kind == EVENT_RESULT &&
        command_result_unpack(&result, event->value.data, event->value.size) == 0) {
        *value = result.value;
        return true;
    }
    return false;
}

static void put_csv_value(struct text *text, const struct value *value)
{
    if (value->type == VALUE_TEXT)
        put_csv_text(text, value->data, value->size);
    else if (value->type == VALUE_GAP)
        text_u64(text, value->gap->count);
    else if (value->type != VALUE_NONE && !(value->type == VALUE_F64 && !isfinite(value->f)))
        text_json_value(text, value);
}

static void put_csv(struct text *text, const struct event *event, const struct stream *stream)
{
    bool state = event->kind == EVENT_STATE;
    struct value value = event->value;
    bool order = value_of_order(event, &value);
    const char *kind = event_kind_name(event->kind), *why = "";
    char time[32];

    clock_format(event->wall_ns, time);
    if (stream)
        value.decimals = stream->decimals;
    if (value.type == VALUE_GAP)
        why = gap_reason_name(value.gap->reason);
    else if (event->status)
        why = status_why(event->status);
    text_printf(text, "%s,%08" PRIx32 "-%" PRIu64 ",%s,%s,%s,", time, event->epoch, event->n,
                kind ? kind : "unknown", stream ? stream->device : "", stream ? stream->point : "");
    if (state || order || event_quality(event->status)[0] != 'b')
        put_csv_value(text, &value);
    text_string(text, ",");
    if (stream && stream->unit[0])
        put_csv_text(text, stream->unit, strlen(stream->unit));
    text_printf(text, ",%s,%s\n", state ? "good" : event_quality(event->status), why);
}

static void put_line(struct feed *feed, struct text *text, const struct event *event,
                     const struct stream *stream)
{
    if (feed->query.format == FEED_CSV) {
        put_csv(text, event, stream);
        return;
    }
    feed_event_json(text, event, stream);
    text_string(text, "\n");
}

/* True when nothing that comes can be wanted any more. */
static bool at_end(const struct feed *feed)
{
    return reader_position(feed->reader) >= feed->end ||
           (feed->query.limit && feed->lines >= feed->query.limit);
}

int64_t feed_read(struct feed *feed, char *out, size_t room)
{
    struct text text;

    if (feed->ended)
        return ERR_CLOSED;
    text_init(&text, out, room);
    if (feed->query.format == FEED_CSV && !feed->headed)
        text_string(&text, "time,key,kind,device,point,value,unit,quality,why\n");
    feed->headed = true;

    int looked = 0;
    for (; looked < EVENTS_PER_READ; looked++) {
        struct event event;

        if (at_end(feed)) {
            feed->ended = true;
            break;
        }
        if (text.room - text.size < FEED_LINE_SIZE_MAX)
            break;
        int got = reader_next(feed->reader, &event);
        if (got < 0)
            return text.size ? (int64_t)text.size : got;
        if (got == 0) {
            feed->ended = !feed->query.follow;
            break;
        }
        if (!wanted(feed, &event))
            continue;
        struct stream declared;
        const struct stream *stream =
            event.stream ? journal_stream(feed->journal, event.stream, &declared) : NULL;
        put_line(feed, &text, &event, stream);
        feed->lines++;
    }
    if (text.size == 0 && feed->ended)
        return ERR_CLOSED;
    if (text.size == 0 && looked == EVENTS_PER_READ)
        return ERR_AGAIN;
    return (int64_t)text.size;
}

void feed_state_refusal(const struct journal *journal, int error, char sentence[FEED_REFUSAL_SIZE])
{
    struct journal_stats stats;
    char since[32];

    if (error != ERR_NOT_FOUND) {
        snprintf(sentence, FEED_REFUSAL_SIZE, "%s", error_text(error));
        return;
    }
    journal_stats(journal, &stats);
    /* The first millisecond that can be asked for. */
    clock_format(stats.oldest_wall_ns + NS_PER_MS - 1, since);
    snprintf(sentence, FEED_REFUSAL_SIZE,
             "the journal does not reach back to that time: it begins at %s, ask for a later one",
             since);
}
