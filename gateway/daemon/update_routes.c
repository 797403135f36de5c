/* /api/v1/update: what the owner sees and does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "daemon/update_download.h"
#include "daemon/update_inside.h"
#include "daemon/update_version.h"
#include "daemon/wish.h"
#include "web/answer.h"
#include "web/body.h"
#include "web/later.h"
#include "web/reply.h"

#define BUNDLE_PATH "/api/v1/update/bundle"
/* So that what is too large is refused by who stores it, in words, before the connection is ended.
 */
#define UPLOAD_MAX ((size_t)UPDATE_BYTES_MAX + (1 << 20))

static const char not_here[] = "this system is not updated by bundles";
static const char not_here_next[] =
    "it is updated by its package manager: sudo apt install ./sluice_VERSION_ARCH.deb, which keeps "
    "the configuration and the journal";

static const char *state_of(const struct update_slot *slot)
{
    if (slot->booted)
        return "running";
    return slot->good ? "ready" : "empty";
}

static void put_slots(struct json_writer *writer, const struct update_box *box, const char *running)
{
    json_write_open(writer, "slots", '[');
    for (size_t i = 0; i < box->count; i++) {
        const struct update_slot *slot = &box->slots[i];

        json_write_open(writer, NULL, '{');
        json_write_text(writer, "name", slot->label);
        json_write_text(writer, "version", slot->booted ? running : slot->version);
        json_write_text(writer, "state", state_of(slot));
        json_write_bool(writer, "good", slot->good);
        json_write_bool(writer, "next", slot->next);
        json_write_integer(writer, "installed", slot->installed_ms);
        json_write_close(writer, '}');
    }
    json_write_close(writer, ']');
}

static void put_job(struct json_writer *writer, const struct update_job *job)
{
    json_write_open(writer, "job", '{');
    json_write_text(writer, "phase", update_phase_name(job->phase));
    if (job->phase != UPDATE_NONE) {
        json_write_text(writer, "kind", job->download ? "download" : "upload");
        json_write_integer(writer, "received", job->received);
        json_write_integer(writer, "size", job->size);
        json_write_integer(writer, "percent", job->percent);
        json_write_text(writer, "step", job->step);
        json_write_text(writer, "version", job->version);
        json_write_text(writer, "by", job->by);
        json_write_integer(writer, "begun", job->begun_ms);
        json_write_integer(writer, "ended", job->ended_ms);
    }
    if (job->phase == UPDATE_REFUSED) {
        json_write_text(writer, "why", job->refusal.id);
        json_write_text(writer, "error", job->refusal.sentence);
        json_write_text(writer, "next", job->refusal.next);
    }
    json_write_close(writer, '}');
}

static bool can_be_cancelled(const struct update_job *job)
{
    return job->phase == UPDATE_RECEIVING || job->phase == UPDATE_CHECKING;
}

static bool goes_on(const struct update_job *job)
{
    return can_be_cancelled(job) || job->phase == UPDATE_INSTALLING;
}

/* Whether another slot than the one that runs is started next. */
static bool restart_is_due(const struct update_box *box)
{
    for (size_t i = 0; i < box->count; i++)
        if (box->slots[i].next)
            return !box->slots[i].booted;
    return false;
}

/* `own`: what is being installed is of this gateway's own, and told as its job. */
static void put_box(struct json_writer *writer, int error, const struct update_box *box,
                    const char *words, bool own)
{
    char running[UPDATE_VERSION_SIZE], minimum[UPDATE_VERSION_SIZE];
    struct update_refusal busy;

    if (error == ERR_BUSY && own)
        error = 0;
    bool installs = error == ERR_BUSY;
    if (installs)
        update_refuse_by_error(&busy, error);
    update_running(box, running);
    update_minimum(minimum);
    json_write_text(writer, "by", error && !installs ? "packages" : "bundles");
    json_write_text(writer, "version", running);
    json_write_text(writer, "minimum", minimum);
    json_write_text(writer, "board", box->board);
    put_slots(writer, box, running);
    json_write_bool(writer, "restart_due", restart_is_due(box));
    json_write_text(writer, "sentence", installs ? busy.sentence : error ? not_here : "");
    json_write_text(writer, "why", error == ERR_UNSUPPORTED ? words : "");
    json_write_text(writer, "next", installs ? busy.next : error ? not_here_next : "");
}

