/* What other threads want of a change: asked there, done on the loop's thread. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"
#include "core/save.h"
#include "daemon/change_inside.h"

/* What another thread wants done on the loop's, and waits for. */
struct change_job {
    struct change *change;
    void (*run)(struct change_job *job);
    const struct config_wish *wish;
    uint64_t number;
    bool anyway;
    const struct caller *caller;
    struct config_answer *answer;
    bool done, abandoned;
    struct change_job **link, *next; /* in the change's list, once it is abandoned */
};

static int refuse(struct config_answer *answer, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int refuse(struct config_answer *answer, int error, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vsnprintf(answer->sentence, sizeof answer->sentence, format, list);
    va_end(list);
    answer->error = error;
    return error;
}

static bool is_pending(struct change *change, const struct change_job *job)
{
    if (change->pending && change->note.change == job->number)
        return true;
    refuse(job->answer, ERR_NOT_FOUND, "change %" PRIu64 " is not waiting to be confirmed: %s",
           job->number, *change->why ? change->why : "see the history");
    return false;
}

static void fill_answer(struct change *change, struct config_answer *answer, int64_t until_ms)
{
    answer->change = change->entry.change;
    answer->until_ms = until_ms;
    memcpy(answer->revision, change->entry.revision, sizeof answer->revision);
}

static void do_confirm(struct change_job *job)
{
    struct change *change = job->change;
    char why[CONFIG_SENTENCE_SIZE];

    if (!is_pending(change, job))
        return;
    if (change->over) {
        refuse(job->answer, ERR_NOT_FOUND,
               "change %" PRIu64 " goes back as soon as that can be: %s", job->number,
               change->over);
        return;
    }
    if (job->anyway || !change_missing_uplink(change, why)) {
        int error = change_keep(change, job->caller, "");
        if (error)
            refuse(job->answer, error,
                   "the change still waits, since its note %s.pending cannot be removed: %s; see "
                   "that the folder can be written, and confirm again",
                   change->path, error_text(error));
        else
            fill_answer(change, job->answer, 0);
        return;
    }
    int64_t now = clock_mono(&clock_system);
    int64_t left = change->watch_mono_ns > now ? change->watch_mono_ns - now : 0;
    pthread_mutex_lock(&change->lock);
    change->confirmed = true;
    change->note.until_ms = (clock_wall(&clock_system) + left) / NS_PER_MS;
    snprintf(change->why, sizeof change->why, "%s", why);
    pthread_mutex_unlock(&change->lock);
    fill_answer(change, job->answer, change->note.until_ms);
    snprintf(job->answer->sentence, sizeof job->answer->sentence, "%s", why);
}

static void do_revert(struct change_job *job)
{
    struct change *change = job->change;

    if (!is_pending(change, job))
        return;
    int error = change_go_back(change, job->caller, "taken back", job->answer->sentence);
    if (error) {
        job->answer->error = error;
        return;
    }
    fill_answer(change, job->answer, 0);
    memcpy(job->answer->revision, change->note.before, sizeof job->answer->revision);
    job->answer->sentence[0] = '\0';
}

/* Whether the change may begin: nobody else's waits, and the file is the one that it was made
 * from. */
static int may_begin(struct change *change, const struct change_job *job, const char *revision)
{
    struct config_answer *answer = job->answer;
    struct history_entry newest;

    memcpy(answer->revision, revision, sizeof answer->revision);
    if (change->pending) {
        snprintf(answer->by, sizeof answer->by, "%s", change->entry.by);
        answer->at_ms = change->entry.at_ms;
        return refuse(answer, ERR_BUSY,
                      "change %" PRIu64 " by %s waits to be confirmed; confirm it or take it back "
                      "first",
                      change->entry.change, change->entry.by);
    }
    if (strcmp(job->wish->base, revision) == 0)
        return 0;
    if (change_newest(change, &newest) && strcmp(newest.revision, revision) == 0) {
        snprintf(answer->by, sizeof answer->by, "%s", newest.by);
        answer->at_ms = newest.at_ms;
        return refuse(answer, ERR_EXISTS,
                      "%s changed the configuration meanwhile; look at what it is now, and make "
                      "your change again",
                      newest.by);
    }
    answer->at_ms = clock_wall(&clock_system) / NS_PER_MS;
    return refuse(answer, ERR_EXISTS,
                  "the file %s was edited by hand meanwhile; look at what it is now, and make your "
                  "change again",
                  change->path);
}

/* Writes the note and the file. */
static int write_files(struct change *change, const struct change_job *job, const char *old,
                       size_t old_size)
{
    int error = change_note_put(change->path, &change->note, old, old_size);

    if (!error)
        error = save_over(change->path, job->wish->text, job->wish->size, 0640);
    if (!error) {
        change_hold_note(change);
        return 0;
    }
    /* Where only the last step failed, the file is the new one. */
    if (change_note_undo(change->path, &change->note) == 0) {
        change_note_drop(change->path);
    } else {
        log_error("config",
                  "change %" PRIu64 " could not be written, and the file before it cannot be put "
                  "back: it is %s.before; it is tried again",
                  change->entry.change, change->path);
        change_put_history(change, &change->entry, job->wish->text);
        change_hold_note(change);
        change_stay_pending(change, "it could not be written");
    }
    return refuse(
        job->answer, error,
        "%s cannot be written: %s; sluiced's user needs to be allowed to write it and its "
        "folder, or edit it by hand and send SIGHUP",
        change->path, error_text(error));
}

static void prepare(struct change *change, const struct change_job *job, const char *revision)
{
    struct history_entry *entry = &change->entry;
    const struct config_wish *wish = job->wish;
    int64_t now_ms = clock_wall(&clock_system) / NS_PER_MS;

    memset(entry, 0, sizeof *entry);
    entry->change = change_next(change);
    entry->at_ms = now_ms;
    entry->state = HISTORY_PENDING;
    snprintf(entry->by, sizeof entry->by, "%s", wish->caller->account);
    snprintf(entry->origin, sizeof entry->origin, "%s", wish->caller->origin);
    snprintf(entry->comment, sizeof entry->comment, "%s", wish->comment);
    snprintf(entry->words, sizeof entry->words, "%s", wish->words);
    history_revision(wish->text, wish->size, entry->revision);
    pthread_mutex_lock(&change->lock);
    change->note = (struct change_note){.change = entry->change,
                                        .until_ms = now_ms + wish->confirm_ns / NS_PER_MS};
    memcpy(change->note.by, entry->by, sizeof change->note.by);
    memcpy(change->note.origin, entry->origin, sizeof change->note.origin);
    memcpy(change->note.before, revision, sizeof change->note.before);
    memcpy(change->note.after, entry->revision, sizeof change->note.after);
    pthread_mutex_unlock(&change->lock);
}

static void begin_pending(struct change *change, const struct change_job *job)
{
    int64_t now = clock_mono(&clock_system);

    pthread_mutex_lock(&change->lock);
    change->pending = true;
    change->confirmed = false;
    change->over = NULL;
    snprintf(change->why, sizeof change->why, "it waits to be confirmed");
    pthread_mutex_unlock(&change->lock);
    change->contact = false;
    change->until_mono_ns = now + job->wish->confirm_ns;
    change->watch_mono_ns = now + CHANGE_WATCH_NS;
    loop_timer_set(change->loop, change->timer, now + CHANGE_TICK_NS);
}

static void apply(struct change *change, const struct change_job *job, const char *old,
                  size_t old_size)
{
    struct config_answer *answer = job->answer;
    char sentence[CONFIG_SENTENCE_SIZE] = "";

    change->uplink_count = change->host.online(change->host.context, change->uplinks);
    if (write_files(change, job, old, old_size))
        return;
    change_put_history(change, &change->entry, job->wish->text);
    begin_pending(change, job);
    change_audit(change, job->caller, "config-applied", "comment", job->wish->comment);
    int error = change->host.reload(change->host.context, true, sentence);
    if (error) {
        char why[CONFIG_SENTENCE_SIZE];

        if (change_go_back(change, &change_nobody, sentence, why)) {
            log_error("config", "change %" PRIu64 " cannot go back: %s; it is tried again",
                      change->entry.change, why);
            change_stay_pending(change, "the gateway does not take it");
        }
        refuse(answer, error, "the gateway does not take it: %s", sentence);
        return;
    }
    fill_answer(change, answer, change->note.until_ms);
}

static void do_apply(struct change_job *job)
{
    struct change *change = job->change;
    char revision[HISTORY_REVISION_SIZE], *old = NULL;
    size_t size;
    int error = change_read_file(change, revision, &old, &size);

    if (error) {
        refuse(job->answer, error, "%s cannot be read: %s", change->path, error_text(error));
        return;
    }
    if (may_begin(change, job, revision) == 0) {
        prepare(change, job, revision);
        if (strcmp(revision, change->entry.revision) == 0)
            refuse(job->answer, ERR_INVALID, "nothing would change");
        else
            apply(change, job, old, size);
    }
    free(old);
}

/* Under the lock. */
static void abandon(struct change *change, struct change_job *job)
{
    job->abandoned = true;
    job->link = &change->left;
    job->next = change->left;
    if (job->next)
        job->next->link = &job->next;
    change->left = job;
}

static void unlink_left(struct change_job *job)
{
    *job->link = job->next;
    if (job->next)
        job->next->link = job->link;
}

void change_drop_left(struct change *change)
{
    while (change->left) {
        struct change_job *job = change->left;
        unlink_left(job);
        free(job);
    }
}

static void run_job(void *context)
{
    struct change_job *job = context;
    struct change *change = job->change;

    pthread_mutex_lock(&change->lock);
    bool abandoned = job->abandoned;
    if (abandoned)
        unlink_left(job);
    pthread_mutex_unlock(&change->lock);
    if (abandoned) {
        free(job);
        return;
    }
    job->run(job);
    pthread_mutex_lock(&change->lock);
    job->done = true;
    pthread_cond_broadcast(&change->answered);
    pthread_mutex_unlock(&change->lock);
}

static void ask_loop(struct change *change, struct change_job job)
{
    struct change_job *posted = malloc(sizeof *posted);

    job.change = change;
    memset(job.answer, 0, sizeof *job.answer);
    if (!posted) {
        refuse(job.answer, ERR_NOMEM, "%s", error_text(ERR_NOMEM));
        return;
    }
    *posted = job;
    pthread_mutex_lock(&change->lock);
    bool waits = change->taking && loop_post(change->loop, run_job, posted) == 0;
    while (waits && change->taking && !posted->done)
        pthread_cond_wait(&change->answered, &change->lock);
    bool done = waits && posted->done;
    if (waits && !done)
        abandon(change, posted);
    pthread_mutex_unlock(&change->lock);
    if (!done)
        refuse(job.answer, ERR_CLOSED,
               "the gateway is starting or stopping; try again in a moment");
    if (done || !waits)
        free(posted);
}

static void keeper_apply(void *context, const struct config_wish *wish,
                         struct config_answer *answer)
{
    ask_loop(context, (struct change_job){
                          .run = do_apply, .wish = wish, .caller = wish->caller, .answer = answer});
}

static void keeper_confirm(void *context, uint64_t number, bool anyway, const struct caller *caller,
                           struct config_answer *answer)
{
    ask_loop(context, (struct change_job){.run = do_confirm,
                                          .number = number,
                                          .anyway = anyway,
                                          .caller = caller,
                                          .answer = answer});
}

static void keeper_revert(void *context, uint64_t number, const struct caller *caller,
                          struct config_answer *answer)
{
    ask_loop(context, (struct change_job){
                          .run = do_revert, .number = number, .caller = caller, .answer = answer});
}

static void keeper_now(void *context, struct config_now *now)
{
    struct change *change = context;

    memset(now, 0, sizeof *now);
    change->contact = true;
    pthread_mutex_lock(&change->lock);
    now->pending = change->pending;
    now->confirmed = change->confirmed;
    now->change = change->note.change;
    now->until_ms = change->note.until_ms;
    snprintf(now->by, sizeof now->by, "%s", change->note.by);
    snprintf(now->why, sizeof now->why, "%s", change->why);
    pthread_mutex_unlock(&change->lock);
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", change->path);
    *(strrchr(folder, '/') ? strrchr(folder, '/') : folder) = '\0';
    now->writable = access(*folder ? folder : ".", W_OK) == 0 &&
                    (access(change->path, F_OK) != 0 || access(change->path, W_OK) == 0);
    change->host.refused(change->host.context, now->refused, sizeof now->refused);
}

void change_keeper(struct change *change, struct config_keeper *keeper)
{
    keeper->path = change->path;
    keeper->history = change->history;
    keeper->now = keeper_now;
    keeper->apply = keeper_apply;
    keeper->confirm = keeper_confirm;
    keeper->revert = keeper_revert;
    keeper->context = change;
}
