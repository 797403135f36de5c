/*
 * An HTTP/1.1 server without a listener: it serves connections that others accepted (the unix
 * socket of the CLI; TLS connections behind the pump). One thread of its own serves all of them, so
 * a handler must not wait; what takes long, or never ends, is a stream. The only user of
 * libmicrohttpd's header is http.c.
 */
#ifndef SLUICE_WEB_HTTP_H
#define SLUICE_WEB_HTTP_H

#include <stddef.h>
#include <stdint.h>

#define HTTP_BODY_SIZE_MAX   (256 * 1024)
#define HTTP_CONNECTIONS_MAX 64
#define HTTP_STREAM_WAIT     0    /* nothing at present: called again after http_wake */
#define HTTP_STREAM_AGAIN    (-2) /* nothing yet, but do not wait */
#define HTTP_STREAM_END      (-1)

struct http;

struct http_request {
    const char *method; /* "GET" */
    const char *path;   /* decoded, without the query */
    const char *body;   /* size bytes, zero-terminated */
    size_t size;
    void *connection; /* for http_query */
};

/* The decoded value of a query key, "" where it has none, NULL where it is absent. Lives as long as
 * the request. */
const char *http_query(const struct http_request *request, const char *key);

/* The user whose program asks, of a unix socket; -1 where that is not known. */
int64_t http_peer_user(const struct http_request *request);

/* What a handler answers with. Either `body` (malloc'd, taken over) or `read`. */
struct http_reply {
    int status;       /* 200 */
    const char *type; /* content type; static text */
    char *body;
    size_t size;
    /* Fills at most `room` bytes and returns how many, or one of HTTP_STREAM_*. */
    int64_t (*read)(void *stream, char *out, size_t room);
    void (*close)(void *stream);
    void *stream;
};

typedef void http_handler_fn(void *context, const struct http_request *request,
                             struct http_reply *reply);

/* Starts the server's thread. ERR_NOMEM. `handler` is called on it. */
int http_open(struct http **server, http_handler_fn *handler, void *context);

/* Ends all connections, closes their streams, joins the thread. NULL is fine. */
void http_close(struct http *server);

/* Serves a connected socket, which it takes over (also when it fails). 0 or ERR_FULL. Any thread.
 */
int http_adopt(struct http *server, int fd);

/* Streams that wait are asked again. Any thread. */
void http_wake(struct http *server);

#endif
