/* Accounts and tokens, which an owner manages. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/words.h"
#include "web/body.h"
#include "web/gate_inside.h"
#include "web/reply.h"

#define ENTRY_ROOM 256

void gate_reply_failure(struct gatekeeper *gate, int error, struct http_reply *reply)
{
    char sentence[512];

    switch (error) {
    case ERR_DENIED:
        reply_refusal(reply, 409, "no owner would be left", "make another account an owner first");
        break;
    case ERR_INVALID:
        reply_error(reply, 400,
                    "expected are a name of at most 40 small letters, digits, - and _, a role "
                    "(viewer, operator, owner) and, for a new account, a password");
        break;
    case ERR_EXISTS:
        reply_error(reply, 409, "there is one of that name already");
        break;
    case ERR_NOT_FOUND:
        reply_error(reply, 404, "there is none of that name");
        break;
    case ERR_FULL:
        reply_refusal(reply, 409, "there are as many as there can be", "remove one first");
        break;
    default:
        snprintf(sentence, sizeof sentence, "%.400s cannot be written: %s",
                 accounts_path(gate->accounts), error_text(error));
        reply_refusal(reply, 500, sentence, "see to the state folder and its room");
    }
}

static void put_entry(struct text *text, const char *name, enum role role, int64_t since_ms)
{
    text_string(text, "{\"name\":");
    text_json_string(text, name, strlen(name));
    text_printf(text, ",\"role\":\"%s\",\"since\":%" PRId64 "}", route_role_word(role),
                since_ms);
}

static void get_accounts(void *context, const struct route_request *request,
                         struct http_reply *reply)
{
    struct gatekeeper *gate = context;
    struct account *list = malloc(ACCOUNTS_MAX * sizeof *list);
    char *body = malloc(ACCOUNTS_MAX * ENTRY_ROOM);
    struct text text;

    (void)request;
    if (!list || !body) {
        free(list);
        free(body);
        reply_failure(reply, ERR_NOMEM);
        return;
    }
    size_t count = accounts_list(gate->accounts, list);
    text_init(&text, body, ACCOUNTS_MAX * ENTRY_ROOM);
    text_string(&text, "{\"accounts\":[");
    for (size_t i = 0; i < count; i++) {
        text_string(&text, i ? "," : "");
        put_entry(&text, list[i].name, list[i].role, list[i].since_ms);
    }
    text_string(&text, "]}\n");
    explicit_bzero(list, ACCOUNTS_MAX * sizeof *list);
    free(list);
    reply_json(reply, 200, body, text.size);
}

/* The name at the end of the path, once the route is known. */
static const char *name_in(const struct http_request *request)
{
    return strrchr(request->path, '/') + 1;
}

static void note(struct gatekeeper *gate, const struct caller *caller, const char *what,
                 const char *name, enum role role, bool password)
{
    char words[GATE_WORDS_SIZE];
    struct text text;

    text_init(&text, words, sizeof words);
    words_put(&text, "name", name);
    words_put(&text, "role", role == ROLE_ANYBODY ? "" : route_role_word(role));
    words_put(&text, "password", password ? "set" : "");
    audit_note(gate->journal, caller, what, words);
}

/* What is put to an account or token: a role is ROLE_ANYBODY where none is named. */
static int read_role(const struct body *body, enum role *role, struct http_reply *reply)
{
    const char *word = NULL;
    int error = body_text(body, "role", &word, reply);

    *role = word ? route_role(word) : ROLE_ANYBODY;
    if (error || !word || *role != ROLE_ANYBODY)
        return error;
    reply_error(reply, 400, "role: viewer, operator or owner is expected");
    return ERR_INVALID;
}

static void put_account(struct gatekeeper *gate, const struct caller *caller, const char *name,
                        const struct body *body, struct http_reply *reply)
{
    const char *password = NULL;
    char hash[PASSWORD_HASH_SIZE];
    enum role role;
    int error = 0;

    if (read_role(body, &role, reply) || body_text(body, "password", &password, reply))
        return;
    if (password && strcmp(caller->account, name) == 0) {
        reply_refusal(reply, 409, "one's own password is not set without the old one",
                      "use POST /api/v1/password");
        return;
    }
    if (password && password_refusal(password)) {
        reply_error(reply, 400, password_refusal(password));
        return;
    }
    if (password)
        error = password_hash(password, hash);
    if (!error)
        error = accounts_put(gate->accounts, name, role, password ? hash : NULL);
    explicit_bzero(hash, sizeof hash);
    if (error) {
        gate_reply_failure(gate, error, reply);
        return;
    }
    if (password)
        sessions_end_all(gate->sessions, name, NULL);
    note(gate, caller, "account-set", name, role, password != NULL);
    gate_reply_ok(reply);
}

static void do_put_account(void *context, const struct http_request *request,
                           struct http_reply *reply)
{
    struct gatekeeper *gate = context;
    struct caller caller;
    struct body body;

