/* The configuration as the API shows and changes it: the file, its history, the files beside it. */
#ifndef SLUICE_DAEMON_CONFIGURE_H
#define SLUICE_DAEMON_CONFIGURE_H

#include "daemon/change.h"
#include "daemon/running.h"
#include "web/api.h"

/* What outlives the API. */
struct configure_given {
    struct change *change;
    const struct config_parts *parts;
    const char *first; /* the text that stands for a configuration that is not there */
    const char *path, *state;
    struct gatekeeper *gate; /* whose accounts a backup holds; NULL: none */
    /* As system_given.restart. */
    int (*restart)(void *context, char sentence[RUNNING_REFUSAL_SIZE]);
    void *context;
};

struct configure;
struct gatekeeper; /* web/gate.h */

/* Mounts the routes; before api_listen. ERR_NOMEM, ERR_FULL. */
int configure_open(struct configure **configure, struct api *api, struct running *running,
                   const struct configure_given *given);

/* Gives the gateway an id, a name or both (NULL: as it is), for good. May wait: not on the loop's
 * thread. 0, or an error with a sentence. */
int configure_name(struct configure *configure, const struct caller *caller, const char *id,
                   const char *name, char *sentence, size_t size);

/* Requests that wait for the loop are refused: on its thread, before api_close. */
void configure_stop(struct configure *configure);

/* After api_close. NULL is fine, as for configure_stop. */
void configure_close(struct configure *configure);

#endif
