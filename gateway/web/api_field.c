#include "web/api_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "web/command_stream.h"
#include "web/query.h"
#include "web/reply.h"

static void get_status(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct api *api = context;
    (void)request;
    reply_filled(reply, api->source.status, api->source.context);
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

/* "unix:1000", "web:anna", "token:grafana" */
static void name_sender(const struct route_request *request, char by[COMMAND_BY_SIZE_MAX])
{
    int64_t user = http_peer_user(request->http);

    if (!request->caller->local)
        snprintf(by, COMMAND_BY_SIZE_MAX, "%s%s",
                 strchr(request->caller->account, ':') ? "" : "web:", request->caller->account);
    else if (user < 0)
        snprintf(by, COMMAND_BY_SIZE_MAX, "unix");
    else
        snprintf(by, COMMAND_BY_SIZE_MAX, "unix:%" PRId64, user);
}

/* Whether a command was taken and what came of it are lines of the answer, not its status. */
static void post_command(void *context, const struct route_request *request,
                         struct http_reply *reply)
{
    struct api *api = context;
    struct command_stream *stream;
    char by[COMMAND_BY_SIZE_MAX];

    name_sender(request, by);
    int error = api->source.desk ? command_stream_open(&stream, api->source.desk, by,
                                                       http_query(request->http, "wait") != NULL,
                                                       api_wake_streams, api)
                                 : ERR_UNSUPPORTED;

    if (error) {
        reply_error(reply, 500, error_text(error));
        return;
    }
    command_stream_submit(stream, request->http->body, request->http->size);
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

static void get_trace(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct api *api = context;
    const char *bus = http_query(request->http, "bus");
    struct api_listener *listener;
    int error = ERR_UNSUPPORTED;

    if (!bus) {
        reply_error(reply, 400, "bus: the id of a bus, or its port, is expected");
        return;
    }
    if (api->source.listen)
        error = api->source.listen(api->source.context, bus, api_wake_streams, api, &listener);
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

#define ANSWER_SIZE 2048
#define HOLD_MAX_MS 60000 /* so that one whose keeper has died ends soon */

static void post_lease(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct api *api = context;
    uint64_t for_ms = 0;
    struct api_lease lease = {.bus = http_query(request->http, "bus"),
                              .port = http_query(request->http, "port"),
                              .by = http_query(request->http, "by")};
    char *body = malloc(ANSWER_SIZE);
    struct text answer;
    int error;

    if (!body) {
        reply_error(reply, 500, error_text(ERR_NOMEM));
        return;
    }
    text_init(&answer, body, ANSWER_SIZE);
    if (query_u64(request->http, "lease", &lease.number) ||
        query_u64(request->http, "for_ms", &for_ms) || for_ms > INT32_MAX ||
        (!lease.bus && !lease.port)) {
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

static void post_forget(void *context, const struct route_request *request,
                        struct http_reply *reply)
{
    struct api *api = context;
    const char *device = http_query(request->http, "device"),
               *what = http_query(request->http, "what");
    char *body = malloc(ANSWER_SIZE);
    int error = body ? ERR_UNSUPPORTED : ERR_NOMEM;
    struct text text;

    if (body)
        text_init(&text, body, ANSWER_SIZE);
    if (body && api->source.forget)
        error = api->source.forget(api->source.context, device ? device : "", what ? what : "all",
                                   &text);
    if (error) {
        reply_error(reply,
                    error == ERR_NOMEM     ? 500
                    : error == ERR_INVALID ? 400
                                           : 404,
                    error == ERR_NOT_FOUND     ? body
                    : error == ERR_INVALID     ? "what: blocks, identity or all is expected"
                    : error == ERR_UNSUPPORTED ? "nothing is learnt of devices of that driver"
                                               : error_text(error));
        free(body);
        return;
    }
    text_printf(&text, "{\"device\":\"%s\",\"forgets\":\"%s\"}\n", device, what ? what : "all");
    reply_json(reply, 200, body, text.size);
}

/* NULL, or what is wrong. */
static const char *parse_hold(const struct http_request *request, struct api_hold *hold)
{
    uint64_t for_ms = 0, claim_ms = 0;
    bool claims = http_query(request, "claim_ms") != NULL,
         holds = !claims || http_query(request, "for_ms");

    hold->by = claims ? http_query(request, "by") : NULL;
    if (holds && !http_query(request, "for_ms"))
        for_ms = UINT64_MAX;
    if (query_u64(request, "for_ms", &for_ms) || for_ms > HOLD_MAX_MS)
        return "for_ms: a whole number of at most 60000 is expected; 0 ends it";
    if (query_u64(request, "claim_ms", &claim_ms) || claim_ms > HOLD_MAX_MS)
        return "claim_ms: a whole number of at most 60000 is expected; 0 gives it back";
    if (claims && (!hold->by || !*hold->by || strlen(hold->by) > API_HOLD_BY_LENGTH))
        return "by: who asks is expected with claim_ms, in 1 to 79 bytes";
    hold->for_ns = holds ? (int64_t)for_ms * NS_PER_MS : API_HOLD_AS_IS;
    hold->claim_ns = (int64_t)claim_ms * NS_PER_MS;
    return NULL;
}

static void reply_hold(struct http_reply *reply, const char *uplink, const struct api_hold *hold)
{
    char *body = malloc(ANSWER_SIZE);
    struct text text;

    if (!body) {
        reply_error(reply, 500, error_text(ERR_NOMEM));
        return;
    }
    text_init(&text, body, ANSWER_SIZE);
    text_printf(&text, "{\"uplink\":\"%s\"", uplink);
    if (hold->for_ns != API_HOLD_AS_IS)
        text_printf(&text, ",\"for_ms\":%" PRId64, hold->for_ns / NS_PER_MS);
    if (hold->by)
        text_printf(&text, ",\"claim_ms\":%" PRId64, hold->claim_ns / NS_PER_MS);
    text_string(&text, "}\n");
    reply_json(reply, 200, body, text.size);
}

static void post_hold(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct api *api = context;
    struct api_hold hold;
    char words[320] = "";
    struct text refusal;
    const char *wrong = parse_hold(request->http, &hold);

    if (wrong) {
        reply_error(reply, 400, wrong);
        return;
    }
    text_init(&refusal, words, sizeof words);
    int error = api->source.hold
                    ? api->source.hold(api->source.context, request->names[0], &hold, &refusal)
                    : ERR_UNSUPPORTED;
    if (error == ERR_NOT_FOUND)
        reply_error(reply, 404, "there is no such uplink");
    else if (error == ERR_BUSY)
        reply_error(reply, 409, words);
    else if (error)
        reply_failure(reply, error);
    else
        reply_hold(reply, request->names[0], &hold);
}

#define ROOT_SIZE_MAX 65 /* as the configuration allows */

struct preview_query {
    struct api *api;
    const char *uplink, *root;
    bool values;
    int error;
};

static void fill_preview(void *context, struct text *text)
{
    struct preview_query *query = context;
    const struct api_source *source = &query->api->source;

    query->error = source->preview ? source->preview(source->context, query->uplink, query->root,
                                                     query->values, text)
                                   : ERR_UNSUPPORTED;
}

static void get_preview(void *context, const struct route_request *request,
                        struct http_reply *reply)
{
    const char *layout = http_query(request->http, "layout"),
               *root = http_query(request->http, "root");
    struct preview_query query = {.api = context,
                                  .uplink = request->names[0],
                                  .root = root && *root ? root : "sluice",
                                  .values = layout && strcmp(layout, "values") == 0};

    if (strlen(query.root) >= ROOT_SIZE_MAX ||
        (layout && !query.values && strcmp(layout, "batch"))) {
        reply_error(reply, 400,
                    "layout: batch or values is expected, and a root of at most 64 letters");
        return;
    }
    reply_filled(reply, fill_preview, &query);
    if (query.error) {
        free(reply->body);
        reply->body = NULL;
        reply_failure(reply, query.error);
    }
}

static const struct route rows[] = {
    {"GET", "/api/v1/status", ROLE_VIEWER, get_status, 0},
    {"POST", "/api/v1/commands", ROLE_OPERATOR, post_command, 0},
    {"POST", "/api/v1/lease", ROLE_OWNER, post_lease, 0},
    {"GET", "/api/v1/trace", ROLE_VIEWER, get_trace, 0},
    {"POST", "/api/v1/forget", ROLE_OWNER, post_forget, 0},
    {"POST", "/api/v1/uplinks/{uplink}/hold", ROLE_OWNER, post_hold, 0},
    {"GET", "/api/v1/uplinks/{uplink}/preview", ROLE_VIEWER, get_preview, 0},
};

struct routes api_field_routes(struct api *api)
{
    return (struct routes){rows, sizeof rows / sizeof *rows, api};
}
