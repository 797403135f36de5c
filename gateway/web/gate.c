#include "web/gate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"
#include "core/words.h"
#include "web/device.h"
#include "web/gate_inside.h"
#include "web/hosts.h"
#include "web/key.h"
#include "web/reply.h"

#define FAILURES_A_MINUTE 10
#define HOST_SHOWN        80

static bool is_ours(struct gatekeeper *gate, const char *host)
{
    pthread_mutex_lock(&gate->lock);
    bool ours = hosts_is_ours(host, (const char *const *)gate->names, gate->name_count);
    pthread_mutex_unlock(&gate->lock);
    return ours;
}

/* A page of a stranger whose name was made to point here reaches us under that name. */
static int check_host(struct gatekeeper *gate, const char *host, struct http_reply *reply)
{
    char sentence[256], own[HOSTS_NAME_SIZE] = "";

    if (host && is_ours(gate, host))
        return 0;
    gethostname(own, sizeof own - 1);
    own[strcspn(own, ".")] = '\0';
    snprintf(sentence, sizeof sentence, "this gateway is not known by the name \"%.*s\"",
             HOST_SHOWN, host ? host : "");
    char next[2 * HOSTS_NAME_SIZE];
    snprintf(next, sizeof next,
             "open it by its address, or by %s.local; or add the name to \"names\" of \"web\" in "
             "the configuration",
             own);
    reply_refusal(reply, 403, sentence, next);
    return ERR_DENIED;
}

/* host[:port] without the port that is meant anyway. */
static size_t without_port(const char *host)
{
    size_t size = strlen(host);

    return size > 4 && strcmp(host + size - 4, ":443") == 0 ? size - 4 : size;
}

static int check_origin(const char *origin, const char *host, struct http_reply *reply)
{
    static const char scheme[] = "https://";

    if (!origin)
        return 0;
    if (strncasecmp(origin, scheme, sizeof scheme - 1) == 0) {
        const char *from = origin + sizeof scheme - 1;
        size_t size = without_port(from);

        if (size == without_port(host) && strncasecmp(from, host, size) == 0)
            return 0;
    }
    reply_refusal(reply, 403, "this was asked by the page of another site",
                  "open the gateway's own page");
    return ERR_DENIED;
}

/* A session's token has to come with what changes something: the browser adds the cookie by itself,
 * whoever made it ask. */
static int check_csrf(const struct http_request *request, const struct session *session,
                      struct http_reply *reply)
{
    const char *given = http_header(request, "X-Sluice-CSRF");

    if (strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0 ||
        (given && key_equal(given, session->csrf)))
        return 0;
    reply_refusal(reply, 403, "the request does not bring the session's X-Sluice-CSRF",
                  "load the page again");
    return ERR_DENIED;
}

/* Logging in asks for nothing that a session has; one of before may be over by then. */
static bool begins_anew(const struct http_request *request)
{
    return strcmp(request->method, "POST") == 0 && (strcmp(request->path, "/api/v1/login") == 0 ||
                                                    strcmp(request->path, "/api/v1/setup") == 0);
}

static int identify_token(struct gatekeeper *gate, const char *authorization, struct caller *caller,
                          struct http_reply *reply)
{
    static const char scheme[] = "Bearer ";
    uint8_t hash[DIGEST_SIZE];
    struct token token;

    if (strncasecmp(authorization, scheme, sizeof scheme - 1) == 0 &&
        key_hash(authorization + sizeof scheme - 1, hash) &&
        accounts_find_token(gate->accounts, hash, &token)) {
        caller->role = token.role;
        snprintf(caller->account, sizeof caller->account, "token:%s", token.name);
        return 0;
    }
    http_reply_header(reply, "WWW-Authenticate", "Bearer");
    reply_refusal(reply, 401, "this gateway does not know the token",
                  "make one on the page, under System, or by POST /api/v1/tokens");
    return ERR_DENIED;
}

static int identify_session(struct gatekeeper *gate, const struct http_request *request,
                            struct caller *caller, struct http_reply *reply)
{
    const char *key = http_cookie(request, GATE_COOKIE);
    struct session session;
    struct account account;

    if (!key || begins_anew(request) ||
        !sessions_find(gate->sessions, key, !request->streaming, &session) ||
        !accounts_find(gate->accounts, session.account, &account))
        return 0;
    if (check_csrf(request, &session, reply))
        return ERR_DENIED;
    caller->role = account.role;
    snprintf(caller->account, sizeof caller->account, "%s", account.name);
    return 0;
}

