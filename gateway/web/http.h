/*
 * An HTTP/1.1 server without a listener: it serves connections that others accepted (the unix
 * socket of the CLI; TLS connections behind the door). One thread of its own serves all of them, so
 * a handler must not wait. What never ends is a stream; what takes a while (a password's hash, a
 * disk) is work, which a few threads do one after the other, and what may take long has threads of
 * its own. The only users of libmicrohttpd's header are http.c and http_request.c.
 */
#ifndef SLUICE_WEB_HTTP_H
#define SLUICE_WEB_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define HTTP_BODY_SIZE_MAX (256 * 1024) /* of a route that says nothing else */
#define HTTP_HEADERS_MAX   8            /* that a reply adds */
#define HTTP_ADDRESS_SIZE  64
#define HTTP_REFUSED       SIZE_MAX
#define HTTP_STREAM_WAIT   0    /* nothing at present: called again after http_wake */
#define HTTP_STREAM_AGAIN  (-2) /* nothing yet, but do not wait */
#define HTTP_STREAM_END    (-1)

struct http;

struct http_request {
    const char *method; /* "GET" */
    const char *path;   /* decoded, without the query */
    const char *body;   /* size bytes, zero-terminated */
    size_t size;
    void *connection; /* for http_query */
    bool streaming;   /* its answer is under way, and it is asked whether that may go on */
};

/* The decoded value of a query key, "" where it has none, NULL where it is absent. Lives as long as
 * the request. */
const char *http_query(const struct http_request *request, const char *key);

/* The value of a header, or NULL. Names in any case. Lives as long as the request. */
const char *http_header(const struct http_request *request, const char *name);

/* The value of a cookie, or NULL. Lives as long as the request. */
const char *http_cookie(const struct http_request *request, const char *name);

/* Whether the request came over a unix socket, and not over the network. */
bool http_is_local(const struct http_request *request);

/* The user whose program asks, of a unix socket; -1 where that is not known. */
int64_t http_peer_user(const struct http_request *request);

/* The address that asks, without the port: "192.168.7.20", "fe80::1"; "" for a unix socket. */
void http_peer_address(const struct http_request *request, char address[HTTP_ADDRESS_SIZE]);

/* The same with its port, as http_adopt was given it; NULL for a unix socket. Lives as long as the
 * request. */
const struct sockaddr *http_peer(const struct http_request *request, socklen_t *size);

/* Marks the connection of the request: true for the first time. On the server's thread. */
bool http_mark(const struct http_request *request);

/* What a handler answers with. Either `body` (malloc'd, taken over), `read`, `work` or `later`;
 * with none of them an empty body. What it finds set was set when the request was admitted. */
struct http_reply {
    int status;       /* 200 */
    const char *type; /* content type; static text */
    char *body;
    size_t size;
    /* Fills at most `room` bytes and returns how many, or one of HTTP_STREAM_*. */
    int64_t (*read)(void *stream, char *out, size_t room);
    void (*close)(void *stream);
    void *stream;
    /* Fills in the reply later, on another thread, where it may wait for some seconds; the request
     * lives as long. It may not set `work` again, but `later`. */
    void (*work)(void *context, const struct http_request *request, struct http_reply *reply);
    void *work_context;
    bool urgent; /* the work goes before what others wait for: logging in, an owner's changes */
    bool slow;   /* it waits for another program or for root: on threads for such alone */
    /*
     * For an answer that comes with an event: asked at once and at each http_wake, on the server's
     * thread, until it returns true with the reply filled in (with a body, or with `read`).
     * `stream` and `close` are its context and its end.
     */
    bool (*later)(void *stream, const struct http_request *request, struct http_reply *reply);
    /*
     * Set by http_admit_fn: takes the body as it comes, where it is too large for memory; `stream`
     * and `close` are its context and its end. 0; ERR_AGAIN (none of it is taken: asked again after
     * http_wake); any other error when no more of it is wanted: the rest is passed over, and the
     * handler says why. The handler is called once the body is whole.
     */
    int (*take)(void *stream, const char *data, size_t size);
    void *owned; /* malloc'd: freed when the request is over, however it ends */
    const void
        *asset; /* size bytes that outlive the server, sent without a copy, in place of body */
    struct {
        const char *name; /* static text */
        char *value;      /* malloc'd */
    } headers[HTTP_HEADERS_MAX];
};

/* Adds a header to the reply, or replaces the one of that name unless it is Set-Cookie. `value` is
 * copied; it may hold no line ends. Cache-Control is "no-store" unless it is said otherwise. False
 * when there is no room or memory. */
bool http_reply_header(struct http_reply *reply, const char *name, const char *value);

/*
 * Asked when a request's headers have come and before its body is read: how large that may be, or
 * HTTP_REFUSED, with `reply` filled in (not with work or a stream). Asked again every few seconds
 * while a stream answers somebody over the network, who may have lost the right to it: then the
 * stream ends on HTTP_REFUSED. On the server's thread.
 */
typedef size_t http_admit_fn(void *context, const struct http_request *request,
                             struct http_reply *reply);

typedef void http_handler_fn(void *context, const struct http_request *request,
                             struct http_reply *reply);

/* Starts the server's threads, for at most so many connections at a time. ERR_NOMEM. `admit` and
 * `handler` are called on its first one. */
int http_open(struct http **server, unsigned connections_max, http_admit_fn *admit,
              http_handler_fn *handler, void *context);

/* Ends all connections, closes their streams, joins the thread. NULL is fine. */
void http_close(struct http *server);

/* Serves a connected socket, which it takes over (also when it fails). `peer` is the address at its
 * other end, where a proxy of ours stands between; NULL for a unix socket. 0 or ERR_FULL. Any
 * thread. */
int http_adopt(struct http *server, int fd, const struct sockaddr *peer, socklen_t size);

/* Streams that wait are asked again. Any thread. */
void http_wake(struct http *server);

#endif
