#include "web/http.h"

#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "web/header_check.h"
#include "web/reply.h"
#include "web/workers.h"

#define CONNECTION_TIMEOUT_S 30
#define STREAM_BLOCK         (32 * 1024)
#define ADMITTED_NS          (2 * NS_PER_S) /* how long a stream goes on unasked */
#define QUERY_KEYS_MAX       200

static const char stopping[] = "the gateway is stopping";

struct http {
    struct MHD_Daemon *daemon;
    http_admit_fn *admit;
    http_handler_fn *handler;
    void *context;
    unsigned connections_max;
    pthread_mutex_t lock;
    struct http_exchange *waiting; /* suspended streams, under the lock */
    uint64_t wakes;                /* how often http_wake was called, under the lock */
    bool closing;
    atomic_uint open;             /* connections */
    struct workers *quick, *slow; /* so that what is slow keeps nobody waiting but its like */
};

/* One request and its reply, from the first header to the last byte sent. The library may give up
 * the connection before the response that streams from it, or after: whoever is last frees it. */
struct http_exchange {
    unsigned holders;
    struct http *server;
    struct MHD_Connection *connection;
    struct http_request request;
    char *body;
    size_t size, size_max;
    bool too_large, unwanted, worked;
    int64_t admitted_ns; /* when it was last asked whether it may be served */
    struct http_reply reply;
    struct worker_item item;
    struct http_exchange *next_waiting;
};

