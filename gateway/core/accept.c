#include "core/accept.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"

#define ACCEPTS_AT_A_TIME 16
#define PAUSE_NS          NS_PER_S /* without even a spare descriptor */
#define WARN_EVERY_NS     (60 * NS_PER_S)

struct accepter {
    struct loop *loop;
    struct loop_watch *watch;
    struct loop_timer *timer;
    int listener, spare;
    int64_t warned_ns; /* monotonic; 0: never */
    accept_fn *accepted;
    void *context;
    bool accepting; /* in a call of `accepted`, which may close it */
    bool closed;    /* in that call: whoever accepts frees it */
    char name[128];
};

static int open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void warn(struct accepter *accepter)
{
    int64_t now_ns = clock_mono(&clock_system);

    if (accepter->warned_ns != 0 && now_ns - accepter->warned_ns < WARN_EVERY_NS)
        return;
    accepter->warned_ns = now_ns;
    log_warn("loop",
             "a connection to %s was turned away: the gateway has no file descriptors left; raise "
             "its limit (LimitNOFILE)",
             accepter->name);
}

/* Another thread may be quicker to take the spare's place: then the listener rests. */
static bool turn_away(struct accepter *accepter)
{
    int fd;

    warn(accepter);
    if (accepter->spare >= 0)
        close(accepter->spare);
    fd = accept4(accepter->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    accepter->spare = open_spare();
    if (accepter->spare >= 0)
        return true;
    loop_watch_change(accepter->loop, accepter->watch, 0);
    loop_timer_set(accepter->loop, accepter->timer, clock_mono(&clock_system) + PAUSE_NS);
    return false;
}

static void rested(void *context)
{
    struct accepter *accepter = context;

    if (accepter->spare < 0)
        accepter->spare = open_spare();
    loop_watch_change(accepter->loop, accepter->watch, EPOLLIN);
}

static void on_connections(void *context, uint32_t events)
{
    struct accepter *accepter = context;

    (void)events;
    accepter->accepting = true;
    for (int i = 0; i < ACCEPTS_AT_A_TIME && !accepter->closed; i++) {
        int fd = accept4(accepter->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0)
            accepter->accepted(accepter->context, fd);
        else if ((errno != EMFILE && errno != ENFILE) || !turn_away(accepter))
            break;
    }
    accepter->accepting = false;
    if (accepter->closed)
        free(accepter);
}

int accept_open(struct accepter **out, struct loop *loop, int listener, const char *name,
                accept_fn *accepted, void *context)
{
    struct accepter *accepter = calloc(1, sizeof(*accepter));

    if (!accepter)
        return ERR_NOMEM;
    accepter->loop = loop;
    accepter->listener = listener;
    accepter->accepted = accepted;
    accepter->context = context;
    snprintf(accepter->name, sizeof(accepter->name), "%s", name);
    accepter->spare = open_spare();
    accepter->timer = loop_timer(loop, rested, accepter);
    accepter->watch = loop_watch(loop, listener, EPOLLIN, on_connections, accepter);
    if (!accepter->timer || !accepter->watch) {
        int error = accepter->timer ? error_from_errno(errno) : ERR_NOMEM;

        accept_close(accepter);
        return error;
    }
    *out = accepter;
    return 0;
}

void accept_close(struct accepter *accepter)
{
    if (!accepter)
        return;
    loop_unwatch(accepter->loop, accepter->watch);
    loop_timer_drop(accepter->loop, accepter->timer);
    if (accepter->spare >= 0)
        close(accepter->spare);
    accepter->closed = true;
    if (!accepter->accepting)
        free(accepter);
}
