/* Logging in and out, and one's own password. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/words.h"
#include "web/body.h"
#include "web/gate_inside.h"
#include "web/reply.h"

#define SESSION_ROOM 4096

static void put(struct text *text, const char *key, const char *value)
{
    text_printf(text, "\"%s\":", key);
    text_json_string(text, value, strlen(value));
}

static void put_caller(struct text *text, const struct caller *caller,
                       const struct session *session)
{
    text_string(text, ",\"account\":");
    if (caller->role == ROLE_ANYBODY) {
        text_string(text, "null");
    } else {
        text_string(text, "{");
        put(text, "name", caller->account);
        text_string(text, ",");
        put(text, "role", route_role_word(caller->role));
        text_string(text, "}");
    }
    text_string(text, ",\"csrf\":");
    if (session)
        text_json_string(text, session->csrf, strlen(session->csrf));
    else
        text_string(text, "null");
}

static void put_gateway(struct gatekeeper *gate, const struct caller *caller, struct text *text)
{
    const struct clock *clock = gate->options.clock;
    struct gate_about about = {0};
    char language[ACCOUNTS_LANGUAGE_SIZE];

    gate->site.about(gate->site.context, &about);
    accounts_language(gate->accounts, caller->account, language);
    text_string(text, ",");
    put(text, "language", language);
    text_string(text, ",\"gateway\":{");
    put(text, "id", about.id);
    text_string(text, ",");
    put(text, "name", about.name);
    text_string(text, ",");
    put(text, "version", SLUICE_VERSION);
    text_printf(text, "},\"time\":{\"t\":%" PRId64 ",\"trust\":\"%s\"}",
                clock_wall(clock) / NS_PER_MS, clock_trust_name(clock_trust(clock)));
}

void gate_reply_session(struct gatekeeper *gate, const struct caller *caller,
                        const struct session *session, const char *const *notes,
                        struct http_reply *reply)
{
    char *body = malloc(SESSION_ROOM);
    struct text text;

    if (!body) {
        reply_failure(reply, ERR_NOMEM);
        return;
    }
    text_init(&text, body, SESSION_ROOM);
    text_printf(&text, "{\"setup\":%s",
                accounts_state(gate->accounts) == ACCOUNTS_NONE ? "true" : "false");
    put_caller(&text, caller, session);
    put_gateway(gate, caller, &text);
    if (notes) {
        text_string(&text, ",\"notes\":[");
        for (size_t i = 0; notes[i]; i++) {
            text_string(&text, i ? "," : "");
            text_json_string(&text, notes[i], strlen(notes[i]));
        }
        text_string(&text, "]");
    }
    text_string(&text, "}\n");
    reply_json(reply, 200, body, text.size);
}

void gate_reply_ok(struct http_reply *reply)
{
    char *body = strdup("{\"ok\":true}\n");

    if (body)
        reply_json(reply, 200, body, strlen(body));
    else
        reply_failure(reply, ERR_NOMEM);
}

static void get_session(void *context, const struct route_request *request,
                        struct http_reply *reply)
{
    struct gatekeeper *gate = context;
    const char *key = http_cookie(request->http, GATE_COOKIE);
    struct session session;
    bool found = key && !request->caller->local && strcmp(request->caller->account, "") != 0 &&
                 sessions_find(gate->sessions, key, true, &session) &&
                 strcmp(session.account, request->caller->account) == 0;

    gate_reply_session(gate, request->caller, found ? &session : NULL, NULL, reply);
}

/* Somebody's name and password, as they came. */
struct login {
    struct body body;
    const char *password;
    char name[ACCOUNTS_NAME_SIZE]; /* in small letters: telephones begin with a large one */
    bool known;
    struct account account;
    char origin[HTTP_ADDRESS_SIZE], number[DEVICE_NUMBER_SIZE];
    struct attempt attempt;
};

static void take_name(struct login *login, const char *name)
{
    size_t size = 0;

    name += strspn(name, " ");
    for (; name[size] && size < sizeof login->name - 1; size++)
        login->name[size] = (char)tolower((unsigned char)name[size]);
    while (size > 0 && login->name[size - 1] == ' ')
        size--;
    login->name[size] = '\0';
}

/* 0, or an error with `reply` filled in and nothing to close. */
static int read_login(struct gatekeeper *gate, const struct http_request *request,
                      struct login *login, struct http_reply *reply)
{
    const char *name = NULL;

