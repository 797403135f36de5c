/* The first visitor becomes the owner; and the clock, which is often the first thing to be set. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/words.h"
#include "web/body.h"
#include "web/gate_inside.h"
#include "web/reply.h"

#define CODE_ATTEMPTS "setup-code:" /* what wrong codes are counted by: no account's name */
#define T_MS_MIN      INT64_C(1704067200000) /* 2024 */
#define T_MS_MAX      INT64_C(4102444800000) /* 2100 */
#define SENTENCE_SIZE 256
#define NOTES_MAX     2

static const char may_not_set[] = "the daemon may not set the clock of this machine";
static const char may_not_set_next[] =
    "give it the capability CAP_SYS_TIME (AmbientCapabilities=CAP_SYS_TIME in its systemd unit), "
    "or set the clock there: timedatectl set-time";

/* What the first visitor wishes. */
struct wish {
    const char *code, *password, *name, *language;
    const char *gateway_id, *gateway_name;
    int64_t t_ms; /* 0: the clock stays */
};

static int read_gateway(const struct json *gateway, struct wish *wish, struct http_reply *reply)
{
    struct body part = {.root = gateway};
    int error = 0;

    if (gateway)
        error = body_text(&part, "id", &wish->gateway_id, reply);
    if (gateway && !error)
        error = body_text(&part, "name", &wish->gateway_name, reply);
    if (error || !wish->gateway_id || id_valid(wish->gateway_id))
        return error;
    reply_error(reply, 400, "gateway.id: small letters, digits, - and _ are expected");
    return ERR_INVALID;
}

static int read_wish(const struct body *body, struct wish *wish, struct http_reply *reply)
{
    const struct json *gateway = NULL;
    int error = body_text(body, "code", &wish->code, reply);

    if (!error)
        error = body_text(body, "password", &wish->password, reply);
    if (!error)
        error = body_text(body, "name", &wish->name, reply);
    if (!error)
        error = body_text(body, "language", &wish->language, reply);
    if (!error)
        error = body_integer(body, "t", &wish->t_ms, reply);
    if (!error)
        error = body_object(body, "gateway", &gateway, reply);
    if (!error)
        error = read_gateway(gateway, wish, reply);
    return error;
}

/* A sentence of what is wrong with the wish; NULL: nothing. */
static const char *refusal_of(const struct wish *wish)
{
    if (!accounts_name_valid(wish->name))
        return "name: at most 40 small letters, digits, - and _ are expected";
    if (!accounts_language_valid(wish->language))
        return "language: a code such as en or de is expected";
    if (wish->t_ms && (wish->t_ms < T_MS_MIN || wish->t_ms > T_MS_MAX))
        return "t: milliseconds since 1970, in this century, are expected";
    return password_refusal(wish->password);
}

static void note_clock(struct gatekeeper *gate, const struct caller *caller, int64_t t_ms)
{
    char number[24], words[GATE_WORDS_SIZE];
    struct text text;

    snprintf(number, sizeof number, "%" PRId64, t_ms);
    text_init(&text, words, sizeof words);
    words_put(&text, "t", number);
    audit_note(gate->journal, caller, "clock-set", words);
}

/* What goes beyond the owner: what of it fails is told, and the owner stands. */
/* May wait for whoever does it. */
static int set_system_clock(struct gatekeeper *gate, int64_t t_ms)
{
    return gate->options.set_clock(gate->options.clock_context, t_ms * NS_PER_MS);
}

static void grant_rest(struct gatekeeper *gate, const struct caller *caller,
                       const struct wish *wish, char sentence[SENTENCE_SIZE],
                       const char *notes[NOTES_MAX + 1])
{
    const struct gate_site *site = &gate->site;
    size_t count = 0;

    if (wish->t_ms && clock_trust(gate->options.clock) != CLOCK_SYNCHRONISED) {
        if (set_system_clock(gate, wish->t_ms) == 0)
            note_clock(gate, caller, wish->t_ms);
        else
            notes[count++] = may_not_set;
    }
    if (wish->gateway_id || wish->gateway_name) {
        if (!site->name)
            notes[count++] = "the gateway's id and name are set in its configuration";
        else if (site->name(site->context, caller, wish->gateway_id, wish->gateway_name, sentence,
                            SENTENCE_SIZE))
            notes[count++] = sentence;
    }
    notes[count] = NULL;
}

static void make_owner(struct gatekeeper *gate, const struct wish *wish, const char *origin,
                       struct http_reply *reply)
{
    struct account account = {.role = ROLE_OWNER};
    struct caller caller = {.role = ROLE_OWNER};
    const char *notes[NOTES_MAX + 1];
    char sentence[SENTENCE_SIZE];
    struct session session;

    snprintf(account.name, sizeof account.name, "%s", wish->name);
    snprintf(caller.account, sizeof caller.account, "%s", wish->name);
    snprintf(caller.origin, sizeof caller.origin, "%s", origin);
    int error = password_hash(wish->password, account.hash);
    if (!error)
        error = accounts_first(gate->accounts, account.name, account.hash, wish->language);
    if (!error)
        error = gate_let_in(gate, &account, &session, reply);
    explicit_bzero(account.hash, sizeof account.hash);
    if (error) {
        gate_reply_failure(gate, error, reply);
        return;
    }
    setup_done(gate->setup);
    audit_note(gate->journal, &caller, "setup", "");
    grant_rest(gate, &caller, wish, sentence, notes);
    gate_reply_session(gate, &caller, &session, notes, reply);
}

