#include "daemon/network.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "core/save.h"
#include "core/words.h"
#include "daemon/network_apply.h"
#include "daemon/network_inside.h"
#include "daemon/wish.h"
#include "web/audit.h"

static const struct caller nobody = {.account = "sluiced", .origin = "itself"};

static void path_of(const struct network *network, const char *name, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%.*s/%s", PATH_MAX - 32, network->state, name);
}

/* --- what lies in the state folder --- */

static int load(const struct network *network, const char *name, struct network_plan *plan)
{
    char path[PATH_MAX], why[NETWORK_WHY_SIZE] = "", *text;
    size_t size;

    memset(plan, 0, sizeof *plan);
    path_of(network, name, path);
    int error = save_read(path, NETWORK_PLAN_SIZE_MAX - 1, &text, &size);
    if (error)
        return error == ERR_NOT_FOUND ? 0 : error;
    error = network_read(plan, text, size, why);
    explicit_bzero(text, size);
    free(text);
    if (error)
        log_error("network", "%s cannot be read: %s", path, *why ? why : error_text(error));
    return error;
}

static int store(const struct network *network, const char *name, const struct network_plan *plan)
{
    char path[PATH_MAX];
    size_t size;
    char *text = network_write(plan, &size);
    int error = text ? 0 : ERR_NOMEM;

    path_of(network, name, path);
    if (!error)
        error = save_file(path, text, size, 0600);
    if (text)
        explicit_bzero(text, size);
    free(text);
    return error;
}

static int drop(const struct network *network, const char *name)
{
    char path[PATH_MAX];

    path_of(network, name, path);
    return save_remove(path);
}

static bool is_pending_on_disk(const struct network *network)
{
    char path[PATH_MAX];
    struct stat status;

    path_of(network, NETWORK_PENDING_FILE, path);
    return stat(path, &status) == 0;
}

/* --- putting it in force --- */

static int put_in_force(struct network *network)
{
    return wish_make(network->wish, WISH_NETWORK, (int64_t)++network->serial);
}

void network_explain(int error, char sentence[NETWORK_SENTENCE_SIZE])
{
    snprintf(sentence, NETWORK_SENTENCE_SIZE, "%s",
             error == ERR_UNSUPPORTED
                 ? "nobody carries out changes of the network here: the unit sluice-wish.path of "
                   "the package does where it runs; until then set the network in the system"
             : error == ERR_DENIED
                 ? "the system did not take it; why stands in its log: journalctl -u sluice-wish"
                 : error_text(error));
}

static void say(struct network *network, const char *why)
{
    pthread_mutex_lock(&network->lock);
    snprintf(network->why, sizeof network->why, "%s", why);
    pthread_mutex_unlock(&network->lock);
}

static void note(struct network *network, const struct caller *caller, const char *what,
                 const char *why)
{
    char words[CALLER_NAME_SIZE + NETWORK_SENTENCE_SIZE];
    struct text text;

    text_init(&text, words, sizeof words);
    words_put(&text, "interface", network->changed);
    words_put(&text, "why", why);
    pthread_mutex_lock(&network->lock);
    if (network->journal)
        audit_note(network->journal, caller, what, words);
    pthread_mutex_unlock(&network->lock);
}

/* What could not be put in force is tried again, unless there is nobody who could do it. */
static void owe(struct network *network, int error)
{
    pthread_mutex_lock(&network->lock);
    network->owed = error && error != ERR_UNSUPPORTED;
    if (network->owed)
        network->until_mono_ns = clock_mono(&clock_system) + NETWORK_AGAIN_NS;
    pthread_cond_broadcast(&network->changed_state);
    pthread_mutex_unlock(&network->lock);
}

/* Under `work`: the plan before is in force again, and nothing is pending. The note of it goes
 * last: whatever ends the gateway on the way, its next start goes this way again. */
