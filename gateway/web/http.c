#include "web/http.h"

#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"

#define CONNECTION_TIMEOUT_S 30
#define STREAM_BLOCK         (32 * 1024)

struct http {
    struct MHD_Daemon *daemon;
    http_handler_fn *handler;
    void *context;
    pthread_mutex_t lock;
    struct http_exchange *waiting; /* suspended streams, under the lock */
    uint64_t wakes;                /* how often http_wake was called, under the lock */
    bool closing;
    atomic_uint open; /* connections */
};

/* One request and its reply, from the first header to the last byte sent. The library may give up
 * the connection before the response that streams from it, or after: whoever is last frees it. */
struct http_exchange {
    unsigned holders;
    struct http *server;
    struct MHD_Connection *connection;
    char *body;
    size_t size;
    bool too_large;
    struct http_reply reply;
    struct http_exchange *next_waiting;
};

const char *http_query(const struct http_request *request, const char *key)
{
    const char *value = NULL;
    size_t size = 0;
    enum MHD_Result found = MHD_lookup_connection_value_n(
        request->connection, MHD_GET_ARGUMENT_KIND, key, strlen(key), &value, &size);
    if (found != MHD_YES)
        return NULL;
    return value ? value : "";
}

int64_t http_peer_user(const struct http_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct ucred peer;
    socklen_t size = sizeof peer;

    if (!info || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return -1;
    return (int64_t)peer.uid;
}

static void log_library(void *context, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* The library complains that TCP options do not work on unix sockets; that is no news to anyone. */
static void log_library(void *context, const char *format, va_list arguments)
{
    char line[256];

    (void)context;
    vsnprintf(line, sizeof line, format, arguments);
    line[strcspn(line, "\n")] = '\0';
    if (!strstr(line, "TCP_NODELAY") && !strstr(line, "TCP_CORK"))
        log_debug("web", "%s", line);
}

/* The library does not look at a connection that is suspended. */
static bool peer_is_gone(const struct http_exchange *exchange)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct pollfd peer = {.fd = info ? info->connect_fd : -1};

    return poll(&peer, 1, 0) > 0 && (peer.revents & (POLLHUP | POLLERR));
}

static ssize_t stream_read(void *context, uint64_t position, char *out, size_t room)
{
    struct http_exchange *exchange = context;
    struct http *server = exchange->server;

    (void)position;
    if (peer_is_gone(exchange))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    pthread_mutex_lock(&server->lock);
    uint64_t wakes = server->wakes;
    bool closing = server->closing;
    pthread_mutex_unlock(&server->lock);
    if (closing)
        return MHD_CONTENT_READER_END_OF_STREAM;

    int64_t got = exchange->reply.read(exchange->reply.stream, out, room);
    if (got > 0)
        return (ssize_t)got;
    if (got == HTTP_STREAM_AGAIN)
        return 0;
    if (got != HTTP_STREAM_WAIT)
        return MHD_CONTENT_READER_END_OF_STREAM;

    pthread_mutex_lock(&server->lock);
    /* A wake between the read above and this line must not be slept through. */
    if (wakes == server->wakes && !server->closing) {
        exchange->next_waiting = server->waiting;
        server->waiting = exchange;
        MHD_suspend_connection(exchange->connection);
    }
    pthread_mutex_unlock(&server->lock);
    return 0;
}

static void stream_close(struct http_exchange *exchange)
{
    if (exchange->reply.close)
        exchange->reply.close(exchange->reply.stream);
    exchange->reply.close = NULL;
}

static void exchange_release(void *context)
{
    struct http_exchange *exchange = context;

    stream_close(exchange);
    if (--exchange->holders)
        return;
    free(exchange->body);
    free(exchange);
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct http_exchange *exchange)
{
    struct http_reply *reply = &exchange->reply;
    struct MHD_Response *response;

    if (reply->read)
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, stream_read,
                                                     exchange, exchange_release);
    else
        response = MHD_create_response_from_buffer(reply->size, reply->body, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(reply->body);
        stream_close(exchange);
        return MHD_NO;
    }
    if (reply->read)
        exchange->holders++;
    if (reply->type)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result;
}

