#include "web/producers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "journal/reader.h"
#include "web/producers_inside.h"
#include "web/reply.h"

#define LANE_SIZE         (512 * 1024) /* more than the largest request */
#define STORE_DEADLINE_NS (10 * NS_PER_S)

/* A request whose events wait to be durable. */
struct post {
    struct producers *producers;
    struct reader *reader; /* finds them in the journal */
    uint32_t stream;
    size_t taken, seen;
    uint64_t before;      /* readings of the stream that come first: of other requests */
    uint64_t until_taken; /* of the point: with its own */
    uint64_t refused;     /* by the ledger, when the reader began */
    uint64_t first, last;
    uint32_t epoch;
    uint64_t credit;
    int64_t until_ns;
};

static struct produced *find_point(struct producers *producers, const char *device,
                                   const char *point)
{
    for (size_t i = 0; i < producers->count; i++) {
        struct produced *found = &producers->points[i];

        if (strcmp(found->stream.point, point) == 0 && strcmp(found->stream.device, device) == 0)
            return found;
    }
    return NULL;
}

static struct produced *add_point(struct producers *producers)
{
    if (producers->count == PRODUCERS_POINTS_MAX)
        return NULL;
    if (producers->count == producers->room) {
        size_t room = producers->room ? 2 * producers->room : 16;
        struct produced *grown = realloc(producers->points, room * sizeof *grown);

        if (!grown)
            return NULL;
        producers->points = grown;
        producers->room = room;
    }
    struct produced *added = &producers->points[producers->count++];
    memset(added, 0, sizeof *added);
    return added;
}

/* Takes a new declaration of a point over. */
static void take_stream(struct producers *producers, struct produced *point,
                        const struct stream *stream)
{
    struct journal_stream_ledger ledger = {0};

    if (point->stream.number != 0 &&
        journal_stream_ledger(producers->journal, point->stream.number, &ledger) == 0 &&
        ledger.last_n > point->before_n)
        point->before_n = ledger.last_n;
    memset(&ledger, 0, sizeof ledger);
    journal_stream_ledger(producers->journal, stream->number, &ledger);
    point->stream = *stream;
    point->owed = ledger.produced;
    point->sent = false;
}

static int find_produced(struct producers *producers)
{
    struct stream stream;

    for (uint32_t i = 1; i <= journal_stream_count(producers->journal); i++) {
        if (!journal_stream(producers->journal, i, &stream))
            continue;
        producers->declared += stream_produced(&stream) != NULL;
        if (!stream.point[0] || !produce_is_marked(producers, stream.device))
            continue;
        producers->declared++;
        struct produced *point = find_point(producers, stream.device, stream.point);
        /* The configuration has taken the device over: programs have no more than that. */
        if (!point && producers->count == PRODUCERS_POINTS_MAX)
            continue;
        if (!point)
            point = add_point(producers);
        if (!point)
            return ERR_NOMEM;
        take_stream(producers, point, &stream);
    }
    return 0;
}

int producers_open(struct producers **out, struct journal *journal,
                   const struct producers_source *source)
{
    struct producers *producers = calloc(1, sizeof *producers);

    if (!producers)
        return ERR_NOMEM;
    producers->journal = journal;
    producers->source = *source;
    pthread_mutex_init(&producers->lock, NULL);
    int error = lane_open(&producers->lane, journal, LANE_SIZE);
    if (!error)
        error = find_produced(producers);
    if (error) {
        producers_close(producers);
        return error;
    }
    *out = producers;
    return 0;
}

void producers_close(struct producers *producers)
{
    if (!producers)
        return;
    lane_close(producers->lane);
    pthread_mutex_destroy(&producers->lock);
    free(producers->points);
    free(producers);
}

void producers_each(struct producers *producers,
                    void (*each)(void *context, const struct stream *stream), void *context)
{
    pthread_mutex_lock(&producers->lock);
    for (size_t i = 0; i < producers->count; i++)
        each(context, &producers->points[i].stream);
    pthread_mutex_unlock(&producers->lock);
}

