#include "daemon/places.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/log.h"
#include "core/stream.h"

#define PLACES_MAX 64 /* as many as the journal has cursors */

static const char prefix[] = "uplink/";

/* All cursors as they were at one moment: names change while they are gone through. */
struct places {
    struct cursor_ledger ledgers[PLACES_MAX];
    size_t count;
};

static void collect(void *context, const struct cursor_ledger *ledger)
{
    struct places *places = context;

    if (places->count < PLACES_MAX && strncmp(ledger->name, prefix, sizeof prefix - 1) == 0)
        places->ledgers[places->count++] = *ledger;
}

/* To be freed; NULL without memory: then it is done the next time. */
static struct places *look(const struct running *running)
{
    struct places *places = calloc(1, sizeof *places);

    if (places)
        cursor_each(running->journal, collect, places);
    return places;
}

static void name_place(char name[CURSOR_NAME_SIZE_MAX], const char *id)
{
    snprintf(name, CURSOR_NAME_SIZE_MAX, "%s%s", prefix, id);
}

static const struct config_uplink *find_uplink(const struct running *running, const char *id)
{
    const struct config *config = running->current->config;

    for (size_t i = 0; i < config->uplink_count; i++) {
        if (strcmp(config->uplinks[i].id, id) == 0)
            return &config->uplinks[i];
    }
    return NULL;
}

