/*
 * The history of one point in so many buckets of time, from the journal's events: least, greatest,
 * mean and last value of each. However long the span is, it takes about SERIES_WORK_NS: what cannot
 * be read in that time is sampled evenly, and the answer says how much of it was read.
 */
#ifndef SLUICE_WEB_SERIES_H
#define SLUICE_WEB_SERIES_H

#include "journal/journal.h"
#include "web/feed.h"
#include "web/route.h"

#define SERIES_BUCKETS_MAX 2000
#define SERIES_STREAMS_MAX 64 /* numbers that one point may have had */
#define SERIES_WORK_NS     (1500 * NS_PER_MS)

struct series_bucket {
    double minimum, maximum, sum, last;
    uint32_t count; /* of good and uncertain values that are numbers or booleans */
    uint32_t bad;
};

struct series {
    const struct feed_query *query; /* device and point by their present names, and the span */
    int64_t work_ns;                /* 0: SERIES_WORK_NS */
    size_t bucket_count;
    struct series_bucket *buckets; /* zeroed by the caller */
    struct stream stream;          /* the newest declaration of the point */
    uint64_t events, read;         /* of all points in the span; how many of them were looked at */
};

/* Fills the series in. 0; ERR_NOT_FOUND where the journal has no such point; a read error,
 * ERR_NOMEM.
 */
int series_read(struct series *series, struct journal *journal);

/* Where the route reads: outlives the server. */
struct series_source {
    struct journal *journal;
    feed_was_fn *was; /* NULL: no earlier names are known */
    void *was_context;
};

/* GET /api/v1/series. */
struct routes series_routes(struct series_source *source);

#endif
