/* GET /api/v1/series. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/site_json.h"
#include "web/query.h"
#include "web/reply.h"
#include "web/series.h"

#define BUCKETS_DEFAULT 300
#define SPAN_DEFAULT_NS (3600 * NS_PER_S)

static void put_times(struct text *text, const struct series *series)
{
    const struct feed_query *query = series->query;
    double width_ns = (double)(query->to_ns - query->from_ns) / (double)series->bucket_count;

    text_string(text, ",\"t\":[");
    for (size_t i = 0; i < series->bucket_count; i++) {
        text_string(text, i ? "," : "");
        text_i64(text, (query->from_ns + (int64_t)(width_ns * (double)i)) / NS_PER_MS);
    }
    text_string(text, "]");
}

enum column { COLUMN_MIN, COLUMN_MAX, COLUMN_AVG, COLUMN_LAST, COLUMN_N, COLUMN_BAD };

static void put_cell(struct text *text, const struct series_bucket *bucket, enum column column,
                     int decimals)
{
    if (column == COLUMN_N || column == COLUMN_BAD)
        text_u64(text, column == COLUMN_N ? bucket->count : bucket->bad);
    else if (bucket->count == 0)
        text_string(text, "null");
    else if (column == COLUMN_AVG) /* a mean has digits that no value has */
        text_f64(text, bucket->sum / bucket->count,
                 decimals >= 0 && decimals + 2 <= DECIMALS_MAX ? decimals + 2 : DECIMALS_SHORTEST);
    else
        text_f64(text,
                 column == COLUMN_MIN   ? bucket->minimum
                 : column == COLUMN_MAX ? bucket->maximum
                                        : bucket->last,
                 decimals);
}

static void put_columns(struct text *text, const struct series *series)
{
    static const char *const names[] = {"min", "max", "avg", "last", "n", "bad"};
    int decimals = series->stream.type == VALUE_F64 ? series->stream.decimals : DECIMALS_SHORTEST;

    for (unsigned column = COLUMN_MIN; column <= COLUMN_BAD; column++) {
        text_printf(text, ",\n\"%s\":[", names[column]);
        for (size_t i = 0; i < series->bucket_count; i++) {
            text_string(text, i ? "," : "");
            put_cell(text, &series->buckets[i], (enum column)column, decimals);
        }
        text_string(text, "]");
    }
}

static void fill_series(void *context, struct text *text)
{
    const struct series *series = context;
    const struct feed_query *query = series->query;

    text_printf(text,
                "{\"device\":\"%s\",\"point\":\"%s\",\"from\":%" PRId64 ",\"to\":%" PRId64
                ",\"type\":\"%s\"",
                query->device, query->point, query->from_ns / NS_PER_MS, query->to_ns / NS_PER_MS,
                site_type_name(series->stream.type));
    site_json_text(text, "unit", series->stream.unit);
    if (series->read < series->events) {
        text_string(text, ",\"sampled\":");
        text_f64(text, (double)series->read / (double)series->events, 6);
    }
    put_times(text, series);
    put_columns(text, series);
    text_string(text, "}\n");
}

static int read_query(const struct http_request *request, struct feed_query *query,
                      uint64_t *buckets)
{
    int64_t now_ns = clock_wall(&clock_system), span_ns;

    *query = (struct feed_query){.to_ns = now_ns,
                                 .device = http_query(request, "device"),
                                 .point = http_query(request, "point")};
    *buckets = BUCKETS_DEFAULT;
    if (query_time(request, "to", &query->to_ns))
        return ERR_INVALID;
    query->from_ns = query->to_ns - SPAN_DEFAULT_NS;
    if (query_time(request, "from", &query->from_ns) || query_u64(request, "buckets", buckets) ||
        *buckets == 0 || *buckets > SERIES_BUCKETS_MAX || query->from_ns >= query->to_ns ||
        __builtin_sub_overflow(query->to_ns, query->from_ns, &span_ns) || !query->device ||
        !query->point || !id_valid(query->device) || !id_valid(query->point))
        return ERR_INVALID;
    return 0;
}

static void work_series(void *context, const struct http_request *request, struct http_reply *reply)
{
    const struct series_source *source = context;
    char sentence[FEED_NAMES_SIZE];
    struct feed_query query;
    uint64_t buckets;

    if (read_query(request, &query, &buckets)) {
        reply_error(reply, 400,
                    "expected are device, point, from and to (times, from before to), and at most "
                    "2000 buckets");
        return;
    }
    feed_names_ask(&query, source->was, source->was_context);
    struct series series = {.query = &query, .bucket_count = (size_t)buckets};
    series.buckets = calloc(series.bucket_count, sizeof *series.buckets);
    int error = series.buckets ? series_read(&series, source->journal) : ERR_NOMEM;
    if (error == ERR_NOT_FOUND && feed_find(source->journal, &query, sentence))
        reply_error(reply, 404, sentence);
    else if (error)
        reply_failure(reply, error);
    else
        reply_filled(reply, fill_series, &series);
    free(series.buckets);
    feed_names_close(query.names);
}

static void get_series(void *context, const struct route_request *request, struct http_reply *reply)
{
    (void)request;
    reply->work = work_series;
    reply->work_context = context;
}

static const struct route rows[] = {
    {"GET", "/api/v1/series", ROLE_VIEWER, get_series, 0},
};

struct routes series_routes(struct series_source *source)
{
    return (struct routes){rows, sizeof rows / sizeof *rows, source};
}