bool producers_waiting(const struct producers *producers)
{
    return atomic_load(&producers->waiting) > 0;
}

/* The account's bucket; whoever has not sent for longest gives his to a new one. */
static struct producer_credit *credit_of(struct producers *producers, const char *account,
                                         int64_t now_ns)
{
    struct producer_credit *found = &producers->credits[0];

    for (size_t i = 0; i < PRODUCERS_ACCOUNTS_MAX; i++) {
        struct producer_credit *credit = &producers->credits[i];

        if (strcmp(credit->account, account) == 0) {
            found = credit;
            break;
        }
        if (credit->filled_ns < found->filled_ns)
            found = credit;
    }
    if (strcmp(found->account, account) != 0) {
        snprintf(found->account, sizeof found->account, "%s", account);
        found->events = PRODUCERS_BURST;
    } else {
        found->events += (double)(now_ns - found->filled_ns) / 1e9 * PRODUCERS_RATE;
        if (found->events > PRODUCERS_BURST)
            found->events = PRODUCERS_BURST;
    }
    found->filled_ns = now_ns;
    return found;
}

static int refuse(struct http_reply *reply, int status, const char *sentence)
{
    if (status == 429 || status == 503)
        http_reply_header(reply, "Retry-After", "1");
    reply_error(reply, status, sentence);
    return ERR_REFUSED;
}

/* Whether something that was taken for the point is not durable yet. */
static bool is_owed(const struct producers *producers, const struct produced *point)
{
    struct journal_stream_ledger ledger = {0};

    if (!point->sent)
        return false;
    journal_stream_ledger(producers->journal, point->stream.number, &ledger);
    return ledger.produced < point->owed ||
           ledger.last_n > journal_durable(producers->journal, NULL);
}

static const char not_yet[] = "what was sent before for this point is not durable yet; ask again";

static bool is_described_so(const struct produced *point, const struct stream *stream)
{
    return point->stream.type == stream->type && strcmp(point->stream.unit, stream->unit) == 0 &&
           strcmp(point->stream.name, stream->name) == 0;
}

/* The point that the request is for, declared as it says. NULL with `reply` filled in. */
static struct produced *point_of(struct producers *producers, struct produced *point,
                                 struct produce *produce, const char *account,
                                 struct http_reply *reply)
{
    struct stream *stream = &produce->stream;
    int64_t now_ns = clock_mono(&clock_system);

    if (point && is_described_so(point, stream))
        return point;
    if (point && produce_refuse_anew(point, now_ns, reply))
        return NULL;
    if (point && is_owed(producers, point)) {
        /* Of two streams that change places nobody could tell what is whose. */
        refuse(reply, 503, not_yet);
        return NULL;
    }
    bool made = !point;
    if (made)
        point = add_point(producers);
    if (!point) {
        refuse(reply, 409, "there are as many points of programs as there can be (1024)");
        return NULL;
    }
    if (produce_declare(producers, stream, account, reply)) {
        producers->count -= made;
        return NULL;
    }
    point->anew_ns = made ? 0 : now_ns;
    bool known = stream->number == point->stream.number;
    take_stream(producers, point, stream);
    if (point->owed == 0 && !known)
        point->owed = 1; /* the declaration, which is an event of the stream */
    return point;
}

/* Whether what the sender knows of the point (NULL: there is none yet) is what is stored of it. */
static int check_order(const struct producers *producers, const struct produced *point,
                       const struct produce *produce, struct http_reply *reply)
{
    struct journal_stream_ledger ledger = {0};
    char sentence[160];
    uint64_t last = 0;

    if (!produce->has_after)
        return 0;
    if (point && is_owed(producers, point))
        return refuse(reply, 503, not_yet);
    if (point) {
        journal_stream_ledger(producers->journal, point->stream.number, &ledger);
        last = ledger.last_n > point->before_n ? ledger.last_n : point->before_n;
    }
    if (last == produce->after)
        return 0;
    snprintf(sentence, sizeof sentence,
             "the newest event of this point is %" PRIu64
             ", not the one that \"after\" names: what was sent before is stored up to it",
             last);
    return refuse(reply, 409, sentence);
}

