/* What there is to see: GET /api/v1/points; and what the log says: GET /api/v1/log. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "core/error.h"
#include "core/log.h"
#include "core/site_json.h"
#include "web/live_inside.h"
#include "web/query.h"
#include "web/reply.h"

#define LOAD_DEADLINE_S 10

struct points {
    struct live *live;
    struct text *text;
    bool more;
};

/* ,"t":…,"v":…,"q":… of the point's newest reading. With the lock held, as the table may be gone by
 * now. */
static void put_value(struct points *points, uint32_t stream, int8_t decimals)
{
    struct live *live = points->live;
    struct event event;

    pthread_mutex_lock(&live->lock);
    size_t number = live->loaded ? live_table_find(live->table, stream) : SIZE_MAX;
    if (number != SIZE_MAX && live_table_value(live->table, number, &event)) {
        text_string(points->text, ",");
        live_value_json(points->text, &event, decimals);
    }
    pthread_mutex_unlock(&live->lock);
}

static void put_names(struct points *points, const char *device, const char *name,
                      const char *point)
{
    struct text *text = points->text;

    text_printf(text, "%s\n{\"d\":\"%s\",\"p\":\"%s\"", points->more ? "," : "", device, point);
    site_json_text(text, "dn", name);
    points->more = true;
}

static void put_point(struct points *points, const struct site_bus *bus,
                      const struct site_device *device, const struct site_point *point)
{
    struct text *text = points->text;
    int64_t max_age_ms = site_point_max_age_ms(point);

    put_names(points, device->id, device->name, point->id);
    text_printf(text, ",\"bus\":\"%s\",", bus->id);
    site_json_point(text, point);
    site_json_writing(text, point);
    if (point->every_ns > 0)
        text_printf(text, ",\"every_ms\":%" PRId64, point->every_ns / NS_PER_MS);
    if (max_age_ms > 0)
        text_printf(text, ",\"max_age_ms\":%" PRId64, max_age_ms);
    if (point->type == VALUE_F64 && point->decimals >= 0)
        text_printf(text, ",\"decimals\":%d", point->decimals);
    put_value(points, site_point_stream(device, point), point->decimals);
    text_string(text, "}");
}

static void put_site(void *context, const struct site *site)
{
    for (size_t b = 0; b < site->bus_count; b++) {
        for (size_t d = 0; d < site->buses[b].device_count; d++) {
            const struct site_device *device = &site->buses[b].devices[d];

            for (size_t p = 0; p < device->point_count; p++)
                put_point(context, &site->buses[b], device, &device->points[p]);
        }
    }
}

/* A point of another program. */
static void put_produced(void *context, const struct stream *stream)
{
    struct points *points = context;
    struct text *text = points->text;

    put_names(points, stream->device, NULL, stream->point);
    text_printf(text, ",\"produced\":true,\"type\":\"%s\"", site_type_name(stream->type));
    site_json_text(text, "name", stream->name);
    site_json_text(text, "unit", stream->unit);
    put_value(points, stream->number, stream->decimals);
    text_string(text, "}");
}

static void fill_points(void *context, struct text *text)
{
    struct live *live = context;
    const struct live_source *source = &live->source;
    struct points points = {.live = live, .text = text};
    uint32_t epoch;

    journal_durable(live->journal, &epoch);
    text_printf(text, "{\"epoch\":\"%08" PRIx32 "\",\"points\":[", epoch);
    source->site(source->context, put_site, &points);
    if (source->produced)
        source->produced(source->produced_context, put_produced, &points);
    text_string(text, "]}\n");
}

/* Waits until the newest values are there, which takes a moment when nobody looked before. */
static bool wait_loaded(struct live *live)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LOAD_DEADLINE_S;
    pthread_mutex_lock(&live->lock);
    live_want(live);
    while (!live->loaded && !live->stopping &&
           pthread_cond_timedwait(&live->changed, &live->lock, &until) != ETIMEDOUT)
        ;
    bool loaded = live->loaded;
    pthread_mutex_unlock(&live->lock);
    return loaded;
}

static void work_points(void *context, const struct http_request *request, struct http_reply *reply)
{
    (void)request;
    if (wait_loaded(context))
        reply_filled(reply, fill_points, context);
    else
        reply_error(reply, 503, "the newest values cannot be read at present; see the log");
}

void live_points(void *context, const struct route_request *request, struct http_reply *reply)
{
    (void)request;
    reply->work = work_points;
    reply->work_context = context;
}

void live_log_json(struct text *text, const struct log_line *line)
{
    text_printf(text, "{\"t\":%" PRId64 ",\"level\":\"%s\",\"part\":\"%s\",\"words\":",
                line->wall_ns / NS_PER_MS, log_level_name(line->level), line->part);
    text_json_string(text, line->words, strlen(line->words));
    text_string(text, "}");
}

struct log_query {
    uint64_t limit;
    enum log_level level;
    uint64_t newest; /* what comes later is not told: the answer has an end */
};

/* The number behind which `limit` lines are. */
static uint64_t begin_of_log(const struct log_query *query)
{
    uint64_t numbers[LOG_KEPT_LINES], count = 0;
    struct log_line line = {0};

    while (log_kept(line.number, query->level, &line) && line.number <= query->newest)
        numbers[count++ % LOG_KEPT_LINES] = line.number;
    if (count <= query->limit)
        return 0;
    return numbers[(count - query->limit - 1) % LOG_KEPT_LINES];
}

static void fill_log(void *context, struct text *text)
{
    const struct log_query *query = context;
    struct log_line line = {.number = begin_of_log(query)};
    bool more = false;

    text_string(text, "{\"lines\":[");
    while (log_kept(line.number, query->level, &line) && line.number <= query->newest) {
        text_string(text, more ? ",\n" : "\n");
        live_log_json(text, &line);
        more = true;
    }
    text_string(text, "]}\n");
}

void live_log(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct log_query query = {.limit = 200, .newest = log_newest()};
    const char *level = http_query(request->http, "level");
    int parsed = log_level_parse(level && *level ? level : "debug");

    (void)context;
    if (parsed < 0 || query_u64(request->http, "limit", &query.limit)) {
        reply_error(
            reply, 400,
            "expected are a whole number as limit, and error, warn, info or debug as level");
        return;
    }
    query.level = (enum log_level)parsed;
    reply_filled(reply, fill_log, &query);
}

static const struct route rows[] = {
    {"GET", "/api/v1/points", ROLE_VIEWER, live_points, 0},
    {"GET", "/api/v1/live", ROLE_VIEWER, live_view_open, 0},
    {"GET", "/api/v1/log", ROLE_VIEWER, live_log, 0},
};

struct routes live_routes(struct live *live)
{
    return (struct routes){rows, sizeof rows / sizeof *rows, live};
}
