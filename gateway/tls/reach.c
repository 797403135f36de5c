#include "tls/reach.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "tls/prepare.h"
#include "tls/proxy.h"
#include "tls/socket.h"

#define ADDRESS_NS_MIN (2 * NS_PER_S) /* the least that one of several addresses gets */

struct reach {
    struct reach_given given;
    struct reach_place to;
    reach_done_fn *done;
    void *context;
    struct loop_timer *timer;
    struct loop_watch *watch;       /* of fd; NULL: none */
    const struct addrinfo *address; /* the one that is tried */
    int last_error;                 /* errno of the address tried before */
    int fd;                         /* -1: none */
    struct proxy *proxy;            /* while it is asked */
};

static void try_address(struct reach *reach);

struct reach_place reach_place(const struct tunnel_options *options)
{
    if (options->proxy_host)
        return (struct reach_place){options->proxy_host, options->proxy_port, true};
    return (struct reach_place){options->host, options->port, false};
}

static void drop_watch(struct reach *reach)
{
    loop_unwatch(reach->given.loop, reach->watch);
    reach->watch = NULL;
}

void reach_stop(struct reach *reach)
{
    if (!reach)
        return;
    loop_timer_drop(reach->given.loop, reach->timer);
    drop_watch(reach);
    if (reach->fd >= 0)
        close(reach->fd);
    freeaddrinfo(reach->given.addresses);
    prepare_forget(reach->given.proxy_login);
    proxy_close(reach->proxy);
    free(reach);
}

static void end(struct reach *reach, int error, const char *sentence)
{
    reach_done_fn *done = reach->done;
    void *context = reach->context;
    int fd = error ? -1 : reach->fd;

    if (error == 0)
        reach->fd = -1;
    reach_stop(reach);
    done(context, error, fd, sentence);
}

static void arm(struct reach *reach, int64_t at_ns)
{
    int64_t deadline_ns = reach->given.deadline_ns;

    loop_timer_set(reach->given.loop, reach->timer, at_ns < deadline_ns ? at_ns : deadline_ns);
}

static void try_next(struct reach *reach, int error)
{
    reach->last_error = error;
    reach->address = reach->address->ai_next;
    try_address(reach);
}

static void timed_out(void *context)
{
    struct reach *reach = context;
    char sentence[TUNNEL_SENTENCE_SIZE];

    if (!reach->proxy && clock_mono(&clock_system) < reach->given.deadline_ns) {
        try_next(reach, ETIMEDOUT);
        return;
    }
    snprintf(sentence, sizeof(sentence),
             reach->proxy ? "the proxy %s port %u has not answered within %" PRId64
                            " s: check that it is an HTTP proxy, and its port"
                          : "no answer from %s port %u within %" PRId64
                            " s: check the address, the network and firewalls",
             reach->to.host, (unsigned)reach->to.port, reach->given.timeout_ns / NS_PER_S);
    end(reach, ERR_TIMEOUT, sentence);
}

static void ask_proxy(void *context, uint32_t events)
{
    struct reach *reach = context;
    char sentence[TUNNEL_SENTENCE_SIZE] = "";
    int rc = proxy_step(reach->proxy, reach->fd, sentence, sizeof(sentence));

    (void)events;
    if (rc == ERR_AGAIN) {
        rc = loop_watch_change(reach->given.loop, reach->watch, proxy_wants(reach->proxy));
        if (rc == 0)
            return;
        snprintf(sentence, sizeof(sentence), "%s", error_text(rc));
    }
    end(reach, rc, sentence);
}

static void begin_asking(struct reach *reach)
{
    const struct tunnel_options *options = reach->given.options;
    const struct proxy_way way = {options->host, options->port, options->proxy_host,
                                  options->proxy_port, reach->given.proxy_login};
    int rc = proxy_open(&reach->proxy, &way);

    drop_watch(reach);
    if (rc == 0) {
        reach->watch = loop_watch(reach->given.loop, reach->fd, EPOLLOUT, ask_proxy, reach);
        rc = reach->watch ? 0 : ERR_NOMEM;
    }
    if (rc != 0)
        end(reach, rc, error_text(rc));
}

