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
#include "web/files_api.h"
#include "web/later.h"
#include "web/passphrase.h"
#include "web/proposal.h"
#include "web/reply.h"
#include "web/restore_text.h"

#define RESTORE_SIZE_MAX (16 * 1024 * 1024)
#define STATUS_ROOM      (16 * 1024)
#define STATUS_ROOM_MAX  (64 * 1024 * 1024)

struct export_api {
    struct export_given given;
};

static void ignore(void *context, struct json_place at, const char *sentence)
{
    (void)context;
    (void)at;
    (void)sentence;
}

/* The configuration's text, malloc'd. */
static char *config_text(const struct export_api *api)
{
    char *text;
    size_t size;
    int error = save_read(api->given.place.config_path, JSON_SIZE_MAX, &text, &size);

    if (error == ERR_NOT_FOUND)
        return strdup(api->given.place.first);
    return error ? NULL : text;
}

/* The id in force, for names and marks; "" where the file cannot be read. */
static void gateway_id(const struct export_api *api, char out[ID_SIZE_MAX])
{
    struct arena *arena = NULL;
    struct json *root = NULL;
    char *text = config_text(api);

    out[0] = '\0';
    if (text && arena_open(&arena) == 0 &&
        json_read(&root, arena, text, strlen(text), ignore, NULL) == 0) {
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

static void get_template(void *context, const struct route_request *request,
                         struct http_reply *reply)
{
    struct export_api *api = context;
    char why[EDIT_WHY_SIZE] = "the configuration cannot be read";
    char id[ID_SIZE_MAX], *text = config_text(api);
    char *made = text ? export_template(text, why) : NULL;

    (void)request;
    free(text);
    if (!made) {
        reply_error(reply, 409, why);
        return;
    }
    reply_json(reply, 200, made, strlen(made));
    gateway_id(api, id);
    as_download(reply, "template", id);
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
        free(reply->body);
        reply->body = NULL;
        reply_error(reply, error == ERR_NOMEM ? 500 : 409, why);
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

    if (event->kind != EVENT_READING || event->status == STATUS_REMOVED)
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
    json_read(&body, arena, none, strlen(none), ignore, NULL);
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

/* --- restoring --- */

enum there { THERE_NOTHING, THERE_THE_SAME, THERE_ANOTHER };

static enum there look_for(const struct export_api *api, const struct backup_file *file)
{
    enum there there = THERE_ANOTHER;
    char path[PATH_MAX], *data;
    size_t size;

    files_path(api->given.place.config_path, file->name, path, sizeof path);
    int error = save_read(path, BACKUP_BYTES_MAX, &data, &size);
    if (error)
        return error == ERR_NOT_FOUND ? THERE_NOTHING : THERE_ANOTHER;
    if (size == file->size && memcmp(data, file->data, size) == 0)
        there = THERE_THE_SAME;
    explicit_bzero(data, size);
    free(data);
    return there;
}

/* Before anything is written: a change that goes back has no other file to go back to. */
static bool refuse_used(const struct export_api *api, const struct backup *backup,
                        struct http_reply *reply)
{
    char user[FILES_USER_SIZE], sentence[640];

    for (size_t i = 0; i < backup->file_count; i++) {
        const char *name = backup->files[i].name;

        if (look_for(api, &backup->files[i]) != THERE_ANOTHER)
            continue;
        files_user(api->given.place.config_path, name, user);
        if (!*user)
            continue;
        snprintf(sentence, sizeof sentence,
                 "%s is in use by %s and is another than in the backup; nothing is restored. Have "
                 "the configuration name a copy of it under another name, or none, and restore "
                 "again",
                 name, user);
        reply_error(reply, 409, sentence);
        return true;
    }
    return false;
}

static bool refuse_pending(const struct export_api *api, struct http_reply *reply)
{
    struct config_now now;
    char sentence[256];

    api->given.keeper.now(api->given.keeper.context, &now);
    if (!now.pending)
        return false;
    snprintf(sentence, sizeof sentence,
             "change %" PRIu64 " by %s waits to be confirmed; confirm it or take it back first",
             now.change, now.by);
    reply_error(reply, 409, sentence);
    return true;
}

/* What a restore that is refused puts back. */
struct placed {
    bool written;
    char *before; /* NULL: there was none */
    size_t size;
};

static int place_file(const struct export_api *api, const struct backup_file *file,
                      struct placed *placed)
{
    char path[PATH_MAX];

    if (look_for(api, file) == THERE_THE_SAME)
        return 0;
    files_path(api->given.place.config_path, file->name, path, sizeof path);
    int error = save_read(path, BACKUP_BYTES_MAX, &placed->before, &placed->size);
    if (error && error != ERR_NOT_FOUND)
        return error;
    placed->written = true;
    return save_file(path, file->data, file->size, files_is_secret(file->name) ? 0600 : 0644);
}

/* The files of a backup beside the configuration: those that differ from what is there. They come
 * first, since the configuration is checked against them. */
static int place_files(const struct export_api *api, const struct backup *backup,
                       struct placed *placed, struct http_reply *reply)
{
    char why[BACKUP_WHY_SIZE];

    for (size_t i = 0; i < backup->file_count; i++) {
        int error = place_file(api, &backup->files[i], &placed[i]);
        if (error) {
            snprintf(why, sizeof why, "%s cannot be written: %s", backup->files[i].name,
                     error_text(error));
            reply_error(reply, 409, why);
            return error;
        }
    }
    return 0;
}

static void put_back(const struct export_api *api, const struct backup *backup,
                     const struct placed *placed)
{
    for (size_t i = 0; i < backup->file_count; i++) {
        const char *name = backup->files[i].name;
        char path[PATH_MAX];

        if (!placed[i].written)
            continue;
        files_path(api->given.place.config_path, name, path, sizeof path);
        int error = placed[i].before ? save_file(path, placed[i].before, placed[i].size,
                                                 files_is_secret(name) ? 0600 : 0644)
                                     : save_remove(path);
        if (error)
            log_error("web", "%s is that of a backup that was refused, and cannot be put back: %s",
                      path, error_text(error));
    }
}

static void forget(struct placed *placed, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (placed[i].before)
            explicit_bzero(placed[i].before, placed[i].size);
        free(placed[i].before);
    }
    free(placed);
}

static void reply_restored(const struct config_answer *applied, const struct backup *backup,
                           bool accounts, struct http_reply *reply)
{
    struct answer answer;
    char number[24];

    if (!answer_begin(&answer, reply))
        return;
    snprintf(number, sizeof number, "%" PRIu64, applied->change);
    if (applied->change) {
        json_write_text(&answer.writer, "change", number);
        json_write_integer(&answer.writer, "until", applied->until_ms);
    } else {
        json_write_raw(&answer.writer, "change", "null");
        json_write_raw(&answer.writer, "until", "null");
    }
    json_write_integer(&answer.writer, "files", (int64_t)backup->file_count);
    json_write_bool(&answer.writer, "accounts", accounts);
    json_write_bool(&answer.writer, "secrets_left_out", backup->secrets_left_out);
    answer_end(&answer, reply, 200);
}

/* After the configuration, which may be refused: these are there for good. */
static int restore_accounts(const struct export_api *api, const struct route_request *request,
                            const struct backup *backup, struct http_reply *reply)
{
    int error = api->given.restore_accounts(api->given.accounts_context, backup->accounts.data,
                                            backup->accounts.size, request->http);

    if (error)
        reply_error(reply, 409,
                    error == ERR_CORRUPT
                        ? "the accounts in the backup cannot be read; everything else is restored"
                    : error == ERR_DENIED
                        ? "none of the accounts in the backup is an owner, so that nobody could "
                          "manage the gateway: those that there are stay; everything else is "
                          "restored"
                        : error_text(error));
    return error;
}

/* They decide nothing, so that a restore does not fail for them. */
static void restore_displays(const struct export_api *api, const struct backup *backup)
{
    int error = displays_desk_merge(api->given.displays, backup->displays);

    if (error)
        log_warn("web", "what displays showed is not restored: %s: %s", api->given.displays->path,
                 error_text(error));
}

static void restore_backup(const struct export_api *api, const struct route_request *request,
                           const struct backup *backup, bool accounts, struct http_reply *reply)
{
    struct config_answer applied = {0};

    accounts = accounts && backup->accounts.data;
    if (refuse_pending(api, reply) || refuse_used(api, backup, reply))
        return;
    struct placed *placed = calloc(backup->file_count + 1, sizeof *placed);
    if (!placed) {
        reply_failure(reply, ERR_NOMEM);
        return;
    }
    int error = place_files(api, backup, placed, reply);
    if (!error)
        error = restore_text(&api->given, request, backup->config, "restored from a backup",
                             &applied, reply);
    if (error)
        put_back(api, backup, placed);
    forget(placed, backup->file_count);
    if (error)
        return;
    note(api, request, "backup-restored", accounts ? "accounts=restored" : "");
    restore_displays(api, backup);
    if (!accounts || restore_accounts(api, request, backup, reply) == 0)
        reply_restored(&applied, backup, accounts, reply);
}

/* The configuration in force, for its identity. */
static struct json *own_config(const struct export_api *api, struct arena *arena)
{
    struct json *root = NULL;
    char *text = config_text(api);

    if (text)
        json_read(&root, arena, text, strlen(text), ignore, NULL);
    free(text);
    return root;
}

static void restore_template(const struct export_api *api, const struct route_request *request,
                             const char *text, struct http_reply *reply)
{
    static const struct backup none = {.secrets_left_out = true};
    char why[EDIT_WHY_SIZE] = "";
    struct config_answer applied = {0};
    struct arena *arena;

    if (arena_open(&arena)) {
        reply_failure(reply, ERR_NOMEM);
        return;
    }
    const struct json *own = own_config(api, arena);
    char *made = own ? export_personal(text, own, why) : NULL;
    arena_close(arena);
    if (own && restore_text_mistakes(&api->given, text, made, reply)) {
        free(made);
        return;
    }
    if (!made) {
        reply_error(reply, 400, *why ? why : "the configuration in force cannot be read");
        return;
    }
    if (restore_text(&api->given, request, made, "made from a template", &applied, reply) == 0)
        reply_restored(&applied, &none, false, reply);
    free(made);
}

static void restore_document(const struct export_api *api, const struct route_request *request,
                             const struct json *document, const struct body *body,
                             struct http_reply *reply)
{
    const struct json *accounts = json_find(body->root, "accounts");
    bool wanted = !accounts || accounts->type != JSON_BOOL || accounts->truth;
    char why[BACKUP_WHY_SIZE] = "";
    const char *passphrase = NULL;
    struct backup backup;

    if (body_text(body, "passphrase", &passphrase, reply))
        return;
    int error = backup_read(&backup, document, passphrase, why);
    if (error)
        reply_error(reply, error == ERR_DENIED ? 403 : error == ERR_NOMEM ? 500 : 400, why);
    else
        restore_backup(api, request, &backup, wanted, reply);
    backup_close(&backup);
}

static void restore(void *context, const struct route_request *request, struct http_reply *reply)
{
    const struct json *document = NULL;
    const char *template = NULL;
    struct body body;

    if (body_read(&body, request->http, reply))
        return;
    if (!body_object(&body, "backup", &document, reply) &&
        !body_text(&body, "template", &template, reply)) {
        if (!document == !template)
            reply_error(reply, 400,
                        "expected is \"backup\" (the document, with its \"passphrase\") or "
                        "\"template\" (its text)");
        else if (document)
            restore_document(context, request, document, &body, reply);
        else
            restore_template(context, request, template, reply);
    }
    body_close(&body);
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
