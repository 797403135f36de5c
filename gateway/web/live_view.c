/* One viewer: the stream of server-sent events of GET /api/v1/live. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/log.h"
#include "journal/reader.h"
#include "web/feed.h"
#include "web/live_inside.h"
#include "web/query.h"
#include "web/reply.h"

#define BEAT_NS (15 * NS_PER_S)
/* So many events are looked at in one call while a viewer catches up, so that it keeps nobody
 * waiting. */
#define CATCH_UP_PER_READ 20000
/* Further back than this a viewer is not served from the journal: it asks GET /api/v1/events. */
#define CATCH_UP_MAX 5000000
#define HEAD_SIZE    128 /* of an event's lines before its data */

struct view {
    struct live *live;
    char *names; /* of the values that it wants; NULL: none */
    struct live_set set;
    uint32_t generation; /* of the table that `set` and `place` are of; 0: none yet */
    uint64_t place;
    bool events, log, status;
    uint64_t event_n;      /* the next event that it is to be told of */
    struct reader *reader; /* while it catches up with the ring */
    uint64_t log_number;
    uint64_t status_version;
    int64_t beat_due_ns;
    bool greeted;
    /* What is left of an event that is larger than all the room of a read; NULL: nothing. */
    char *rest;
    size_t rest_size, rest_sent;
};

/* The lines before the data. */
static void put_head(const struct view *view, struct text *text, const char *event)
{
    text_printf(text, "event: %s\n", event);
    if (view->events && view->event_n > 1) {
        uint32_t epoch;

        journal_durable(view->live->journal, &epoch);
        text_printf(text, "id: %08" PRIx32 "-%" PRIu64 "\n", epoch, view->event_n - 1);
    }
    text_string(text, "data: ");
}

static bool has_room(const struct text *text, size_t size)
{
    return text->room - text->size > size + HEAD_SIZE;
}

/* Where the viewer's table was replaced, it sees all values anew. With the lock held. */
static void follow_table(struct view *view, struct text *text)
{
    struct live *live = view->live;

    if (view->generation == live->generation)
        return;
    if (view->generation != 0) {
        put_head(view, text, "points");
        text_printf(text, "{\"generation\":%" PRIu32 "}\n\n", live->generation);
    }
    live_set_close(&view->set);
    if (view->names && live_set_open(&view->set, live->table, view->names)) {
        log_warn("web", "a viewer is not shown values: %s", error_text(ERR_NOMEM));
        return;
    }
    view->generation = live->generation;
    view->place = 0;
}

/* What most viewers want is written once. With the lock held. */
static bool write_values(struct view *view, struct text *list)
{
    struct live *live = view->live;
    bool named = strlen(view->names) < sizeof live->chunk.names;

    if (!named || live->chunk.generation != live->generation || live->chunk.from != view->place ||
        live->chunk.until != live->place || strcmp(live->chunk.names, view->names) != 0 ||
        live->chunk.size >= list->room) {
        uint64_t from = view->place;
        bool more = live_table_write(live->table, &view->set, &view->place, live->place, list);

        if (named && list->size < LIVE_CHUNK_SIZE) {
            snprintf(live->chunk.names, sizeof live->chunk.names, "%s", view->names);
            memcpy(live->chunk.text, list->data, list->size);
            live->chunk.generation = live->generation;
            live->chunk.from = from;
            live->chunk.until = live->place;
            live->chunk.to = view->place;
            live->chunk.more = more;
            live->chunk.size = list->size;
        }
        return more;
    }
    text_raw(list, live->chunk.text, live->chunk.size);
    view->place = live->chunk.to;
    return live->chunk.more;
}

/* With the lock held. True when there are more than fit. */
static bool put_values(struct view *view, struct text *text)
{
    size_t before = text->size;
    struct text list;

    if (!view->names || view->generation == 0 || view->place >= view->live->place)
        return false;
    if (!has_room(text, 8 * LIVE_TEXT_SIZE_MAX))
        return true;
    put_head(view, text, "values");
    text_string(text, "[");
    size_t room = text->room - text->size - 8;
    text_init(&list, text->data + text->size, room < LIVE_CHUNK_SIZE ? room : LIVE_CHUNK_SIZE);
    bool more = write_values(view, &list);
    if (list.size == 0) {
        text->size = before;
        return more;
    }
    text->size += list.size;
    text_string(text, "]\n\n");
    return more;
}

static void put_event_head(struct text *text, uint32_t epoch, uint64_t n)
{
    text_printf(text, "event: event\nid: %08" PRIx32 "-%" PRIu64 "\ndata: ", epoch, n);
}

/* Events that the ring does not have any more are read from the journal. Without the lock. Returns
 * an error, or 1 while there are more that the ring does not have. */