static void reply_text(struct http_reply *reply, int status, const char *body)
{
    reply->status = status;
    reply->type = "application/json";
    reply->body = strdup(body);
    reply->size = reply->body ? strlen(body) : 0;
}

static void take_body(struct http_exchange *exchange, const char *data, size_t size)
{
    if (exchange->too_large || exchange->size + size > HTTP_BODY_SIZE_MAX) {
        exchange->too_large = true;
        return;
    }
    char *grown = realloc(exchange->body, exchange->size + size + 1);
    if (!grown) {
        exchange->too_large = true;
        return;
    }
    memcpy(grown + exchange->size, data, size);
    exchange->body = grown;
    exchange->size += size;
    grown[exchange->size] = '\0';
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *data, size_t *size, void **slot)
{
    struct http *server = context;
    struct http_exchange *exchange = *slot;

    (void)version;
    if (!exchange) {
        exchange = calloc(1, sizeof *exchange);
        if (!exchange)
            return MHD_NO;
        exchange->holders = 1;
        exchange->server = server;
        exchange->connection = connection;
        *slot = exchange;
        return MHD_YES;
    }
    if (*size) {
        take_body(exchange, data, *size);
        *size = 0;
        return MHD_YES;
    }
    if (exchange->too_large) {
        reply_text(&exchange->reply, 413, "{\"error\":\"the request is larger than 256 KiB\"}\n");
        return send_reply(connection, exchange);
    }
    struct http_request request = {
        .method = method,
        .path = path,
        .body = exchange->body ? exchange->body : "",
        .size = exchange->size,
        .connection = connection,
    };
    server->handler(server->context, &request, &exchange->reply);
    return send_reply(connection, exchange);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode code)
{
    struct http_exchange *exchange = *slot;

    (void)context;
    (void)connection;
    (void)code;
    if (exchange)
        exchange_release(exchange);
    *slot = NULL;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **slot,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http *server = context;

    (void)connection;
    (void)slot;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED)
        atomic_fetch_sub(&server->open, 1);
}

int http_open(struct http **out, http_handler_fn *handler, void *context)
{
    struct http *server = calloc(1, sizeof *server);

    if (!server)
        return ERR_NOMEM;
    server->handler = handler;
    server->context = context;
    pthread_mutex_init(&server->lock, NULL);
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC |
            MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
        0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, server, MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX + 1,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_TIMEOUT_S, MHD_OPTION_END);
    if (!server->daemon) {
        pthread_mutex_destroy(&server->lock);
        free(server);
        return ERR_NOMEM;
    }
    *out = server;
    return 0;
}

int http_adopt(struct http *server, int fd)
{
    struct sockaddr address = {.sa_family = AF_UNIX};

    /* Streams that wait for events look whether anybody still reads them, or those that were left
     * would keep newcomers out for as long as no event comes. */
    http_wake(server);
    /* The limit is kept here: the library never serves anyone again once it has met its own. */
    if (atomic_fetch_add(&server->open, 1) >= HTTP_CONNECTIONS_MAX) {
        atomic_fetch_sub(&server->open, 1);
        close(fd);
        return ERR_FULL;
    }
    /* On refusal the library closes the socket itself. */
    if (MHD_add_connection(server->daemon, fd, &address, sizeof address) != MHD_YES) {
        atomic_fetch_sub(&server->open, 1);
        return ERR_FULL;
    }
    return 0;
}

void http_wake(struct http *server)
{
    pthread_mutex_lock(&server->lock);
    server->wakes++;
    while (server->waiting) {
        struct http_exchange *exchange = server->waiting;
        server->waiting = exchange->next_waiting;
        MHD_resume_connection(exchange->connection);
    }
    pthread_mutex_unlock(&server->lock);
}

void http_close(struct http *server)
{
    if (!server)
        return;
    pthread_mutex_lock(&server->lock);
    server->closing = true;
    pthread_mutex_unlock(&server->lock);
    http_wake(server);
    MHD_stop_daemon(server->daemon);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
