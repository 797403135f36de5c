#include "web/api.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/accept.h"
#include "core/log.h"
#include "web/command_stream.h"
#include "web/feed.h"
#include "web/http.h"

#define BACKLOG         16
#define BODY_SIZE_FIRST (64 * 1024)
#define BODY_SIZE_MAX   (64 * 1024 * 1024)

struct api {
    struct http *http;
    struct journal *journal;
    struct api_source source;
    int fd;
    struct accepter *accepter;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

static void reply_json(struct http_reply *reply, int status, char *body, size_t size)
{
    reply->status = status;
    reply->type = "application/json";
    reply->body = body;
    reply->size = size;
}

static void reply_error(struct http_reply *reply, int status, const char *sentence)
{
    char *body = malloc(512);
    struct text text;

    if (!body) {
        reply->status = 500;
        return;
    }
    text_init(&text, body, 512);
    text_string(&text, "{\"error\":");
    text_json_string(&text, sentence, strlen(sentence));
    text_string(&text, "}\n");
    reply_json(reply, status, body, text.size);
}

/* Writes a body of unknown size: `fill` again with twice the room until nothing is cut. */
static void reply_filled(struct http_reply *reply, void (*fill)(void *context, struct text *text),
                         void *context)
{
    for (size_t room = BODY_SIZE_FIRST; room <= BODY_SIZE_MAX; room *= 2) {
        char *body = malloc(room);
        struct text text;

        if (!body)
            break;
        text_init(&text, body, room);
        fill(context, &text);
        if (!text.cut) {
            reply_json(reply, 200, body, text.size);
            return;
        }
        free(body);
    }
    reply_error(reply, 500, "out of memory");
}

static void get_status(struct api *api, const struct http_request *request,
                       struct http_reply *reply)
{
    (void)request;
    reply_filled(reply, api->source.status, api->source.context);
}

struct state_query {
    struct api *api;
    struct text *text;
    int64_t at_ns;
    int error;
};

static void put_state(void *context, const struct event *event)
{
    struct state_query *query = context;

    struct stream stream;

    feed_event_json(query->text, event,
                    journal_stream(query->api->journal, event->stream, &stream));
    text_string(query->text, "\n");
}

static void fill_state(void *context, struct text *text)
{
    struct state_query *query = context;

    query->text = text;
    query->error = journal_state_at(query->api->journal, query->at_ns, put_state, query);
}

static void get_state(struct api *api, const struct http_request *request, struct http_reply *reply)
{
    const char *at = http_query(request, "at");
    struct state_query query = {.api = api};

    if (clock_parse(at ? at : "now", clock_wall(&clock_system), &query.at_ns)) {
        reply_error(reply, 400, "at: a time such as 2026-11-23T16:20, -15m or now is expected");
        return;
    }
    reply_filled(reply, fill_state, &query);
    if (query.error) {
        free(reply->body);
        char sentence[FEED_REFUSAL_SIZE];
        feed_state_refusal(api->journal, query.error, sentence);
        reply_error(reply, query.error == ERR_NOT_FOUND ? 404 : 500, sentence);
        return;
    }
    reply->type = "application/x-ndjson";
}

static int64_t read_feed(void *stream, char *out, size_t room)
{
    int64_t got = feed_read(stream, out, room);

    if (got >= 0)
        return got; /* 0 is HTTP_STREAM_WAIT */
    return got == ERR_AGAIN ? HTTP_STREAM_AGAIN : HTTP_STREAM_END;
}

static void close_feed(void *stream)
{
    feed_close(stream);
}

static int query_time(const struct http_request *request, const char *key, int64_t *wall_ns)
{
    const char *text = http_query(request, key);

    return text ? clock_parse(text, clock_wall(&clock_system), wall_ns) : 0;
}

static int query_u64(const struct http_request *request, const char *key, uint64_t *value)
{
    const char *text = http_query(request, key);
    char *end;

    if (!text)
        return 0;
    if (*text < '0' || *text > '9')
        return ERR_INVALID;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return *end || errno ? ERR_INVALID : 0;
}

static const char *parse_feed_query(const struct http_request *request, struct feed_query *query)
{
    const char *format = http_query(request, "format");

    if (query_time(request, "from", &query->from_ns) || query_time(request, "to", &query->to_ns))
        return "from, to: times such as 2026-11-23T16:20 or -15m are expected";
    if (query_u64(request, "n", &query->from_n) || query_u64(request, "limit", &query->limit))
        return "n, limit: whole numbers are expected";
    if (feed_parse_kinds(http_query(request, "kind"), &query->kinds))
        return "kind: expected are reading, state, alarm, command, result, gap, clock, config, "
               "lifecycle, declare, separated by commas";
    if (format && strcmp(format, "csv") == 0)
        query->format = FEED_CSV;
    else if (format && strcmp(format, "json") != 0)
        return "format: json or csv is expected";
    query->device = http_query(request, "device");
    query->point = http_query(request, "point");
    query->follow = http_query(request, "follow") != NULL;
    query->newest = http_query(request, "newest") != NULL;
    return NULL;
}

static void get_events(struct api *api, const struct http_request *request,
                       struct http_reply *reply)
{
    struct feed_query query = {.from_ns = INT64_MIN, .to_ns = INT64_MAX};
    struct feed *feed = NULL;
    const char *wrong = parse_feed_query(request, &query);
    char sentence[FEED_NAMES_SIZE];

