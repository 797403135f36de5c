#include "web/series.h"

#include <math.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/status.h"
#include "journal/reader.h"

/* Events of several buses are stored a little out of order. */
#define DISORDER_NS (10 * NS_PER_S)
#define CHUNK_MAX   65536
#define LOOKS_MIN   16
#define CHUNK_MIN   2048

struct walk {
    struct series *series;
    struct reader *reader;
    uint32_t numbers[SERIES_STREAMS_MAX];
    size_t number_count;
    uint64_t end_n;              /* one past the last event of the span */
    int64_t reading_ns, work_ns; /* since when it reads, and for how long it may */
};

/* All declarations that the point has had. */
static int find_streams(struct walk *walk, const struct journal *journal)
{
    const struct feed_query *query = walk->series->query;
    struct stream stream;

    for (uint32_t number = 1; number <= journal_stream_count(journal); number++) {
        if (!journal_stream(journal, number, &stream) || !stream.point[0] ||
            !feed_asks(query, &stream, query->device, query->point))
            continue;
        walk->numbers[walk->number_count++ % SERIES_STREAMS_MAX] = number;
        walk->series->stream = stream;
    }
    if (walk->number_count > SERIES_STREAMS_MAX)
        walk->number_count = SERIES_STREAMS_MAX;
    return walk->number_count ? 0 : ERR_NOT_FOUND;
}

static bool is_of_point(const struct walk *walk, uint32_t stream)
{
    for (size_t i = 0; i < walk->number_count; i++) {
        if (walk->numbers[i] == stream)
            return true;
    }
    return false;
}

/* False for what is no number. */
static bool number_of(const struct value *value, double *number)
{
    switch ((enum value_type)value->type) {
    case VALUE_BOOL:
        *number = value->b;
        return true;
    case VALUE_I64:
        *number = (double)value->i;
        return true;
    case VALUE_U64:
        *number = (double)value->u;
        return true;
    case VALUE_F64:
        *number = value->f;
        return isfinite(value->f);
    default:
        return false;
    }
}

static struct series_bucket *bucket_of(const struct series *series, int64_t wall_ns)
{
    const struct feed_query *query = series->query;

    if (wall_ns < query->from_ns || wall_ns >= query->to_ns)
        return NULL;
    double part = (double)(wall_ns - query->from_ns) / (double)(query->to_ns - query->from_ns);
    size_t at = (size_t)(part * (double)series->bucket_count);
    return &series->buckets[at < series->bucket_count ? at : series->bucket_count - 1];
}

static void take(struct series *series, const struct event *event)
{
    struct series_bucket *bucket = bucket_of(series, event->wall_ns);
    double number;

    /* The history of what was renamed goes on. */
    if (!bucket || event->status == STATUS_RENAMED)
        return;
    if (event_quality(event->status)[0] == 'b') {
        bucket->bad++;
        return;
    }
    if (!number_of(&event->value, &number))
        return;
    if (bucket->count == 0 || number < bucket->minimum)
        bucket->minimum = number;
    if (bucket->count == 0 || number > bucket->maximum)
        bucket->maximum = number;
    bucket->sum += number;
    bucket->last = number;
    bucket->count++;
}

/* The events that can be of the span, by number. */
static int find_span(struct walk *walk, struct journal *journal, uint64_t *from_n)
{
    const struct feed_query *query = walk->series->query;
    int error = reader_open(&walk->reader, journal, 0);

    if (!error)
        error = reader_seek_behind(walk->reader, query->to_ns < INT64_MAX - DISORDER_NS
                                                     ? query->to_ns + DISORDER_NS
                                                     : INT64_MAX);
    if (error)
        return error;
    walk->end_n = reader_position(walk->reader);
    error = reader_seek_time(walk->reader, query->from_ns);
    *from_n = reader_position(walk->reader);
    walk->series->events = walk->end_n > *from_n ? walk->end_n - *from_n : 0;
    return error;
}

/* Reads so many events, or to the end. Returns an error, or 0. */
static int read_chunk(struct walk *walk, uint64_t size)
{
    struct event event;

    for (uint64_t i = 0; i < size; i++) {
        if (reader_position(walk->reader) >= walk->end_n)
            return 0;
        int got = reader_next(walk->reader, &event);
        if (got <= 0)
            return got;
        walk->series->read++;
        if (event.kind == EVENT_READING && is_of_point(walk, event.stream))
            take(walk->series, &event);
    }
    return 0;
}

/*
 * How many events to pass over now, so that what is left of the work is spread over what is left of
 * the span. At the pace so far; 0 where all of it can be read.
 */
static uint64_t pass_over(const struct walk *walk, uint64_t chunk)
{
    uint64_t at = reader_position(walk->reader);
    uint64_t left = walk->end_n > at ? walk->end_n - at : 0;
    int64_t now_ns = clock_mono(&clock_system);

    if (now_ns - walk->reading_ns < walk->work_ns / 16)
        return 0; /* the first moments say little about the pace */
    double left_ns = (double)(walk->work_ns - (now_ns - walk->reading_ns));
    double pace = (double)walk->series->read / (double)(now_ns - walk->reading_ns + 1);
    double can = left_ns > 0 ? left_ns * pace : 0;
    /* However slow the disk is, the whole span is looked at in a few places. */
    double least = (double)chunk * LOOKS_MIN * (double)left / (double)walk->series->events;

    if (can < least)
        can = least;
    if (can >= (double)left)
        return 0;
    double apart = (double)left * (double)chunk / can;
    return apart > (double)chunk ? (uint64_t)(apart - (double)chunk) : 0;
}

int series_read(struct series *series, struct journal *journal)
{
    struct walk walk = {.series = series,
                        .work_ns = series->work_ns ? series->work_ns : SERIES_WORK_NS};
    uint64_t from_n = 0;
    int error = find_streams(&walk, journal);

    if (!error)
        error = find_span(&walk, journal, &from_n);
    uint64_t chunk = series->events / (4 * series->bucket_count);
    chunk = chunk > CHUNK_MAX ? CHUNK_MAX : chunk < CHUNK_MIN ? CHUNK_MIN : chunk;
    walk.reading_ns = clock_mono(&clock_system);
    while (!error && reader_position(walk.reader) < walk.end_n) {
        uint64_t at = reader_position(walk.reader);

        error = read_chunk(&walk, chunk);
        if (error || reader_position(walk.reader) == at)
            break;
        uint64_t passed = pass_over(&walk, chunk);
        uint64_t next = reader_position(walk.reader) + passed;
        if (passed > 0 && next < walk.end_n) {
            error = reader_sample(walk.reader, next);
            /* A place that is found a little before the one that was meant must not be read twice.
             */
            if (!error && reader_position(walk.reader) < next - passed)
                reader_seek(walk.reader, next - passed);
        } else if (passed > 0) {
            break;
        }
    }
    reader_close(walk.reader);
    return error;
}
