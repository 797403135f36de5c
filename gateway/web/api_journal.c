#include "web/api_inside.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/status.h"
#include "web/feed.h"
#include "web/later.h"
#include "web/legend.h"
#include "web/query.h"
#include "web/reply.h"

struct state_query {
    struct api *api;
    struct text *text;
    struct legend *legend; /* NULL: events as they are stored */
    int64_t at_ns;
    int error;
};

static void put_state(void *context, const struct event *event)
{
    struct state_query *query = context;
    struct stream declared;
    const struct stream *stream = journal_stream(query->api->journal, event->stream, &declared);

    if (status_ends(event->status))
        return;
    if (query->legend)
        feed_event_words(query->text, event, stream,
                         legend_text(query->legend, event->stream, &event->value));
    else
        feed_event_json(query->text, event, stream);
    text_string(query->text, "\n");
}

static void fill_state(void *context, struct text *text)
{
    struct state_query *query = context;

    query->text = text;
    query->error = journal_state_at(query->api->journal, query->at_ns, put_state, query);
}

static void get_state(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct api *api = context;
    const char *at = http_query(request->http, "at");
    struct state_query query = {.api = api};

    if (clock_parse(at ? at : "now", clock_wall(&clock_system), &query.at_ns)) {
        reply_error(reply, 400,
                    "at: a time such as 2026-11-23T16:20, 07:50, -15m or now is expected");
        return;
    }
    if (http_query(request->http, "words") && legend_open(&query.legend) == 0) {
        if (api->source.legend)
            api->source.legend(api->source.context, query.legend);
        legend_finish(query.legend);
    }
    reply_filled(reply, fill_state, &query);
    legend_close(query.legend);
    if (query.error) {
        free(reply->body);
        reply->body = NULL;
        char sentence[FEED_REFUSAL_SIZE];
        feed_state_refusal(api->journal, query.error, sentence);
        reply_error(reply, query.error == ERR_NOT_FOUND ? 404 : 500, sentence);
        return;
    }
    reply->type = "application/x-ndjson";
}

static int64_t read_feed(void *stream, char *out, size_t room)
{
    int64_t got = feed_read(stream, out, room);

    if (got >= 0)
        return got; /* 0 is HTTP_STREAM_WAIT */
    return got == ERR_AGAIN ? HTTP_STREAM_AGAIN : HTTP_STREAM_END;
}

static void close_feed(void *stream)
{
    feed_close(stream);
}

static const char *parse_feed_query(const struct http_request *http, struct feed_query *query)
{
    const char *format = http_query(http, "format");

    if (query_time(http, "from", &query->from_ns))
        return "from: a time such as 2026-11-23T16:20, 07:50 or -15m is expected";
    if (query_time(http, "to", &query->to_ns))
        return "to: a time such as 2026-11-23T16:20, 07:50 or -15m is expected";
    if (query->from_ns > query->to_ns)
        return "from is later than to: nothing lies between";
    if (query_u64(http, "n", &query->from_n) || query_u64(http, "limit", &query->limit))
        return "n, limit: whole numbers are expected";
    if (feed_parse_kinds(http_query(http, "kind"), &query->kinds))
        return "kind: expected are reading, state, alarm, command, result, gap, clock, config, "
               "lifecycle, declare, separated by commas";
    if (format && strcmp(format, "csv") == 0)
        query->format = FEED_CSV;
    else if (format && strcmp(format, "json") != 0)
        return "format: json or csv is expected";
    query->device = http_query(http, "device");
    query->point = http_query(http, "point");
    query->follow = http_query(http, "follow") != NULL;
    query->newest = http_query(http, "newest") != NULL;
    return NULL;
}

static void get_events(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct api *api = context;
    struct feed_query query = {.from_ns = INT64_MIN, .to_ns = INT64_MAX};
    struct feed *feed = NULL;
    const char *wrong = parse_feed_query(request->http, &query);
    char sentence[FEED_NAMES_SIZE];

    if (wrong) {
        reply_error(reply, 400, wrong);
        return;
    }
    feed_names_ask(&query, api->source.was, api->source.context);
    if (feed_find(api->journal, &query, sentence) != 0) {
        feed_names_close(query.names);
        reply_error(reply, 400, sentence);
        return;
    }
    int error = feed_open(&feed, api->journal, &query);
    if (error) {
        reply_error(reply, 500, error_text(error));
        return;
    }
    reply->status = 200;
    reply->type = query.format == FEED_CSV ? "text/csv" : "application/x-ndjson";
    reply->read = read_feed;
    reply->close = close_feed;
    reply->stream = feed;
}

/* The state of a moment is read from the disk: a segment, and what has come since. */
LATER_ROUTE(get_state)

static const struct route rows[] = {
    {"GET", "/api/v1/events", ROLE_VIEWER, get_events, 0},
    {"GET", "/api/v1/state", ROLE_VIEWER, get_state_later, 0},
};

struct routes api_journal_routes(struct api *api)
{
    return (struct routes){rows, sizeof rows / sizeof *rows, api};
}