static void get_update(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct update *update = context;
    char words[UPDATE_WORDS_SIZE];
    struct update_box box;
    struct update_job before, job;
    struct answer answer;

    (void)request;
    /* It may begin or end while RAUC is asked. */
    update_look(update, &before);
    int error = update_box_glance(update, &box, words);
    update_look(update, &job);
    if (!answer_begin(&answer, reply))
        return;
    put_box(&answer.writer, error, &box, words, goes_on(&before) || goes_on(&job));
    put_job(&answer.writer, &job);
    answer_end(&answer, reply, 200);
}

static void reply_job(struct update *update, int status, struct http_reply *reply)
{
    struct update_job job;
    struct answer answer;

    update_look(update, &job);
    if (!answer_begin(&answer, reply))
        return;
    put_job(&answer.writer, &job);
    answer_end(&answer, reply, status);
}

static void reply_busy(struct update *update, struct http_reply *reply)
{
    struct update_refusal refusal;
    struct update_job job;

    update_look(update, &job);
    if (can_be_cancelled(&job)) {
        reply_refusal(reply, 409, "another update goes on",
                      "wait for its end, or cancel it: sluice update cancel");
        return;
    }
    update_refuse(&refusal, "busy", "an update is being installed");
    reply_refusal(reply, 409, refusal.sentence, refusal.next);
}

static void reply_not_begun(struct update *update, int error, struct http_reply *reply)
{
    struct update_refusal refusal;

    if (error == ERR_BUSY) {
        reply_busy(update, reply);
        return;
    }
    update_refuse_by_error(&refusal, error);
    reply_refusal(reply,
                  error == ERR_TOO_LARGE  ? 413
                  : error == ERR_NO_SPACE ? 507
                                          : 500,
                  refusal.sentence, refusal.next);
}

/* --- the upload --- */

static size_t receive_bundle(void *context, const struct route_request *request,
                             struct http_reply *reply)
{
    const char *length = http_header(request->http, "Content-Length");
    const char *older = http_query(request->http, "older");
    struct update_wish wish = {.size = length ? strtoll(length, NULL, 10) : -1,
                               .older = older && strcmp(older, "true") == 0,
                               .caller = request->caller};
    struct update_take *take;
    int error = update_begin(context, &wish, &take);

    if (error) {
        reply_not_begun(context, error, reply);
        return HTTP_REFUSED;
    }
    reply->take = update_take_bytes;
    reply->close = update_take_close;
    reply->stream = take;
    return UPLOAD_MAX;
}

static void put_bundle(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct update *update = context;
    struct update_job job;

    (void)request;
    update_take_end(reply->stream);
    update_look(update, &job);
    if (job.phase == UPDATE_REFUSED)
        reply_refusal(reply, 409, job.refusal.sentence, job.refusal.next);
    else
        reply_job(update, 202, reply);
}

/* --- what is asked for --- */

static void download(struct update *update, const struct route_request *request,
                     const struct body *body, struct http_reply *reply)
{
    struct update_wish wish = {.size = -1, .caller = request->caller};
    const struct json *older = json_find(body->root, "older");
    int error;

    if (body_text(body, "url", &wish.url, reply))
        return;
    if (!wish.url || strlen(wish.url) >= UPDATE_URL_SIZE || !update_download_valid(wish.url)) {
        reply_refusal(reply, 400, "url: an address that begins with https:// is expected",
                      "a bundle that lies elsewhere can be uploaded");
        return;
    }
    wish.older = older && older->type == JSON_BOOL && older->truth;
    error = update_begin(update, &wish, NULL);
    if (error)
        reply_not_begun(update, error, reply);
    else
        reply_job(update, 202, reply);
}

static void post_update(void *context, const struct route_request *request,
                        struct http_reply *reply)
{
    struct body body;

    if (body_read(&body, request->http, reply))
        return;
    download(context, request, &body, reply);
    body_close(&body);
}

static void delete_update(void *context, const struct route_request *request,
                          struct http_reply *reply)
{
    (void)request;
    if (update_cancel(context))
        reply_job(context, 200, reply);
    else
        reply_refusal(reply, 409, "there is no update that could be cancelled",
                      "one that is being installed comes to its end; \"sluice update rollback\" "
                      "goes back");
}

/* --- back, and the restart --- */

static const struct update_slot *find_slot(const struct update_box *box, bool booted)
{
    for (size_t i = 0; i < box->count; i++)
        if (box->slots[i].booted == booted)
            return &box->slots[i];
    return NULL;
}

