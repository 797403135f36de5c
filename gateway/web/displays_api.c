#include "web/displays_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "core/words.h"
#include "web/answer.h"
#include "web/audit.h"
#include "web/body.h"
#include "web/feed.h"
#include "web/later.h"
#include "web/reply.h"

static void answer_failure(const struct displays_desk *desk, int error, struct http_reply *reply)
{
    char sentence[640];

    if (error == ERR_FULL)
        snprintf(sentence, sizeof sentence,
                 "the readings of %d displays are kept already: remove one that is not needed",
                 DISPLAYS_MAX);
    else if (error == ERR_CORRUPT)
        snprintf(sentence, sizeof sentence,
                 "%.300s cannot be understood, and stays as it is: move it aside, or restore it",
                 desk->path);
    else
        snprintf(sentence, sizeof sentence, "%.300s: %s", desk->path, error_text(error));
    reply_error(reply, error == ERR_FULL ? 409 : 500, sentence);
}

/* --- what was read --- */

/* The newest reading of a point: what it was declared as may have changed meanwhile. */
struct search {
    const struct journal *journal;
    struct display *display;
    uint64_t newest;
};

/* The value as every answer has it: none where the reading is bad. */
static void take_reading(struct display *display, const struct event *event,
                         const struct stream *stream)
{
    struct value value = event->value;
    struct text text;

    if (value.type == VALUE_F64)
        value.decimals = stream->decimals;
    if (event_quality(event->status)[0] == 'b')
        value.type = VALUE_NONE;
    text_init(&text, display->value, sizeof display->value);
    text_json_value(&text, &value);
    if (text.cut)
        snprintf(display->value, sizeof display->value, "null");
    display->read_ms = event->wall_ns / NS_PER_MS;
    snprintf(display->unit, sizeof display->unit, "%s", stream->unit);
}

static void look(void *context, const struct event *event)
{
    struct search *search = context;
    struct stream stream;

    if (event->kind != EVENT_READING || event->n < search->newest ||
        !journal_stream(search->journal, event->stream, &stream) ||
        strcmp(stream.device, search->display->device) != 0 ||
        strcmp(stream.point, search->display->point) != 0)
        return;
    search->newest = event->n;
    take_reading(search->display, event, &stream);
}

/* What was read of the point until now, or nothing. False, with `reply` filled in, where there is
 * no such point. */
static bool read_beside(const struct displays_desk *desk, struct display *display,
                        struct http_reply *reply)
{
    const struct feed_query query = {.device = display->device, .point = display->point};
    struct search search = {.journal = desk->journal, .display = display};
    char sentence[FEED_NAMES_SIZE];

    if (!id_valid(display->device) || !id_valid(display->point)) {
        reply_error(reply, 404, "there is no such point");
        return false;
    }
    if (feed_find(desk->journal, &query, sentence)) {
        reply_error(reply, 404, sentence);
        return false;
    }
    int error = journal_state_at(desk->journal, display->at_ms * NS_PER_MS, look, &search);
    if (error && error != ERR_NOT_FOUND) {
        reply_failure(reply, error);
        return false;
    }
    return true;
}

/* --- the routes --- */

static void get_displays(void *context, const struct route_request *request,
                         struct http_reply *reply)
{
    const struct displays_desk *desk = context;
    struct answer answer;

    (void)request;
    if (!answer_begin(&answer, reply))
        return;
    int error = displays_write(desk->path, &answer.writer, "displays");
    answer_end(&answer, reply, 200);
    if (!error)
        return;
    free(reply->body);
    reply->body = NULL;
    answer_failure(desk, error, reply);
}

static void note(const struct displays_desk *desk, const struct route_request *request,
                 const char *what, const struct display *display)
{
    char words[AUDIT_WORDS_SIZE];
    struct text text;

    text_init(&text, words, sizeof words);
    words_put(&text, "device", display->device);
    words_put(&text, "point", display->point);
    words_put(&text, "shown", display->shown);
    words_put(&text, "read", display->value);
    audit_note(desk->journal, request->caller, what, words);
}

