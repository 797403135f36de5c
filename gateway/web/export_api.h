/*
 * What leaves the gateway as a whole, and comes back: a template (a configuration without identity
 * and secrets), a backup, and the report of a commissioning.
 */
#ifndef SLUICE_WEB_EXPORT_API_H
#define SLUICE_WEB_EXPORT_API_H

#include "config/edit.h"
#include "core/text.h"
#include "web/backup.h"
#include "web/config_api.h"
#include "web/displays_api.h"

struct export_api;

struct export_given {
    struct config_keeper keeper; /* whoever applies what is restored */
    struct backup_place place;
    void (*status)(void *context, struct text *text); /* writes the status object */
    void *status_context;
    /* Takes the accounts of a backup in place of those that there are. 0; ERR_CORRUPT, ERR_DENIED
     * (no owner), or the error of the disk. Any thread. */
    int (*restore_accounts)(void *context, const void *data, size_t size,
                            const struct http_request *request);
    void *accounts_context;
    struct displays_desk *displays; /* what displays showed */
};

/* What is given is copied; what it points to outlives the API. ERR_NOMEM. */
int export_api_open(struct export_api **api, const struct export_given *given);
void export_api_close(struct export_api *api);

struct routes export_api_routes(struct export_api *api);

/* The text without what belongs to one gateway alone: its id is "template", it has no name, and the
 * page no certificate and names of its own. malloc'd; NULL with a sentence. */
char *export_template(const char *text, char why[EDIT_WHY_SIZE]);

/* Whether a value of a configuration belongs to one gateway alone. */
bool export_own(const struct json *value);

/* A template's text with the identity of a configuration. The same way. */
char *export_personal(const char *text, const struct json *own, char why[EDIT_WHY_SIZE]);

#endif
