#include "web/reply.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/error.h"

#define BODY_SIZE_FIRST (64 * 1024)
#define BODY_SIZE_MAX   (64 * 1024 * 1024)
#define ERROR_ROOM      64 /* besides the sentences, of which a byte may become six */

void reply_json(struct http_reply *reply, int status, char *body, size_t size)
{
    reply->status = status;
    reply->type = "application/json";
    reply->body = body;
    reply->size = size;
}

void reply_refusal(struct http_reply *reply, int status, const char *sentence, const char *next)
{
    /* They name paths, which may be long. */
    size_t room = ERROR_ROOM + 6 * (strlen(sentence) + (next ? strlen(next) : 0));
    char *body = malloc(room);
    struct text text;

    if (!body) {
        reply->status = 500;
        return;
    }
    text_init(&text, body, room);
    text_string(&text, "{\"error\":");
    text_json_string(&text, sentence, strlen(sentence));
    if (next) {
        text_string(&text, ",\"next\":");
        text_json_string(&text, next, strlen(next));
    }
    text_string(&text, "}\n");
    reply_json(reply, status, body, text.size);
}

void reply_error(struct http_reply *reply, int status, const char *sentence)
{
    reply_refusal(reply, status, sentence, NULL);
}

void reply_failure(struct http_reply *reply, int error)
{
    static const struct {
        int error, status;
    } known[] = {
        {ERR_INVALID, 400}, {ERR_DENIED, 403},    {ERR_NOT_FOUND, 404},   {ERR_BUSY, 409},
        {ERR_FULL, 409},    {ERR_TOO_LARGE, 413}, {ERR_UNSUPPORTED, 409},
    };
    int status = 500;

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].error == error)
            status = known[i].status;
    reply_error(reply, status, error_text(error));
}

void reply_filled(struct http_reply *reply, void (*fill)(void *context, struct text *text),
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
    reply_error(reply, 500, error_text(ERR_NOMEM));
}

bool http_reply_header(struct http_reply *reply, const char *name, const char *value)
{
    bool repeats = strcasecmp(name, "Set-Cookie") == 0;
    char *copy = strdup(value);

    for (size_t i = 0; copy && i < HTTP_HEADERS_MAX; i++) {
        if (reply->headers[i].name && (repeats || strcasecmp(reply->headers[i].name, name) != 0))
            continue;
        free(reply->headers[i].value);
        reply->headers[i].name = name;
        reply->headers[i].value = copy;
        return true;
    }
    free(copy);
    return false;
}

void reply_free_headers(struct http_reply *reply)
{
    for (size_t i = 0; i < HTTP_HEADERS_MAX; i++)
        free(reply->headers[i].value);
}
