#include "daemon/identity_routes.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/save.h"
#include "core/words.h"
#include "daemon/identity.h"
#include "web/answer.h"
#include "web/audit.h"
#include "web/body.h"
#include "web/later.h"
#include "web/reply.h"

#define SENTENCE_SIZE 320

static void reply_look(struct identity *identity, struct http_reply *reply)
{
    struct identity_look look;
    struct answer answer;

    identity_look(identity, &look);
    if (!answer_begin(&answer, reply))
        return;
    json_write_text(&answer.writer, "state", identity_state_name(look.state));
    if (look.state != IDENTITY_SURE) {
        json_write_integer(&answer.writer, "since", look.since_ms);
        json_write_bool(&answer.writer, "machine", look.machine);
        json_write_bool(&answer.writer, "board", look.board);
        json_write_bool(&answer.writer, "medium", look.medium);
    }
    answer_end(&answer, reply, 200);
}

static void get_identity(void *context, const struct route_request *request,
                         struct http_reply *reply)
{
    const struct identity_given *given = context;

    (void)request;
    reply_look(given->running->identity, reply);
}

static void note(const struct identity_given *given, const struct caller *caller, const char *what,
                 const char *id)
{
    char line[ID_SIZE_MAX + 16];
    struct text words;

    text_init(&words, line, sizeof line);
    words_put(&words, "id", id);
    audit_note(given->running->journal, caller, what, line);
}

static bool is_own_id(const struct identity_given *given, const char *id)
{
    struct running *running = given->running;

    pthread_mutex_lock(&running->lock);
    bool own = running->current && strcmp(running->current->config->site.id, id) == 0;
    pthread_mutex_unlock(&running->lock);
    return own;
}

/* A visitor must be able to tell the two apart: the page makes itself another key. */
static void forget_page_key(const struct identity_given *given)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%.*s/web/tls.crt", PATH_MAX - 32, given->state_path);
    save_remove(path);
    snprintf(path, sizeof path, "%.*s/web/tls.key", PATH_MAX - 32, given->state_path);
    save_remove(path);
}

static void answer_copied(struct identity_given *given, const struct route_request *request,
                          const char *id, struct http_reply *reply)
{
    char sentence[SENTENCE_SIZE] = "";
    int error = identity_answer(given->running->identity, true);

    if (error) {
        reply_failure(reply, error);
        return;
    }
    note(given, request->caller, "identity-copied", id ? id : "");
    if (id) {
        forget_page_key(given);
        if (configure_name(given->configure, request->caller, id, NULL, sentence,
                           sizeof sentence)) {
            reply_refusal(reply, 409, sentence,
                          "nothing is published until this gateway has an id of its own");
            return;
        }
    }
    reply_look(given->running->identity, reply);
}

static void answer_replaced(struct identity_given *given, const struct route_request *request,
                            struct http_reply *reply)
{
    int error = identity_answer(given->running->identity, false);

    if (error) {
        reply_failure(reply, error);
        return;
    }
    note(given, request->caller, "identity-replaced", "");
    running_release(given->running);
    reply_look(given->running->identity, reply);
}

static void answer(struct identity_given *given, const struct route_request *request,
                   const struct body *body, struct http_reply *reply)
{
    const char *word = "", *id = NULL;

    if (body_text(body, "answer", &word, reply) || body_text(body, "id", &id, reply))
        return;
    bool copied = strcmp(word, "copied") == 0;
    if (!copied && strcmp(word, "replaced") != 0)
        reply_error(reply, 400, "answer: \"replaced\" or \"copied\" is expected");
    else if (id && (!copied || !id_valid(id)))
        reply_error(reply, 400,
                    copied ? "id: small letters, digits, - and _ are expected"
                           : "id: one that was replaced keeps its id");
    else if (!identity_holds(given->running->identity))
        reply_error(reply, 409, "nothing is asked: this gateway is on the machine that it was on");
    else if (id && is_own_id(given, id))
        reply_error(reply, 409, "id: that is the id of the gateway that this one is a copy of");
    else if (copied)
        answer_copied(given, request, id, reply);
    else
        answer_replaced(given, request, reply);
}

static void post_identity(void *context, const struct route_request *request,
                          struct http_reply *reply)
{
    struct body body;

    if (body_read(&body, request->http, reply))
        return;
    answer(context, request, &body, reply);
    body_close(&body);
}

LATER_ROUTE(post_identity)

static const struct route rows[] = {
    {"GET", "/api/v1/identity", ROLE_VIEWER, get_identity, 0},
    {"POST", "/api/v1/identity", ROLE_OWNER, post_identity_later, 0},
};

struct routes identity_routes(struct identity_given *given)
{
    return (struct routes){rows, sizeof rows / sizeof *rows, given};
}