static int identify(void *context, const struct http_request *request, struct caller *caller,
                    struct http_reply *reply)
{
    struct gatekeeper *gate = context;
    const char *host = http_header(request, "Host");
    const char *authorization = http_header(request, "Authorization");

    if (check_host(gate, host, reply) || check_origin(http_header(request, "Origin"), host, reply))
        return ERR_DENIED;
    if (authorization)
        return identify_token(gate, authorization, caller, reply);
    return identify_session(gate, request, caller, reply);
}

int gate_caller(struct gatekeeper *gate, const struct http_request *request, enum role least,
                struct caller *caller, struct http_reply *reply)
{
    memset(caller, 0, sizeof *caller);
    if (http_is_local(request)) {
        route_local_caller(request, caller);
        return 0;
    }
    http_peer_address(request, caller->origin);
    if (identify(gate, request, caller, reply))
        return ERR_DENIED;
    if (caller->role >= least)
        return 0;
    reply_error(reply, 401, "the session has ended; log in again");
    return ERR_DENIED;
}

void gate_work(struct gatekeeper *gate, struct http_reply *reply,
               void (*work)(void *context, const struct http_request *request,
                            struct http_reply *reply))
{
    reply->work = work;
    reply->work_context = gate;
    reply->urgent = true;
}

bool gate_wants_json(const struct http_request *request, struct http_reply *reply)
{
    const char *type = http_header(request, "Content-Type");

    if (type && strncasecmp(type, "application/json", 16) == 0)
        return true;
    reply_error(reply, 400, "Content-Type: application/json is expected");
    return false;
}

void gate_reply_wait(struct http_reply *reply, int64_t wait_s)
{
    char next[96], seconds[24];

    snprintf(seconds, sizeof seconds, "%" PRId64, wait_s);
    snprintf(next, sizeof next, "try again in %s s", seconds);
    http_reply_header(reply, "Retry-After", seconds);
    reply_refusal(reply, 429, "there were too many wrong passwords or codes", next);
}

struct attempt gate_attempt(const struct http_request *request, const char *origin,
                            const char *name, const struct account *account,
                            char number[DEVICE_NUMBER_SIZE])
{
    const char *mark = http_cookie(request, GATE_DEVICE_COOKIE);
    struct attempt attempt = {.address = origin, .account = name};

    if (account && mark && device_fits(account->hash, mark, number))
        attempt.device = number;
    return attempt;
}

static void add_cookie(struct http_reply *reply, const char *name, const char *value,
                       const char *lifetime)
{
    char cookie[256];

    snprintf(cookie, sizeof cookie, "%s=%s; Path=/; %sSecure; HttpOnly; SameSite=Strict", name,
             value, lifetime);
    http_reply_header(reply, "Set-Cookie", cookie);
    explicit_bzero(cookie, sizeof cookie);
}

void gate_mark_device(const struct account *account, struct http_reply *reply)
{
    char mark[DEVICE_MARK_SIZE];

    if (device_mark(account->hash, mark))
        add_cookie(reply, GATE_DEVICE_COOKIE, mark, "Max-Age=31536000; ");
}

/* Whether whoever logged in as the account of before is let in by the accounts of now. */
static bool is_unchanged(struct gatekeeper *gate, const struct account *before)
{
    struct account now;

    return accounts_find(gate->accounts, before->name, &now) && strcmp(now.hash, before->hash) == 0;
}

/* The cookie lives as long as the browser runs: many people share a computer in a plant. */
int gate_let_in(struct gatekeeper *gate, const struct account *account, struct session *session,
                struct http_reply *reply)
{
    char key[KEY_TEXT_SIZE];
    int error = sessions_begin(gate->sessions, account->name, key, session);

    if (error)
        return error;
    /* While the password was checked the account may have got another one, or have gone: then the
     * sessions that there were ended before this one was among them. */
    if (is_unchanged(gate, account)) {
        add_cookie(reply, GATE_COOKIE, key, "");
        gate_mark_device(account, reply);
    } else {
        sessions_end(gate->sessions, key);
        error = ERR_DENIED;
    }
    explicit_bzero(key, sizeof key);
    return error;
}