static void log_library(void *context, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* The library complains that TCP options do not work on unix sockets; that is no news to anyone. */
static void log_library(void *context, const char *format, va_list arguments)
{
    char line[256];

    (void)context;
    vsnprintf(line, sizeof line, format, arguments);
    line[strcspn(line, "\n")] = '\0';
    if (!strstr(line, "TCP_NODELAY") && !strstr(line, "TCP_CORK") && !strstr(line, "push the data"))
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

/* A wake since `wakes` was read must not be slept through: false, without sleeping. */
static bool sleep_until_wake(struct http_exchange *exchange, uint64_t wakes)
{
    struct http *server = exchange->server;

    pthread_mutex_lock(&server->lock);
    bool sleeps = wakes == server->wakes && !server->closing;
    if (sleeps) {
        exchange->next_waiting = server->waiting;
        server->waiting = exchange;
        MHD_suspend_connection(exchange->connection);
    }
    pthread_mutex_unlock(&server->lock);
    return sleeps;
}

/* Whoever reads a stream may have logged out, or been shut out, since it began, or while it waited
 * for something to begin with. */
static bool may_go_on(struct http_exchange *exchange)
{
    struct http *server = exchange->server;
    int64_t now_ns = clock_mono(&clock_system);

    if (!server->admit || now_ns - exchange->admitted_ns < ADMITTED_NS ||
        http_is_local(&exchange->request))
        return true;
    struct http_request request = exchange->request;
    struct http_reply refusal = {0};
    exchange->admitted_ns = now_ns;
    request.streaming = true;
    bool admitted = server->admit(server->context, &request, &refusal) != HTTP_REFUSED;
    reply_free_headers(&refusal);
    free(refusal.body);
    return admitted;
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
    if (closing || !may_go_on(exchange))
        return MHD_CONTENT_READER_END_OF_STREAM;

    int64_t got = exchange->reply.read(exchange->reply.stream, out, room);
    if (got > 0)
        return (ssize_t)got;
    if (got == HTTP_STREAM_AGAIN)
        return 0;
    if (got != HTTP_STREAM_WAIT)
        return MHD_CONTENT_READER_END_OF_STREAM;

    sleep_until_wake(exchange, wakes);
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
    reply_free_headers(&exchange->reply);
    free(exchange->reply.owned);
    free(exchange->reply.body); /* of a visitor who left before it was sent */
    free(exchange->body);
    free(exchange);
}

static void add_headers(struct MHD_Response *response, const struct http_reply *reply)
{
    bool cached = false;

    if (reply->type)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
    for (size_t i = 0; i < HTTP_HEADERS_MAX && reply->headers[i].name; i++) {
        MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
        cached |= strcasecmp(reply->headers[i].name, MHD_HTTP_HEADER_CACHE_CONTROL) == 0;
    }
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    if (!cached)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct http_exchange *exchange)
{
    struct http_reply *reply = &exchange->reply;
    struct MHD_Response *response;

    if (reply->read)
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, stream_read,
                                                     exchange, exchange_release);
    else if (reply->asset)
        response = MHD_create_response_from_buffer(reply->size, (void *)(uintptr_t)reply->asset,
                                                   MHD_RESPMEM_PERSISTENT);
    else
        response = MHD_create_response_from_buffer(reply->body ? reply->size : 0, reply->body,
                                                   MHD_RESPMEM_MUST_FREE);
    if (!response) {
        stream_close(exchange);
        return MHD_NO;
    }
    if (!reply->read && !reply->asset)
        reply->body = NULL; /* it is the response's */
    if (reply->read)
        exchange->holders++;
    add_headers(response, reply);
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result;
}

static void take_body(struct http_exchange *exchange, const char *data, size_t size)
{
    if (exchange->too_large || size > exchange->size_max - exchange->size) {
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

/* Hands a part of the body to whoever takes it as it comes; *size is what is left of it. */
static enum MHD_Result pass_on(struct http_exchange *exchange, const char *data, size_t *size)
{
    struct http *server = exchange->server;
    uint64_t wakes;
    int error;

    if (*size > exchange->size_max - exchange->size)
        return MHD_NO; /* one that never ends would otherwise be read for ever */
    do {
        if (peer_is_gone(exchange))
            return MHD_NO;
        pthread_mutex_lock(&server->lock);
        wakes = server->wakes;
        bool closing = server->closing;
        pthread_mutex_unlock(&server->lock);
        if (closing)
            return MHD_NO;
        error = exchange->unwanted ? 0 : exchange->reply.take(exchange->reply.stream, data, *size);
        if (error != ERR_AGAIN) {
            exchange->unwanted |= error != 0;
            exchange->size += *size;
            *size = 0;
            return MHD_YES;
        }
    } while (!sleep_until_wake(exchange, wakes));
    return MHD_YES;
}

static void reply_too_large(struct http_exchange *exchange)
{
    char sentence[96];

    snprintf(sentence, sizeof sentence,
             "the request is larger than the %zu KiB that are taken here",
             exchange->size_max / 1024);
    reply_error(&exchange->reply, 413, sentence);
}

static void do_work(struct worker_item *item, bool closing)
{
    struct http_exchange *exchange =
        (struct http_exchange *)(void *)((char *)item - offsetof(struct http_exchange, item));

    if (closing)
        reply_error(&exchange->reply, 503, stopping);
    else
        exchange->reply.work(exchange->reply.work_context, &exchange->request, &exchange->reply);
    MHD_resume_connection(exchange->connection);
}

/* Hands the exchange to the workers; the library asks for it again once it is resumed. */
static bool queue_work(struct http_exchange *exchange)
{
    struct http *server = exchange->server;
    struct workers *workers = exchange->reply.slow ? server->slow : server->quick;
    bool urgent = exchange->reply.urgent;

    if (!workers_reserve(workers, urgent))
        return false;
    exchange->worked = true;
    exchange->item.run = do_work;
    /* Before a worker can resume it. */
    MHD_suspend_connection(exchange->connection);
    workers_post(workers, &exchange->item, urgent);
    return true;
}

/* Asks for the reply that comes later; between two askings the connection sleeps. */
static enum MHD_Result ask_later(struct http_exchange *exchange)
{
    struct http *server = exchange->server;
    uint64_t wakes;

    do {
        if (peer_is_gone(exchange))
            return MHD_NO;
        pthread_mutex_lock(&server->lock);
        wakes = server->wakes;
        bool closing = server->closing;
        pthread_mutex_unlock(&server->lock);
        if (closing)
            reply_error(&exchange->reply, 503, stopping);
        if (closing ||
            exchange->reply.later(exchange->reply.stream, &exchange->request, &exchange->reply)) {
            exchange->reply.later = NULL;
            return send_reply(exchange->connection, exchange);
        }
    } while (!sleep_until_wake(exchange, wakes));
    return MHD_YES;
}

static enum MHD_Result see_header(void *context, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    (void)kind;
    header_check_see(context, name, value);
    return MHD_YES;
}

static enum MHD_Result on_headers(struct http *server, struct http_exchange *exchange)
{
    struct header_check check = {0};

    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, see_header, &check);
    if (header_check_is_ambiguous(&check)) {
        reply_error(&exchange->reply, 400, "the request's length or host can be read in two ways");
        http_reply_header(&exchange->reply, MHD_HTTP_HEADER_CONNECTION, "close");
        return send_reply(exchange->connection, exchange);
    }
    exchange->admitted_ns = clock_mono(&clock_system);
    exchange->size_max = server->admit
                             ? server->admit(server->context, &exchange->request, &exchange->reply)
                             : HTTP_BODY_SIZE_MAX;
    if (exchange->size_max != HTTP_REFUSED)
        return MHD_YES;
    return send_reply(exchange->connection, exchange);
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
        exchange->request = (struct http_request){
            .method = method, .path = path, .body = "", .connection = connection};
        *slot = exchange;
        return on_headers(server, exchange);
    }
    if (*size && exchange->reply.take)
        return pass_on(exchange, data, size);
    if (*size) {
        take_body(exchange, data, *size);
        *size = 0;
        return MHD_YES;
    }
    if (exchange->reply.later)
        return ask_later(exchange);
    if (exchange->worked)
        return send_reply(connection, exchange);
    if (exchange->too_large) {
        reply_too_large(exchange);
        return send_reply(connection, exchange);
    }
    if (exchange->body) {
        exchange->request.body = exchange->body;
        exchange->request.size = exchange->size;
    }
    server->handler(server->context, &exchange->request, &exchange->reply);
    if (exchange->reply.later)
        return ask_later(exchange);
    if (!exchange->reply.work)
        return send_reply(connection, exchange);
    if (queue_work(exchange))
        return MHD_YES;
    reply_error(&exchange->reply, 503, "the gateway is busy; try again in a moment");
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
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *slot = calloc(1, sizeof(bool)); /* http_mark; without memory it stays unmarked */
        return;
    }
    free(*slot);
    *slot = NULL;
    atomic_fetch_sub(&server->open, 1);
}

