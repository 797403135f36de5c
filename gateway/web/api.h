/*
 * The HTTP API, /api/v1: what the CLI asks over the unix socket. Routes and fields are docs/api.md.
 */
#ifndef SLUICE_WEB_API_H
#define SLUICE_WEB_API_H

#include "core/command.h"
#include "core/text.h"
#include "journal/journal.h"

struct api;
struct loop; /* core/loop.h */

/* What the API shows besides the journal: given by the daemon. Called on the server's thread. */
struct api_source {
    /* Writes the status object. */
    void (*status)(void *context, struct text *text);
    /* As feed_query.was. */
    bool (*was)(void *context, const struct stream *stream, const char *device, const char *point);
    struct command_desk *desk; /* where commands go; outlives the API */
    void *context;
};

/*
 * Listens on the unix socket `path` (mode 0660, replaced when nobody answers on it) and serves it;
 * what connects is taken on `loop`, on whose thread this is called, as is api_close. `loop`,
 * `journal` and `source` outlive it. Errors: ERR_BUSY when a living daemon listens there,
 * ERR_DENIED, ERR_NOT_FOUND (no such folder), ERR_TOO_LARGE (the path), ERR_NOMEM.
 */
int api_open(struct api **api, struct loop *loop, struct journal *journal,
             const struct api_source *source, const char *path);
void api_close(struct api *api);

/* New events are durable: streams that follow go on. Any thread. */
void api_wake(struct api *api);

#endif
