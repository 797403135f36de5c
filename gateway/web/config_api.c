#include "web/config_api.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/edit.h"
#include "config/lines.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/save.h"
#include "web/answer.h"
#include "web/body.h"
#include "web/later.h"
#include "web/proposal.h"
#include "web/reply.h"
#include "web/undelivered.h"

#define TEXT_SIZE_MAX (4 * 1024 * 1024) /* of a request with a whole configuration */
#define CONFIRM_S     60
#define CONFIRM_S_MIN 10
#define CONFIRM_S_MAX 3600

struct config_api {
    struct config_keeper keeper;
};

/* The text without comments, null where it cannot be read; and what it leaves undelivered once the
 * change that waits is kept. */
static void write_parsed(const struct config_api *api, struct json_writer *writer, const char *text)
{
    struct arena *arena = NULL;
    struct json *root = NULL;
    char *line = NULL;

    if (arena_open(&arena) == 0 && json_read(&root, arena, text, strlen(text), NULL, NULL) == 0)
        line = edit_print(root);
    json_write_raw(writer, "parsed", line ? line : "null");
    if (line)
        undelivered_write(writer, api->keeper.journal, root);
    free(line);
    arena_close(arena);
}

static void write_change(struct json_writer *writer, const char *key, uint64_t change)
{
    char number[24];

    snprintf(number, sizeof number, "%" PRIu64, change);
    json_write_text(writer, key, number);
}

static void write_now(struct json_writer *writer, const struct config_now *now)
{
    if (now->pending) {
        json_write_open(writer, "pending", '{');
        write_change(writer, "change", now->change);
        json_write_text(writer, "by", now->by);
        json_write_integer(writer, "until", now->until_ms);
        json_write_bool(writer, "confirmed", now->confirmed);
        json_write_text(writer, "why", now->why);
        json_write_close(writer, '}');
    } else {
        json_write_raw(writer, "pending", "null");
    }
    json_write_bool(writer, "writable", now->writable);
    if (*now->refused)
        json_write_text(writer, "refused", now->refused);
    else
        json_write_raw(writer, "refused", "null");
}

static void look(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct config_api *api = context;
    struct config_now now = {0};
    struct answer answer;
    char *text = NULL, revision[HISTORY_REVISION_SIZE] = HISTORY_NO_REVISION;
    size_t size;
    int error = save_read(api->keeper.path, JSON_SIZE_MAX, &text, &size);

    (void)request;
    if (error && error != ERR_NOT_FOUND) {
        reply_failure(reply, error);
        return;
    }
    if (text)
        history_revision(text, size, revision);
    api->keeper.now(api->keeper.context, &now);
    if (answer_begin(&answer, reply)) {
        json_write_text(&answer.writer, "path", api->keeper.path);
        json_write_text(&answer.writer, "revision", revision);
        json_write_text(&answer.writer, "text", text ? text : api->keeper.first);
        write_parsed(api, &answer.writer, text ? text : api->keeper.first);
        write_now(&answer.writer, &now);
        answer_end(&answer, reply, 200);
    }
    free(text);
}

static void reply_mistakes(const struct config_api *api, struct proposal *proposal,
                           struct http_reply *reply, int status, const char *sentence)
{
    struct answer answer;

    if (!answer_begin(&answer, reply))
        return;
    if (sentence)
        json_write_text(&answer.writer, "error", sentence);
    proposal_write(proposal, api->keeper.journal, &answer.writer);
    answer_end(&answer, reply, status);
}

/* What a proposal that cannot even be checked is answered with. */
static bool propose(struct config_api *api, struct proposal *proposal, const struct body *body,
                    struct http_reply *reply)
{
    int error =
        proposal_open(proposal, body->root, api->keeper.path, api->keeper.first, api->keeper.parts);

    if (error)
        reply_error(reply, error == ERR_INVALID ? 400 : 500, proposal->why);
    return error == 0;
}

static void check(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct proposal proposal;
    struct body body;

    if (body_read(&body, request->http, reply))
        return;
    if (propose(context, &proposal, &body, reply))
        reply_mistakes(context, &proposal, reply, 200, NULL);
    proposal_close(&proposal);
    body_close(&body);
}

/* The status and words of what the keeper did not do. */
static void reply_refused(const struct config_answer *refused, struct http_reply *reply)
{
    bool conflict = refused->error == ERR_EXISTS || refused->error == ERR_BUSY;
    int status = refused->error == ERR_NOT_FOUND ? 404
                 : refused->error == ERR_CLOSED  ? 503
                 : refused->error == ERR_INVALID ? 400
                                                 : 409;
    struct answer answer;

    if (!conflict) {
        reply_error(reply, status, refused->sentence);
        return;
    }
    if (!answer_begin(&answer, reply))
        return;
    json_write_text(&answer.writer, "error", refused->sentence);
    json_write_text(&answer.writer, "by", refused->by);
    json_write_integer(&answer.writer, "at", refused->at_ms);
    json_write_text(&answer.writer, "revision", refused->revision);
    answer_end(&answer, reply, status);
}

