#include "web/redirect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/loop.h"
#include "web/hosts.h"

#define VISITORS_MAX 16
#define PATIENCE_NS  (5 * NS_PER_S)

struct visitor {
    struct redirect *redirect;
    int fd; /* -1: the place is free */
    struct loop_watch *watch;
    struct loop_timer *timer;
    int64_t came_ns;
    size_t size; /* of the request so far */
    char request[REDIRECT_REQUEST_SIZE];
};

struct redirect {
    struct loop *loop;
    const struct redirect_target *target;
    struct visitor visitors[VISITORS_MAX];
};

static size_t refuse(const char *sentence, char answer[REDIRECT_ANSWER_SIZE])
{
    return (size_t)snprintf(answer, REDIRECT_ANSWER_SIZE,
                            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n"
                            "Content-Length: %zu\r\nConnection: close\r\n\r\n%s\n",
                            strlen(sentence) + 1, sentence);
}

/* The value of the one Host header; false when there is none or more than one. */
static bool find_host(const char *headers, char host[HOSTS_NAME_SIZE])
{
    bool found = false;

    for (const char *line = headers; line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, "Host:", 5) != 0)
            continue;
        const char *value = line + 5 + strspn(line + 5, " \t");
        size_t size = strcspn(value, " \t\r\n");

        if (found || size >= HOSTS_NAME_SIZE)
            return false;
        memcpy(host, value, size);
        host[size] = '\0';
        found = true;
    }
    return found;
}

size_t redirect_answer(const char *request, size_t size, const struct redirect_target *target,
                       char answer[REDIRECT_ANSWER_SIZE])
{
    char header[HOSTS_NAME_SIZE], host[HOSTS_NAME_SIZE], port[8] = "";
    const char *end = strstr(request, "\r\n\r\n");

    if (!end)
        return size < REDIRECT_REQUEST_SIZE - 1 && strlen(request) == size
                   ? 0
                   : refuse("this is no request, or one with too many headers", answer);
    const char *path = strchr(request, ' ');
    size_t path_size = path ? strcspn(path + 1, " \r\n") : 0;

    /* What is printable only: a path goes into the answer's headers as it came. */
    for (size_t i = 0; i < path_size; i++) {
        if (path[1 + i] <= ' ' || path[1 + i] > '~')
            path_size = 0;
    }
    if (path_size == 0 || path[1] != '/' || strncmp(path + 1 + path_size, " HTTP/1.", 8) != 0)
        return refuse("this is no request of HTTP/1.1", answer);
    if (!find_host(strstr(request, "\r\n"), header) ||
        !hosts_is_ours(header, target->names, target->name_count) || !hosts_parse(header, host))
        return refuse("this gateway is not called so: ask for its address, or name it in web.names",
                      answer);
    if (target->port != 443)
        snprintf(port, sizeof port, ":%u", target->port);
    const char *left = strchr(host, ':') ? "[" : "", *right = *left ? "]" : "";
    return (size_t)snprintf(answer, REDIRECT_ANSWER_SIZE,
                            "HTTP/1.1 308 Permanent Redirect\r\nLocation: https://%s%s%s%s%.*s\r\n"
                            "Cache-Control: no-store\r\nContent-Length: 0\r\n"
                            "Connection: close\r\n\r\n",
                            left, host, right, port, (int)path_size, path + 1);
}

static void leave(struct visitor *visitor)
{
    struct loop *loop = visitor->redirect->loop;

    loop_unwatch(loop, visitor->watch);
    visitor->watch = NULL;
    loop_timer_clear(loop, visitor->timer);
    if (visitor->fd >= 0)
        close(visitor->fd);
    visitor->fd = -1;
}

static void out_of_patience(void *context)
{
    leave(context);
}

static void on_bytes(void *context, uint32_t events)
{
    struct visitor *visitor = context;
    char answer[REDIRECT_ANSWER_SIZE];
    ssize_t got = recv(visitor->fd, visitor->request + visitor->size,
                       sizeof visitor->request - 1 - visitor->size, 0);

    (void)events;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got > 0) {
        visitor->size += (size_t)got;
        visitor->request[visitor->size] = '\0';
        size_t size =
            redirect_answer(visitor->request, visitor->size, visitor->redirect->target, answer);
        if (size == 0)
            return;
        /* It fits into what the system buffers for a connection that has sent nothing yet. */
        send(visitor->fd, answer, size, MSG_NOSIGNAL);
        shutdown(visitor->fd, SHUT_WR);
    }
    leave(visitor);
}

int redirect_open(struct redirect **out, struct loop *loop, const struct redirect_target *target)
{
    struct redirect *redirect = calloc(1, sizeof *redirect);

    if (!redirect)
        return ERR_NOMEM;
    redirect->loop = loop;
    redirect->target = target;
    for (size_t i = 0; i < VISITORS_MAX; i++) {
        struct visitor *visitor = &redirect->visitors[i];

        visitor->redirect = redirect;
        visitor->fd = -1;
        visitor->timer = loop_timer(loop, out_of_patience, visitor);
        if (!visitor->timer) {
            redirect_close(redirect);
            return ERR_NOMEM;
        }
    }
    *out = redirect;
    return 0;
}

void redirect_close(struct redirect *redirect)
{
    if (!redirect)
        return;
    for (size_t i = 0; i < VISITORS_MAX && redirect->visitors[i].redirect; i++) {
        leave(&redirect->visitors[i]);
        loop_timer_drop(redirect->loop, redirect->visitors[i].timer);
    }
    free(redirect);
}

void redirect_take(struct redirect *redirect, int fd)
{
    struct visitor *place = &redirect->visitors[0];

    for (size_t i = 0; i < VISITORS_MAX && place->fd >= 0; i++) {
        struct visitor *visitor = &redirect->visitors[i];

        if (visitor->fd < 0 || visitor->came_ns < place->came_ns)
            place = visitor;
    }
    leave(place);
    place->fd = fd;
    place->size = 0;
    place->came_ns = clock_mono(&clock_system);
    place->watch = loop_watch(redirect->loop, fd, EPOLLIN, on_bytes, place);
    loop_timer_set(redirect->loop, place->timer, place->came_ns + PATIENCE_NS);
    if (!place->watch)
        leave(place);
}