/* Into the lane, all of it or nothing. */
static int put(struct producers *producers, struct produced *point, struct produce *produce,
               struct post *post, struct http_reply *reply)
{
    for (size_t i = 0; i < produce->count; i++)
        produce->events[i].stream = point->stream.number;
    post->taken = lane_offer(producers->lane, produce->events, produce->count);
    if (post->taken == 0)
        return refuse(reply, 503, "the journal takes nothing at present; see the status");
    point->owed += post->taken;
    point->taken += post->taken;
    post->until_taken = point->taken;
    point->sent = true;
    return 0;
}

/* Before they are put: where the events of a request will be in the journal. */
static int await(struct producers *producers, struct produced *point, struct post *post,
                 struct http_reply *reply)
{
    struct journal_stream_ledger ledger = {0};

    bool owed = is_owed(producers, point);
    /* Behind it: what was refused last may be what is owed no more. */
    journal_stream_ledger(producers->journal, point->stream.number, &ledger);
    if (!owed) {
        point->base_n = journal_durable(producers->journal, NULL);
        point->base_refused = ledger.refused;
        point->base_taken = point->taken;
    } else if (ledger.refused != point->base_refused) {
        /* Of what is still to come nobody could tell whose it is. */
        return refuse(reply, 503, not_yet);
    }
    post->stream = point->stream.number;
    post->before = point->taken - point->base_taken;
    post->refused = point->base_refused;
    int error = reader_open(&post->reader, producers->journal, point->base_n + 1);
    if (error)
        reply_failure(reply, error);
    return error;
}

/* Where something is always on its way nothing is ever owed no more: what is stored by now is not
 * to be read again for each request that comes. Whoever has the lock may have to wait for the disk:
 * then the next one that is stored does it. */
static void raise_base(const struct post *post)
{
    struct producers *producers = post->producers;

    if (pthread_mutex_trylock(&producers->lock) != 0)
        return;
    for (size_t i = 0; i < producers->count; i++) {
        struct produced *point = &producers->points[i];

        if (point->stream.number != post->stream || point->base_refused != post->refused ||
            point->base_taken >= post->until_taken)
            continue;
        point->base_n = post->last;
        point->base_taken = post->until_taken;
    }
    pthread_mutex_unlock(&producers->lock);
}

static int spend(struct producers *producers, const char *account, size_t count, struct post *post,
                 struct http_reply *reply)
{
    struct producer_credit *credit = credit_of(producers, account, clock_mono(&clock_system));

    if (credit->events < (double)count)
        return refuse(reply, 429, "events come faster than 2000 a second; send them later");
    credit->events -= (double)count;
    post->credit = (uint64_t)credit->events;
    return 0;
}

/* Under the lock: puts the events of a request, and fills in what to wait for. */
static int take(struct producers *producers, struct produce *produce, const char *account,
                struct post *post, struct http_reply *reply)
{
    struct produced *point = find_point(producers, produce->stream.device, produce->stream.point);

    if (check_order(producers, point, produce, reply) ||
        spend(producers, account, produce->count, post, reply))
        return ERR_REFUSED;
    point = point_of(producers, point, produce, account, reply);
    if (!point)
        return ERR_REFUSED;
    int error = await(producers, point, post, reply);
    return error ? error : put(producers, point, produce, post, reply);
}

static void close_post(void *stream)
{
    struct post *post = stream;

    atomic_fetch_sub(&post->producers->waiting, 1);
    reader_close(post->reader);
    free(post);
}

static void answer_stored(const struct post *post, struct http_reply *reply)
{
    char *body = malloc(192);
    struct text text;

    if (!body) {
        reply->status = 500;
        return;
    }
    text_init(&text, body, 192);
    text_printf(&text,
                "{\"stored\":[%" PRIu64 ",%" PRIu64 "],\"count\":%zu,\"epoch\":\"%08" PRIx32
                "\",\"credit\":%" PRIu64 "}\n",
                post->first, post->last, post->taken, post->epoch, post->credit);
    reply_json(reply, 200, body, text.size);
}

