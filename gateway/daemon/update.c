#include "daemon/update.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"
#include "core/words.h"
#include "daemon/update_download.h"
#include "daemon/update_inside.h"
#include "daemon/update_version.h"
#include "web/audit.h"

#define MINIMUM_PATH "/usr/share/sluice/update-minimum"
#define RELEASE_PATH "/etc/os-release"
#define TRIAL_PATH   "/run/sluice-on-trial" /* made by an image whose version is not confirmed yet \
                                             */
#define BLOCK       (32 * 1024)
#define BOX_KEPT_NS (5 * NS_PER_S)
#define BOX_TOLD_NS (60 * NS_PER_S) /* while somebody else asks anew */

int update_open(struct update **out, const char *state_path, const char *wish_path)
{
    struct update *update = calloc(1, sizeof *update);

    if (!update)
        return ERR_NOMEM;
    update->state_path = state_path;
    update->wish_path = wish_path;
    pthread_mutex_init(&update->lock, NULL);
    pthread_mutex_init(&update->noting, NULL);
    pthread_mutex_init(&update->looking, NULL);
    update_store_clear(state_path);
    *out = update;
    return 0;
}

/* Waits for the thread of an update that has ended, or is about to. */
static void join(struct update *update)
{
    if (update->started)
        pthread_join(update->thread, NULL);
    update->started = false;
}

void update_close(struct update *update)
{
    if (!update)
        return;
    pthread_mutex_lock(&update->lock);
    update->closing = true;
    pthread_mutex_unlock(&update->lock);
    update_cancel(update);
    join(update);
    pthread_mutex_destroy(&update->looking);
    pthread_mutex_destroy(&update->noting);
    pthread_mutex_destroy(&update->lock);
    free(update);
}

const char *update_phase_name(enum update_phase phase)
{
    static const char *const names[] = {"none",       "receiving", "checking",
                                        "installing", "installed", "refused"};

    return names[phase];
}

void update_look(struct update *update, struct update_job *job)
{
    pthread_mutex_lock(&update->lock);
    *job = update->job;
    pthread_mutex_unlock(&update->lock);
}

/* --- what is known of versions --- */

/* KEY="VALUE" or KEY=VALUE, as os-release(5). */
static void read_setting(const char *path, const char *key, char out[UPDATE_VERSION_SIZE])
{
    char line[256];
    size_t size = strlen(key);
    FILE *file = fopen(path, "re");

    out[0] = '\0';
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, size) != 0 || line[size] != '=')
            continue;
        const char *value = line + size + 1 + (line[size + 1] == '"');
        snprintf(out, UPDATE_VERSION_SIZE, "%.*s", (int)strcspn(value, "\"\r\n"), value);
    }
    if (file)
        fclose(file);
}

void update_minimum(char version[UPDATE_VERSION_SIZE])
{
    read_setting(MINIMUM_PATH, "MINIMUM_VERSION", version);
}

void update_running(const struct update_box *box, char version[UPDATE_VERSION_SIZE])
{
    read_setting(RELEASE_PATH, "IMAGE_VERSION", version);
    for (size_t i = 0; i < box->count && !*version; i++)
        if (box->slots[i].booted)
            snprintf(version, UPDATE_VERSION_SIZE, "%s", box->slots[i].version);
    if (!*version)
        snprintf(version, UPDATE_VERSION_SIZE, "%s", SLUICE_VERSION);
}

/* --- what is known of the slots --- */

/* Under `looking`. */
static void ask(struct update *update)
{
    char words[UPDATE_WORDS_SIZE] = "";
    struct update_box box;
    int error = update_rauc_look(&box, words);

    pthread_mutex_lock(&update->lock);
    /* While it installs, what it said before is all that is known. */
    if (error != ERR_BUSY)
        update->box = box;
    update->box_error = error;
    memcpy(update->box_words, words, sizeof words);
    update->box_known = true;
    update->box_ns = clock_mono(&clock_system);
    pthread_mutex_unlock(&update->lock);
}