    if (wrong) {
        reply_error(reply, 400, wrong);
        return;
    }
    query.was = api->source.was;
    query.was_context = api->source.context;
    if (feed_find(api->journal, &query, sentence) != 0) {
        reply_error(reply, 400, sentence);
        return;
    }
    int error = feed_open(&feed, api->journal, &query);
    if (error) {
        reply_error(reply, 500, error_text(error));
        return;
    }
    reply->status = 200;
    reply->type = query.format == FEED_CSV ? "text/csv" : "application/x-ndjson";
    reply->read = read_feed;
    reply->close = close_feed;
    reply->stream = feed;
}

static int64_t read_commands(void *stream, char *out, size_t room)
{
    int64_t got = command_stream_read(stream, out, room);

    return got >= 0 ? got : HTTP_STREAM_END;
}

static void close_commands(void *stream)
{
    command_stream_close(stream);
}

static void wake_streams(void *context)
{
    api_wake(context);
}

/* Whether a command was taken and what came of it are lines of the answer, not its status. */
static void post_command(struct api *api, const struct http_request *request,
                         struct http_reply *reply)
{
    struct command_stream *stream;
    int error = api->source.desk
                    ? command_stream_open(&stream, api->source.desk, http_peer_user(request),
                                          http_query(request, "wait") != NULL, wake_streams, api)
                    : ERR_UNSUPPORTED;

    if (error) {
        reply_error(reply, 500, error_text(error));
        return;
    }
    command_stream_submit(stream, request->body, request->size);
    reply->status = 200;
    reply->type = "application/x-ndjson";
    reply->read = read_commands;
    reply->close = close_commands;
    reply->stream = stream;
}

/* One that nobody reads any more is noticed by writing to it: http.h wakes it now and then. */
static int64_t read_listener(void *stream, char *out, size_t room)
{
    struct api_listener *listener = stream;

    return listener->read(listener, out, room);
}

static void close_listener(void *stream)
{
    struct api_listener *listener = stream;

    listener->close(listener);
}

static void get_trace(struct api *api, const struct http_request *request, struct http_reply *reply)
{
    const char *bus = http_query(request, "bus");
    struct api_listener *listener;
    int error = ERR_UNSUPPORTED;

    if (!bus) {
        reply_error(reply, 400, "bus: the id of a bus, or its port, is expected");
        return;
    }
    if (api->source.listen)
        error = api->source.listen(api->source.context, bus, wake_streams, api, &listener);
    if (error) {
        reply_error(reply,
                    error == ERR_NOT_FOUND ? 404
                    : error == ERR_NOMEM   ? 500
                                           : 409,
                    error == ERR_NOT_FOUND     ? "there is no bus of that name or port"
                    : error == ERR_UNSUPPORTED ? "only Modbus buses can be listened to"
                    : error == ERR_FULL        ? "as many as can listen to this bus already"
                                               : error_text(error));
        return;
    }
    reply->status = 200;
    reply->type = "application/x-ndjson";
    reply->read = read_listener;
    reply->close = close_listener;
    reply->stream = listener;
}

#define ANSWER_SIZE 512

static void post_lease(struct api *api, const struct http_request *request,
                       struct http_reply *reply)
{
    uint64_t for_ms = 0;
    struct api_lease lease = {.bus = http_query(request, "bus"),
                              .port = http_query(request, "port"),
                              .by = http_query(request, "by")};
    char *body = malloc(ANSWER_SIZE);
    struct text answer;
    int error;

