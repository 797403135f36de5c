#include "daemon/change.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/json.h"
#include "core/error.h"
#include "core/log.h"
#include "core/save.h"
#include "core/words.h"
#include "daemon/change_inside.h"

const struct caller change_nobody = {.account = "sluiced", .origin = "itself"};

static void set_why(struct change *change, const char *why)
{
    pthread_mutex_lock(&change->lock);
    snprintf(change->why, sizeof change->why, "%s", why);
    pthread_mutex_unlock(&change->lock);
}

void change_audit(struct change *change, const struct caller *caller, const char *what,
                  const char *key, const char *value)
{
    char line[2 * HISTORY_WORDS_SIZE + 256], number[24];
    struct text text;

    snprintf(number, sizeof number, "%" PRIu64, change->entry.change);
    text_init(&text, line, sizeof line);
    words_put(&text, "change", number);
    words_put(&text, "keys", change->entry.words);
    words_put(&text, key, value);
    change->host.note(change->host.context, caller, what, line);
}

/* The history is a help: a gateway that cannot keep it changes its configuration all the same. */
void change_put_history(struct change *change, const struct history_entry *entry, const char *text)
{
    int error = history_put(change->history, entry, text);

    if (entry->change > change->last)
        change->last = entry->change;
    if (error)
        log_warn("config", "change %" PRIu64 " is not kept in the history: %s: %s", entry->change,
                 change->history, error_text(error));
}

/* A number is given once, also while the history cannot be written. */
uint64_t change_next(const struct change *change)
{
    struct history_entry *entries;
    size_t count;
    uint64_t last = change->last;

    if (history_list(change->history, &entries, &count) == 0 && count > 0 &&
        entries[0].change > last)
        last = entries[0].change;
    free(entries);
    return last + 1;
}

/* The newest that is in force. */
bool change_newest(const struct change *change, struct history_entry *found)
{
    struct history_entry *entries;
    size_t count, at = 0;

    if (history_list(change->history, &entries, &count) != 0)
        return false;
    while (at < count && entries[at].state == HISTORY_REVERTED)
        at++;
    if (at < count)
        *found = entries[at];
    free(entries);
    return at < count;
}

/* The file's revision, and its text where `text` is not NULL (NULL where there is no file). */
int change_read_file(const struct change *change, char revision[HISTORY_REVISION_SIZE], char **text,
                     size_t *size)
{
    int error = save_read(change->path, JSON_SIZE_MAX, text, size);

    if (error == ERR_NOT_FOUND) {
        snprintf(revision, HISTORY_REVISION_SIZE, "%s", HISTORY_NO_REVISION);
        *size = 0;
        return 0;
    }
    if (!error)
        history_revision(*text, *size, revision);
    return error;
}

void change_hold_note(struct change *change)
{
    change_let_go_note(change);
    change->held = change_note_hold(change->path);
}

void change_let_go_note(struct change *change)
{
    if (change->held >= 0)
        close(change->held);
    change->held = -1;
}

static int drop_note(struct change *change)
{
    int error = change_note_drop(change->path);

    if (error)
        log_error("config", "the note %s.pending cannot be removed: %s", change->path,
                  error_text(error));
    return error;
}

static void end_pending(struct change *change)
{
    pthread_mutex_lock(&change->lock);
    change->pending = change->confirmed = false;
    pthread_mutex_unlock(&change->lock);
    change_let_go_note(change);
    loop_timer_clear(change->loop, change->timer);
}

static void note_kept(struct change *change, const struct caller *caller, const char *why)
{
    end_pending(change);
    change->host.keep(change->host.context);
    change->entry.state = HISTORY_CONFIRMED;
    change_put_history(change, &change->entry, NULL);
    set_why(change, why);
    log_info("config", "change %" PRIu64 " is kept%s%s", change->entry.change, *why ? ": " : "",
             why);
    change_audit(change, caller, "config-confirmed", "why", why);
}

/* A change whose note stays is taken back by the next start: it is not kept before that is gone. */
int change_keep(struct change *change, const struct caller *caller, const char *why)
{
    int error = drop_note(change);

    if (!error)
        note_kept(change, caller, why);
    return error;
}

