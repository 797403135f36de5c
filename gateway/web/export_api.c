#include "web/export_api.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/explain.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "core/save.h"
#include "core/status.h"
#include "core/words.h"
#include "journal/journal.h"
#include "web/answer.h"
#include "web/audit.h"
#include "web/body.h"
#include "web/feed.h"
#include "web/files_use.h"
#include "web/later.h"
#include "web/passphrase.h"
#include "web/profiles_use.h"
#include "web/proposal.h"
#include "web/reply.h"
#include "web/restore.h"

#define RESTORE_SIZE_MAX (16 * 1024 * 1024)
#define STATUS_ROOM      (16 * 1024)
#define LEFT_OUT_SIZE    4096
#define STATUS_ROOM_MAX  (64 * 1024 * 1024)

struct export_api {
    struct export_given given;
};

/* The id in force, for names and marks; "" where the file cannot be read. */
static void gateway_id(const struct export_api *api, char out[ID_SIZE_MAX])
{
    struct arena *arena = NULL;
    struct json *root = NULL;
    char *text;

    out[0] = '\0';
    if (backup_config(&api->given.place, &text))
        return;
    if (arena_open(&arena) == 0 && json_read(&root, arena, text, strlen(text), NULL, NULL) == 0) {
        const struct json *id = json_find(json_find(root, "gateway"), "id");
        snprintf(out, ID_SIZE_MAX, "%s", id && id->type == JSON_STRING ? id->text : "");
    }
    arena_close(arena);
    free(text);
}

/* "sluice-backup-plant7-2026-11-27.json": two of one folder are told apart by whose they are and of
 * which day. */
static void as_download(struct http_reply *reply, const char *what, const char *id)
{
    time_t now = (time_t)(clock_wall(&clock_system) / NS_PER_S);
    char day[16] = "", value[ID_SIZE_MAX + 64];
    struct tm utc;

    if (gmtime_r(&now, &utc))
        strftime(day, sizeof day, "%Y-%m-%d", &utc);
    snprintf(value, sizeof value, "attachment; filename=\"sluice-%s-%s-%s.json\"", what, id, day);
    http_reply_header(reply, "Content-Disposition", value);
}

/* In place of what is written of it already. */
static void refuse_document(int error, const char *why, struct http_reply *reply)
{
    free(reply->body);
    reply->body = NULL;
    reply_error(reply, error == ERR_NOMEM ? 500 : 409, why);
}

/* What a template needs and has not: the words of a header. */
struct left_out {
    struct text text;
    unsigned more; /* that there is no room for */
};

static void name_one(struct left_out *left_out, const char *key, const char *name)
{
    size_t before = left_out->text.size;

    words_put(&left_out->text, key, name);
    if (!left_out->text.cut)
        return;
    left_out->text.data[left_out->text.size = before] = '\0';
    left_out->text.cut = false;
    left_out->more++;
}

static void name_file(void *context, const struct json *value, bool kept)
{
    (void)kept;
    if (!export_own(value))
        name_one(context, "file", value->text);
}

static void name_profile(void *context, const char *name, const char *path)
{
    (void)path;
    name_one(context, "profile", name);
}

/* `text` is that of the configuration. */
static void name_left_out(const struct export_api *api, const char *text, struct http_reply *reply)
{
    char words[LEFT_OUT_SIZE + sizeof " more=4294967295"];
    struct left_out left_out = {0};
    struct files_use *use = files_use_open(api->given.place.config_path);
    struct arena *arena = NULL;
    struct json *root = NULL;

    text_init(&left_out.text, words, LEFT_OUT_SIZE);
    files_use_each(use, name_file, &left_out);
    files_use_close(use);
    if (arena_open(&arena) == 0)
        json_read(&root, arena, text, strlen(text), NULL, NULL);
    profiles_use_each(root, api->given.place.parts, name_profile, &left_out);
    arena_close(arena);
    left_out.text.room = sizeof words;
    if (left_out.more)
        text_printf(&left_out.text, " more=%u", left_out.more);
    if (*words)
        http_reply_header(reply, "X-Sluice-Left-Out", words);
}

/* The template alone, or with what is beside it. Takes `made` over. */
static void answer_template(const struct export_api *api, const char *config, char *made,
                            bool with_files, struct http_reply *reply)
{
    char id[ID_SIZE_MAX], why[BACKUP_WHY_SIZE] = "";
    struct answer answer;

    gateway_id(api, id);
    if (!with_files) {
        reply_json(reply, 200, made, strlen(made));
        name_left_out(api, config, reply);
        as_download(reply, "template", id);
        return;
    }
    if (answer_begin(&answer, reply)) {
        int error = backup_write_template(&answer.writer, &api->given.place, made,
                                          clock_wall(&clock_system) / NS_PER_MS, why);
        answer_end(&answer, reply, 200);
        if (error)
            refuse_document(error, why, reply);
        else
            as_download(reply, "template", id);
    }
    free(made);
}

static void get_template(void *context, const struct route_request *request,
                         struct http_reply *reply)
{
    struct export_api *api = context;
    const char *files = http_query(request->http, "files");
    char why[EDIT_WHY_SIZE] = "the configuration cannot be read";
    char *text = NULL;
    char *made = backup_config(&api->given.place, &text) == 0 ? export_template(text, why) : NULL;