static int go_back(struct network *network, const struct caller *caller, const char *why)
{
    struct network_plan before;
    int forced = 0, error = load(network, NETWORK_BEFORE_FILE, &before);

    if (!error)
        error = store(network, NETWORK_PLAN_FILE, &before);
    if (!error) {
        forced = put_in_force(network);
        error = drop(network, NETWORK_PENDING_FILE);
    }
    if (error) {
        explicit_bzero(&before, sizeof before);
        log_error("network", "the settings before the change cannot be put back: %s",
                  error_text(error));
        return error;
    }
    (void)drop(network, NETWORK_BEFORE_FILE);
    pthread_mutex_lock(&network->lock);
    network->plan = before;
    network->pending = false;
    pthread_mutex_unlock(&network->lock);
    explicit_bzero(&before, sizeof before);
    say(network, why);
    owe(network, forced);
    log_warn("network", "the change of %s went back: %s%s%s", network->changed, why,
             forced ? "; putting the old settings in force failed: " : "",
             forced ? error_text(forced) : "");
    note(network, caller, "network-reverted", why);
    return forced;
}

/* --- waiting to be confirmed --- */

static void act_on_time(struct network *network)
{
    pthread_mutex_lock(&network->work);
    pthread_mutex_lock(&network->lock);
    bool due = clock_mono(&clock_system) >= network->until_mono_ns;
    pthread_mutex_unlock(&network->lock);
    if (due && network->pending) {
        if (go_back(network, &nobody, "nobody confirmed it in time") && network->pending) {
            pthread_mutex_lock(&network->lock);
            network->until_mono_ns = clock_mono(&clock_system) + NETWORK_AGAIN_NS;
            pthread_mutex_unlock(&network->lock);
        }
    } else if (due && network->owed) {
        owe(network, put_in_force(network));
    }
    pthread_mutex_unlock(&network->work);
}

static void *wait_for_confirmation(void *context)
{
    struct network *network = context;

    pthread_mutex_lock(&network->lock);
    for (;;) {
        while (!network->pending && !network->owed && !network->closing)
            pthread_cond_wait(&network->changed_state, &network->lock);
        if (network->closing)
            break;
        int64_t left_ns = network->until_mono_ns - clock_mono(&clock_system);
        if (left_ns > 0) {
            struct timespec until = {.tv_sec = network->until_mono_ns / NS_PER_S,
                                     .tv_nsec = network->until_mono_ns % NS_PER_S};
            pthread_cond_timedwait(&network->changed_state, &network->lock, &until);
            continue;
        }
        pthread_mutex_unlock(&network->lock);
        act_on_time(network);
        pthread_mutex_lock(&network->lock);
    }
    pthread_mutex_unlock(&network->lock);
    return NULL;
}

/* The plan with one interface changed; ERR_NOT_FOUND: there is nothing of it to drop. Under `work`.
 */
static int merge(const struct network *network, const char *name,
                 const struct network_interface *interface, struct network_plan *plan)
{
    *plan = network->plan;
    if (interface)
        return network_put(plan, interface);
    return network_drop(plan, name) ? 0 : ERR_NOT_FOUND;
}

static void explain_change(const struct network *network, int error,
                           char sentence[NETWORK_SENTENCE_SIZE])
{
    snprintf(
        sentence, NETWORK_SENTENCE_SIZE, "%s",
        error == ERR_BUSY ? "a change of the network waits to be confirmed; confirm it or take "
                            "it back first"
        : error == ERR_NOT_FOUND ? "nothing was set for this interface: it is as the system has it"
        : error == ERR_FULL      ? "there are as many interfaces set as there can be; remove one"
        : network->unreadable
            ? "the file network.json of the state folder cannot be read (see the log): mend or "
              "remove it, and restart the gateway"
            : error_text(error));
}