static void reply_done(const struct config_answer *done, struct http_reply *reply)
{
    struct answer answer;

    if (done->error) {
        reply_refused(done, reply);
        return;
    }
    if (!answer_begin(&answer, reply))
        return;
    write_change(&answer.writer, "change", done->change);
    if (done->until_ms)
        json_write_integer(&answer.writer, "until", done->until_ms);
    else
        json_write_raw(&answer.writer, "until", "null");
    json_write_text(&answer.writer, "revision", done->revision);
    json_write_text(&answer.writer, "why", done->sentence);
    answer_end(&answer, reply, 200);
}

static void apply_proposal(struct config_api *api, const struct route_request *request,
                           const struct body *body, struct proposal *proposal,
                           struct http_reply *reply)
{
    char words[HISTORY_WORDS_SIZE], sentence[640];
    const char *base = NULL, *comment = "";
    int64_t confirm_s = CONFIRM_S;
    struct config_answer answer = {0};

    if (body_text(body, "base", &base, reply) || body_text(body, "comment", &comment, reply) ||
        body_integer(body, "confirm_s", &confirm_s, reply))
        return;
    if (!base || confirm_s < CONFIRM_S_MIN || confirm_s > CONFIRM_S_MAX ||
        strlen(comment) >= HISTORY_COMMENT_SIZE) {
        snprintf(sentence, sizeof sentence,
                 "expected are \"base\" (the revision that was changed), \"confirm_s\" of %d to "
                 "%d, and a \"comment\" of at most %d bytes",
                 CONFIRM_S_MIN, CONFIRM_S_MAX, HISTORY_COMMENT_SIZE - 1);
        reply_error(reply, 400, sentence);
        return;
    }
    if (!proposal->config && strcmp(base, proposal->revision) == 0) {
        snprintf(sentence, sizeof sentence, "the configuration has %u mistake%s; %s",
                 proposal->mistakes, proposal->mistakes == 1 ? "" : "s", proposal->first);
        reply_mistakes(api, proposal, reply, 400, sentence);
        return;
    }
    proposal_words(proposal, words, sizeof words);
    struct config_wish wish = {.text = proposal->text,
                               .size = proposal->size,
                               .base = base,
                               .comment = comment,
                               .words = words,
                               .caller = request->caller,
                               .confirm_ns = confirm_s * NS_PER_S};
    api->keeper.apply(api->keeper.context, &wish, &answer);
    reply_done(&answer, reply);
}

static void apply(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct proposal proposal;
    struct body body;

    if (body_read(&body, request->http, reply))
        return;
    if (propose(context, &proposal, &body, reply))
        apply_proposal(context, request, &body, &proposal, reply);
    proposal_close(&proposal);
    body_close(&body);
}

/* Changes are called by texts of digits; 0 for any other. */
static uint64_t change_number(const char *text)
{
    char *rest;

    if (!text || *text < '0' || *text > '9')
        return 0;
    errno = 0;
    uint64_t number = strtoull(text, &rest, 10);
    return errno == 0 && *rest == '\0' ? number : 0;
}

static bool read_decision(const struct route_request *request, struct http_reply *reply,
                          uint64_t *change, bool *anyway)
{
    struct body body;
    const char *name = NULL;

    if (body_read(&body, request->http, reply))
        return false;
    int error = body_text(&body, "change", &name, reply);
    const struct json *truth = json_find(body.root, "anyway");
    *change = error ? 0 : change_number(name);
    *anyway = truth && truth->type == JSON_BOOL && truth->truth;
    if (!error && *change == 0)
        reply_error(reply, 400, "expected is \"change\": which one is meant");
    body_close(&body);
    return *change != 0;
}

static void confirm(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct config_api *api = context;
    struct config_answer answer = {0};
    uint64_t change;
    bool anyway;

    if (!read_decision(request, reply, &change, &anyway))
        return;
    api->keeper.confirm(api->keeper.context, change, anyway, request->caller, &answer);
    reply_done(&answer, reply);
}

static void revert(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct config_api *api = context;
    struct config_answer answer = {0};
    uint64_t change;
    bool anyway;

    if (!read_decision(request, reply, &change, &anyway))
        return;
    api->keeper.revert(api->keeper.context, change, request->caller, &answer);
    reply_done(&answer, reply);
}

static void write_entry(struct json_writer *writer, const struct history_entry *entry)
{
    write_change(writer, "change", entry->change);
    json_write_integer(writer, "at", entry->at_ms);
    json_write_text(writer, "by", entry->by);
    json_write_text(writer, "origin", entry->origin);
    json_write_text(writer, "comment", entry->comment);
    json_write_text(writer, "words", entry->words);
    json_write_text(writer, "state", history_state_name(entry->state));
    json_write_text(writer, "why", entry->why);
    json_write_text(writer, "revision", entry->revision);
}