void gate_note_failure(struct gatekeeper *gate, const struct caller *caller, const char *what,
                       const char *words)
{
    int64_t now_ns = clock_mono(gate->options.clock);
    char line[GATE_WORDS_SIZE + 32], number[16] = "";
    struct text text;

    pthread_mutex_lock(&gate->lock);
    if (now_ns - gate->failures.window_ns >= 60 * NS_PER_S) {
        gate->failures.window_ns = now_ns;
        gate->failures.noted = 0;
    }
    bool note = gate->failures.noted < FAILURES_A_MINUTE;
    gate->failures.noted += note;
    if (!note)
        gate->failures.left_out++;
    if (note && gate->failures.left_out) {
        snprintf(number, sizeof number, "%u", gate->failures.left_out);
        gate->failures.left_out = 0;
    }
    pthread_mutex_unlock(&gate->lock);
    if (!note)
        return;
    text_init(&text, line, sizeof line);
    text_string(&text, words);
    words_put(&text, "more", number);
    audit_note(gate->journal, caller, what, line);
}

int gate_open(struct gatekeeper **out, const struct gate_options *options)
{
    struct gatekeeper *gate = calloc(1, sizeof *gate);

    if (!gate)
        return ERR_NOMEM;
    gate->options = *options;
    pthread_mutex_init(&gate->lock, NULL);
    gate->failures.window_ns = clock_mono(options->clock);
    int error = accounts_open(&gate->accounts, options->state_path);
    if (!error)
        error = sessions_open(&gate->sessions, options->clock);
    if (!error)
        error = attempts_open(&gate->attempts, options->clock);
    if (!error && accounts_state(gate->accounts) == ACCOUNTS_NONE)
        error = setup_open(&gate->setup, options->preset_path, options->state_path);
    if (error) {
        gate_close(gate);
        return error;
    }
    *out = gate;
    return 0;
}

static void free_names(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

void gate_close(struct gatekeeper *gate)
{
    if (!gate)
        return;
    setup_close(gate->setup);
    attempts_close(gate->attempts);
    sessions_close(gate->sessions);
    accounts_close(gate->accounts);
    free_names(gate->names, gate->name_count);
    pthread_mutex_destroy(&gate->lock);
    free(gate);
}

int gate_mount(struct gatekeeper *gate, struct api *api, struct journal *journal,
               const struct gate_site *site)
{
    struct routes tables[] = {gate_session_routes(gate), gate_setup_routes(gate),
                              gate_account_routes(gate)};
    struct gate seam = {.identify = identify, .context = gate};

    gate->journal = journal;
    gate->site = *site;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        int error = api_mount(api, &tables[i]);
        if (error)
            return error;
    }
    api_guard(api, &seam);
    return 0;
}

void gate_announce(struct gatekeeper *gate)
{
    if (gate->setup)
        setup_announce(gate->setup);
}

int gate_set_names(struct gatekeeper *gate, const char *const *names, size_t count)
{
    char **copies = calloc(count ? count : 1, sizeof *copies);
    bool whole = copies != NULL;

    for (size_t i = 0; whole && i < count; i++)
        whole = (copies[i] = strdup(names[i])) != NULL;
    if (!whole) {
        free_names(copies, copies ? count : 0);
        return ERR_NOMEM;
    }
    pthread_mutex_lock(&gate->lock);
    char **before = gate->names;
    size_t before_count = gate->name_count;
    gate->names = copies;
    gate->name_count = count;
    pthread_mutex_unlock(&gate->lock);
    free_names(before, before_count);
    return 0;
}

/* Sessions know their account by its name: somebody else's may have the same in the backup. */
int gate_restore(struct gatekeeper *gate, const void *data, size_t size,
                 const struct http_request *request)
{
    const char *key = request ? http_cookie(request, GATE_COOKIE) : NULL;
    struct account *before = calloc(ACCOUNTS_MAX, sizeof *before);

    if (!before)
        return ERR_NOMEM;
    size_t count = accounts_list(gate->accounts, before);
    int error = accounts_restore(gate->accounts, data, size);
    for (size_t i = 0; !error && i < count; i++)
        sessions_end_all(gate->sessions, before[i].name,
                         is_unchanged(gate, &before[i]) ? key : NULL);
    explicit_bzero(before, ACCOUNTS_MAX * sizeof *before);
    free(before);
    return error;
}
