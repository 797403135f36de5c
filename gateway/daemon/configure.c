#include "daemon/configure.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/text.h"
#include "web/config_api.h"
#include "web/config_edited.h"
#include "web/export_api.h"
#include "web/files_api.h"
#include "web/gate.h"
#include "web/profiles_api.h"
#include "web/proposal.h"

#define EDITS_SIZE 1024

struct configure {
    struct configure_given given;
    struct running *running;
    struct config_keeper keeper;
    struct config_api *config;
    struct files_api *files;
    struct profiles_given profiles;
    struct export_api *exports;
    struct displays_desk displays;
    char accounts_path[PATH_MAX], displays_path[PATH_MAX];
};

static void write_status(void *context, struct text *text)
{
    running_status(context, text);
}

static int restore_accounts(void *context, const void *data, size_t size,
                            const struct http_request *request)
{
    return context ? gate_restore(context, data, size, request) : ERR_UNSUPPORTED;
}

static int open_parts(struct configure *configure)
{
    const struct configure_given *given = &configure->given;
    struct running *running = configure->running;
    struct export_given exported = {
        .keeper = configure->keeper,
        .place = {given->path, given->first, configure->accounts_path, given->parts},
        .status = write_status,
        .status_context = running,
        .restore_accounts = restore_accounts,
        .accounts_context = given->gate,
        .displays = &configure->displays,
    };
    int error = config_api_open(&configure->config, &configure->keeper);

    if (!error)
        error = files_api_open(&configure->files, given->path, running->journal);
    return error ? error : export_api_open(&configure->exports, &exported);
}

static int mount_parts(struct configure *configure, struct api *api)
{
    struct routes tables[] = {
        config_api_routes(configure->config),  files_api_routes(configure->files),
        profiles_routes(&configure->profiles), export_api_routes(configure->exports),
        displays_routes(&configure->displays), config_edited_routes(&configure->keeper)};
    int error = 0;

    for (size_t i = 0; i < sizeof tables / sizeof *tables && !error; i++)
        error = api_mount(api, &tables[i]);
    return error;
}

int configure_open(struct configure **out, struct api *api, struct running *running,
                   const struct configure_given *given)
{
    struct configure *configure = calloc(1, sizeof *configure);

    *out = configure;
    if (!configure)
        return ERR_NOMEM;
    configure->given = *given;
    configure->running = running;
    configure->profiles = (struct profiles_given){given->parts, running->journal};
    configure->keeper = (struct config_keeper){
        .parts = given->parts, .first = given->first, .journal = running->journal};
    change_keeper(given->change, &configure->keeper);
    snprintf(configure->accounts_path, sizeof configure->accounts_path, "%.*s/accounts.json",
             PATH_MAX - 16, given->state);
    snprintf(configure->displays_path, sizeof configure->displays_path, "%.*s/displays.json",
             PATH_MAX - 16, given->state);
    configure->displays = (struct displays_desk){configure->displays_path, running->journal,
                                                 PTHREAD_MUTEX_INITIALIZER};
    int error = open_parts(configure);
    if (!error)
        error = mount_parts(configure, api);
    if (!error)
        change_resume(given->change);
    return error;
}

void configure_stop(struct configure *configure)
{
    if (configure)
        change_pause(configure->given.change);
}

void configure_close(struct configure *configure)
{
    if (!configure)
        return;
    export_api_close(configure->exports);
    files_api_close(configure->files);
    config_api_close(configure->config);
    free(configure);
}

static void put_edit(struct text *text, const char *key, const char *value)
{
    if (!value)
        return;
    text_string(text, text->size > 1 ? "," : "");
    text_printf(text, "{\"at\":[\"gateway\",\"%s\"],\"set\":", key);
    text_json_string(text, value, strlen(value));
    text_string(text, "}");
}

static void fail(void *context, struct json_place at, const char *sentence)
{
    (void)at;
    (void)sentence;
    *(int *)context = ERR_INVALID;
}

/* Applies the edits of an object {"edits":[...]} and keeps them. */
static int apply_edits(struct configure *configure, const struct caller *caller,
                       const struct json *body, struct config_answer *answer)
{
    const struct config_keeper *keeper = &configure->keeper;
    char words[HISTORY_WORDS_SIZE];
    struct proposal proposal;
    int error = proposal_open(&proposal, body, keeper->path, keeper->first, keeper->parts);

    if (error) {
        snprintf(answer->sentence, sizeof answer->sentence, "%s", proposal.why);
    } else if (!proposal.config) {
        snprintf(answer->sentence, sizeof answer->sentence, "%s", proposal.first);
        error = ERR_CONFIG;
    } else if (strcmp(proposal.old, proposal.text) != 0 ||
               strcmp(proposal.revision, HISTORY_NO_REVISION) == 0) {
        proposal_words(&proposal, words, sizeof words);
        struct config_wish wish = {.text = proposal.text,
                                   .size = proposal.size,
                                   .base = proposal.revision,
                                   .comment = "",
                                   .words = words,
                                   .caller = caller,
                                   .confirm_ns = 60 * NS_PER_S};
        keeper->apply(keeper->context, &wish, answer);
        error = answer->error;
        uint64_t change = answer->change;
        if (!error)
            keeper->confirm(keeper->context, change, true, caller, answer);
    }
    proposal_close(&proposal);
    return error;
}

int configure_name(struct configure *configure, const struct caller *caller, const char *id,
                   const char *name, char *sentence, size_t size)
{
    char edits[EDITS_SIZE];
    struct config_answer answer = {0};
    struct arena *arena;
    struct json *body = NULL;
    struct text text;
    int error = 0;

    text_init(&text, edits, sizeof edits);
    text_string(&text, "[");
    put_edit(&text, "id", id);
    put_edit(&text, "name", name);
    text_string(&text, "]");
    char whole[EDITS_SIZE + 16];
    snprintf(whole, sizeof whole, "{\"edits\":%s}", edits);
    if (text.cut || arena_open(&arena)) {
        snprintf(sentence, size, "%s", error_text(text.cut ? ERR_TOO_LARGE : ERR_NOMEM));
        return text.cut ? ERR_TOO_LARGE : ERR_NOMEM;
    }
    json_read(&body, arena, whole, strlen(whole), fail, &error);
    if (!error)
        error = body ? apply_edits(configure, caller, body, &answer) : ERR_NOMEM;
    snprintf(sentence, size, "%s", error ? answer.sentence : "");
    arena_close(arena);
    return error;
}