/* Durable is what the journal gives to its readers. Returns what the last of them was: 0 when there
 * is no more at present, or an error. */
static int read_on(struct post *post)
{
    struct event event;
    int got = 1;

    while (post->seen < post->taken && (got = reader_next(post->reader, &event)) > 0) {
        if (event.stream != post->stream || event.kind != EVENT_READING || event.n == 0)
            continue;
        if (post->before > 0) {
            post->before--;
            continue;
        }
        post->first = post->first ? post->first : event.n;
        post->last = event.n;
        post->epoch = event.epoch;
        post->seen++;
    }
    return got;
}

/* Whether the journal had to refuse one of the stream's events meanwhile. Asked behind the reading:
 * an event that comes after one that was refused is durable later than that is counted. */
static bool is_refused(const struct post *post)
{
    struct journal_stream_ledger ledger = {0};

    journal_stream_ledger(post->producers->journal, post->stream, &ledger);
    return ledger.refused != post->refused;
}

static bool is_stored(void *stream, const struct http_request *request, struct http_reply *reply)
{
    struct post *post = stream;
    int got = read_on(post);
    bool refused = is_refused(post);

    (void)request;
    if (post->seen == post->taken && !refused) {
        raise_base(post);
        answer_stored(post, reply);
        return true;
    }
    if (got >= 0 && !refused && clock_mono(&clock_system) < post->until_ns)
        return false;
    refuse(reply, 503,
           "the journal did not store the events in time, and may yet: ask with \"after\" to learn "
           "what came of them; see the status for why");
    return true;
}

static void produce(struct producers *producers, const struct body *body, const char *account,
                    struct http_reply *reply)
{
    struct produce produce = {0};
    struct post *post = calloc(1, sizeof *post);
    int error = post ? produce_parse(&produce, body, reply) : ERR_NOMEM;

    if (!post)
        reply_failure(reply, error);
    if (!error && producers->source.configured(producers->source.context, produce.stream.device))
        error = refuse(reply, 409,
                       "the configuration has a device of that id, which its driver reads; choose "
                       "another id");
    if (!error) {
        post->producers = producers;
        post->until_ns = clock_mono(&clock_system) + STORE_DEADLINE_NS;
        pthread_mutex_lock(&producers->lock);
        error = take(producers, &produce, account, post, reply);
        pthread_mutex_unlock(&producers->lock);
    }
    free(produce.events);
    if (error) {
        if (post)
            reader_close(post->reader);
        free(post);
        return;
    }
    reply->close(reply->stream); /* who asked is not needed any more */
    atomic_fetch_add(&producers->waiting, 1);
    reply->later = is_stored;
    reply->close = close_post;
    reply->stream = post;
}

/* A request's account, for the worker. */
struct asked {
    struct producers *producers;
    char account[CALLER_NAME_SIZE];
};

static void work_events(void *context, const struct http_request *request, struct http_reply *reply)
{
    struct asked *asked = context;
    struct body body;

    if (body_read(&body, request, reply) == 0) {
        produce(asked->producers, &body, asked->account, reply);
        body_close(&body);
    }
}

static void post_events(void *context, const struct route_request *request,
                        struct http_reply *reply)
{
    struct asked *asked = calloc(1, sizeof *asked);

    if (!asked) {
        reply_failure(reply, ERR_NOMEM);
        return;
    }
    asked->producers = context;
    snprintf(asked->account, sizeof asked->account, "%s", request->caller->account);
    reply->stream = asked;
    reply->close = free;
    reply->work = work_events;
    reply->work_context = asked;
}

static const struct route rows[] = {
    {"POST", "/api/v1/events", ROLE_OPERATOR, post_events, 0},
};

struct routes producers_routes(struct producers *producers)
{
    return (struct routes){rows, sizeof rows / sizeof *rows, producers};
}