    memset(login, 0, sizeof *login);
    if (!gate_wants_json(request, reply))
        return ERR_INVALID;
    int error = body_read(&login->body, request, reply);
    if (error)
        return error;
    error = body_text(&login->body, "name", &name, reply);
    if (!error)
        error = body_text(&login->body, "password", &login->password, reply);
    if (!error && (!name || !login->password)) {
        reply_error(reply, 400, "name and password are expected");
        error = ERR_INVALID;
    }
    if (error) {
        body_close(&login->body);
        return error;
    }
    take_name(login, name);
    login->known = accounts_find(gate->accounts, login->name, &login->account);
    http_peer_address(request, login->origin);
    login->attempt = gate_attempt(request, login->origin, login->name,
                                  login->known ? &login->account : NULL, login->number);
    return 0;
}

static void close_login(struct login *login)
{
    body_close(&login->body);
    explicit_bzero(login, sizeof *login);
}

/* A name that is no account's may be a password in the wrong field: it is not noted. */
static void refuse_login(struct gatekeeper *gate, const struct login *login,
                         struct http_reply *reply)
{
    struct caller caller = {0};
    char words[GATE_WORDS_SIZE];
    struct text text;

    snprintf(caller.origin, sizeof caller.origin, "%s", login->origin);
    text_init(&text, words, sizeof words);
    words_put(&text, "name", login->known ? login->name : "unknown");
    gate_note_failure(gate, &caller, "login-failed", words);
    reply_error(reply, 401, "the name or the password is wrong");
}

static void accept_login(struct gatekeeper *gate, const struct login *login,
                         struct http_reply *reply)
{
    struct caller caller = {.role = login->account.role};
    struct session session;

    int error = gate_let_in(gate, &login->account, &session, reply);
    if (error == ERR_DENIED) {
        refuse_login(gate, login, reply);
        return;
    }
    attempts_succeed(gate->attempts, &login->attempt);
    if (error) {
        reply_failure(reply, error);
        return;
    }
    snprintf(caller.account, sizeof caller.account, "%s", login->account.name);
    snprintf(caller.origin, sizeof caller.origin, "%s", login->origin);
    audit_note(gate->journal, &caller, "login", "");
    gate_reply_session(gate, &caller, &session, NULL, reply);
}

static void do_login(void *context, const struct http_request *request, struct http_reply *reply)
{
    struct gatekeeper *gate = context;
    struct login login;

    if (read_login(gate, request, &login, reply))
        return;
    int64_t wait_s = attempts_begin_s(gate->attempts, &login.attempt);
    if (wait_s > 0)
        gate_reply_wait(reply, wait_s);
    else if (password_fits(login.password, login.known ? login.account.hash : NULL))
        accept_login(gate, &login, reply);
    else
        refuse_login(gate, &login, reply);
    close_login(&login);
}

static void post_login(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct gatekeeper *gate = context;
    enum accounts_state state = accounts_state(gate->accounts);
    struct login login;

    if (state != ACCOUNTS_READY) {
        reply_refusal(reply, 409,
                      state == ACCOUNTS_NONE ? "this gateway has no owner yet"
                                             : "the accounts of this gateway cannot be read",
                      state == ACCOUNTS_NONE
                          ? "set it up first"
                          : "on the machine, \"sluice password NAME\" makes a new owner");
        return;
    }
    if (read_login(gate, request->http, &login, reply))
        return;
    /* What has to wait anyway need not wait for a thread. */
    int64_t wait_s = attempts_wait_s(gate->attempts, &login.attempt);
    if (wait_s > 0)
        gate_reply_wait(reply, wait_s);
    else
        gate_work(gate, reply, do_login);
    close_login(&login);
}

static void do_logout(void *context, const struct http_request *request, struct http_reply *reply)
{
    struct gatekeeper *gate = context;
    const char *key = http_cookie(request, GATE_COOKIE);
    struct caller caller;

    if (gate_caller(gate, request, ROLE_VIEWER, &caller, reply))
        return;
    if (key && !caller.local && !http_header(request, "Authorization")) {
        sessions_end(gate->sessions, key);
        http_reply_header(reply, "Set-Cookie",
                          GATE_COOKIE "=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict");
        audit_note(gate->journal, &caller, "logout", "");
    }
    gate_reply_ok(reply);
}

GATE_AS_WORK(post_logout, do_logout)