static void list_history(void *context, const struct route_request *request,
                         struct http_reply *reply)
{
    struct config_api *api = context;
    struct history_entry *entries;
    size_t count;
    struct answer answer;

    (void)request;
    if (history_list(api->keeper.history, &entries, &count)) {
        reply_failure(reply, ERR_NOMEM);
        return;
    }
    if (answer_begin(&answer, reply)) {
        json_write_open(&answer.writer, "changes", '[');
        for (size_t i = 0; i < count; i++) {
            json_write_open(&answer.writer, NULL, '{');
            write_entry(&answer.writer, &entries[i]);
            json_write_close(&answer.writer, '}');
        }
        json_write_close(&answer.writer, ']');
        answer_end(&answer, reply, 200);
    }
    free(entries);
}

/* The one that a change is compared with: the query's, else the newest before it that was kept; -1
 * where there is none. */
static int64_t other_of(const struct history_entry *entries, size_t count, size_t at,
                        const char *with)
{
    for (size_t i = with ? 0 : at + 1; i < count; i++) {
        if (with ? entries[i].change == change_number(with) : entries[i].state == HISTORY_CONFIRMED)
            return (int64_t)i;
    }
    return -1;
}

/* What stands in the later one of both is new, whichever was asked for. */
static void write_compared(struct json_writer *writer, const char *folder, uint64_t change,
                           uint64_t other, const char *text)
{
    char *other_text = NULL, *lines = NULL;
    size_t size;
    FILE *out = open_memstream(&lines, &size);

    if (other)
        history_text(folder, other, &other_text, &size);
    const char *with = other_text ? other_text : "";
    if (out) {
        lines_compare(other > change ? text : with, other > change ? with : text, out);
        fclose(out);
    }
    if (other)
        write_change(writer, "with", other);
    else
        json_write_raw(writer, "with", "null");
    json_write_text(writer, "lines", lines ? lines : "");
    free(lines);
    free(other_text);
}

static void show_change(const struct config_api *api, const struct history_entry *entries,
                        size_t count, const struct route_request *request, struct http_reply *reply)
{
    uint64_t change = change_number(request->names[0]);
    const char *with = http_query(request->http, "with");
    struct answer answer;
    char *text;
    size_t size, at = 0;

    while (at < count && entries[at].change != change)
        at++;
    int64_t other = at < count ? other_of(entries, count, at, with) : -1;
    if (at == count || (with && other < 0) ||
        history_text(api->keeper.history, change, &text, &size)) {
        reply_error(reply, 404,
                    "there is no such change; the newest are kept, see "
                    "sluice config history");
        return;
    }
    if (answer_begin(&answer, reply)) {
        write_entry(&answer.writer, &entries[at]);
        json_write_text(&answer.writer, "text", text);
        write_compared(&answer.writer, api->keeper.history, change,
                       other >= 0 ? entries[other].change : 0, text);
        answer_end(&answer, reply, 200);
    }
    free(text);
}

static void get_change(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct config_api *api = context;
    struct history_entry *entries;
    size_t count;

    if (history_list(api->keeper.history, &entries, &count)) {
        reply_failure(reply, ERR_NOMEM);
        return;
    }
    show_change(api, entries, count, request, reply);
    free(entries);
}

LATER_ROUTE(look)
LATER_ROUTE(check)
LATER_ROUTE(apply)
LATER_ROUTE(confirm)
LATER_ROUTE(revert)
LATER_ROUTE(list_history)
LATER_ROUTE(get_change)

static const struct route rows[] = {
    {"GET", "/api/v1/config", ROLE_VIEWER, look_later, 0},
    {"POST", "/api/v1/config/check", ROLE_OWNER, check_later, TEXT_SIZE_MAX},
    {"POST", "/api/v1/config/apply", ROLE_OWNER, apply_later, TEXT_SIZE_MAX},
    {"POST", "/api/v1/config/confirm", ROLE_OWNER, confirm_later, 0},
    {"POST", "/api/v1/config/revert", ROLE_OWNER, revert_later, 0},
    {"GET", "/api/v1/config/history", ROLE_OWNER, list_history_later, 0},
    {"GET", "/api/v1/config/history/{change}", ROLE_OWNER, get_change_later, 0},
};

int config_api_open(struct config_api **api, const struct config_keeper *keeper)
{
    *api = calloc(1, sizeof **api);
    if (!*api)
        return ERR_NOMEM;
    (*api)->keeper = *keeper;
    return 0;
}

void config_api_close(struct config_api *api)
{
    free(api);
}

struct routes config_api_routes(struct config_api *api)
{
    return (struct routes){rows, sizeof rows / sizeof *rows, api};
}
