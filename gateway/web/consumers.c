#include "web/consumers.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/words.h"
#include "journal/cursor.h"
#include "web/audit.h"
#include "web/body.h"
#include "web/feed.h"
#include "web/query.h"
#include "web/reply.h"

#define LINES_DEFAULT 1000
#define LINES_MAX     10000
#define WAIT_MAX_MS   60000

static const char prefix[] = "consumer/";

struct consumers {
    struct journal *journal;
    struct consumers_source source;
    atomic_uint waiting;
};

int consumers_open(struct consumers **out, struct journal *journal,
                   const struct consumers_source *source)
{
    struct consumers *consumers = calloc(1, sizeof *consumers);

    if (!consumers)
        return ERR_NOMEM;
    consumers->journal = journal;
    consumers->source = *source;
    *out = consumers;
    return 0;
}

void consumers_close(struct consumers *consumers)
{
    free(consumers);
}

bool consumers_waiting(const struct consumers *consumers)
{
    return atomic_load(&consumers->waiting) > 0;
}

/* The ledger of one consumer, and how many there are. */
struct search {
    const char *name; /* of the cursor */
    struct cursor_ledger found;
    bool is_there;
    unsigned count;
};

static void look(void *context, const struct cursor_ledger *ledger)
{
    struct search *search = context;

    search->count += strncmp(ledger->name, prefix, sizeof prefix - 1) == 0;
    if (strcmp(ledger->name, search->name) != 0)
        return;
    search->found = *ledger;
    search->is_there = true;
}

static bool cursor_name(char out[CURSOR_NAME_SIZE_MAX], const char *name)
{
    return id_valid(name) &&
           snprintf(out, CURSOR_NAME_SIZE_MAX, "%s%s", prefix, name) < CURSOR_NAME_SIZE_MAX;
}

/* The consumer that the path names. False with `reply` filled in. */
static bool find(const struct consumers *consumers, const struct route_request *request,
                 struct search *search, char name[CURSOR_NAME_SIZE_MAX], struct http_reply *reply)
{
    *search = (struct search){.name = name};
    if (cursor_name(name, request->names[0]))
        cursor_each(consumers->journal, look, search);
    if (!search->is_there)
        reply_error(reply, 404, "there is no consumer of that name: make it with PUT");
    return search->is_there;
}

static void put_ledger(struct text *text, const struct cursor_ledger *ledger)
{
    bool more = false;

    text_printf(text,
                "{\"name\":\"%s\",\"low\":%" PRIu64 ",\"acked\":%" PRIu64 ",\"pending\":%" PRIu64
                ",\"dropped\":{",
                ledger->name + sizeof prefix - 1, ledger->low, ledger->acked, ledger->pending);
    for (unsigned reason = 1; reason < sizeof ledger->dropped / sizeof *ledger->dropped; reason++) {
        if (ledger->dropped[reason] == 0)
            continue;
        text_printf(text, "%s\"%s\":%" PRIu64, more ? "," : "",
                    gap_reason_name((enum gap_reason)reason), ledger->dropped[reason]);
        more = true;
    }
    text_string(text, "}}");
}

struct listing {
    struct text *text;
    bool more;
};

static void list(void *context, const struct cursor_ledger *ledger)
{
    struct listing *listing = context;

    if (strncmp(ledger->name, prefix, sizeof prefix - 1) != 0)
        return;
    text_string(listing->text, listing->more ? ",\n" : "\n");
    put_ledger(listing->text, ledger);
    listing->more = true;
}

static void fill_list(void *context, struct text *text)
{
    const struct consumers *consumers = context;
    struct listing listing = {.text = text};

    text_string(text, "{\"consumers\":[");
    cursor_each(consumers->journal, list, &listing);
    text_string(text, "]}\n");
}

static void get_consumers(void *context, const struct route_request *request,
                          struct http_reply *reply)
{
    (void)request;
    reply_filled(reply, fill_list, context);
}