    if (made)
        answer_template(api, text, made, files && strcmp(files, "true") == 0, reply);
    else
        reply_error(reply, 409, why);
    free(text);
}

static void note(const struct export_api *api, const struct route_request *request,
                 const char *what, const char *words)
{
    audit_note(api->given.keeper.journal, request->caller, what, words);
}

static void get_backup(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct export_api *api = context;
    char room[PASSPHRASE_SIZE_MAX], id[ID_SIZE_MAX], why[BACKUP_WHY_SIZE] = "";
    const char *passphrase;
    struct answer answer;

    if (passphrase_take(request->http, room, &passphrase, reply))
        return;
    if (passphrase && strlen(passphrase) < BACKUP_PASSPHRASE_MIN) {
        reply_error(reply, 400,
                    "the passphrase is too short: at least 10 characters are expected; three "
                    "words are easy to keep in mind");
        return;
    }
    if (!answer_begin(&answer, reply))
        return;
    gateway_id(api, id);
    int error = backup_write(&answer.writer, &api->given.place, id, passphrase,
                             clock_wall(&clock_system) / NS_PER_MS, why);
    explicit_bzero(room, sizeof room);
    displays_desk_write(api->given.displays, &answer.writer, "displays");
    answer_end(&answer, reply, 200);
    if (error) {
        refuse_document(error, why, reply);
        return;
    }
    note(api, request, "backup-made", passphrase ? "secrets=sealed" : "secrets=left-out");
    as_download(reply, "backup", id);
}

/* --- the report --- */

static void write_status(const struct export_api *api, struct json_writer *writer)
{
    for (size_t room = STATUS_ROOM; room <= STATUS_ROOM_MAX; room *= 2) {
        char *data = malloc(room);
        struct text text;

        if (!data)
            break;
        text_init(&text, data, room);
        api->given.status(api->given.status_context, &text);
        if (!text.cut) {
            json_write_raw(writer, "status", data);
            free(data);
            return;
        }
        free(data);
    }
    json_write_raw(writer, "status", "null");
}

struct values {
    const struct export_api *api;
    struct json_writer *writer;
};

static void write_value(void *context, const struct event *event)
{
    struct values *values = context;
    char line[FEED_LINE_SIZE_MAX];
    struct stream stream;
    struct text text;

    if (event->kind != EVENT_READING || status_ends(event->status))
        return;
    text_init(&text, line, sizeof line);
    feed_event_json(&text, event,
                    journal_stream(values->api->given.keeper.journal, event->stream, &stream));
    if (!text.cut)
        json_write_raw(values->writer, NULL, line);
}

static void write_meaning(const struct export_api *api, struct json_writer *writer)
{
    static const char none[] = "{\"edits\":[]}";
    struct proposal proposal;
    struct arena *arena;
    struct json *body = NULL;

    if (arena_open(&arena))
        return;
    json_read(&body, arena, none, strlen(none), NULL, NULL);
    if (body && proposal_open(&proposal, body, api->given.place.config_path, api->given.place.first,
                              api->given.keeper.parts) == 0) {
        json_write_text(writer, "revision", proposal.revision);
        if (proposal.config)
            config_explain_meaning(proposal.config, writer, "meaning");
    }
    if (body)
        proposal_close(&proposal);
    arena_close(arena);
}

static void get_report(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct export_api *api = context;
    int64_t now = clock_wall(&clock_system);
    struct answer answer;

    if (!answer_begin(&answer, reply))
        return;
    struct values values = {api, &answer.writer};
    json_write_text(&answer.writer, "kind", "sluice-report");
    json_write_integer(&answer.writer, "schema", 1);
    json_write_integer(&answer.writer, "made", now / NS_PER_MS);
    json_write_text(&answer.writer, "by", request->caller->account);
    write_status(api, &answer.writer);
    json_write_open(&answer.writer, "values", '[');
    journal_state_at(api->given.keeper.journal, now, write_value, &values);
    json_write_close(&answer.writer, ']');
    displays_desk_write(api->given.displays, &answer.writer, "displays");
    write_meaning(api, &answer.writer);
    answer_end(&answer, reply, 200);
}

static void restore(void *context, const struct route_request *request, struct http_reply *reply)
{
    const struct export_api *api = context;

    restore_answer(&api->given, request, reply);
}

LATER_ROUTE(get_template)
LATER_ROUTE(get_backup)
LATER_ROUTE(get_report)
LATER_ROUTE(restore)

static const struct route rows[] = {
    {"GET", "/api/v1/export/template", ROLE_OWNER, get_template_later, 0},
    {"GET", "/api/v1/export/backup", ROLE_OWNER, get_backup_later, 0},
    {"GET", "/api/v1/export/report", ROLE_VIEWER, get_report_later, 0},
    {"POST", "/api/v1/restore", ROLE_OWNER, restore_later, RESTORE_SIZE_MAX},
};

int export_api_open(struct export_api **api, const struct export_given *given)
{
    *api = calloc(1, sizeof **api);
    if (!*api)
        return ERR_NOMEM;
    (*api)->given = *given;
    return 0;
}

void export_api_close(struct export_api *api)
{
    free(api);
}

struct routes export_api_routes(struct export_api *api)
{
    return (struct routes){rows, sizeof rows / sizeof *rows, api};
}