/* Somebody edited the file by hand meanwhile, and did not apply it: that is not lost. */
static void save_hand_edit(struct change *change)
{
    char revision[HISTORY_REVISION_SIZE], other[PATH_MAX], *text = NULL;
    size_t size;

    if (change_read_file(change, revision, &text, &size) || !text ||
        strcmp(revision, change->note.after) == 0 || strcmp(revision, change->note.before) == 0) {
        free(text);
        return;
    }
    snprintf(other, sizeof other, "%.*s.edited", PATH_MAX - 16, change->path);
    int error = save_file(other, text, size, change_note_mode(change->path));
    free(text);
    /* A second name needs no room. */
    if (error && save_remove(other) == 0 &&
        linkat(AT_FDCWD, change->path, AT_FDCWD, other, AT_SYMLINK_FOLLOW) == 0)
        error = 0;
    log_warn("config",
             error ? "%s was edited by hand meanwhile, and that cannot be kept as %s: %s"
                   : "%s was edited by hand meanwhile; that is kept as %s%s",
             change->path, other, error ? error_text(error) : "");
}

/* 0, or why the old file is not in force again; then the change stays pending. */
int change_go_back(struct change *change, const struct caller *caller, const char *why,
                   char sentence[CONFIG_SENTENCE_SIZE])
{
    save_hand_edit(change);
    int error = change_note_undo(change->path, &change->note);
    if (error) {
        snprintf(sentence, CONFIG_SENTENCE_SIZE,
                 "the file before the change cannot be put back: %s; it is %s.before",
                 error_text(error), change->path);
        return error;
    }
    error = change->host.reload(change->host.context, false, sentence);
    /* A note that stays does no harm: the file is the one before it. */
    (void)drop_note(change);
    end_pending(change);
    change->entry.state = HISTORY_REVERTED;
    snprintf(change->entry.why, sizeof change->entry.why, "%.*s", (int)sizeof change->entry.why - 1,
             why);
    change_put_history(change, &change->entry, NULL);
    set_why(change, why);
    log_warn("config", "change %" PRIu64 " went back: %s; the configuration before it %s",
             change->entry.change, why, error ? "does not run" : "is in force again");
    change_audit(change, caller, "config-reverted", "why", why);
    return 0;
}

/* The first uplink that was online and is not again; false where all are. */
bool change_missing_uplink(struct change *change, char why[CONFIG_SENTENCE_SIZE])
{
    for (size_t i = 0; i < change->uplink_count; i++) {
        char error[CONFIG_SENTENCE_SIZE - 128];

        if (change->host.is_online(change->host.context, change->uplinks[i], error, sizeof error))
            continue;
        snprintf(why, CONFIG_SENTENCE_SIZE, "uplink %.63s was online before and is not%s%s",
                 change->uplinks[i], *error ? ": " : "", error);
        return true;
    }
    return false;
}

static void go_back_by_itself(struct change *change, const char *why)
{
    char sentence[CONFIG_SENTENCE_SIZE];

    if (change_go_back(change, &change_nobody, why, sentence)) {
        log_error("config", "change %" PRIu64 " cannot go back: %s", change->entry.change,
                  sentence);
        change->until_mono_ns = change->watch_mono_ns = clock_mono(&clock_system) + CHANGE_AGAIN_NS;
    }
}

static const char cut_off[] = "the gateway ended before it was confirmed";

static const char *why_late(const struct change *change)
{
    if (change->over)
        return change->over;
    return change->contact ? "nobody confirmed it in time"
                           : "nobody confirmed it in time, and nobody could be seen to reach the "
                             "gateway since";
}