static void fill_one(void *context, struct text *text)
{
    put_ledger(text, context);
    text_string(text, "\n");
}

/* Where a new one begins; negative where the body says something else. */
static int parse_from(const struct http_request *request, struct http_reply *reply)
{
    const char *from = "newest";
    struct body body;

    if (request->size == 0)
        return CURSOR_AT_NEWEST;
    if (body_read(&body, request, reply))
        return ERR_INVALID;
    int error = body_text(&body, "from", &from, reply);
    bool oldest = !error && strcmp(from, "oldest") == 0;
    bool known = oldest || (!error && strcmp(from, "newest") == 0);
    body_close(&body);
    if (!error && !known)
        reply_error(reply, 400, "from: oldest or newest is expected");
    if (error || !known)
        return ERR_INVALID;
    return oldest ? CURSOR_AT_OLDEST : CURSOR_AT_NEWEST;
}

/* A change that is noted in the audit trail, which may wait for the disk: a worker makes it. */
struct change {
    struct consumers *consumers;
    struct caller caller;
    char name[CURSOR_NAME_SIZE_MAX]; /* of the cursor */
};

static void note(const struct change *change, const char *what)
{
    char words[CURSOR_NAME_SIZE_MAX + 16];
    struct text text;

    text_init(&text, words, sizeof words);
    words_put(&text, "name", change->name + sizeof prefix - 1);
    audit_note(change->consumers->journal, &change->caller, what, words);
}

static void work_on(const struct route_request *request, struct consumers *consumers,
                    void (*work)(void *context, const struct http_request *request,
                                 struct http_reply *reply),
                    struct http_reply *reply)
{
    struct change *change = calloc(1, sizeof *change);

    if (!change || !cursor_name(change->name, request->names[0])) {
        if (change)
            reply_error(reply, 400, "a name of a-z 0-9 - _ is expected, at most 63 characters");
        else
            reply_failure(reply, ERR_NOMEM);
        free(change);
        return;
    }
    change->consumers = consumers;
    change->caller = *request->caller;
    reply->stream = change;
    reply->close = free;
    reply->work = work;
    reply->work_context = change;
}

/* One that is there stays as it is. */
static void work_put(void *context, const struct http_request *request, struct http_reply *reply)
{
    const struct change *change = context;
    struct journal *journal = change->consumers->journal;
    struct search search = {.name = change->name};
    struct cursor *cursor;
    int from = parse_from(request, reply);

    if (from < 0)
        return;
    cursor_each(journal, look, &search);
    bool made = !search.is_there;
    if (made && search.count >= CONSUMERS_MAX) {
        reply_error(reply, 409, "there are as many consumers as there can be (16); delete one");
        return;
    }
    int error = made ? cursor_open(&cursor, journal, change->name, (enum cursor_start)from) : 0;
    if (error) {
        reply_failure(reply, error);
        return;
    }
    if (made) {
        cursor_close(cursor);
        note(change, "consumer-made");
        cursor_each(journal, look, &search);
    }
    reply_filled(reply, fill_one, &search.found);
    if (made && reply->status == 200)
        reply->status = 201;
}

static void put_consumer(void *context, const struct route_request *request,
                         struct http_reply *reply)
{
    work_on(request, context, work_put, reply);
}

static void work_delete(void *context, const struct http_request *request, struct http_reply *reply)
{
    const struct change *change = context;
    int error = cursor_remove(change->consumers->journal, change->name);

    (void)request;
    if (error == ERR_NOT_FOUND) {
        reply_error(reply, 404, "there is no consumer of that name");
    } else if (error) {
        reply_failure(reply, error);
    } else {
        note(change, "consumer-deleted");
        reply->status = 204;
    }
}

static void delete_consumer(void *context, const struct route_request *request,
                            struct http_reply *reply)
{
    work_on(request, context, work_delete, reply);
}