/* Replaces the password of the account after the old one was shown. */
static void replace_password(struct gatekeeper *gate, const struct http_request *request,
                             const struct caller *caller, struct account *account,
                             const char *password, struct http_reply *reply)
{
    const char *refusal = password_refusal(password);
    int error;

    if (refusal) {
        reply_error(reply, 400, refusal);
        return;
    }
    error = password_hash(password, account->hash);
    if (!error)
        error = accounts_put(gate->accounts, account->name, ROLE_ANYBODY, account->hash);
    if (error) {
        gate_reply_failure(gate, error, reply);
        return;
    }
    sessions_end_all(gate->sessions, account->name, http_cookie(request, GATE_COOKIE));
    gate_mark_device(account, reply);
    audit_note(gate->journal, caller, "password-changed", "");
    gate_reply_ok(reply);
}

static void change_password(struct gatekeeper *gate, const struct http_request *request,
                            const struct body *body, const struct caller *caller,
                            struct account *account, struct http_reply *reply)
{
    const char *old = NULL, *fresh = NULL;
    char number[DEVICE_NUMBER_SIZE];
    struct attempt attempt = gate_attempt(request, caller->origin, account->name, account, number);

    if (body_text(body, "old", &old, reply) || body_text(body, "new", &fresh, reply))
        return;
    if (!old || !fresh) {
        reply_error(reply, 400, "old and new are expected");
        return;
    }
    int64_t wait_s = attempts_begin_s(gate->attempts, &attempt);
    if (wait_s > 0) {
        gate_reply_wait(reply, wait_s);
    } else if (!password_fits(old, account->hash)) {
        gate_note_failure(gate, caller, "password-refused", "");
        reply_error(reply, 409, "the old password is wrong");
    } else {
        attempts_succeed(gate->attempts, &attempt);
        replace_password(gate, request, caller, account, fresh, reply);
    }
}

static void do_password(void *context, const struct http_request *request, struct http_reply *reply)
{
    struct gatekeeper *gate = context;
    struct account account;
    struct caller caller;
    struct body body;

    if (gate_caller(gate, request, ROLE_VIEWER, &caller, reply))
        return;
    if (!accounts_find(gate->accounts, caller.account, &account)) {
        reply_refusal(reply, 409, "only who is logged in with a password can change it so",
                      "an owner sets anybody's by PUT /api/v1/accounts/NAME");
        return;
    }
    if (body_read(&body, request, reply) == 0) {
        change_password(gate, request, &body, &caller, &account, reply);
        body_close(&body);
    }
    explicit_bzero(&account, sizeof account);
}

GATE_AS_WORK(post_password, do_password)

/* What somebody wants of the page: the language, and nothing else yet. */
static void do_patch_session(void *context, const struct http_request *request,
                             struct http_reply *reply)
{
    struct gatekeeper *gate = context;
    const char *language = NULL;
    struct caller caller;
    struct body body;

    if (gate_caller(gate, request, ROLE_VIEWER, &caller, reply) || body_read(&body, request, reply))
        return;
    if (body_text(&body, "language", &language, reply) == 0) {
        int error = accounts_set_language(gate->accounts, caller.account, language ? language : "");
        if (error == ERR_INVALID)
            reply_error(reply, 400, "language: a code such as en or de is expected");
        else if (error == ERR_NOT_FOUND)
            reply_refusal(reply, 409, "only who is logged in with a password has a language here",
                          "log in to the page");
        else if (error)
            gate_reply_failure(gate, error, reply);
        else
            gate_reply_ok(reply);
    }
    body_close(&body);
}

GATE_AS_WORK(patch_session, do_patch_session)

static const struct route rows[] = {
    {"GET", "/api/v1/session", ROLE_ANYBODY, get_session, GATE_BODY_MAX},
    {"PATCH", "/api/v1/session", ROLE_VIEWER, patch_session, GATE_BODY_MAX},
    {"POST", "/api/v1/login", ROLE_ANYBODY, post_login, GATE_BODY_MAX},
    {"POST", "/api/v1/logout", ROLE_VIEWER, post_logout, GATE_BODY_MAX},
    {"POST", "/api/v1/password", ROLE_VIEWER, post_password, GATE_BODY_MAX},
};

struct routes gate_session_routes(struct gatekeeper *gate)
{
    return (struct routes){rows, sizeof rows / sizeof *rows, gate};
}