static void on_time(void *context)
{
    struct change *change = context;
    int64_t now = clock_mono(&clock_system), tick_ns = CHANGE_TICK_NS;
    char why[CONFIG_SENTENCE_SIZE], words[CONFIG_SENTENCE_SIZE + 64];

    if (!change->pending)
        return;
    bool missing = change_missing_uplink(change, why);
    if (change->confirmed && !missing) {
        if (change_keep(change, &change_nobody, "the uplinks are online again"))
            tick_ns = CHANGE_AGAIN_NS;
    } else if (missing && now >= change->watch_mono_ns) {
        snprintf(words, sizeof words, "%s, %d s after the change", why,
                 (int)(CHANGE_WATCH_NS / NS_PER_S));
        go_back_by_itself(change, words);
    } else if (!change->confirmed && now >= change->until_mono_ns) {
        go_back_by_itself(change, why_late(change));
    }
    if (change->pending)
        loop_timer_set(change->loop, change->timer, now + tick_ns);
}

int change_open(struct change **out, struct loop *loop, const char *path, const char *state,
                const struct change_host *host)
{
    struct change *change = calloc(1, sizeof *change);

    if (!change)
        return ERR_NOMEM;
    change->timer = loop_timer(loop, on_time, change);
    if (!change->timer) {
        free(change);
        return ERR_NOMEM;
    }
    change->loop = loop;
    change->held = -1;
    change->path = path;
    change->host = *host;
    snprintf(change->history, sizeof change->history, "%.*s/config", PATH_MAX - 8, state);
    pthread_mutex_init(&change->lock, NULL);
    pthread_cond_init(&change->answered, NULL);
    *out = change;
    return 0;
}

void change_close(struct change *change)
{
    if (!change)
        return;
    loop_timer_drop(change->loop, change->timer);
    change_let_go_note(change);
    change_drop_left(change);
    pthread_cond_destroy(&change->answered);
    pthread_mutex_destroy(&change->lock);
    free(change);
}

void change_resume(struct change *change)
{
    pthread_mutex_lock(&change->lock);
    change->taking = true;
    pthread_mutex_unlock(&change->lock);
}

void change_pause(struct change *change)
{
    pthread_mutex_lock(&change->lock);
    change->taking = false;
    pthread_cond_broadcast(&change->answered);
    pthread_mutex_unlock(&change->lock);
}

/* What became of the entry of a change that was cut off. */
static void settle_history(struct change *change, enum history_state state, const char *why)
{
    struct history_entry *entries;
    size_t count;

    if (history_list(change->history, &entries, &count) != 0)
        return;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].state != HISTORY_PENDING)
            continue;
        entries[i].state = state;
        snprintf(entries[i].why, sizeof entries[i].why, "%s", why);
        change_put_history(change, &entries[i], NULL);
    }
    free(entries);
}

/* The entry of the change that the note is of: as the history has it, or what the note says. */
static void recall_entry(struct change *change)
{
    struct history_entry *entry = &change->entry, *entries;
    const struct change_note *note = &change->note;
    size_t count;

    *entry = (struct history_entry){.change = note->change, .state = HISTORY_PENDING};
    snprintf(entry->by, sizeof entry->by, "%s", note->by);
    snprintf(entry->origin, sizeof entry->origin, "%s", note->origin);
    memcpy(entry->revision, note->after, sizeof entry->revision);
    if (history_list(change->history, &entries, &count) != 0)
        return;
    for (size_t i = 0; i < count; i++)
        if (entries[i].change == note->change)
            *entry = entries[i];
    free(entries);
}

void change_stay_pending(struct change *change, const char *why)
{
    int64_t now = clock_mono(&clock_system);

    pthread_mutex_lock(&change->lock);
    change->pending = true;
    change->over = why;
    change->note.until_ms = clock_wall(&clock_system) / NS_PER_MS;
    snprintf(change->why, sizeof change->why, "%s", why);
    pthread_mutex_unlock(&change->lock);
    change->until_mono_ns = change->watch_mono_ns = now;
    loop_timer_set(change->loop, change->timer, now + CHANGE_TICK_NS);
}

