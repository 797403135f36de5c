/*
 * The configuration over the API: looked at, checked with what a change means, applied so that it
 * goes back by itself unless somebody confirms it, and compared with what there was before. Shapes
 * are docs/api.md; what a change does to the running gateway is the keeper's (daemon/change.h).
 */
#ifndef SLUICE_WEB_CONFIG_API_H
#define SLUICE_WEB_CONFIG_API_H

#include "config/config.h"
#include "config/history.h"
#include "web/route.h"

#define CONFIG_SENTENCE_SIZE 512

/* What somebody wants to be applied; the texts are borrowed for the call. */
struct config_wish {
    const char *text;
    size_t size;
    const char *base; /* the revision that it was made from */
    const char *comment;
    const char *words; /* which keys change */
    const struct caller *caller;
    int64_t confirm_ns;
};

/* What came of it. */
struct config_answer {
    int error; /* 0, or why not, with the sentence */
    char sentence[CONFIG_SENTENCE_SIZE];
    uint64_t change;
    int64_t until_ms; /* wall clock: when it goes back; 0: it is there for good */
    /* Who changed it since (ERR_EXISTS), or whose change waits to be confirmed (ERR_BUSY). */
    char by[CALLER_NAME_SIZE];
    int64_t at_ms;
    char revision[HISTORY_REVISION_SIZE];
};

/* How things stand. */
struct config_now {
    bool pending;
    uint64_t change;
    char by[CALLER_NAME_SIZE];
    int64_t until_ms;
    bool confirmed;                 /* by a person; uplinks are still waited for */
    char why[CONFIG_SENTENCE_SIZE]; /* what is waited for, or why the last one went back */
    bool writable;
    char refused[CONFIG_SENTENCE_SIZE]; /* the newest file was, and another one runs; "" */
};

/* Whoever applies. All calls wait for the daemon's loop: not on the server's thread. */
struct config_keeper {
    const struct config_parts *parts;
    const char *path;    /* of the configuration */
    const char *first;   /* the text that stands for a file that is not there */
    const char *history; /* folder */
    struct journal *journal;
    void (*now)(void *context, struct config_now *now);
    /* ERR_EXISTS (another revision is in force), ERR_BUSY (a change is pending), ERR_DENIED,
     * ERR_READ_ONLY, ... (the file cannot be written), ERR_CONFIG (refused), ERR_CLOSED. */
    void (*apply)(void *context, const struct config_wish *wish, struct config_answer *answer);
    /* Keeps the pending change. Where uplinks that were online before are not yet again, it still
     * goes back if they stay away (until_ms), unless `anyway`. ERR_NOT_FOUND: it is not pending. */
    void (*confirm)(void *context, uint64_t change, bool anyway, const struct caller *caller,
                    struct config_answer *answer);
    /* Goes back at once. ERR_NOT_FOUND. */
    void (*revert)(void *context, uint64_t change, const struct caller *caller,
                   struct config_answer *answer);
    void *context;
};

struct config_api;

/* `keeper` is copied; what it points to outlives the API. ERR_NOMEM. */
int config_api_open(struct config_api **api, const struct config_keeper *keeper);
void config_api_close(struct config_api *api);

struct routes config_api_routes(struct config_api *api);

#endif