/* A number is of the journal as it is now, or of its epoch before: then the cursor goes on. */
static bool is_of_this_journal(const struct journal *journal, const char *epoch, uint64_t n)
{
    struct journal_previous previous;
    uint32_t current;
    uint64_t durable = journal_durable(journal, &current);
    char *end;
    unsigned long value = strtoul(epoch, &end, 16);

    journal_previous(journal, &previous);
    if (*end || end == epoch || n > durable)
        return false;
    return value == current || (value == previous.epoch && n <= previous.last);
}

static void acknowledge(struct consumers *consumers, const char *name, uint64_t from, uint64_t n,
                        struct http_reply *reply)
{
    struct search search = {.name = name};
    struct cursor *cursor;

    if (n >= from) {
        int error = cursor_open(&cursor, consumers->journal, name, CURSOR_AT_NEWEST);
        if (!error) {
            error = cursor_ack(cursor, from, n);
            cursor_close(cursor);
        }
        if (error) {
            reply_failure(reply, error);
            return;
        }
    }
    cursor_each(consumers->journal, look, &search);
    reply_filled(reply, fill_one, &search.found);
}

static void post_ack(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct consumers *consumers = context;
    char name[CURSOR_NAME_SIZE_MAX];
    struct search search;
    struct body body;
    const char *epoch = "";
    int64_t n = -1;

    if (!find(consumers, request, &search, name, reply) || body_read(&body, request->http, reply))
        return;
    if (body_text(&body, "epoch", &epoch, reply) == 0 && body_integer(&body, "n", &n, reply) == 0) {
        if (n < 0 || !epoch[0])
            reply_error(reply, 400, "epoch and n are expected, as \"covers\" had them");
        else if (!is_of_this_journal(consumers->journal, epoch, (uint64_t)n))
            reply_error(reply, 409,
                        "that event is not of this journal as it is now: read again from where "
                        "the consumer is");
        else
            acknowledge(consumers, name, search.found.resume, (uint64_t)n, reply);
    }
    body_close(&body);
}

/* A request for events: it waits until there are any, then it is a stream that ends. */
struct fetch {
    struct consumers *consumers;
    struct feed_query query;
    char device[ID_SIZE_MAX], point[ID_SIZE_MAX];
    struct feed *feed; /* once there are events */
    int64_t until_ns;
    bool waits, covered;
};

static void stop_waiting(struct fetch *fetch)
{
    if (fetch->waits)
        atomic_fetch_sub(&fetch->consumers->waiting, 1);
    fetch->waits = false;
}

static void close_fetch(void *stream)
{
    struct fetch *fetch = stream;

    stop_waiting(fetch);
    feed_close(fetch->feed);
    free(fetch);
}

/* The last line: what the lines before it are all of. */
static int64_t put_covers(struct fetch *fetch, char *out, size_t room)
{
    struct text text;
    uint32_t epoch;
    uint64_t durable = journal_durable(fetch->consumers->journal, &epoch);
    uint64_t first = fetch->query.from_n, end = fetch->feed ? feed_position(fetch->feed) : first;

    text_init(&text, out, room);
    end = end <= durable + 1 ? end : durable + 1;
    fetch->covered = true;
    if (end > first)
        text_printf(&text, "{\"covers\":[%" PRIu64 ",%" PRIu64 "],\"epoch\":\"%08" PRIx32 "\"}\n",
                    first, end - 1, epoch);
    else
        text_printf(&text, "{\"covers\":null,\"epoch\":\"%08" PRIx32 "\"}\n", epoch);
    return (int64_t)text.size;
}

static int64_t read_fetch(void *stream, char *out, size_t room)
{
    struct fetch *fetch = stream;
    int64_t got = fetch->feed ? feed_read(fetch->feed, out, room) : ERR_CLOSED;

    if (got > 0)
        return got;
    if (got == ERR_AGAIN)
        return HTTP_STREAM_AGAIN;
    if (got == ERR_CLOSED && !fetch->covered)
        return put_covers(fetch, out, room);
    return HTTP_STREAM_END;
}

