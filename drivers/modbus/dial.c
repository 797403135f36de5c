#include "modbus/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/error.h"
#include "core/resolver.h"
#include "modbus/connect.h"

/* A question to the resolver. Its answer may come after the dial is gone. */
struct lookup {
    struct lookup *next;
    struct dialer *dialer;
    struct dial *dial; /* NULL once it was given up */
    struct addrinfo *found;
};

struct dialer {
    struct loop *loop;
    struct resolver *resolver;
    const struct clock *clock;
    struct lookup *lookups;
};

struct dial {
    struct dialer *dialer;
    const struct modbus_host *address;
    dial_fn *fn;
    void *context;
    struct lookup *lookup;
    struct addrinfo *found, *next; /* all, and the next to be tried */
    struct loop_watch *watch;
    struct loop_timer *timer;
    int64_t until_ns;
    int fd;
    int error; /* of the address tried last */
};

int dialer_open(struct dialer **dialer, struct loop *loop, const struct clock *clock)
{
    struct dialer *made = calloc(1, sizeof *made);

    if (!made)
        return ERR_NOMEM;
    made->loop = loop;
    made->clock = clock;
    if (resolver_open(&made->resolver) != 0) {
        free(made);
        return ERR_NOMEM;
    }
    *dialer = made;
    return 0;
}

static void free_lookup(struct lookup *lookup)
{
    struct lookup **link = &lookup->dialer->lookups;

    while (*link != lookup)
        link = &(*link)->next;
    *link = lookup->next;
    if (lookup->found)
        freeaddrinfo(lookup->found);
    free(lookup);
}

void dialer_close(struct dialer *dialer)
{
    if (!dialer)
        return;
    resolver_close(dialer->resolver);
    while (dialer->lookups)
        free_lookup(dialer->lookups);
    free(dialer);
}

static void drop_socket(struct dial *dial)
{
    loop_unwatch(dial->dialer->loop, dial->watch);
    dial->watch = NULL;
    if (dial->fd >= 0)
        close(dial->fd);
    dial->fd = -1;
}

void dial_cancel(struct dial *dial)
{
    if (!dial)
        return;
    drop_socket(dial);
    loop_timer_drop(dial->dialer->loop, dial->timer);
    if (dial->lookup)
        dial->lookup->dial = NULL;
    if (dial->found)
        freeaddrinfo(dial->found);
    free(dial);
}

static void end(struct dial *dial, int fd)
{
    dial_fn *fn = dial->fn;
    void *context = dial->context;

    dial_cancel(dial);
    fn(context, fd);
}

static void try_next(struct dial *dial);

/* Low descriptors are for serial ports: libmodbus waits in select(). Where the process may not have
 * so many it stays where it is. */
static int moved_up(int fd)
{
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, FD_SETSIZE);

    if (moved < 0)
        return fd;
    close(fd);
    return moved;
}

static void succeed(struct dial *dial)
{
    int fd;

    loop_unwatch(dial->dialer->loop, dial->watch); /* before its descriptor goes */
    dial->watch = NULL;
    fd = moved_up(dial->fd);
    dial->fd = -1;
    end(dial, fd);
}

static void became_writable(void *context, uint32_t events)
{
    struct dial *dial = context;
    int failure = 0;
    socklen_t size = sizeof failure;

    (void)events;
    if (getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &failure, &size) < 0)
        failure = errno;
    if (failure == 0) {
        succeed(dial);
        return;
    }
    dial->error = connect_error(failure);
    try_next(dial);
}

/* Begins with one address; 0 where it is under way or done already. */
static int begin(struct dial *dial, const struct addrinfo *info)
{
    int one = 1;

    dial->fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (dial->fd < 0)
        return error_from_errno(errno);
    setsockopt(dial->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(dial->fd, info->ai_addr, info->ai_addrlen) < 0 && errno != EINPROGRESS)
        return connect_error(errno);
    dial->watch = loop_watch(dial->dialer->loop, dial->fd, EPOLLOUT, became_writable, dial);
    return dial->watch ? 0 : ERR_NOMEM;
}

/* The time that is left is shared among the addresses that are. */
static int64_t deadline_ns(const struct dial *dial)
{
    int64_t now = clock_mono(dial->dialer->clock), count = 1;

    for (const struct addrinfo *info = dial->next; info; info = info->ai_next)
        count++;
    return now + (dial->until_ns - now) / count;
}

static void try_next(struct dial *dial)
{
    drop_socket(dial);
    while (dial->next) {
        struct addrinfo *info = dial->next;

        dial->next = info->ai_next;
        dial->error = begin(dial, info);
        if (dial->error == 0) {
            loop_timer_set(dial->dialer->loop, dial->timer, deadline_ns(dial));
            return;
        }
        drop_socket(dial);
    }
    end(dial, dial->error);
}

static void looked_up(void *context)
{
    struct lookup *lookup = context;
    struct dial *dial = lookup->dial;

    if (dial) {
        dial->lookup = NULL;
        dial->found = dial->next = lookup->found;
        lookup->found = NULL;
    }
    free_lookup(lookup);
    if (dial) {
        dial->error = ERR_NAME;
        try_next(dial);
    }
}

/* On a thread of the resolver's. When the loop takes no more the dial's time-out tells. */
static void resolved(void *context, struct addrinfo *found)
{
    struct lookup *lookup = context;

    lookup->found = found;
    loop_post(lookup->dialer->loop, looked_up, lookup);
}

static int ask(struct dial *dial)
{
    struct dialer *dialer = dial->dialer;
    struct lookup *lookup = calloc(1, sizeof *lookup);
    int error;

    if (!lookup)
        return ERR_NOMEM;
    *lookup = (struct lookup){.next = dialer->lookups, .dialer = dialer, .dial = dial};
    dialer->lookups = lookup;
    error =
        resolver_ask(dialer->resolver, dial->address->name, dial->address->port, resolved, lookup);
    if (error)
        free_lookup(lookup);
    else
        dial->lookup = lookup;
    return error;
}

/* First called to begin, then when a time-out has passed. */
static void time_came(void *context)
{
    struct dial *dial = context;

    if (dial->fd >= 0) {
        dial->error = ERR_TIMEOUT;
        try_next(dial);
        return;
    }
    if (dial->lookup) { /* the resolver hangs */
        end(dial, ERR_NAME);
        return;
    }
    dial->found = dial->next = resolver_numeric(dial->address->name, dial->address->port);
    if (dial->found) {
        try_next(dial);
        return;
    }
    dial->error = ask(dial);
    if (dial->error)
        end(dial, dial->error);
    else
        loop_timer_set(dial->dialer->loop, dial->timer, dial->until_ns);
}

struct dial *dial_start(struct dialer *dialer, const struct modbus_host *address,
                        int64_t timeout_ns, dial_fn *fn, void *context)
{
    struct dial *dial = calloc(1, sizeof *dial);
    int64_t now = clock_mono(dialer->clock);

    if (!dial)
        return NULL;
    *dial = (struct dial){
        .dialer = dialer,
        .address = address,
        .fn = fn,
        .context = context,
        .until_ns = now + timeout_ns,
        .fd = -1,
    };
    dial->timer = loop_timer(dialer->loop, time_came, dial);
    if (!dial->timer) {
        free(dial);
        return NULL;
    }
    loop_timer_set(dialer->loop, dial->timer, now);
    return dial;
}
