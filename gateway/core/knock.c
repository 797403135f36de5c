#include "core/knock.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/error.h"

struct knock {
    struct knock_given given;
    const struct addrinfo *next; /* address to be tried */
    struct loop_timer *timer;
    struct loop_watch *watch; /* of fd; NULL: none */
    int fd;                   /* -1: none */
    int failure;              /* of the address tried last */
};

int64_t knock_share_ns(const struct addrinfo *addresses, int64_t now_ns, int64_t until_ns)
{
    int count = 0;

    for (; addresses; addresses = addresses->ai_next)
        count++;
    return (until_ns - now_ns) / count;
}

static void drop_socket(struct knock *knock)
{
    loop_unwatch(knock->given.loop, knock->watch); /* before its descriptor goes */
    knock->watch = NULL;
    if (knock->fd >= 0)
        close(knock->fd);
    knock->fd = -1;
}

void knock_stop(struct knock *knock)
{
    if (!knock)
        return;
    drop_socket(knock);
    loop_timer_drop(knock->given.loop, knock->timer);
    free(knock);
}

static void end(struct knock *knock, int failure)
{
    struct knock_given given = knock->given;
    int fd = failure ? -1 : knock->fd;

    if (failure == 0) {
        loop_unwatch(given.loop, knock->watch);
        knock->watch = NULL;
        knock->fd = -1;
    }
    knock_stop(knock);
    given.done(given.context, failure, fd);
}

static void try_next(struct knock *knock);

static void became_writable(void *context, uint32_t events)
{
    struct knock *knock = context;
    socklen_t size = sizeof knock->failure;

    (void)events;
    if (getsockopt(knock->fd, SOL_SOCKET, SO_ERROR, &knock->failure, &size) < 0)
        knock->failure = errno;
    if (knock->failure == 0)
        end(knock, 0);
    else
        try_next(knock);
}

/* Begins with one address: 0 where it is under way or done already, or an errno. */
static int begin(struct knock *knock, const struct addrinfo *info)
{
    int failure;

    knock->fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (knock->fd < 0)
        return errno;
    failure = knock->given.tune(knock->given.context, knock->fd);
    if (failure)
        return failure;
    if (connect(knock->fd, info->ai_addr, info->ai_addrlen) < 0 && errno != EINPROGRESS)
        return errno;
    knock->watch = loop_watch(knock->given.loop, knock->fd, EPOLLOUT, became_writable, knock);
    return knock->watch ? 0 : errno;
}

/* The time that is left is shared among the addresses that are. */
static int64_t give_up_ns(const struct knock *knock, const struct addrinfo *info)
{
    int64_t now_ns = clock_mono(knock->given.clock), until_ns = knock->given.deadline_ns;
    int64_t share_ns = knock_share_ns(info, now_ns, until_ns);

    if (share_ns < knock->given.least_ns)
        share_ns = knock->given.least_ns;
    return now_ns + share_ns < until_ns ? now_ns + share_ns : until_ns;
}

static void try_next(struct knock *knock)
{
    drop_socket(knock);
    while (knock->next) {
        const struct addrinfo *info = knock->next;

        knock->next = info->ai_next;
        knock->failure = begin(knock, info);
        if (knock->failure == 0) {
            loop_timer_set(knock->given.loop, knock->timer, give_up_ns(knock, info));
            return;
        }
        drop_socket(knock);
    }
    end(knock, knock->failure);
}

static void time_came(void *context)
{
    struct knock *knock = context;

    knock->failure = ETIMEDOUT;
    if (clock_mono(knock->given.clock) < knock->given.deadline_ns)
        try_next(knock);
    else
        end(knock, ETIMEDOUT);
}

int knock_start(struct knock **out, const struct knock_given *given)
{
    struct knock *knock = calloc(1, sizeof *knock);

    if (!knock)
        return ERR_NOMEM;
    *knock = (struct knock){
        .given = *given, .next = given->addresses, .fd = -1, .failure = EADDRNOTAVAIL};
    knock->timer = loop_timer(given->loop, time_came, knock);
    if (!knock->timer) {
        free(knock);
        return ERR_NOMEM;
    }
    *out = knock;
    try_next(knock);
    return 0;
}