static void try_wish(struct gatekeeper *gate, const struct wish *wish, const char *origin,
                     struct http_reply *reply)
{
    struct attempt attempt = {.address = origin, .account = CODE_ATTEMPTS};
    int64_t wait_s = attempts_begin_s(gate->attempts, &attempt);
    const char *refusal;

    if (wait_s > 0) {
        gate_reply_wait(reply, wait_s);
        return;
    }
    if (!wish->code || !setup_fits(gate->setup, wish->code)) {
        struct caller caller = {0};

        snprintf(caller.origin, sizeof caller.origin, "%s", origin);
        gate_note_failure(gate, &caller, "setup-refused", "");
        reply_refusal(reply, 409, "this is not the setup code",
                      "it is on the label, in the log of the first start, and shown by \"sluice "
                      "setup\" on the machine");
        return;
    }
    attempts_succeed(gate->attempts, &attempt);
    if (!wish->password) {
        gate_reply_ok(reply);
        return;
    }
    refusal = refusal_of(wish);
    if (refusal)
        reply_error(reply, 400, refusal);
    else
        make_owner(gate, wish, origin, reply);
}

/* Once there is an owner nobody becomes it this way. False when the reply is filled in. */
static bool is_open(struct gatekeeper *gate, struct http_reply *reply)
{
    if (gate->setup && accounts_state(gate->accounts) == ACCOUNTS_NONE)
        return true;
    reply_refusal(reply, 409, "this gateway has an owner already",
                  "log in; where the password is lost, \"sluice password NAME\" on the machine "
                  "sets a new one");
    return false;
}

static void do_setup(void *context, const struct http_request *request, struct http_reply *reply)
{
    struct gatekeeper *gate = context;
    struct wish wish = {.name = "owner", .language = "en"};
    char origin[HTTP_ADDRESS_SIZE];
    struct body body;

    http_peer_address(request, origin);
    if (!is_open(gate, reply) || body_read(&body, request, reply))
        return;
    if (read_wish(&body, &wish, reply) == 0)
        try_wish(gate, &wish, origin[0] ? origin : "socket", reply);
    body_close(&body);
}

static void post_setup(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct gatekeeper *gate = context;

    if (is_open(gate, reply) && gate_wants_json(request->http, reply))
        gate_work(gate, reply, do_setup);
    reply->slow = true; /* it may set the clock, too */
}

/* The code itself, for whoever is owner without an account: root on the machine. */
static void get_setup(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct gatekeeper *gate = context;
    enum accounts_state state = accounts_state(gate->accounts);
    char *body = malloc(SENTENCE_SIZE);
    struct text text;

    if (!body) {
        reply_failure(reply, ERR_NOMEM);
        return;
    }
    text_init(&text, body, SENTENCE_SIZE);
    text_printf(&text, "{\"needed\":%s", state == ACCOUNTS_NONE ? "true" : "false");
    if (state == ACCOUNTS_NONE && gate->setup && request->caller->local) {
        text_string(&text, ",\"code\":");
        text_json_string(&text, setup_code(gate->setup), strlen(setup_code(gate->setup)));
    }
    text_string(&text, "}\n");
    reply_json(reply, 200, body, text.size);
}

static void set_clock(struct gatekeeper *gate, const struct caller *caller, int64_t t_ms,
                      struct http_reply *reply)
{
    if (t_ms < T_MS_MIN || t_ms > T_MS_MAX) {
        reply_error(reply, 400, "t: milliseconds since 1970, in this century, are expected");
        return;
    }
    if (clock_trust(gate->options.clock) == CLOCK_SYNCHRONISED) {
        reply_refusal(reply, 409, "the clock follows a time server, which would set it back",
                      "correct or switch off the time server first");
        return;
    }
    int error = set_system_clock(gate, t_ms);
    if (error == ERR_DENIED) {
        reply_refusal(reply, 409, may_not_set, may_not_set_next);
    } else if (error) {
        reply_failure(reply, error);
    } else {
        note_clock(gate, caller, t_ms);
        gate_reply_ok(reply);
    }
}

static void do_clock(void *context, const struct http_request *request, struct http_reply *reply)
{
    struct gatekeeper *gate = context;
    struct caller caller;
    struct body body;
    int64_t t_ms = 0;

    if (gate_caller(gate, request, ROLE_OWNER, &caller, reply) || body_read(&body, request, reply))
        return;
    if (body_integer(&body, "t", &t_ms, reply) == 0)
        set_clock(gate, &caller, t_ms, reply);
    body_close(&body);
}

/* Root may have to be asked. */
static void post_clock(void *context, const struct route_request *request, struct http_reply *reply)
{
    (void)request;
    gate_work(context, reply, do_clock);
    reply->slow = true;
}

static const struct route rows[] = {
    {"GET", "/api/v1/setup", ROLE_OWNER, get_setup, GATE_BODY_MAX},
    {"POST", "/api/v1/setup", ROLE_ANYBODY, post_setup, GATE_BODY_MAX},
    {"POST", "/api/v1/clock", ROLE_OWNER, post_clock, GATE_BODY_MAX},
};

struct routes gate_setup_routes(struct gatekeeper *gate)
{
    return (struct routes){rows, sizeof rows / sizeof *rows, gate};
}
