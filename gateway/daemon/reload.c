/* Reading the configuration, at the start and anew, and what changes with it. */
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/log.h"
#include "core/zone.h"
#include "daemon/front.h"
#include "daemon/gateway_inside.h"
#include "daemon/room.h"
#include "web/audit.h"

#define SETTLED_NS (5 * NS_PER_S) /* after a configuration was applied */
#define RESTART_NS (NS_PER_S / 4) /* for whoever asked for it to get his answer */

int gateway_apply(struct gateway *gateway, struct config *config, bool trial)
{
    int error = running_apply(&gateway->running, config, trial);

    if (gateway->running.current)
        front_apply(gateway->front);
    loop_timer_set(gateway->loop, gateway->settled, clock_mono(&clock_system) + SETTLED_NS);
    loop_timer_set(gateway->loop, gateway->look, clock_mono(&clock_system) + GATEWAY_LOOK_NS);
    return error;
}

/* Errors of a configuration go to the log, each once: the file is named in them. The first is kept
 * for the status: `context` is a text of RUNNING_REFUSAL_SIZE. */
static void tell_error(void *context, const struct config_error *error)
{
    char sentence[2048], *first = context;
    const char *key = error->key ? error->key : "";
    const char *colon = *key ? ": " : "";

    if (error->line)
        snprintf(sentence, sizeof sentence, "%s:%d:%d: %s%s%s", error->file, error->line,
                 error->column, key, colon, error->sentence);
    else
        snprintf(sentence, sizeof sentence, "%s: %s%s%s", error->file, key, colon, error->sentence);
    log_error("config", "%s", sentence);
    if (!*first)
        snprintf(first, RUNNING_REFUSAL_SIZE, "%.*s", RUNNING_REFUSAL_SIZE - 1, sentence);
}

/* `first`: where there is no file, what a gateway begins with stands for it. */
int gateway_load(const struct gateway *gateway, struct config **config, bool first,
                 char refusal[RUNNING_REFUSAL_SIZE])
{
    const char *path = gateway->options->config_path;

    refusal[0] = '\0';
    if (!first || !first_is_due(path))
        return config_load(config, path, &gateway->parts, tell_error, refusal);
    log_warn("daemon",
             "%s does not exist: the gateway runs without buses, devices and uplinks; set it up "
             "over its page, or write the file and send SIGHUP",
             path);
    return config_load_text(config, gateway->first, path, &gateway->parts, tell_error, refusal);
}

const char *gateway_journal(const struct gateway *gateway, const struct config *config)
{
    if (gateway->options->journal_path)
        return gateway->options->journal_path;
    return room_path(&config->journal);
}

/* What cannot change under a running journal. */
static bool needs_new_start(const struct gateway *gateway, const struct config *a,
                            const struct config *b)
{
    return strcmp(a->site.id, b->site.id) != 0 ||
           strcmp(gateway_journal(gateway, a), gateway_journal(gateway, b)) != 0 ||
           a->journal.keep_bytes != b->journal.keep_bytes ||
           a->journal.max_age_ns != b->journal.max_age_ns ||
           a->journal.commit_ns != b->journal.commit_ns ||
           a->journal.segment_bytes != b->journal.segment_bytes ||
           a->journal.when_full != b->journal.when_full || a->journal.sector != b->journal.sector;
}

/* Asked before anything is stopped: a gateway whose new journal cannot be had would have ended. */
static bool journal_can_move(const struct gateway *gateway, const struct config *config)
{
    const char *path = gateway_journal(gateway, config);
    struct io io;
    int error;

    if (strcmp(path, gateway_journal(gateway, gateway->running.current->config)) == 0)
        return true;
    error = io_posix_open(&io, path);
    if (error)
        log_error("daemon",
                  "the journal's folder %s cannot be used: %s; the configuration that was loaded "
                  "before stays in force",
                  path, error_text(error));
    else
        io_posix_close(&io);
    return error == 0;
}

/* Local midnight is that of the configuration that is about to run. */
void gateway_take_zone(const struct config *config)
{
    if (zone_set(config->site.timezone) != 0)
        log_warn("daemon",
                 "gateway.timezone \"%s\" is not known here: install the database of time zones "
                 "(package tzdata); until then aligned intervals count from midnight UTC",
                 config->site.timezone);
}

static void on_restart(void *context)
{
    struct gateway *gateway = context;

    /* A hang-up may have been quicker. */
    if (gateway->next)
        loop_stop(gateway->loop);
}

/* Applies the file as it now is. 0, or an error with a sentence: the configuration that was loaded
 * before stays in force. Where everything is to restart, `next` is set, and the caller ends the
 * loop: always with `anew`. `first` as above, `trial` as of running_apply. */