/* The file is what the change made of it, what was before, or neither. */
static void undo(struct change *change)
{
    char revision[HISTORY_REVISION_SIZE], *text = NULL;
    size_t size;
    int error = change_read_file(change, revision, &text, &size);

    free(text);
    if (!error && strcmp(revision, change->note.before) == 0) {
        settle_history(change, HISTORY_REVERTED, "the gateway ended before it was applied");
    } else if (!error && strcmp(revision, change->note.after) != 0) {
        settle_history(change, HISTORY_CONFIRMED, "");
        log_warn("config",
                 "a change by %s was not confirmed when the gateway ended, but %s was edited by "
                 "hand since: it stays as it is",
                 change->note.by, change->path);
    } else if ((error = change_note_undo(change->path, &change->note)) != 0) {
        log_error("config",
                  "a change by %s was not confirmed when the gateway ended, and the file before it "
                  "cannot be put back: %s; it is %s.before; it is tried again every %d s",
                  change->note.by, error_text(error), change->path,
                  (int)(CHANGE_AGAIN_NS / NS_PER_S));
        recall_entry(change);
        change_stay_pending(change, cut_off);
        return;
    } else {
        settle_history(change, HISTORY_REVERTED, cut_off);
        snprintf(change->why, sizeof change->why, "%s", cut_off);
        log_warn("config",
                 "change %" PRIu64 " by %s went back: %s; the configuration before it is in force "
                 "again",
                 change->note.change, change->note.by, cut_off);
    }
    error = change_note_drop(change->path);
    if (error)
        log_error("config", "the note %s.pending cannot be removed: %s; remove it by hand",
                  change->path, error_text(error));
}

/* No note, and yet an entry that waits: a full disk kept the history from being told. What the file
 * is says what became of it. */
static void settle_left(struct change *change)
{
    char revision[HISTORY_REVISION_SIZE], *text = NULL;
    struct history_entry newest;
    size_t size;

    if (!change_newest(change, &newest) || newest.state != HISTORY_PENDING ||
        change_read_file(change, revision, &text, &size))
        return;
    free(text);
    if (strcmp(newest.revision, revision) == 0)
        settle_history(change, HISTORY_CONFIRMED, "");
    else
        settle_history(change, HISTORY_REVERTED, "the file was another at the next start");
}

void change_recover(struct change *change)
{
    int error = change_note_read(change->path, &change->note);

    if (error == ERR_NOT_FOUND) {
        settle_left(change);
        return;
    }
    if (error)
        log_error("config",
                  "%s.pending cannot be read: %s; if a change was not confirmed, the file before "
                  "it is %s.before; remove the note by hand",
                  change->path, error_text(error), change->path);
    if (error)
        return;
    change->last = change->note.change;
    change_hold_note(change);
    if (change->held == ERR_BUSY) {
        log_warn("config", "a change of %s is on trial in another gateway: it is left alone",
                 change->path);
        return;
    }
    undo(change);
    if (!change->pending)
        change_let_go_note(change);
}

bool change_waits(const struct change *change)
{
    char revision[HISTORY_REVISION_SIZE], *text = NULL;
    size_t size;

    if (!change->pending)
        return false;
    int error = change_read_file(change, revision, &text, &size);
    free(text);
    return error || strcmp(revision, change->note.after) == 0;
}

void change_noticed(struct change *change)
{
    char revision[HISTORY_REVISION_SIZE], *text = NULL;
    struct history_entry newest = {0}, entry = {.state = HISTORY_CONFIRMED, .origin = "file"};
    size_t size;

    if (change_read_file(change, revision, &text, &size) || !text) {
        free(text);
        return;
    }
    if (change->pending && strcmp(revision, change->note.after) != 0) {
        /* The next start leaves a file alone that is neither. */
        (void)drop_note(change);
        note_kept(change, &change_nobody, "the file was edited by hand since, and applied");
    }
    if (!change_newest(change, &newest) || strcmp(newest.revision, revision) != 0) {
        entry.change = change_next(change);
        entry.at_ms = clock_wall(&clock_system) / NS_PER_MS;
        snprintf(entry.by, sizeof entry.by, "%s", "an editor");
        memcpy(entry.revision, revision, sizeof entry.revision);
        change_put_history(change, &entry, text);
    }
    free(text);
}