/* What RAUC said last. False when that is over, or said longer ago than `age_ns`. */
static bool recall(struct update *update, int64_t age_ns, struct update_box *box,
                   char words[UPDATE_WORDS_SIZE], int *error)
{
    pthread_mutex_lock(&update->lock);
    *box = update->box;
    memcpy(words, update->box_words, UPDATE_WORDS_SIZE);
    *error = update->box_error;
    bool good = update->box_known && clock_mono(&clock_system) - update->box_ns < age_ns;
    pthread_mutex_unlock(&update->lock);
    return good;
}

/* Under `looking`. */
static int look(struct update *update, struct update_box *box, char words[UPDATE_WORDS_SIZE])
{
    int error;

    if (!recall(update, BOX_KEPT_NS, box, words, &error)) {
        ask(update);
        recall(update, BOX_KEPT_NS, box, words, &error);
    }
    return error;
}

int update_box_look(struct update *update, struct update_box *box, char words[UPDATE_WORDS_SIZE])
{
    pthread_mutex_lock(&update->looking);
    int error = look(update, box, words);
    pthread_mutex_unlock(&update->looking);
    return error;
}

int update_box_glance(struct update *update, struct update_box *box, char words[UPDATE_WORDS_SIZE])
{
    int error;

    if (pthread_mutex_trylock(&update->looking)) {
        if (recall(update, BOX_TOLD_NS, box, words, &error))
            return error;
        pthread_mutex_lock(&update->looking);
    }
    error = look(update, box, words);
    pthread_mutex_unlock(&update->looking);
    return error;
}

void update_box_forget(struct update *update)
{
    pthread_mutex_lock(&update->looking);
    pthread_mutex_lock(&update->lock);
    update->box_known = false;
    pthread_mutex_unlock(&update->lock);
    pthread_mutex_unlock(&update->looking);
}

/* --- one update, on its own thread --- */

static void set_phase(struct update *update, enum update_phase phase)
{
    pthread_mutex_lock(&update->lock);
    update->job.phase = phase;
    pthread_mutex_unlock(&update->lock);
}

static bool is_cancelled(struct update *update)
{
    pthread_mutex_lock(&update->lock);
    bool cancelled = update->cancelled;
    pthread_mutex_unlock(&update->lock);
    return cancelled;
}

void update_note(struct update *update, const struct caller *caller, const char *what,
                 const char *version, const char *why)
{
    char line[256];
    struct text words;

    text_init(&words, line, sizeof line);
    words_put(&words, "version", version);
    words_put(&words, "why", why);
    pthread_mutex_lock(&update->noting);
    if (update->journal)
        audit_note(update->journal, caller, what, line);
    pthread_mutex_unlock(&update->noting);
}

static void count(struct update *update, size_t more)
{
    pthread_mutex_lock(&update->lock);
    update->job.received += (int64_t)more;
    pthread_mutex_unlock(&update->lock);
}

/* Stores a part; `context` is the update. 0, or an error that ends it. */
static int store(void *context, const char *data, size_t size)
{
    struct update *update = context;

    if (is_cancelled(update))
        return ERR_CLOSED;
    int error = update_store_write(&update->store, data, size);
    if (!error)
        count(update, size);
    return error;
}

static void know_size(void *context, int64_t size)
{
    struct update *update = context;

    pthread_mutex_lock(&update->lock);
    update->job.size = size;
    pthread_mutex_unlock(&update->lock);
}

static int take_upload(struct update *update)
{
    char *block = malloc(BLOCK);
    long got = ERR_NOMEM;
    int error = block ? 0 : ERR_NOMEM;

    while (!error && (got = intake_get(update->intake, block, BLOCK)) > 0)
        error = store(update, block, (size_t)got);
    free(block);
    return error ? error : (int)got;
}

static void take_download(struct update *update, struct update_refusal *refusal)
{
    const struct update_download download = {
        .url = update->url, .store = store, .size = know_size, .context = update};
    char words[UPDATE_WORDS_SIZE];
    int error = update_download(&download, words);

    if (error == ERR_REFUSED)
        update_refuse(refusal, "download", "%s", words);
    else if (error)
        update_refuse_by_error(refusal, error);
}