static int reload(struct gateway *gateway, bool first, bool anew, bool trial,
                  char refusal[RUNNING_REFUSAL_SIZE])
{
    struct config *config = NULL;
    int error = gateway_load(gateway, &config, first, refusal);

    if (!error && !journal_can_move(gateway, config)) {
        config_free(config);
        snprintf(refusal, RUNNING_REFUSAL_SIZE,
                 "its folder for the journal cannot be used; see the log");
        error = ERR_NOT_FOUND;
    }
    if (error && !*refusal)
        snprintf(refusal, RUNNING_REFUSAL_SIZE, "it cannot be read");
    running_refused(&gateway->running, error ? refusal : NULL);
    if (error)
        return error;
    const struct config *current = gateway->running.current->config;
    /* A new start that is under way takes the newest file, whatever has changed in it. */
    if (anew || gateway->next || needs_new_start(gateway, current, config)) {
        log_info("daemon", anew ? "everything restarts"
                                : "gateway id or journal settings changed: everything restarts");
        config_free(gateway->next);
        gateway->next = config;
        return 0;
    }
    if (strcmp(current->site.fingerprint, config->site.fingerprint) == 0)
        log_info("daemon", "%s means the same as before", gateway->options->config_path);
    gateway_take_zone(config);
    /* What could not be started was logged; what could be runs. */
    if (gateway_apply(gateway, config, trial) == 0)
        log_info("daemon", "%s is applied", gateway->options->config_path);
    else
        gateway_take_zone(gateway->running.current->config);
    return 0;
}

void gateway_hangup(struct gateway *gateway)
{
    char refusal[RUNNING_REFUSAL_SIZE];

    if (reload(gateway, false, false, change_waits(gateway->change), refusal) == 0) {
        change_noticed(gateway->change);
        if (gateway->next)
            loop_stop(gateway->loop); /* nobody waits for an answer */
        return;
    }
    log_error("daemon", "%s is refused; the configuration that was loaded before stays in force",
              gateway->options->config_path);
}

static void restart_soon(struct gateway *gateway)
{
    if (gateway->next)
        loop_timer_set(gateway->loop, gateway->restart, clock_mono(&clock_system) + RESTART_NS);
}

static void restart_now(void *context)
{
    struct gateway *gateway = context;
    char refusal[RUNNING_REFUSAL_SIZE];

    if (reload(gateway, true, true, false, refusal) == 0)
        restart_soon(gateway);
}

int gateway_restart(void *context, char sentence[RUNNING_REFUSAL_SIZE])
{
    struct gateway *gateway = context;
    struct config *config = NULL;
    int error = gateway_load(gateway, &config, true, sentence);

    config_free(config);
    return error ? error : loop_post(gateway->loop, restart_now, gateway);
}

static int reload_changed(void *context, bool trial, char sentence[CONFIG_SENTENCE_SIZE])
{
    char refusal[RUNNING_REFUSAL_SIZE];
    struct gateway *gateway = context;
    int error = reload(gateway, true, false, trial, refusal);

    restart_soon(gateway);
    snprintf(sentence, CONFIG_SENTENCE_SIZE, "%s", refusal);
    return error;
}

static void keep(void *context)
{
    struct gateway *gateway = context;

    running_keep(&gateway->running);
}

static size_t online(void *context, char ids[CHANGE_UPLINKS_MAX][ID_SIZE_MAX])
{
    struct gateway *gateway = context;

    return running_online(&gateway->running, ids, CHANGE_UPLINKS_MAX);
}

static bool is_online(void *context, const char *id, char *why, size_t size)
{
    struct gateway *gateway = context;

    return running_is_online(&gateway->running, id, why, size);
}

static void refused(void *context, char *why, size_t size)
{
    struct gateway *gateway = context;

    running_why_refused(&gateway->running, why, size);
}

static void note(void *context, const struct caller *caller, const char *what, const char *words)
{
    struct gateway *gateway = context;

    audit_note(gateway->journal, caller, what, words);
}

int gateway_open_change(struct gateway *gateway)
{
    const struct change_host host = {reload_changed, keep, online, is_online,
                                     refused,        note, gateway};
    int error;

    gateway->restart = loop_timer(gateway->loop, on_restart, gateway);
    if (!gateway->restart)
        return ERR_NOMEM;
    error = change_open(&gateway->change, gateway->loop, gateway->options->config_path,
                        gateway->options->state_path, &host);

    if (!error)
        change_recover(gateway->change);
    return error;
}