int network_change(struct network *network, const char *name,
                   const struct network_interface *interface, int64_t confirm_ns,
                   const struct caller *caller, char sentence[NETWORK_SENTENCE_SIZE])
{
    static const char there[] = "a change of the network waits to be confirmed\n";
    struct network_plan plan = {0};
    char path[PATH_MAX];

    pthread_mutex_lock(&network->work);
    int error = network->pending ? ERR_BUSY : network->unreadable ? ERR_CORRUPT : 0;
    if (!error)
        error = merge(network, name, interface, &plan);
    if (!error)
        error = store(network, NETWORK_BEFORE_FILE, &network->plan);
    path_of(network, NETWORK_PENDING_FILE, path);
    if (!error)
        error = save_file(path, there, sizeof there - 1, 0600);
    if (!error)
        error = store(network, NETWORK_PLAN_FILE, &plan);
    if (error) {
        pthread_mutex_unlock(&network->work);
        explain_change(network, error, sentence);
        explicit_bzero(&plan, sizeof plan);
        return error;
    }
    snprintf(network->changed, sizeof network->changed, "%s", name);
    pthread_mutex_lock(&network->lock);
    network->plan = plan;
    network->pending = true;
    network->owed = false;
    network->until_mono_ns = clock_mono(&clock_system) + confirm_ns;
    network->until_ms = (clock_wall(&clock_system) + confirm_ns) / NS_PER_MS;
    snprintf(network->by, sizeof network->by, "%s", caller->account);
    snprintf(network->why, sizeof network->why, "it waits to be confirmed");
    pthread_cond_broadcast(&network->changed_state);
    pthread_mutex_unlock(&network->lock);
    explicit_bzero(&plan, sizeof plan);
    error = put_in_force(network);
    if (error) {
        network_explain(error, sentence);
        (void)go_back(network, &nobody, sentence);
    } else {
        note(network, caller, "network-changed", "");
    }
    pthread_mutex_unlock(&network->work);
    return error;
}

int network_settle(struct network *network, bool keep, const struct caller *caller,
                   char sentence[NETWORK_SENTENCE_SIZE])
{
    pthread_mutex_lock(&network->work);
    int error = network->pending ? 0 : ERR_NOT_FOUND;
    if (error) {
        snprintf(sentence, NETWORK_SENTENCE_SIZE,
                 "no change of the network waits to be confirmed%s%.300s",
                 *network->why ? ": " : "", network->why);
    } else if (!keep) {
        error = go_back(network, caller, "it was taken back");
        if (error)
            network_explain(error, sentence);
    } else if ((error = drop(network, NETWORK_PENDING_FILE)) != 0) {
        snprintf(sentence, NETWORK_SENTENCE_SIZE, "its note cannot be removed: %s",
                 error_text(error));
    } else {
        (void)drop(network, NETWORK_BEFORE_FILE);
        pthread_mutex_lock(&network->lock);
        network->pending = false;
        pthread_mutex_unlock(&network->lock);
        say(network, "");
        note(network, caller, "network-confirmed", "");
    }
    pthread_mutex_unlock(&network->work);
    return error;
}

int network_open(struct network **out, const char *state, const char *wish)
{
    struct network *network = calloc(1, sizeof *network);
    pthread_condattr_t monotonic;

    if (!network)
        return ERR_NOMEM;
    network->state = state;
    network->wish = wish;
    pthread_mutex_init(&network->lock, NULL);
    pthread_mutex_init(&network->work, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&network->changed_state, &monotonic);
    pthread_condattr_destroy(&monotonic);
    /* Without it the next change would lose what it cannot see. */
    network->unreadable = load(network, NETWORK_PLAN_FILE, &network->plan) != 0;
    if (is_pending_on_disk(network)) {
        /* The thread takes it back at once; the start does not wait for that. */
        network->pending = true;
        network->until_mono_ns = clock_mono(&clock_system);
        snprintf(network->changed, sizeof network->changed, "the network");
    }
    if (pthread_create(&network->thread, NULL, wait_for_confirmation, network)) {
        pthread_cond_destroy(&network->changed_state);
        free(network);
        return ERR_NOMEM;
    }
    *out = network;
    return 0;
}

void network_close(struct network *network)
{
    if (!network)
        return;
    pthread_mutex_lock(&network->lock);
    network->closing = true;
    pthread_cond_broadcast(&network->changed_state);
    pthread_mutex_unlock(&network->lock);
    pthread_join(network->thread, NULL);
    pthread_cond_destroy(&network->changed_state);
    pthread_mutex_destroy(&network->work);
    pthread_mutex_destroy(&network->lock);
    explicit_bzero(&network->plan, sizeof network->plan);
    free(network);
}

void network_note_in(struct network *network, struct journal *journal)
{
    pthread_mutex_lock(&network->lock);
    network->journal = journal;
    pthread_mutex_unlock(&network->lock);
}