    if (!body) {
        reply_error(reply, 500, error_text(ERR_NOMEM));
        return;
    }
    text_init(&answer, body, ANSWER_SIZE);
    if (query_u64(request, "lease", &lease.number) || query_u64(request, "for_ms", &for_ms) ||
        for_ms > INT32_MAX || (!lease.bus && !lease.port)) {
        reply_error(reply, 400, "expected are bus or port, and whole numbers as for_ms and lease");
        free(body);
        return;
    }
    lease.for_ns = (int64_t)for_ms * NS_PER_MS;
    error =
        api->source.lend ? api->source.lend(api->source.context, &lease, &answer) : ERR_UNSUPPORTED;
    if (!error) {
        reply_json(reply, 200, body, answer.size);
        return;
    }
    reply_error(reply, error == ERR_NOT_FOUND ? 404 : 409, body);
    free(body);
}

static void post_forget(struct api *api, const struct http_request *request,
                        struct http_reply *reply)
{
    const char *device = http_query(request, "device"), *what = http_query(request, "what");
    int error = api->source.forget ? api->source.forget(api->source.context, device ? device : "",
                                                        what ? what : "all")
                                   : ERR_UNSUPPORTED;
    char *body = malloc(256);
    struct text text;

    if (!error && !body)
        error = ERR_NOMEM;
    if (error) {
        free(body);
        reply_error(reply, error == ERR_NOT_FOUND ? 404 : error == ERR_NOMEM ? 500 : 400,
                    error == ERR_NOT_FOUND     ? "there is no such device"
                    : error == ERR_INVALID     ? "what: blocks, identity or all is expected"
                    : error == ERR_UNSUPPORTED ? "nothing is learnt of devices of that driver"
                                               : error_text(error));
        return;
    }
    text_init(&text, body, 256);
    text_printf(&text, "{\"device\":\"%s\",\"forgets\":\"%s\"}\n", device, what ? what : "all");
    reply_json(reply, 200, body, text.size);
}

static const struct route {
    const char *method, *path;
    void (*handle)(struct api *api, const struct http_request *request, struct http_reply *reply);
} routes[] = {
    {"GET", "/api/v1/status", get_status}, {"GET", "/api/v1/events", get_events},
    {"GET", "/api/v1/state", get_state},   {"POST", "/api/v1/commands", post_command},
    {"POST", "/api/v1/lease", post_lease}, {"GET", "/api/v1/trace", get_trace},
    {"POST", "/api/v1/forget", post_forget},
};

static void handle(void *context, const struct http_request *request, struct http_reply *reply)
{
    bool path_known = false;

    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (strcmp(routes[i].path, request->path) != 0)
            continue;
        path_known = true;
        if (strcmp(routes[i].method, request->method) == 0) {
            routes[i].handle(context, request, reply);
            return;
        }
    }
    if (path_known)
        reply_error(reply, 405, "this method is not allowed here");
    else
        reply_error(reply, 404, "there is nothing at this path; see docs/api.md");
}

/* Whether somebody answers on the socket: then it is not ours to replace. */
static bool is_alive(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    bool alive = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
    close(fd);
    return alive;
}

static int listen_on(struct api *api)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    memcpy(address.sun_path, api->path, sizeof address.sun_path);
    if (is_alive(&address))
        return ERR_BUSY;
    api->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (api->fd < 0)
        return error_from_errno(errno);
    unlink(api->path);
    /* Nobody can connect before it listens: the mode is right by then, whatever the umask is. */
    if (bind(api->fd, (struct sockaddr *)&address, sizeof address) || chmod(api->path, 0660))
        return error_from_errno(errno);
    if (listen(api->fd, BACKLOG))
        return error_from_errno(errno);
    return 0;
}

static void take_connection(void *context, int fd)
{
    struct api *api = context;

    if (http_adopt(api->http, fd))
        log_warn("web", "a connection to %s was turned away: %d are open already", api->path,
                 HTTP_CONNECTIONS_MAX);
}

int api_open(struct api **out, struct loop *loop, struct journal *journal,
             const struct api_source *source, const char *path)
{
    struct api *api = calloc(1, sizeof *api);
    int error = ERR_NOMEM;

    if (!api)
        return ERR_NOMEM;
    api->fd = -1;
    api->journal = journal;
    api->source = *source;
    if (strlen(path) >= sizeof api->path) {
        error = ERR_TOO_LARGE;
        goto out;
    }
    memcpy(api->path, path, strlen(path));
    error = http_open(&api->http, handle, api);
    if (error)
        goto out;
    error = listen_on(api);
    if (error)
        goto out;
    error = accept_open(&api->accepter, loop, api->fd, path, take_connection, api);
    if (error) {
        unlink(path);
        goto out;
    }
    *out = api;
    return 0;

out:
    http_close(api->http);
    if (api->fd >= 0)
        close(api->fd);
    free(api);
    return error;
}

void api_close(struct api *api)
{
    if (!api)
        return;
    unlink(api->path);
    accept_close(api->accepter);
    close(api->fd);
    http_close(api->http);
    free(api);
}

void api_wake(struct api *api)
{
    http_wake(api->http);
}