static void receive(struct update *update, struct update_refusal *refusal)
{
    int error = update_store_open(&update->store, update->state_path);

    if (error) {
        update_refuse_by_error(refusal, error);
        return;
    }
    if (update->job.download) {
        take_download(update, refusal);
    } else {
        error = take_upload(update);
        if (error)
            update_refuse_by_error(refusal, error);
    }
    error = update_store_finish(&update->store);
    if (error && !refusal->id)
        update_refuse_by_error(refusal, error);
}

static void check_version(const struct update *update, const struct update_box *box,
                          const char *version, struct update_refusal *refusal)
{
    char minimum[UPDATE_VERSION_SIZE], running[UPDATE_VERSION_SIZE];

    update_minimum(minimum);
    update_running(box, running);
    if (*minimum && update_version_compare(version, minimum) < 0)
        update_refuse(refusal, "older",
                      "version %s is older than %s, the oldest that this system allows", version,
                      minimum);
    else if (!update->older && update_version_compare(version, running) < 0)
        update_refuse(refusal, "older",
                      "version %s is older than %s, which runs; it is only installed when that is "
                      "asked for (\"--older\")",
                      version, running);
}

static void check(struct update *update, const struct update_box *box,
                  struct update_refusal *refusal)
{
    struct update_bundle bundle;
    char words[UPDATE_WORDS_SIZE];

    set_phase(update, UPDATE_CHECKING);
    if (update_rauc_read(update->store.path, &bundle, words)) {
        update_refuse_by_words(refusal, words, update->store.path);
        return;
    }
    pthread_mutex_lock(&update->lock);
    memcpy(update->job.version, bundle.version, sizeof bundle.version);
    pthread_mutex_unlock(&update->lock);
    if (strcmp(bundle.board, box->board) != 0)
        update_refuse(refusal, "wrong-board", "this bundle is made for %s, and this is %s",
                      bundle.board, box->board);
    else
        check_version(update, box, bundle.version, refusal);
}

static bool on_progress(void *context, int percent, const char *step)
{
    struct update *update = context;

    pthread_mutex_lock(&update->lock);
    if (percent >= 0) {
        update->job.percent = percent;
        snprintf(update->job.step, sizeof update->job.step, "%s", step);
    }
    bool on = !update->closing;
    pthread_mutex_unlock(&update->lock);
    return on;
}

/* From here on it cannot be cancelled. False when it was before. */
static bool begin_installing(struct update *update)
{
    pthread_mutex_lock(&update->lock);
    bool on = !update->cancelled;
    if (on)
        update->job.phase = UPDATE_INSTALLING;
    pthread_mutex_unlock(&update->lock);
    return on;
}

static void install(struct update *update, struct update_refusal *refusal)
{
    char words[UPDATE_WORDS_SIZE];

    if (!begin_installing(update))
        return;
    update_note(update, &update->caller, "update-started", update->job.version, "");
    int error = update_rauc_install(update->store.path, on_progress, update, words);
    if (error == ERR_REFUSED)
        update_refuse_by_words(refusal, words, update->store.path);
    else if (error)
        update_refuse(refusal, "unknown",
                      "the gateway ended during the installation: how that came out is not known");
}

static void finish(struct update *update, const struct update_refusal *refusal)
{
    pthread_mutex_lock(&update->lock);
    struct update_job *job = &update->job;
    job->ended_ms = clock_wall(&clock_system) / NS_PER_MS;
    job->refusal = *refusal;
    job->phase = refusal->id ? UPDATE_REFUSED : UPDATE_INSTALLED;
    update->busy = false;
    struct update_job done = *job;
    pthread_mutex_unlock(&update->lock);
    if (refusal->id)
        log_warn("update", "%s; %s", refusal->sentence, refusal->next);
    else
        log_info("update", "version %s is installed; it runs after a restart of the machine",
                 done.version);
    update_note(update, &update->caller, refusal->id ? "update-refused" : "update-installed",
                done.version, refusal->id ? refusal->id : "");
}