    if (gate_caller(gate, request, ROLE_OWNER, &caller, reply) || body_read(&body, request, reply))
        return;
    put_account(gate, &caller, name_in(request), &body, reply);
    body_close(&body);
}

static void do_delete_account(void *context, const struct http_request *request,
                              struct http_reply *reply)
{
    struct gatekeeper *gate = context;
    struct caller caller;

    if (gate_caller(gate, request, ROLE_OWNER, &caller, reply))
        return;
    int error = accounts_remove(gate->accounts, name_in(request));
    if (error) {
        gate_reply_failure(gate, error, reply);
        return;
    }
    sessions_end_all(gate->sessions, name_in(request), NULL);
    note(gate, &caller, "account-removed", name_in(request), ROLE_ANYBODY, false);
    gate_reply_ok(reply);
}

static void get_tokens(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct gatekeeper *gate = context;
    struct token *list = malloc(ACCOUNTS_TOKENS_MAX * sizeof *list);
    char *body = malloc(ACCOUNTS_TOKENS_MAX * ENTRY_ROOM);
    struct text text;

    (void)request;
    if (!list || !body) {
        free(list);
        free(body);
        reply_failure(reply, ERR_NOMEM);
        return;
    }
    size_t count = accounts_list_tokens(gate->accounts, list);
    text_init(&text, body, ACCOUNTS_TOKENS_MAX * ENTRY_ROOM);
    text_string(&text, "{\"tokens\":[");
    for (size_t i = 0; i < count; i++) {
        text_string(&text, i ? "," : "");
        put_entry(&text, list[i].name, list[i].role, list[i].since_ms);
    }
    text_string(&text, "]}\n");
    free(list);
    reply_json(reply, 200, body, text.size);
}

static void reply_token(const char *name, enum role role, const char *key, struct http_reply *reply)
{
    char *body = malloc(ENTRY_ROOM);
    struct text text;

    if (!body) {
        reply_failure(reply, ERR_NOMEM);
        return;
    }
    text_init(&text, body, ENTRY_ROOM);
    text_printf(&text, "{\"name\":\"%s\",\"role\":\"%s\",\"token\":\"%s\"}\n", name,
                route_role_word(role), key);
    reply_json(reply, 200, body, text.size);
}

static void add_token(struct gatekeeper *gate, const struct caller *caller, const struct body *body,
                      struct http_reply *reply)
{
    char key[KEY_TEXT_SIZE];
    uint8_t hash[DIGEST_SIZE];
    const char *name = NULL;
    enum role role;

    if (body_text(body, "name", &name, reply) || read_role(body, &role, reply))
        return;
    int error = key_make(key) && key_hash(key, hash) ? 0 : ERR_IO;
    if (!error)
        error = accounts_add_token(gate->accounts, name ? name : "", role, hash);
    if (error) {
        gate_reply_failure(gate, error, reply);
        return;
    }
    note(gate, caller, "token-made", name, role, false);
    reply_token(name, role, key, reply);
    explicit_bzero(key, sizeof key);
}

static void do_post_token(void *context, const struct http_request *request,
                          struct http_reply *reply)
{
    struct gatekeeper *gate = context;
    struct caller caller;
    struct body body;

    if (gate_caller(gate, request, ROLE_OWNER, &caller, reply) || body_read(&body, request, reply))
        return;
    add_token(gate, &caller, &body, reply);
    body_close(&body);
}

static void do_delete_token(void *context, const struct http_request *request,
                            struct http_reply *reply)
{
    struct gatekeeper *gate = context;
    struct caller caller;

    if (gate_caller(gate, request, ROLE_OWNER, &caller, reply))
        return;
    int error = accounts_remove_token(gate->accounts, name_in(request));
    if (error) {
        gate_reply_failure(gate, error, reply);
        return;
    }
    note(gate, &caller, "token-removed", name_in(request), ROLE_ANYBODY, false);
    gate_reply_ok(reply);
}

GATE_AS_WORK(put_one_account, do_put_account)
GATE_AS_WORK(delete_account, do_delete_account)
GATE_AS_WORK(post_token, do_post_token)
GATE_AS_WORK(delete_token, do_delete_token)

static const struct route rows[] = {
    {"GET", "/api/v1/accounts", ROLE_OWNER, get_accounts, GATE_BODY_MAX},
    {"PUT", "/api/v1/accounts/{name}", ROLE_OWNER, put_one_account, GATE_BODY_MAX},
    {"DELETE", "/api/v1/accounts/{name}", ROLE_OWNER, delete_account, GATE_BODY_MAX},
    {"GET", "/api/v1/tokens", ROLE_OWNER, get_tokens, GATE_BODY_MAX},
    {"POST", "/api/v1/tokens", ROLE_OWNER, post_token, GATE_BODY_MAX},
    {"DELETE", "/api/v1/tokens/{name}", ROLE_OWNER, delete_token, GATE_BODY_MAX},
};

struct routes gate_account_routes(struct gatekeeper *gate)
{
    return (struct routes){rows, sizeof rows / sizeof *rows, gate};
}
