#include "web/restore.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/log.h"
#include "web/answer.h"
#include "web/audit.h"
#include "web/body.h"
#include "web/placed.h"
#include "web/reply.h"
#include "web/restore_text.h"

static bool refuse_pending(const struct export_given *given, struct http_reply *reply)
{
    struct config_now now;
    char sentence[256];

    given->keeper.now(given->keeper.context, &now);
    if (!now.pending)
        return false;
    snprintf(sentence, sizeof sentence,
             "change %" PRIu64 " by %s waits to be confirmed; confirm it or take it back first",
             now.change, now.by);
    reply_error(reply, 409, sentence);
    return true;
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
    json_write_integer(&answer.writer, "files", (int64_t)(backup->count - backup->profile_count));
    json_write_integer(&answer.writer, "profiles", (int64_t)backup->profile_count);
    json_write_bool(&answer.writer, "accounts", accounts);
    json_write_bool(&answer.writer, "secrets_left_out", backup->secrets_left_out);
    answer_end(&answer, reply, 200);
}

/* After the configuration, which may be refused: these are there for good. */
static int restore_accounts(const struct export_given *given, const struct route_request *request,
                            const struct backup *backup, struct http_reply *reply)
{
    int error = given->restore_accounts(given->accounts_context, backup->accounts.data,
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
static void restore_displays(const struct export_given *given, const struct backup *backup)
{
    int error = displays_desk_merge(given->displays, backup->displays);

    if (error)
        log_warn("web", "what displays showed is not restored: %s: %s", given->displays->path,
                 error_text(error));
}

/* What comes in place of the configuration. */
struct wanted {
    const char *text, *comment;
    const char *template; /* as it was given, for the places of its mistakes; NULL: a backup */
};

/* What is beside the configuration, and then the configuration. */
static int place(const struct export_given *given, const struct route_request *request,
                 struct placed *placed, const struct wanted *wanted, struct config_answer *applied,
                 struct http_reply *reply)
{
    int error = placed_write(placed, reply);

    if (!error && wanted->template &&
        restore_text_mistakes(given, wanted->template, wanted->text, reply))
        error = ERR_CONFIG;
    if (!error)
        error = restore_text(given, request, wanted->text, wanted->comment, applied, reply);
    if (error)
        placed_undo(placed);
    return error;
}

/* 0; or an error, with nothing changed and `reply` filled in. */
static int restore_all(const struct export_given *given, const struct route_request *request,
                       const struct backup *backup, const struct wanted *wanted,
                       struct config_answer *applied, struct http_reply *reply)
{
    struct placed *placed;

    if (refuse_pending(given, reply))
        return ERR_BUSY;
    int error = placed_open(&placed, &given->place, backup);
    if (error)
        reply_failure(reply, error);
    else if (placed_refuse_used(placed, reply))
        error = ERR_BUSY;
    else
        error = place(given, request, placed, wanted, applied, reply);
    placed_close(placed);
    return error;
}

static void restore_backup(const struct export_given *given, const struct route_request *request,
                           const struct backup *backup, bool accounts, struct http_reply *reply)
{
    const struct wanted wanted = {backup->config, "restored from a backup", NULL};
    struct config_answer applied = {0};

    accounts = accounts && backup->accounts.data;
    if (restore_all(given, request, backup, &wanted, &applied, reply))
        return;
    audit_note(given->keeper.journal, request->caller, "backup-restored",
               accounts ? "accounts=restored" : "");
    restore_displays(given, backup);
    if (!accounts || restore_accounts(given, request, backup, reply) == 0)
        reply_restored(&applied, backup, accounts, reply);
}

/* The configuration in force, for its identity. */
static struct json *own_config(const struct export_given *given, struct arena *arena)
{
    struct json *root = NULL;
    char *text;

    if (backup_config(&given->place, &text))
        return NULL;
    json_read(&root, arena, text, strlen(text), NULL, NULL);
    free(text);
    return root;
}

/* `backup` has its text, and the files and profiles that came with it. */
static void restore_template(const struct export_given *given, const struct route_request *request,
                             const struct backup *backup, struct http_reply *reply)
{
    char why[EDIT_WHY_SIZE] = "";
    struct config_answer applied = {0};
    struct arena *arena;

    if (arena_open(&arena)) {
        reply_failure(reply, ERR_NOMEM);
        return;
    }
    const struct json *own = own_config(given, arena);
    char *made = own ? export_personal(backup->config, own, why) : NULL;
    arena_close(arena);
    const struct wanted wanted = {made, "made from a template", backup->config};
    if (made) {
        if (restore_all(given, request, backup, &wanted, &applied, reply) == 0)
            reply_restored(&applied, backup, false, reply);
    } else if (!own || !restore_text_mistakes(given, backup->config, NULL, reply)) {
        reply_error(reply, 400, *why ? why : "the configuration in force cannot be read");
    }
    free(made);
}

static void restore_document(const struct export_given *given, const struct route_request *request,
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
        restore_backup(given, request, &backup, wanted, reply);
    backup_close(&backup);
}

static void restore_template_document(const struct export_given *given,
                                      const struct route_request *request,
                                      const struct json *document, struct http_reply *reply)
{
    char why[BACKUP_WHY_SIZE] = "";
    struct backup backup;
    int error = backup_read_template(&backup, document, why);

    if (error)
        reply_error(reply, error == ERR_NOMEM ? 500 : 400, why);
    else
        restore_template(given, request, &backup, reply);
    backup_close(&backup);
}

void restore_answer(const struct export_given *given, const struct route_request *request,
                    struct http_reply *reply)
{
    const struct json *document = NULL, *whole = NULL;
    const char *text = NULL;
    struct body body;

    if (body_read(&body, request->http, reply))
        return;
    const struct json *template = json_find(body.root, "template");
    bool is_whole = template && template->type == JSON_OBJECT;
    if (!body_object(&body, "backup", &document, reply) &&
        !(is_whole ? body_object(&body, "template", &whole, reply)
                   : body_text(&body, "template", &text, reply))) {
        if (!document == !(whole || text))
            reply_error(reply, 400,
                        "expected is \"backup\" (the document, with its \"passphrase\") or "
                        "\"template\" (its document, or its text)");
        else if (document)
            restore_document(given, request, document, &body, reply);
        else if (whole)
            restore_template_document(given, request, whole, reply);
        else
            restore_template(given, request,
                             &(struct backup){.config = text, .secrets_left_out = true}, reply);
    }
    body_close(&body);
}
