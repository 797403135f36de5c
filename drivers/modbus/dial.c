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
#include "core/resolve.h"
#include "modbus/connect.h"

struct dial {
    struct loop *loop;
    const struct clock *clock;
    const struct modbus_host *address;
    dial_fn *fn;
    void *context;
    struct resolve *resolve;       /* while the name is looked up */
    struct addrinfo *found, *next; /* all, and the next to be tried */
    struct loop_watch *watch;      /* of the socket, or of the look-up */
    struct loop_timer *timer;
    int64_t timeout_ns, until_ns;
    int fd;
    int error; /* of the address tried last */
};

static void drop_socket(struct dial *dial)
{
    loop_unwatch(dial->loop, dial->watch);
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
    loop_timer_drop(dial->loop, dial->timer);
    if (dial->resolve)
        resolve_abandon(dial->resolve);
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

    loop_unwatch(dial->loop, dial->watch); /* before its descriptor goes */
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
    dial->watch = loop_watch(dial->loop, dial->fd, EPOLLOUT, became_writable, dial);
    return dial->watch ? 0 : ERR_NOMEM;
}

/* The time that is left is shared among the addresses that are. */
static int64_t deadline_ns(const struct dial *dial)
{
    int64_t now = clock_mono(dial->clock), count = 1;

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
            loop_timer_set(dial->loop, dial->timer, deadline_ns(dial));
            return;
        }
        drop_socket(dial);
    }
    end(dial, dial->error);
}

static void looked_up(void *context, uint32_t events)
{
    struct dial *dial = context;
    struct resolve *resolve = dial->resolve;

    (void)events;
    loop_unwatch(dial->loop, dial->watch);
    dial->watch = NULL;
    dial->resolve = NULL;
    dial->error = resolve_take(resolve, &dial->found);
    if (dial->error) {
        end(dial, dial->error);
        return;
    }
    dial->next = dial->found;
    dial->until_ns = clock_mono(dial->clock) + dial->timeout_ns;
    try_next(dial);
}

static void begin_look_up(struct dial *dial)
{
    int error = resolve_start(&dial->resolve, dial->address->name, dial->address->port);

    if (!error) {
        dial->watch = loop_watch(dial->loop, resolve_fd(dial->resolve), EPOLLIN, looked_up, dial);
        error = dial->watch ? 0 : ERR_NOMEM;
    } else {
        dial->resolve = NULL;
    }
    if (error)
        end(dial, error);
}

/* First called to begin, then when an address has not answered in its time. */
static void time_came(void *context)
{
    struct dial *dial = context;

    if (dial->fd < 0) {
        begin_look_up(dial);
        return;
    }
    dial->error = ERR_TIMEOUT;
    try_next(dial);
}

struct dial *dial_start(struct loop *loop, const struct clock *clock,
                        const struct modbus_host *address, int64_t timeout_ns, dial_fn *fn,
                        void *context)
{
    struct dial *dial = calloc(1, sizeof *dial);

    if (!dial)
        return NULL;
    *dial = (struct dial){
        .loop = loop,
        .clock = clock,
        .address = address,
        .fn = fn,
        .context = context,
        .timeout_ns = timeout_ns,
        .fd = -1,
    };
    dial->timer = loop_timer(loop, time_came, dial);
    if (!dial->timer) {
        free(dial);
        return NULL;
    }
    loop_timer_set(loop, dial->timer, clock_mono(clock));
    return dial;
}