/* The earlier id whose place an uplink takes over, where nobody else has that id now; or NULL. */
static const char *earlier_id(const struct running *running, const struct config_uplink *uplink)
{
    const struct uplink_options *options = uplink->options;

    return options->was && !find_uplink(running, options->was) ? options->was : NULL;
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* What was delivered for the one has arrived where the other one delivers to. */
static bool same_destination(const struct config_uplink *one, const struct config_uplink *other)
{
    const struct uplink_options *a = one->options, *b = other->options;

    return same_text(a->url, b->url) && same_text(a->root, b->root) && a->layout == b->layout;
}

/* Of an earlier configuration that waited; this one has not seen them. */
static void end_other_trials(const struct running *running, const char *own, const char *trial)
{
    struct places *places = look(running);
    char name[CURSOR_NAME_SIZE_MAX];

    for (size_t i = 0; places && i < places->count; i++) {
        const struct cursor_ledger *ledger = &places->ledgers[i];
        cursor_trial_name(name, ledger->trial, own);
        if (*ledger->trial && strcmp(ledger->name, own) == 0 && strcmp(name, trial) != 0)
            cursor_remove(running->journal, name);
    }
    free(places);
}

static int take_on_trial(const struct running *running, struct running_uplink *entry,
                         const char *own, const char *earlier)
{
    char was[CURSOR_NAME_SIZE_MAX];

    cursor_trial_name(entry->place, running->current->config->site.fingerprint, own);
    entry->trial = true;
    end_other_trials(running, own, entry->place);
    int error = cursor_copy(running->journal, own, entry->place);
    if (error == ERR_NOT_FOUND && earlier) {
        name_place(was, earlier);
        error = cursor_copy(running->journal, was, entry->place);
        if (!error) {
            entry->from = earlier;
            log_info("daemon",
                     "uplink %s goes on where %s was, whose place is kept until the change is "
                     "confirmed",
                     entry->config->id, earlier);
        }
    }
    /* Its trial began before everything restarted, or it has no place yet. */
    return error == ERR_EXISTS || error == ERR_NOT_FOUND ? 0 : error;
}

int places_take(struct running *running, struct running_uplink *entry)
{
    const char *id = entry->config->id, *earlier = earlier_id(running, entry->config);
    char own[CURSOR_NAME_SIZE_MAX], was[CURSOR_NAME_SIZE_MAX];

    name_place(own, id);
    if (running->trial)
        return take_on_trial(running, entry, own, earlier);
    strcpy(entry->place, own);
    if (!earlier)
        return 0;
    name_place(was, earlier);
    int error = cursor_rename(running->journal, was, own);
    if (!error)
        log_info("daemon", "uplink %s goes on where %s was", id, earlier);
    return error == ERR_NOT_FOUND || error == ERR_EXISTS ? 0 : error;
}

/* The trial becomes the place; what it began with under an earlier id was the same one. */
static int keep_trial(const struct running *running, const char *trial,
                      const struct config_uplink *uplink)
{
    const char *earlier = earlier_id(running, uplink);
    char own[CURSOR_NAME_SIZE_MAX], was[CURSOR_NAME_SIZE_MAX];

    name_place(own, uplink->id);
    int error = cursor_rename(running->journal, trial, own);
    if (error == ERR_EXISTS)
        return cursor_replace(running->journal, trial, own);
    if (!error && earlier) {
        name_place(was, earlier);
        cursor_remove(running->journal, was);
    }
    return error;
}

/* Where the earlier uplink delivers to the same place, what was delivered on trial is. */
static int end_trial(const struct running *running, const struct running_uplink *entry)
{
    const struct config_uplink *before = entry->from ? find_uplink(running, entry->from) : NULL;
    char was[CURSOR_NAME_SIZE_MAX];

    if (!before || !same_destination(before, entry->config))
        return cursor_remove(running->journal, entry->place);
    name_place(was, before->id);
    return cursor_replace(running->journal, entry->place, was);
}

static void settle(const struct running *running, struct running_uplink *entry)
{
    const struct config_uplink *uplink = find_uplink(running, entry->config->id);
    int error;

    if (!entry->trial)
        return;
    if (uplink && same_destination(uplink, entry->config))
        error = keep_trial(running, entry->place, uplink);
    else
        error = end_trial(running, entry);
    if (error) {
        log_error("daemon", "the place of uplink %s in the journal stays on trial: %s",
                  entry->config->id, error_text(error));
        return;
    }
    entry->trial = false;
    name_place(entry->place, entry->config->id);
}

/* Trials of which nobody here knows: a process before this one began them, or everything has
 * restarted since. */
static void settle_left(const struct running *running)
{
    const char *fingerprint = running->current->config->site.fingerprint;
    struct places *places = look(running);
    char name[CURSOR_NAME_SIZE_MAX];

    for (size_t i = 0; places && i < places->count; i++) {
        const struct cursor_ledger *ledger = &places->ledgers[i];
        if (!*ledger->trial || ledger->held)
            continue;
        const struct config_uplink *uplink = find_uplink(running, ledger->name + sizeof prefix - 1);
        cursor_trial_name(name, ledger->trial, ledger->name);
        if (uplink && strcmp(ledger->trial, fingerprint) == 0)
            keep_trial(running, name, uplink);
        else
            cursor_remove(running->journal, name);
    }
    free(places);
}

void places_settle(struct running *running, struct running_uplink *stopped)
{
    for (struct running_uplink *entry = running->uplinks; entry; entry = entry->next)
        settle(running, entry);
    for (struct running_uplink *entry = stopped; entry; entry = entry->next)
        settle(running, entry);
    settle_left(running);
}

static bool runs(const struct running *running, const char *id)
{
    for (const struct running_uplink *entry = running->uplinks; entry; entry = entry->next) {
        if (strcmp(entry->config->id, id) == 0)
            return true;
    }
    return false;
}

/* Whether an uplink has that id, or had it and could not be started to take its place over. */
static bool is_expected(const struct running *running, const char *id)
{
    const struct config *config = running->current->config;

    for (size_t i = 0; i < config->uplink_count; i++) {
        const struct uplink_options *options = config->uplinks[i].options;
        if (strcmp(config->uplinks[i].id, id) == 0)
            return true;
        if (options->was && strcmp(options->was, id) == 0 && !runs(running, config->uplinks[i].id))
            return true;
    }
    return false;
}

/* What was not delivered is in the journal still, but nobody goes on with it. */
static void tell_loss(struct running *running, const char *id, const struct cursor_ledger *ledger)
{
    struct stream stream = {.type = VALUE_BOOL};
    char sentence[320];

    snprintf(
        sentence, sizeof sentence,
        "uplink %s: its place in the journal is given up, as it is no longer configured; %" PRIu64
        " event%s from number %" PRIu64 " on %s still to be delivered",
        id, ledger->pending, ledger->pending == 1 ? "" : "s", ledger->low,
        ledger->pending == 1 ? "was" : "were");
    log_warn("daemon", "%s", sentence);
    snprintf(stream.device, sizeof stream.device, UPLINK_STREAM_PREFIX "%s", id);
    if (journal_declare(running->journal, &stream))
        return;
    struct event event = {.kind = EVENT_ALARM,
                          .stream = stream.number,
                          .mono_ns = clock_mono(running->clock),
                          .urgent = true};
    event.value.type = VALUE_TEXT;
    event.value.data = sentence;
    event.value.size = (uint16_t)strlen(sentence);
    if (journal_put(running->journal, &event))
        log_debug("daemon", "that the place of uplink %s is given up could not be stored", id);
}

void places_give_up(struct running *running)
{
    struct places *places = look(running);

    for (size_t i = 0; places && i < places->count; i++) {
        const struct cursor_ledger *ledger = &places->ledgers[i];
        const char *id = ledger->name + sizeof prefix - 1;
        if (*ledger->trial || is_expected(running, id) ||
            cursor_remove(running->journal, ledger->name))
            continue;
        if (ledger->pending > 0)
            tell_loss(running, id, ledger);
        else
            log_info("daemon",
                     "the place of uplink %s in the journal is given up: it is no longer "
                     "configured, and all was delivered",
                     id);
    }
    free(places);
}