/* True when it is refused. */
static bool refuse_rollback(struct update *update, int looked, const struct update_box *box,
                            struct http_reply *reply)
{
    const struct update_slot *other = find_slot(box, false);
    struct update_job job;

    update_look(update, &job);
    if (looked && looked != ERR_BUSY)
        reply_refusal(reply, 409, not_here, not_here_next);
    else if (looked || goes_on(&job))
        reply_busy(update, reply);
    else if (!restart_is_due(box) && (!other || !other->good))
        reply_refusal(reply, 409, "there is no other system to go back to",
                      "the other slot is empty, or what is in it did not start; install a bundle");
    else
        return false;
    return true;
}

/* Before its restart an update is taken back; behind it the system before it comes back. */
static void post_rollback(void *context, const struct route_request *request,
                          struct http_reply *reply)
{
    struct update *update = context;
    char words[UPDATE_WORDS_SIZE], sentence[UPDATE_WORDS_SIZE + 64];
    struct update_box box;
    struct answer answer;

    if (refuse_rollback(update, update_rauc_look(&box, words), &box, reply))
        return;
    bool away = !restart_is_due(&box);
    const struct update_slot *to = find_slot(&box, !away);
    int error = update_rauc_switch(away, words);
    update_box_forget(update);
    if (error) {
        snprintf(sentence, sizeof sentence, "the boot loader was not told to go back: %s", words);
        reply_refusal(reply, 409, sentence, "\"journalctl -u rauc\" on the machine tells more");
        return;
    }
    char running[UPDATE_VERSION_SIZE];
    update_running(&box, running);
    const char *version = away && to ? to->version : running;
    update_note(update, request->caller, "update-rollback", version, "");
    if (!answer_begin(&answer, reply))
        return;
    json_write_text(&answer.writer, "version", version);
    json_write_bool(&answer.writer, "restart_due", away);
    answer_end(&answer, reply, 200);
}

static void post_restart(void *context, const struct route_request *request,
                         struct http_reply *reply)
{
    struct update *update = context;
    char words[UPDATE_WORDS_SIZE];
    struct update_box box;
    struct update_job job;

    /* What is written to the other slot at that moment would have to be installed once more. */
    update_look(update, &job);
    if (job.phase == UPDATE_INSTALLING || update_rauc_look(&box, words) == ERR_BUSY) {
        reply_busy(update, reply);
        return;
    }
    int error = wish_make(update->wish_path, WISH_RESTART, 1);
    if (!error)
        update_note(update, request->caller, "machine-restarted", "", "");
    char *body = error ? NULL : strdup("{\"restarting\":true}\n");
    if (error)
        reply_refusal(reply, 409, "this gateway may not restart the machine",
                      "restart it there: sudo reboot; or switch its power off and on");
    else if (body)
        reply_json(reply, 202, body, strlen(body));
    else
        reply_failure(reply, ERR_NOMEM);
}

SLOW_ROUTE(get_update)
LATER_ROUTE(post_update)
SLOW_ROUTE(post_rollback)
SLOW_ROUTE(post_restart)

static const struct route rows[] = {
    {"GET", "/api/v1/update", ROLE_VIEWER, get_update_later, 0},
    {"POST", "/api/v1/update", ROLE_OWNER, post_update_later, 0},
    {"DELETE", "/api/v1/update", ROLE_OWNER, delete_update, 0},
    {"PUT", BUNDLE_PATH, ROLE_OWNER, put_bundle, 0},
    {"POST", "/api/v1/update/rollback", ROLE_OWNER, post_rollback_later, 0},
    {"POST", "/api/v1/update/restart", ROLE_OWNER, post_restart_later, 0},
};

static void wake(void *context)
{
    api_wake(context);
}

int update_mount(struct update *update, struct api *api, struct journal *journal)
{
    const struct routes routes = {rows, sizeof rows / sizeof *rows, update};

    pthread_mutex_lock(&update->lock);
    update->wake = wake;
    update->wake_context = api;
    pthread_mutex_unlock(&update->lock);
    pthread_mutex_lock(&update->noting);
    update->journal = journal;
    pthread_mutex_unlock(&update->noting);
    int error = api_mount(api, &routes);
    return error ? error : api_receive(api, BUNDLE_PATH, receive_bundle, update);
}

void update_unmount(struct update *update)
{
    pthread_mutex_lock(&update->noting);
    update->journal = NULL;
    pthread_mutex_unlock(&update->noting);
}