static int catch_up(struct view *view, struct text *text, uint64_t until_n)
{
    struct live *live = view->live;
    struct stream stream;
    struct event event;
    int got = 1;

    if (!view->reader) {
        int error = reader_open(&view->reader, live->journal, view->event_n);
        if (error)
            return error;
    }
    for (int i = 0; i < CATCH_UP_PER_READ; i++) {
        if (!has_room(text, FEED_LINE_SIZE_MAX))
            return 1;
        if (reader_position(view->reader) >= until_n)
            break;
        got = reader_next(view->reader, &event);
        if (got <= 0)
            break;
        view->event_n = reader_position(view->reader);
        if (!live_ring_tells(&event))
            continue;
        put_event_head(text, event.epoch, event.n);
        feed_event_json(text, &event, journal_stream(live->journal, event.stream, &stream));
        text_string(text, "\n\n");
    }
    if (got < 0)
        return got;
    if (got > 0 && view->event_n < until_n)
        return 1;
    reader_close(view->reader);
    view->reader = NULL;
    view->event_n = until_n > view->event_n ? until_n : view->event_n;
    return 0;
}

/* From the ring. With the lock held. True when there are more than fit. */
static bool put_events(struct view *view, struct text *text)
{
    const struct live *live = view->live;
    struct live_line line;

    while (live_ring_get(&live->ring, view->event_n, &line)) {
        if (!has_room(text, line.sizes[0] + line.sizes[1]))
            return true;
        put_event_head(text, line.epoch, line.n);
        text_raw(text, line.parts[0], line.sizes[0]);
        text_raw(text, line.parts[1], line.sizes[1]);
        text_string(text, "\n\n");
        view->event_n = line.n + 1;
    }
    if (live->read_n + 1 > view->event_n)
        view->event_n = live->read_n + 1;
    return false;
}

static void put_rest(struct view *view, struct text *text)
{
    size_t left = view->rest_size - view->rest_sent, room = text->room - text->size - 1;
    size_t size = left < room ? left : room;

    text_raw(text, view->rest + view->rest_sent, size);
    view->rest_sent += size;
    if (size == left) {
        free(view->rest);
        view->rest = NULL;
    }
}

static void write_status(const struct view *view, struct text *text)
{
    put_head(view, text, "status");
    text_raw(text, view->live->status, view->live->status_size);
    text_string(text, "\n\n");
}

static bool put_status(struct view *view, struct text *text)
{
    const struct live *live = view->live;
    size_t size = live->status_size + HEAD_SIZE;
    struct text whole;

    if (!view->status || view->status_version == live->status_version || !live->status)
        return false;
    if (has_room(text, live->status_size)) {
        write_status(view, text);
    } else if (text->size > 0) {
        return true;
    } else {
        view->rest = malloc(size);
        if (!view->rest)
            return false; /* with the next one */
        text_init(&whole, view->rest, size);
        write_status(view, &whole);
        view->rest_size = whole.size;
        view->rest_sent = 0;
        put_rest(view, text);
    }
    view->status_version = live->status_version;
    return false;
}

static bool put_log(struct view *view, struct text *text)
{
    struct log_line line;

    if (!view->log)
        return false;
    while (has_room(text, 6 * sizeof line.words) &&
           log_kept(view->log_number, LOG_LEVEL_DEBUG, &line)) {
        put_head(view, text, "log");
        live_log_json(text, &line);
        text_string(text, "\n\n");
        view->log_number = line.number;
    }
    return !has_room(text, 6 * sizeof line.words);
}

/* So that the other side, and whatever is between, knows that this stream lives. */
static void put_beat(struct view *view, struct text *text, int64_t now_ns)
{
    if (text->size == 0 && now_ns >= view->beat_due_ns) {
        put_head(view, text, "beat");
        text_printf(text, "{\"t\":%" PRId64 "}\n\n", clock_wall(&clock_system) / NS_PER_MS);
    }
    if (text->size > 0)
        view->beat_due_ns = now_ns + BEAT_NS;
}

/* Where an event is wanted that the ring has not, up to which it is to be read from the journal;
 * else 0. With the lock held. */
static uint64_t missing_until(struct view *view, struct text *text)
{
    const struct live *live = view->live;

    if (!view->events || view->event_n >= live->ring.from_n)
        return 0;
    if (live->ring.from_n - view->event_n > CATCH_UP_MAX) {
        text_printf(text, "event: skipped\ndata: {\"first\":%" PRIu64 ",\"last\":%" PRIu64 "}\n\n",
                    view->event_n, live->ring.from_n - 1);
        view->event_n = live->ring.from_n;
        return 0;
    }
    return live->ring.from_n;
}