static void connected(void *context, uint32_t events)
{
    struct reach *reach = context;
    socklen_t size = sizeof(int);
    int error = 0;

    (void)events;
    getsockopt(reach->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
        try_next(reach, error);
    } else if (reach->to.proxy) {
        arm(reach, reach->given.deadline_ns);
        begin_asking(reach);
    } else {
        end(reach, 0, "");
    }
}

static void no_address_left(struct reach *reach)
{
    const char *host = reach->to.host;
    unsigned port = reach->to.port;
    char sentence[TUNNEL_SENTENCE_SIZE];
    int error = error_from_errno(reach->last_error);

    if (reach->last_error == ECONNREFUSED) {
        error = ERR_UNREACHABLE;
        snprintf(sentence, sizeof(sentence),
                 reach->to.proxy ? "nothing listens at the proxy %s port %u: check that it runs, "
                                   "and \"proxy\""
                                 : "nothing listens at %s port %u: check that the broker runs, and "
                                   "the port",
                 host, port);
    } else if (reach->last_error == ETIMEDOUT) {
        error = ERR_TIMEOUT;
        snprintf(sentence, sizeof(sentence),
                 "no answer from %s port %u: check the address, the network and firewalls", host,
                 port);
    } else if (error == ERR_DESCRIPTORS) {
        snprintf(sentence, sizeof(sentence),
                 "the gateway has no file descriptors left for a connection to %s: raise its limit "
                 "(LimitNOFILE)",
                 host);
    } else {
        if (error != ERR_NOMEM && error != ERR_DENIED)
            error = ERR_UNREACHABLE;
        snprintf(sentence, sizeof(sentence),
                 "%s port %u cannot be reached (%s): check the gateway's network", host, port,
                 strerror(reach->last_error));
    }
    end(reach, error, sentence);
}

/* A socket on its way to reach->address; 0, or -1 with errno. */
static int begin_connecting(struct reach *reach)
{
    const struct addrinfo *address = reach->address;

    drop_watch(reach);
    if (reach->fd >= 0)
        close(reach->fd);
    reach->fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (reach->fd < 0)
        return -1;
    socket_tune(reach->fd, reach->given.options->half_open_ns);
    return connect(reach->fd, address->ai_addr, address->ai_addrlen) == 0 || errno == EINPROGRESS
               ? 0
               : -1;
}

/* Each address gets its share of the time that is left. */
static int64_t share_ns(const struct reach *reach, int64_t now_ns)
{
    int64_t share;
    int left = 0;

    for (const struct addrinfo *each = reach->address; each; each = each->ai_next)
        left++;
    share = (reach->given.deadline_ns - now_ns) / left;
    return share > ADDRESS_NS_MIN ? share : ADDRESS_NS_MIN;
}

/* Tries reach->address and those behind it; the last error is told when none is left. */
static void try_address(struct reach *reach)
{
    int64_t now_ns = clock_mono(&clock_system);

    while (reach->address && begin_connecting(reach) != 0) {
        reach->last_error = errno;
        reach->address = reach->address->ai_next;
    }
    if (!reach->address) {
        no_address_left(reach);
        return;
    }
    arm(reach, now_ns + share_ns(reach, now_ns));
    reach->watch = loop_watch(reach->given.loop, reach->fd, EPOLLOUT, connected, reach);
    if (!reach->watch)
        end(reach, ERR_NOMEM, error_text(ERR_NOMEM));
}

int reach_start(struct reach **out, const struct reach_given *given, reach_done_fn *done,
                void *context)
{
    struct reach *reach = calloc(1, sizeof(*reach));
    struct loop_timer *timer = loop_timer(given->loop, timed_out, reach);

    if (!reach || !timer) {
        loop_timer_drop(given->loop, timer);
        free(reach);
        freeaddrinfo(given->addresses);
        prepare_forget(given->proxy_login);
        return ERR_NOMEM;
    }
    *reach = (struct reach){.given = *given,
                            .to = reach_place(given->options),
                            .done = done,
                            .context = context,
                            .timer = timer,
                            .address = given->addresses,
                            .fd = -1};
    *out = reach;
    try_address(reach);
    return 0;
}
