/*
 * The HTTP API, /api/v1: what the CLI asks over the unix socket. Routes and fields are docs/api.md.
 */
#ifndef SLUICE_WEB_API_H
#define SLUICE_WEB_API_H

#include "core/command.h"
#include "core/text.h"
#include "journal/journal.h"
#include "web/route.h"

#define API_NETWORK_CONNECTIONS 320

struct api;
struct loop;       /* core/loop.h */
struct legend;     /* web/legend.h */
struct feed_names; /* web/feed.h */

/* Somebody wants a bus for himself for a while. */
struct api_lease {
    const char *bus;  /* its id; NULL: the one that has... */
    const char *port; /* ...this port, or host as it is configured */
    const char *by;   /* who asks, for whoever asks next */
    uint64_t number;  /* of the lease that is renewed or ended; 0: a new one */
    int64_t for_ns;   /* from now on; 0: it ends */
};

#define API_HOLD_AS_IS     (-1)
#define API_HOLD_BY_LENGTH 79

/* Somebody cuts an uplink off for a while, or takes it for himself, so that nobody else does. */
struct api_hold {
    int64_t for_ns;   /* cut off from now on; 0: not any more; API_HOLD_AS_IS: as it is */
    const char *by;   /* who asks, for whoever asks meanwhile; NULL: he takes it not for himself */
    int64_t claim_ns; /* nobody but `by` may hold it from now on; 0: anybody may */
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
    /* Adds the names that a device and a point (either may be NULL) had before. */
    void (*was)(void *context, const char *device, const char *point, struct feed_names *names);
    /* Forgets what was learnt of a device: "blocks", "identity" or "all". 0, ERR_NOT_FOUND (no such
     * device: a sentence is written to `refusal`), ERR_INVALID (`what`), ERR_UNSUPPORTED (nothing
     * is learnt of it). */
    int (*forget)(void *context, const char *device, const char *what, struct text *refusal);
    /* Adds what the numbers of points stand for. NULL: nothing is known of that. */
    void (*legend)(void *context, struct legend *legend);
    /* Cuts an uplink off. 0, ERR_NOT_FOUND, or ERR_BUSY: another has it for himself, a sentence is
     * written to `refusal`. NULL: not here. */
    int (*hold)(void *context, const char *uplink, const struct api_hold *hold,
                struct text *refusal);
    /* Writes what an uplink of that id, root and layout ("values", or "batch") would publish of the
     * newest readings. 0 or an error. NULL: not here. */
    int (*preview)(void *context, const char *uplink, const char *root, bool values,
                   struct text *text);
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

/* Who may come in over the network: given by whoever keeps the accounts. On the server's thread. */
struct gate {
    /*
     * Fills `caller` in (its origin is already); role ROLE_ANYBODY for one who is not known.
     * Returns 0, or a negative error with `reply` filled in when the request is refused as it
     * stands: a foreign host or origin, a token that does not fit.
     */
    int (*identify)(void *context, const struct http_request *request, struct caller *caller,
                    struct http_reply *reply);
    void *context;
};

/*
 * Asked when the headers of an upload have come: how large it may be, with `take`, `stream` and
 * `close` of the reply set (http.h), or HTTP_REFUSED with the reply filled in. On the server's
 * thread.
 */
typedef size_t api_receive_fn(void *context, const struct route_request *request,
                              struct http_reply *reply);

typedef void api_known_fn(void *context, const struct sockaddr *peer, socklen_t size);

/*
 * Makes the server with the routes that every gateway has. In this order: api_open, api_mount and
 * api_guard as often as needed, api_listen. `loop`, `journal` and `source` outlive it, as do the
 * contexts of all routes. ERR_NOMEM.
 */
int api_open(struct api **api, struct loop *loop, struct journal *journal,
             const struct api_source *source);

/* More routes; before anybody can connect. ERR_FULL. */
int api_mount(struct api *api, const struct routes *routes);

/* What is PUT to `path`, which is mounted, is taken as it comes; by whoever may do that. Before
 * anybody can connect. ERR_FULL: there is such a path already. */
int api_receive(struct api *api, const char *path, api_receive_fn *receive, void *context);

/* Who may come in over the network: nobody until this is called. Before anybody can connect. */
void api_guard(struct api *api, const struct gate *gate);

/* Calls `known` on the server's thread, once for each connection from the network whose caller
 * turns out to be somebody, with the peer as it was given to api_adopt. Before anybody can connect.
 */
void api_on_known(struct api *api, api_known_fn *known, void *context);

/*
 * Listens on the unix socket `path` (mode 0660, replaced when nobody answers on it); what connects
 * is taken on the loop, on whose thread this is called, as is api_close. Errors: ERR_BUSY when a
 * living daemon listens there, ERR_DENIED, ERR_NOT_FOUND (no such folder), ERR_TOO_LARGE (the
 * path), ERR_NOMEM.
 */
int api_listen(struct api *api, const char *path);

/* Serves a connection from the network, whose TLS is done by others, as http_adopt. Any thread. */
int api_adopt(struct api *api, int fd, const struct sockaddr *peer, socklen_t size);

/* Ends all connections. NULL is fine. */
void api_close(struct api *api);

/* New events are durable: streams that follow go on. Any thread. */
void api_wake(struct api *api);

#endif
