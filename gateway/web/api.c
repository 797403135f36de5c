#include "web/api.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/accept.h"
#include "core/error.h"
#include "core/log.h"
#include "web/api_inside.h"
#include "web/assets.h"
#include "web/reply.h"

#define BACKLOG           16
#define LOCAL_CONNECTIONS 64

/* Finds the row of a request; without one the reply says whether it is the path or the method. */
static const struct route *find_route(const struct api *api, struct route_request *request,
                                      void **context, struct http_reply *reply)
{
    bool path_known = false;

    for (size_t t = 0; t < api->table_count; t++) {
        const struct routes *table = &api->tables[t];

        for (size_t i = 0; i < table->count; i++) {
            if (!route_matches(&table->rows[i], request->http->path, request->names))
                continue;
            path_known = true;
            if (strcmp(table->rows[i].method, request->http->method) != 0)
                continue;
            *context = table->context;
            return &table->rows[i];
        }
    }
    if (path_known)
        reply_error(reply, 405, "this method is not allowed here");
    else
        reply_error(reply, 404, "there is nothing at this path; see docs/api.md");
    return NULL;
}

static void tell_known(const struct api *api, const struct http_request *request)
{
    socklen_t size = 0;
    const struct sockaddr *peer = http_peer(request, &size);

    if (api->known && peer && http_mark(request))
        api->known(api->known_context, peer, size);
}

static int identify(const struct api *api, const struct http_request *request,
                    struct caller *caller, struct http_reply *reply)
{
    memset(caller, 0, sizeof *caller);
    if (http_is_local(request)) {
        route_local_caller(request, caller);
        return 0;
    }
    if (!api->gate.identify) {
        reply_error(reply, 403, "this gateway is not reached over the network");
        return ERR_DENIED;
    }
    http_peer_address(request, caller->origin);
    int error = api->gate.identify(api->gate.context, request, caller, reply);
    if (!error && caller->role > ROLE_ANYBODY)
        tell_known(api, request);
    return error;
}

static const struct route *admit_route(struct api *api, struct route_request *request,
                                       struct caller *caller, void **context,
                                       struct http_reply *reply)
{
    request->caller = caller;
    if (identify(api, request->http, caller, reply))
        return NULL;
    const struct route *route = find_route(api, request, context, reply);
    if (!route || caller->role >= route->role)
        return route;
    if (caller->role == ROLE_ANYBODY)
        reply_error(reply, 401, "log in first");
    else
        reply_error(reply, 403,
                    route->role == ROLE_OWNER ? "only an owner may do this"
                                              : "only an operator or an owner may do this");
    return NULL;
}

/* Before the body: nobody makes the gateway hold one who may not send it. */
static size_t admit(void *context, const struct http_request *http, struct http_reply *reply)
{
    struct route_request request = {.http = http};
    struct api *api = context;
    struct caller caller;
    void *table;
    const struct route *route = admit_route(api, &request, &caller, &table, reply);

    if (!route)
        return HTTP_REFUSED;
    if (api->upload.path && strcmp(route->path, api->upload.path) == 0 &&
        strcmp(route->method, "PUT") == 0)
        return api->upload.receive(api->upload.context, &request, reply);
    if (route->body_max)
        return route->body_max;
    return strcmp(http->method, "GET") == 0 ? 0 : HTTP_BODY_SIZE_MAX;
}

static void handle(void *context, const struct http_request *http, struct http_reply *reply)
{
    struct route_request request = {.http = http};
    struct caller caller;
    void *table;
    /* Once more: a session may have ended while the body came. */
    const struct route *route = admit_route(context, &request, &caller, &table, reply);

    if (route)
        route->handle(table, &request, reply);
}

/* Whether somebody answers on the socket: then it is not ours to replace. */
static bool is_alive(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    bool alive = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
    close(fd);
    return alive;
}

static int listen_on(struct api *api)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    memcpy(address.sun_path, api->path, sizeof address.sun_path);
    if (is_alive(&address))
        return ERR_BUSY;
    api->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (api->fd < 0)
        return error_from_errno(errno);
    unlink(api->path);
    /* Nobody can connect before it listens: the mode is right by then, whatever the umask is. */
    if (bind(api->fd, (struct sockaddr *)&address, sizeof address) || chmod(api->path, 0660))
        return error_from_errno(errno);
    if (listen(api->fd, BACKLOG))
        return error_from_errno(errno);
    return 0;
}

static void take_connection(void *context, int fd)
{
    struct api *api = context;

    if (http_adopt(api->http, fd, NULL, 0))
        log_warn("web", "a connection to %s was turned away: too many are open already", api->path);
}

int api_open(struct api **out, struct loop *loop, struct journal *journal,
             const struct api_source *source)
{
    struct api *api = calloc(1, sizeof *api);
    int error;

    if (!api)
        return ERR_NOMEM;
    api->fd = -1;
    api->loop = loop;
    api->journal = journal;
    api->source = *source;
    error = http_open(&api->http, LOCAL_CONNECTIONS + API_NETWORK_CONNECTIONS, admit, handle, api);
    if (error) {
        free(api);
        return error;
    }
    struct routes own[] = {assets_routes(), api_journal_routes(api), api_field_routes(api),
                           api_offer_routes(api)};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        api_mount(api, &own[i]);
    *out = api;
    return 0;
}

int api_mount(struct api *api, const struct routes *routes)
{
    if (api->table_count == API_TABLES_MAX)
        return ERR_FULL;
    api->tables[api->table_count++] = *routes;
    return 0;
}

int api_receive(struct api *api, const char *path, api_receive_fn *receive, void *context)
{
    if (api->upload.path)
        return ERR_FULL;
    api->upload.path = path;
    api->upload.receive = receive;
    api->upload.context = context;
    return 0;
}

void api_guard(struct api *api, const struct gate *gate)
{
    api->gate = *gate;
}

void api_on_known(struct api *api, api_known_fn *known, void *context)
{
    api->known = known;
    api->known_context = context;
}

int api_listen(struct api *api, const char *path)
{
    if (strlen(path) >= sizeof api->path)
        return ERR_TOO_LARGE;
    memcpy(api->path, path, strlen(path) + 1);
    int error = listen_on(api);
    if (!error) {
        error = accept_open(&api->accepter, api->loop, api->fd, path, take_connection, api);
        if (error)
            unlink(path);
    }
    if (error && api->fd >= 0) {
        close(api->fd);
        api->fd = -1;
    }
    return error;
}

int api_adopt(struct api *api, int fd, const struct sockaddr *peer, socklen_t size)
{
    return http_adopt(api->http, fd, peer, size);
}

void api_close(struct api *api)
{
    if (!api)
        return;
    if (api->fd >= 0) {
        unlink(api->path);
        accept_close(api->accepter);
        close(api->fd);
    }
    http_close(api->http);
    free(api);
}

void api_wake(struct api *api)
{
    http_wake(api->http);
}

void api_wake_streams(void *context)
{
    api_wake(context);
}