/* Whoever cancels meanwhile must not find what is gone. */
static void let_go(struct update *update)
{
    pthread_mutex_lock(&update->lock);
    struct intake *intake = update->intake;
    update->intake = NULL;
    pthread_mutex_unlock(&update->lock);
    if (intake)
        intake_let_go(intake);
}

static void *run(void *context)
{
    struct update *update = context;
    struct update_refusal refusal = {.id = NULL};
    struct update_box box;
    char words[UPDATE_WORDS_SIZE];

    update_box_forget(update);
    int error = update_box_look(update, &box, words);
    if (error == ERR_BUSY)
        update_refuse_by_error(&refusal, error);
    else if (error)
        update_refuse(&refusal, "failed", "this system is not updated by bundles: %s", words);
    else if (access(TRIAL_PATH, F_OK) == 0)
        update_refuse(
            &refusal, "on-trial",
            "the version that runs is on trial, and an update would replace the one before "
            "it, which is known to work");
    if (!refusal.id)
        receive(update, &refusal);
    if (refusal.id && update->intake)
        intake_refuse(update->intake); /* whoever sends it waits for that */
    if (!refusal.id)
        check(update, &box, &refusal);
    if (!refusal.id)
        install(update, &refusal);
    if (is_cancelled(update))
        update_refuse(&refusal, "cancelled", "the update was cancelled");
    update_store_clear(update->state_path);
    let_go(update);
    update_box_forget(update);
    finish(update, &refusal);
    return NULL;
}

/* --- from other threads --- */

static int prepare(struct update *update, const struct update_wish *wish)
{
    struct update_job *job = &update->job;

    if (update->busy || update->closing)
        return ERR_BUSY;
    int error = update_store_fits(update->state_path, wish->size);
    if (error)
        return error;
    join(update); /* it has let go of the lock for the last time */
    *job = (struct update_job){.phase = UPDATE_RECEIVING,
                               .download = wish->url != NULL,
                               .size = wish->size,
                               .begun_ms = clock_wall(&clock_system) / NS_PER_MS};
    memcpy(job->by, wish->caller->account, sizeof job->by);
    memcpy(job->from, wish->caller->origin, sizeof job->from);
    snprintf(update->url, sizeof update->url, "%s", wish->url ? wish->url : "");
    update->caller = *wish->caller;
    update->older = wish->older;
    update->cancelled = false;
    update->intake = NULL;
    return wish->url ? 0 : intake_open(&update->intake, update->wake, update->wake_context);
}

int update_begin(struct update *update, const struct update_wish *wish, struct update_take **take)
{
    struct update_take *taken = wish->url ? NULL : calloc(1, sizeof *taken);
    int error = wish->url || taken ? 0 : ERR_NOMEM;

    pthread_mutex_lock(&update->lock);
    error = error ? error : prepare(update, wish);
    if (!error) {
        struct intake *intake = update->intake;
        if (taken)
            taken->intake = intake;
        update->busy = update->started = pthread_create(&update->thread, NULL, run, update) == 0;
        error = update->started ? 0 : ERR_NOMEM;
        if (error) {
            update->job.phase = UPDATE_NONE;
            if (intake) {
                intake_let_go(intake);
                intake_let_go(intake);
            }
        }
    }
    pthread_mutex_unlock(&update->lock);
    if (error)
        free(taken);
    else if (take)
        *take = taken;
    return error;
}

int update_take_bytes(void *take, const char *data, size_t size)
{
    return intake_put(((struct update_take *)take)->intake, data, size);
}

void update_take_end(struct update_take *take)
{
    intake_end(take->intake, true);
}

void update_take_close(void *context)
{
    struct update_take *take = context;

    intake_end(take->intake, false);
    intake_let_go(take->intake);
    free(take);
}

bool update_cancel(struct update *update)
{
    pthread_mutex_lock(&update->lock);
    bool can = update->busy && update->job.phase < UPDATE_INSTALLING;
    update->cancelled |= can;
    if (can && update->intake)
        intake_refuse(update->intake);
    pthread_mutex_unlock(&update->lock);
    return can;
}
