#include "web/metrics.h"

#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "journal/cursor.h"
#include "web/reply.h"

void metric_head(struct text *text, const char *name, const char *type, const char *help)
{
    text_printf(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* As the format wants it in quotes. */
static void put_label(struct text *text, const char *value)
{
    for (; *value; value++) {
        if (*value == '\\' || *value == '"')
            text_string(text, "\\");
        if (*value == '\n')
            text_string(text, "\\n");
        else
            text_raw(text, value, 1);
    }
}

void metric_begin(struct text *text, const char *name, const struct metric_label *labels)
{
    text_string(text, name);
    for (size_t i = 0; labels && labels[i].key; i++) {
        text_printf(text, "%s%s=\"", i ? "," : "{", labels[i].key);
        put_label(text, labels[i].value);
        text_string(text, "\"");
    }
    text_string(text, labels && labels[0].key ? "} " : " ");
}

void metric_end(struct text *text, uint64_t value)
{
    text_u64(text, value);
    text_string(text, "\n");
}

void metric_end_seconds(struct text *text, int64_t ns)
{
    text_f64(text, (double)ns / 1e9, DECIMALS_SHORTEST);
    text_string(text, "\n");
}

static void put(struct text *text, const char *name, const char *type, const char *help,
                uint64_t value)
{
    metric_head(text, name, type, help);
    metric_begin(text, name, NULL);
    metric_end(text, value);
}

static void put_seconds(struct text *text, const char *name, const char *help, int64_t ns)
{
    metric_head(text, name, "gauge", help);
    metric_begin(text, name, NULL);
    metric_end_seconds(text, ns);
}

static void put_dropped(struct text *text, const char *name, const char *consumer,
                        const uint64_t dropped[8])
{
    for (unsigned reason = GAP_CRASH; reason <= GAP_STORAGE; reason++) {
        struct metric_label labels[] = {{"reason", gap_reason_name((enum gap_reason)reason)},
                                        {consumer ? "consumer" : NULL, consumer},
                                        {NULL, NULL}};
        metric_begin(text, name, labels);
        metric_end(text, dropped[reason]);
    }
}

static void write_journal(struct text *text, const struct journal *journal)
{
    struct journal_stats stats;

    journal_stats(journal, &stats);
    put(text, "sluice_events_produced_total", "counter",
        "Events that were put, since the journal began: stored, refused and waiting.",
        stats.produced);
    put(text, "sluice_events_stored_total", "counter",
        "Events made durable, since the journal began.", stats.stored);
    put(text, "sluice_events_refused_total", "counter",
        "Events refused because a ring was full or nothing could be stored.", stats.refused);
    put(text, "sluice_events_waiting", "gauge", "Events put and not yet durable.", stats.waiting);
    metric_head(text, "sluice_events_dropped_total", "counter",
                "Events lost or dropped, by reason, since the journal began.");
    put_dropped(text, "sluice_events_dropped_total", NULL, stats.dropped);
    put(text, "sluice_journal_bytes", "gauge", "Size of all files of the journal.", stats.bytes);
    put(text, "sluice_journal_limit_bytes", "gauge", "Size that the journal may have.",
        stats.keep_bytes);
    put(text, "sluice_journal_segments", "gauge", "Segments of the journal.", stats.segments);
    put(text, "sluice_journal_streams", "gauge", "Streams that were ever declared.", stats.streams);
    put(text, "sluice_journal_commits_total", "counter", "Commits since the start.", stats.commits);
    put(text, "sluice_journal_written_bytes_total", "counter",
        "Bytes of all commits since the start.", stats.commit_bytes);
    put_seconds(text, "sluice_journal_sync_seconds", "How long the last sync of the disk took.",
                stats.last_sync_ns);
    put_seconds(text, "sluice_journal_sync_worst_seconds",
                "How long the slowest sync since the start took.", stats.worst_sync_ns);
    put(text, "sluice_journal_failing", "gauge", "1 while nothing can be stored.",
        stats.storage_error != 0);
}

enum ledger_column { LEDGER_ACKED, LEDGER_PENDING, LEDGER_DROPPED };

struct ledgers {
    struct text *text;
    const char *name;
    enum ledger_column column;
};

static void put_ledger(void *context, const struct cursor_ledger *ledger)
{
    struct ledgers *ledgers = context;
    struct metric_label labels[] = {{"consumer", ledger->name}, {NULL, NULL}};

    if (ledgers->column == LEDGER_DROPPED) {
        put_dropped(ledgers->text, ledgers->name, ledger->name, ledger->dropped);
        return;
    }
    metric_begin(ledgers->text, ledgers->name, labels);
    metric_end(ledgers->text, ledgers->column == LEDGER_ACKED ? ledger->acked : ledger->pending);
}

/* Whoever reads the journal, uplinks and programs alike. */
static void write_ledgers(struct text *text, const struct journal *journal)
{
    static const struct {
        const char *name, *type, *help;
        enum ledger_column column;
    } metrics[] = {
        {"sluice_consumer_acknowledged_events_total", "counter",
         "Events that the consumer has acknowledged.", LEDGER_ACKED},
        {"sluice_consumer_pending_events", "gauge",
         "Events that the consumer has not acknowledged yet: its backlog.", LEDGER_PENDING},
        {"sluice_consumer_dropped_events_total", "counter",
         "Events that the consumer will never get, by reason.", LEDGER_DROPPED},
    };

    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
        struct ledgers ledgers = {text, metrics[i].name, metrics[i].column};

        metric_head(text, metrics[i].name, metrics[i].type, metrics[i].help);
        cursor_each(journal, put_ledger, &ledgers);
    }
}

struct writing {
    const struct metrics_source *source;
    bool points;
};

static void fill(void *context, struct text *text)
{
    const struct writing *writing = context;

    write_journal(text, writing->source->journal);
    write_ledgers(text, writing->source->journal);
    writing->source->write(writing->source->context, text, writing->points);
}

static void work_metrics(void *context, const struct http_request *request,
                         struct http_reply *reply)
{
    struct writing writing = {context, http_query(request, "points") != NULL};

    reply_filled(reply, fill, &writing);
    if (reply->status == 200)
        reply->type = "text/plain; version=0.0.4; charset=utf-8";
}

static bool is_of_this_machine(const struct caller *caller)
{
    return caller->local || strcmp(caller->origin, "127.0.0.1") == 0 ||
           strcmp(caller->origin, "::1") == 0;
}

/* By a proxy on this machine, for whoever may be behind it. */
static bool is_passed_on(const struct http_request *request)
{
    return http_header(request, "X-Forwarded-For") || http_header(request, "Forwarded") ||
           http_header(request, "Via");
}

static void get_metrics(void *context, const struct route_request *request,
                        struct http_reply *reply)
{
    if (request->caller->role < ROLE_VIEWER &&
        (!is_of_this_machine(request->caller) || is_passed_on(request->http))) {
        reply_error(reply, 401, "a token is needed: make one on the page, under System");
        return;
    }
    reply->work = work_metrics;
    reply->work_context = context;
}

static const struct route rows[] = {
    {"GET", "/metrics", ROLE_ANYBODY, get_metrics, 0},
};

struct routes metrics_routes(struct metrics_source *source)
{
    return (struct routes){rows, sizeof rows / sizeof *rows, source};
}
