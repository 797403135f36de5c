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

/* Somebody wants a bus for himself for a while. */
struct api_lease {
    const char *bus;  /* its id; NULL: the one that has... */
    const char *port; /* ...this port, or host as it is configured */
    const char *by;   /* who asks, for whoever asks next */
    uint64_t number;  /* of the lease that is renewed or ended; 0: a new one */
    int64_t for_ns;   /* from now on; 0: it ends */
};

/* Reads what goes over a bus, as lines of JSON. */
struct api_listener {
    int64_t (*read)(struct api_listener *listener, char *out, size_t room); /* as http_reply.read */
    void (*close)(struct api_listener *listener);
};

/* What the API shows besides the journal: given by the daemon. Called on the server's thread. */
struct api_source {
    /* Writes the status object. */
    void (*status)(void *context, struct text *text);
    /* As feed_query.was. */
    bool (*was)(void *context, const struct stream *stream, const char *device, const char *point);
    /* Forgets what was learnt of a device: "blocks", "identity" or "all". 0, ERR_NOT_FOUND (no such
     * device), ERR_INVALID (`what`), ERR_UNSUPPORTED (nothing is learnt of it). */
    int (*forget)(void *context, const char *device, const char *what);
    struct command_desk *desk; /* where commands go; outlives the API */
    /* Lends a bus and writes the answer's object, or a sentence when it returns ERR_NOT_FOUND (no
     * such bus), ERR_BUSY (it is lent to another), ERR_UNSUPPORTED. NULL: nothing is lent. */
    int (*lend)(void *context, const struct api_lease *lease, struct text *answer);
    /* Listens to a bus; `wake` tells that there is something to read. 0, ERR_NOT_FOUND,
     * ERR_UNSUPPORTED (nothing can be heard of it), ERR_FULL, ERR_NOMEM. NULL: nothing is heard. */
    int (*listen)(void *context, const char *bus, void (*wake)(void *context), void *wake_context,
                  struct api_listener **listener);
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
