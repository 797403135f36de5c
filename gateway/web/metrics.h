/*
 * GET /metrics: figures in the text format of Prometheus (version 0.0.4), with names and units by
 * its conventions. For whoever has a token, and for this machine without one.
 */
#ifndef SLUICE_WEB_METRICS_H
#define SLUICE_WEB_METRICS_H

#include "core/text.h"
#include "journal/journal.h"
#include "web/route.h"

/* Where the figures come from: outlives the server. Called on a worker's thread. */
struct metrics_source {
    struct journal *journal;
    /* Writes what the daemon knows besides: buses, devices, uplinks; `points`: the age of each
     * point's newest value, too. */
    void (*write)(void *context, struct text *text, bool points);
    void *context;
};

struct routes metrics_routes(struct metrics_source *source);

/* The two lines before the samples of a metric: `type` is "gauge" or "counter". */
void metric_head(struct text *text, const char *name, const char *type, const char *help);

/* NAME{KEY="VALUE",…} and a blank: up to three pairs, ended by a NULL key. */
struct metric_label {
    const char *key, *value;
};
void metric_begin(struct text *text, const char *name, const struct metric_label *labels);

/* The rest of a sample's line: a whole number; or ns as seconds. */
void metric_end(struct text *text, uint64_t value);
void metric_end_seconds(struct text *text, int64_t ns);

#endif
