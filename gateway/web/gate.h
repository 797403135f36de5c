/*
 * The gate: who may come in over the network. It knows accounts, sessions and tokens, tells the API
 * who asks, and has the routes by which people log in and accounts are managed. It outlives the
 * API, so that a configuration that restarts everything logs nobody out. Rules: docs/web.md.
 */
#ifndef SLUICE_WEB_GATE_H
#define SLUICE_WEB_GATE_H

#include "core/clock.h"
#include "core/site.h"
#include "web/api.h"

#define GATE_NAME_SIZE 192

struct gatekeeper;

struct gate_options {
    const char *state_path;  /* the folder of accounts.json; outlives the gate, as the next */
    const char *preset_path; /* the file of a setup code that is on a label; NULL: none */
    const struct clock *clock;
    /* Sets the system's clock: 0, ERR_DENIED when the process may not, ERR_INVALID. */
    int (*set_clock)(void *context, int64_t wall_ns);
    void *clock_context;
};

struct gate_about {
    char id[ID_SIZE_MAX], name[GATE_NAME_SIZE];
};

/* What the gate knows of the gateway: given by the daemon. Any thread. */
struct gate_site {
    void (*about)(void *context, struct gate_about *about);
    /* Gives the gateway the id and name (either may be NULL) that the first visitor wants: 0, or an
     * error with a sentence. May wait. NULL: the configuration alone says it. */
    int (*name)(void *context, const struct caller *caller, const char *id, const char *name,
                char *sentence, size_t size);
    void *context;
};

/* Reads the accounts; without any, makes a setup code. ERR_NOMEM, ERR_IO, ERR_TOO_LARGE. */
int gate_open(struct gatekeeper **gate, const struct gate_options *options);
void gate_close(struct gatekeeper *gate); /* after the API; NULL is fine */

/* Guards the API and mounts the gate's routes on it; before api_listen. `journal` and what `site`
 * points to live until api_close. ERR_FULL. */
int gate_mount(struct gatekeeper *gate, struct api *api, struct journal *journal,
               const struct gate_site *site);

/* The page can be reached: a setup code that was made at this start is told in the log, once. */
void gate_announce(struct gatekeeper *gate);

/* Takes the accounts of a backup in place of those that there are. All sessions end but that of
 * `request` (NULL: none), which stays where its account has the same password in the backup. As
 * accounts_restore. Any thread. */
int gate_restore(struct gatekeeper *gate, const void *data, size_t size,
                 const struct http_request *request);

/* Further names by which the page is reached (copied). Any thread. ERR_NOMEM: then those of before
 * hold. */
int gate_set_names(struct gatekeeper *gate, const char *const *names, size_t count);

#endif