/*
 * The library has no answer to a query with more keys than its memory for a connection holds: it
 * would leave the connection as it is until its time is over. So such a request is answered here,
 * before it is taken apart.
 */
static void *on_line(void *context, const char *uri, struct MHD_Connection *connection)
{
    static const char refusal[] = "HTTP/1.1 414 URI Too Long\r\nContent-Length: 0\r\n"
                                  "Connection: close\r\n\r\n";
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    unsigned keys = 0;

    (void)context;
    for (const char *at = strchr(uri, '&'); at; at = strchr(at + 1, '&'))
        keys++;
    if (keys >= QUERY_KEYS_MAX && info) {
        send(info->connect_fd, refusal, sizeof refusal - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        shutdown(info->connect_fd, SHUT_RDWR);
    }
    return NULL;
}

static struct MHD_Daemon *start_library(struct http *server)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC |
            MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
        0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, on_line, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_CONNECTION_LIMIT,
        server->connections_max + 1, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_TIMEOUT_S,
        MHD_OPTION_END);
}

int http_open(struct http **out, unsigned connections_max, http_admit_fn *admit,
              http_handler_fn *handler, void *context)
{
    struct http *server = calloc(1, sizeof *server);

    if (!server)
        return ERR_NOMEM;
    server->admit = admit;
    server->handler = handler;
    server->context = context;
    server->connections_max = connections_max;
    pthread_mutex_init(&server->lock, NULL);
    if (workers_open(&server->quick, WORKERS_QUICK) == 0 &&
        workers_open(&server->slow, WORKERS_SLOW) == 0)
        server->daemon = start_library(server);
    if (!server->daemon) {
        http_close(server);
        return ERR_NOMEM;
    }
    *out = server;
    return 0;
}

int http_adopt(struct http *server, int fd, const struct sockaddr *peer, socklen_t size)
{
    static const struct sockaddr local = {.sa_family = AF_UNIX};

    if (!peer) {
        peer = &local;
        size = sizeof local;
    }
    /* Streams that wait for events look whether anybody still reads them, or those that were left
     * would keep newcomers out for as long as no event comes. */
    http_wake(server);
    /* The limit is kept here: the library never serves anyone again once it has met its own. */
    if (atomic_fetch_add(&server->open, 1) >= server->connections_max) {
        atomic_fetch_sub(&server->open, 1);
        close(fd);
        return ERR_FULL;
    }
    /* On refusal the library closes the socket itself. */
    if (MHD_add_connection(server->daemon, fd, peer, size) != MHD_YES) {
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
    if (server->quick)
        workers_stop(server->quick);
    if (server->slow)
        workers_stop(server->slow);
    http_wake(server);
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    workers_close(server->slow);
    workers_close(server->quick);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