/* 0, or an error with `reply` filled in. */
static int take_shown(const struct route_request *request, struct display *display,
                      struct http_reply *reply)
{
    const char *shown = NULL;
    struct body body;
    int error = body_read(&body, request->http, reply);

    if (error)
        return error;
    error = body_text(&body, "shown", &shown, reply);
    if (!error && (!shown || !shown[strspn(shown, " ")] ||
                   snprintf(display->shown, sizeof display->shown, "%s", shown) >=
                       (int)sizeof display->shown)) {
        reply_error(reply, 400, "shown: what the display shows is expected, at most 64 bytes");
        error = ERR_INVALID;
    }
    body_close(&body);
    return error;
}

static void name_display(const struct route_request *request, struct display *display)
{
    snprintf(display->device, sizeof display->device, "%.*s", ID_SIZE_MAX - 1, request->names[0]);
    snprintf(display->point, sizeof display->point, "%.*s", ID_SIZE_MAX - 1, request->names[1]);
}

static void put_display(void *context, const struct route_request *request,
                        struct http_reply *reply)
{
    struct displays_desk *desk = context;
    struct display display = {.value = "null", .at_ms = clock_wall(&clock_system) / NS_PER_MS};
    struct answer answer;

    name_display(request, &display);
    snprintf(display.by, sizeof display.by, "%s", request->caller->account);
    snprintf(display.from, sizeof display.from, "%s", request->caller->origin);
    if (take_shown(request, &display, reply) || !read_beside(desk, &display, reply))
        return;
    pthread_mutex_lock(&desk->lock);
    int error = displays_put(desk->path, &display);
    pthread_mutex_unlock(&desk->lock);
    if (error) {
        answer_failure(desk, error, reply);
        return;
    }
    note(desk, request, "display-noted", &display);
    if (!answer_begin(&answer, reply))
        return;
    display_write(&answer.writer, &display);
    answer_end(&answer, reply, 200);
}

static void delete_display(void *context, const struct route_request *request,
                           struct http_reply *reply)
{
    struct displays_desk *desk = context;
    struct display display = {.value = ""};

    name_display(request, &display);
    pthread_mutex_lock(&desk->lock);
    int error = displays_remove(desk->path, display.device, display.point);
    pthread_mutex_unlock(&desk->lock);
    if (error == ERR_NOT_FOUND) {
        reply_error(reply, 404, "nothing was noted of the display of that point");
    } else if (error) {
        answer_failure(desk, error, reply);
    } else {
        note(desk, request, "display-removed", &display);
        reply->status = 204;
    }
}

LATER_ROUTE(get_displays)
LATER_ROUTE(put_display)
LATER_ROUTE(delete_display)

struct routes displays_routes(struct displays_desk *desk)
{
    static const struct route rows[] = {
        {"GET", "/api/v1/displays", ROLE_VIEWER, get_displays_later, 0},
        {"PUT", "/api/v1/displays/{d}/{p}", ROLE_OPERATOR, put_display_later, 0},
        {"DELETE", "/api/v1/displays/{d}/{p}", ROLE_OPERATOR, delete_display_later, 0},
    };

    return (struct routes){rows, sizeof rows / sizeof *rows, desk};
}

/* --- for what leaves the gateway as a whole --- */

int displays_desk_merge(struct displays_desk *desk, const struct json *list)
{
    pthread_mutex_lock(&desk->lock);
    int error = displays_merge(desk->path, list);
    pthread_mutex_unlock(&desk->lock);
    return error;
}

void displays_desk_write(const struct displays_desk *desk, struct json_writer *writer,
                         const char *key)
{
    int error = displays_write(desk->path, writer, key);

    if (error)
        log_warn("web", "what displays showed is left out: %s: %s", desk->path, error_text(error));
}
