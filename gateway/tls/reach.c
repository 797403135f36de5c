#include "tls/reach.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/knock.h"
#include "tls/prepare.h"
#include "tls/proxy.h"
#include "tls/socket.h"

#define ADDRESS_NS_MIN (2 * NS_PER_S) /* the least that one of several addresses gets */

struct reach {
    struct reach_given given;
    struct reach_place to;
    reach_done_fn *done;
    void *context;
    struct knock *knock; /* while it connects... */
    struct proxy *proxy; /* ...then, where there is one, while it is asked */
    struct loop_timer *timer;
    struct loop_watch *watch; /* of fd; NULL: none */
    int fd;                   /* -1: none */
};

struct reach_place reach_place(const struct tunnel_options *options)
{
    if (options->proxy_host)
        return (struct reach_place){options->proxy_host, options->proxy_port, true};
    return (struct reach_place){options->host, options->port, false};
}

void reach_stop(struct reach *reach)
{
    if (!reach)
        return;
    knock_stop(reach->knock);
    loop_timer_drop(reach->given.loop, reach->timer);
    loop_unwatch(reach->given.loop, reach->watch);
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

static void proxy_timed_out(void *context)
{
    struct reach *reach = context;
    char sentence[TUNNEL_SENTENCE_SIZE];

    snprintf(sentence, sizeof(sentence),
             "the proxy %s port %u has not answered within %" PRId64
             " s: check that it is an HTTP proxy, and its port",
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

    if (rc == 0) {
        loop_timer_set(reach->given.loop, reach->timer, reach->given.deadline_ns);
        reach->watch = loop_watch(reach->given.loop, reach->fd, EPOLLOUT, ask_proxy, reach);
        rc = reach->watch ? 0 : ERR_NOMEM;
    }
    if (rc != 0)
        end(reach, rc, error_text(rc));
}

static void tell_timeout(const struct reach *reach, char *sentence, size_t size)
{
    const char *host = reach->to.host;
    unsigned port = reach->to.port;

    if (clock_mono(&clock_system) >= reach->given.deadline_ns)
        snprintf(sentence, size,
                 "no answer from %s port %u within %" PRId64
                 " s: check the address, the network and firewalls",
                 host, port, reach->given.timeout_ns / NS_PER_S);
    else
        snprintf(sentence, size,
                 "no answer from %s port %u: check the address, the network and firewalls", host,
                 port);
}

static void no_address_left(struct reach *reach, int failure)
{
    const char *host = reach->to.host;
    unsigned port = reach->to.port;
    char sentence[TUNNEL_SENTENCE_SIZE];
    int error = error_from_errno(failure);

    if (error == ERR_REFUSED) {
        error = ERR_UNREACHABLE;
        snprintf(sentence, sizeof(sentence),
                 reach->to.proxy ? "nothing listens at the proxy %s port %u: check that it runs, "
                                   "and \"proxy\""
                                 : "nothing listens at %s port %u: check that the broker runs, and "
                                   "the port",
                 host, port);
    } else if (error == ERR_TIMEOUT) {
        tell_timeout(reach, sentence, sizeof(sentence));
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
                 strerror(failure));
    }
    end(reach, error, sentence);
}

static int tune(void *context, int fd)
{
    const struct reach *reach = context;

    socket_tune(fd, reach->given.options->half_open_ns);
    return 0;
}

static void knocked(void *context, int failure, int fd)
{
    struct reach *reach = context;

    reach->knock = NULL;
    reach->fd = fd;
    if (failure)
        no_address_left(reach, failure);
    else if (reach->to.proxy)
        begin_asking(reach);
    else
        end(reach, 0, "");
}

int reach_start(struct reach **out, const struct reach_given *given, reach_done_fn *done,
                void *context)
{
    struct reach *reach = calloc(1, sizeof(*reach));
    struct loop_timer *timer = loop_timer(given->loop, proxy_timed_out, reach);
    const struct knock_given knock = {
        given->loop,    &clock_system, given->addresses, given->deadline_ns,
        ADDRESS_NS_MIN, tune,          knocked,          reach};

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
                            .fd = -1};
    *out = reach;
    if (knock_start(&reach->knock, &knock) == 0)
        return 0;
    *out = NULL;
    reach_stop(reach);
    return ERR_NOMEM;
}
