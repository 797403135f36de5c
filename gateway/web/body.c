#include "web/body.h"

#include <stdio.h>

#include "core/error.h"
#include "web/reply.h"

#define SENTENCE_SIZE 400

/* The first mistake; the count tells whether there is one. */
struct mistakes {
    unsigned count;
    char first[SENTENCE_SIZE];
};

static void tell(void *context, struct json_place at, const char *sentence)
{
    struct mistakes *mistakes = context;

    if (mistakes->count++ == 0)
        snprintf(mistakes->first, sizeof mistakes->first, "line %u, column %u: %s", at.line,
                 at.column, sentence);
}

int body_read(struct body *body, const struct http_request *request, struct http_reply *reply)
{
    struct mistakes mistakes = {0};
    struct json *root = NULL;
    int error = arena_open(&body->arena);

    if (error) {
        reply_failure(reply, error);
        return error;
    }
    error = json_read(&root, body->arena, request->body, request->size, tell, &mistakes);
    if (!error && mistakes.count == 0 && root->type == JSON_OBJECT) {
        body->root = root;
        return 0;
    }
    arena_close(body->arena);
    if (error == ERR_NOMEM)
        reply_failure(reply, error);
    else
        reply_error(reply, 400, mistakes.count ? mistakes.first : "a JSON object is expected");
    return error ? error : ERR_INVALID;
}

void body_close(struct body *body)
{
    arena_close(body->arena);
}

/* The value of a key, NULL where it is absent or null. */
static const struct json *find(const struct body *body, const char *key)
{
    const struct json *value = json_find(body->root, key);

    return value && value->type != JSON_NULL ? value : NULL;
}

static int refuse(struct http_reply *reply, const char *key, const char *expected)
{
    char sentence[128];

    snprintf(sentence, sizeof sentence, "%s: %s is expected", key, expected);
    reply_error(reply, 400, sentence);
    return ERR_INVALID;
}

int body_text(const struct body *body, const char *key, const char **value,
              struct http_reply *reply)
{
    const struct json *found = find(body, key);

    if (!found)
        return 0;
    if (found->type != JSON_STRING)
        return refuse(reply, key, "a text");
    *value = found->text;
    return 0;
}

int body_integer(const struct body *body, const char *key, int64_t *value, struct http_reply *reply)
{
    const struct json *found = find(body, key);

    if (!found)
        return 0;
    if (found->type != JSON_NUMBER || !json_integer(found, value))
        return refuse(reply, key, "a whole number");
    return 0;
}

int body_object(const struct body *body, const char *key, const struct json **value,
                struct http_reply *reply)
{
    const struct json *found = find(body, key);

    if (!found)
        return 0;
    if (found->type != JSON_OBJECT)
        return refuse(reply, key, "an object");
    *value = found;
    return 0;
}