static bool has_events(void *stream, const struct http_request *request, struct http_reply *reply)
{
    struct fetch *fetch = stream;
    struct journal *journal = fetch->consumers->journal;
    bool there = journal_durable(journal, NULL) >= fetch->query.from_n;

    (void)request;
    if (!there && clock_mono(&clock_system) < fetch->until_ns)
        return false;
    stop_waiting(fetch);
    if (there)
        feed_names_ask(&fetch->query, fetch->consumers->source.was,
                       fetch->consumers->source.was_context);
    int error = there ? feed_open(&fetch->feed, journal, &fetch->query) : 0;
    if (error) {
        reply_failure(reply, error);
        return true;
    }
    reply->status = 200;
    reply->type = "application/x-ndjson";
    reply->read = read_fetch;
    return true;
}

static int read_query(struct fetch *fetch, const struct http_request *request, uint64_t from)
{
    struct feed_query *query = &fetch->query;
    const char *device = http_query(request, "device"), *point = http_query(request, "point");
    uint64_t wait_ms = 0;

    *query = (struct feed_query){
        .from_ns = INT64_MIN, .to_ns = INT64_MAX, .from_n = from, .limit = LINES_DEFAULT};
    if (query_u64(request, "limit", &query->limit) || query_u64(request, "wait_ms", &wait_ms) ||
        query_u64(request, "n", &query->from_n) ||
        feed_parse_kinds(http_query(request, "kind"), &query->kinds) || query->limit == 0 ||
        query->limit > LINES_MAX || wait_ms > WAIT_MAX_MS || query->from_n < from ||
        (device && strlen(device) >= sizeof fetch->device) ||
        (point && strlen(point) >= sizeof fetch->point))
        return ERR_INVALID;
    snprintf(fetch->device, sizeof fetch->device, "%s", device ? device : "");
    snprintf(fetch->point, sizeof fetch->point, "%s", point ? point : "");
    query->device = device ? fetch->device : NULL;
    query->point = point ? fetch->point : NULL;
    fetch->until_ns = clock_mono(&clock_system) + (int64_t)wait_ms * NS_PER_MS;
    return 0;
}

static void get_events(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct consumers *consumers = context;
    char name[CURSOR_NAME_SIZE_MAX];
    struct search search;

    if (!find(consumers, request, &search, name, reply))
        return;
    struct fetch *fetch = calloc(1, sizeof *fetch);
    if (!fetch) {
        reply_failure(reply, ERR_NOMEM);
        return;
    }
    fetch->consumers = consumers;
    if (read_query(fetch, request->http, search.found.resume)) {
        free(fetch);
        reply_error(reply, 400,
                    "expected are limit (1 to 10000), wait_ms (at most 60000), n (not before the "
                    "consumer's place), kind, device, point");
        return;
    }
    fetch->waits = true;
    atomic_fetch_add(&consumers->waiting, 1);
    reply->later = has_events;
    reply->close = close_fetch;
    reply->stream = fetch;
}

static const struct route rows[] = {
    {"GET", "/api/v1/consumers", ROLE_OPERATOR, get_consumers, 0},
    {"PUT", "/api/v1/consumers/{name}", ROLE_OPERATOR, put_consumer, 0},
    {"DELETE", "/api/v1/consumers/{name}", ROLE_OPERATOR, delete_consumer, 0},
    {"GET", "/api/v1/consumers/{name}/events", ROLE_OPERATOR, get_events, 0},
    {"POST", "/api/v1/consumers/{name}/ack", ROLE_OPERATOR, post_ack, 0},
};

struct routes consumers_routes(struct consumers *consumers)
{
    return (struct routes){rows, sizeof rows / sizeof *rows, consumers};
}