static int64_t view_read(void *stream, char *out, size_t room)
{
    struct view *view = stream;
    struct live *live = view->live;
    struct text text;
    bool more = false;
    int behind = 0;

    text_init(&text, out, room);
    if (view->rest) {
        put_rest(view, &text);
        return (int64_t)text.size;
    }
    if (!view->greeted) {
        view->greeted = true;
        text_string(&text, "retry: 2000\n\n");
    }
    pthread_mutex_lock(&live->lock);
    bool loaded = live->loaded;
    uint64_t until_n = loaded ? missing_until(view, &text) : 0;
    pthread_mutex_unlock(&live->lock);
    if (until_n)
        behind = catch_up(view, &text, until_n);
    if (behind < 0)
        return HTTP_STREAM_END;

    pthread_mutex_lock(&live->lock);
    if (live->loaded) {
        follow_table(view, &text);
        /* Events first: the id that comes with what follows says that they were told. */
        if (view->events && behind == 0 && view->event_n >= live->ring.from_n)
            more = put_events(view, &text);
        more |= put_values(view, &text);
        more |= put_status(view, &text);
    }
    pthread_mutex_unlock(&live->lock);
    more |= !view->rest && put_log(view, &text);
    put_beat(view, &text, clock_mono(&clock_system));
    if (text.size > 0)
        return (int64_t)text.size;
    return more || behind ? HTTP_STREAM_AGAIN : HTTP_STREAM_WAIT;
}

static void view_free(struct view *view)
{
    reader_close(view->reader);
    live_set_close(&view->set);
    free(view->rest);
    free(view->names);
    free(view);
}

static void view_close(void *stream)
{
    struct view *view = stream;
    struct live *live = view->live;

    pthread_mutex_lock(&live->lock);
    live->viewers--;
    live->status_viewers -= view->status;
    live_want(live);
    pthread_mutex_unlock(&live->lock);
    view_free(view);
}

/* "status,events,log". 0 or ERR_INVALID. */
static int parse_with(struct view *view, const char *with)
{
    struct {
        const char *name;
        bool *wanted;
    } const parts[] = {{"status", &view->status}, {"events", &view->events}, {"log", &view->log}};

    while (with && *with) {
        size_t size = strcspn(with, ","), at = 0;

        while (at < 3 &&
               (strlen(parts[at].name) != size || memcmp(parts[at].name, with, size) != 0))
            at++;
        if (at == 3)
            return ERR_INVALID;
        *parts[at].wanted = true;
        with += size + (with[size] == ',');
    }
    return 0;
}

/* Behind which event the viewer was told everything: "9f2c61d0-48206". Numbers go on across epochs;
 * one that is not stored yet is of another journal. */
static uint64_t resume_behind(const struct view *view, const struct http_request *request)
{
    const char *text = http_header(request, "Last-Event-ID");
    uint64_t durable = journal_durable(view->live->journal, NULL), n;
    uint32_t epoch;

    if (!text)
        text = http_query(request, "last");
    if (!text || sscanf(text, "%8" SCNx32 "-%" SCNu64, &epoch, &n) != 2 || n > durable)
        return durable;
    return n;
}

static int prepare(struct view *view, const struct http_request *request)
{
    const char *values = http_query(request, "values");

    if (parse_with(view, http_query(request, "with")) || (values && !live_names_valid(values)))
        return ERR_INVALID;
    view->names = values ? strdup(values) : NULL;
    view->event_n = resume_behind(view, request) + 1;
    view->log_number = log_newest();
    return !values || view->names ? 0 : ERR_NOMEM;
}

void live_view_open(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct view *view = calloc(1, sizeof *view);
    struct live *live = context;
    int error = ERR_NOMEM;

    if (view) {
        view->live = live;
        error = prepare(view, request->http);
    }
    pthread_mutex_lock(&live->lock);
    if (!error && live->viewers >= LIVE_VIEWERS_MAX)
        error = ERR_FULL;
    if (!error) {
        live->viewers++;
        live->status_viewers += view->status;
        live_want(live);
    }
    pthread_mutex_unlock(&live->lock);
    if (error) {
        if (view)
            view_free(view);
        reply_error(reply,
                    error == ERR_INVALID ? 400
                    : error == ERR_FULL  ? 503
                                         : 500,
                    error == ERR_INVALID
                        ? "values: all, DEVICE or DEVICE/POINT, and with: status, events, log are "
                          "expected, separated by commas"
                    : error == ERR_FULL ? "as many as can watch at a time do so already"
                                        : error_text(error));
        return;
    }
    reply->status = 200;
    reply->type = "text/event-stream";
    reply->read = view_read;
    reply->close = view_close;
    reply->stream = view;
}
