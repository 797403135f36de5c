#include "modbus/dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/error.h"
#include "core/resolve.h"
#include "modbus/connect.h"

#define LEFT_FOR_OTHERS 64 /* descriptors, or a quarter of what there may be */

struct look_up {
    struct look_up *next;
    struct dial_look_ups *of;
    struct loop *loop;
    struct loop_watch *watch;
    struct resolve *resolve;
    struct dial *dial; /* NULL: it was cancelled */
    bool counted;
};

struct dial {
    struct loop *loop;
    const struct clock *clock;
    const struct modbus_host *address;
    dial_fn *fn;
    void *context;
    struct dial_look_ups *look_ups;
    struct look_up *look_up; /* while the name is looked up... */
    struct dial *behind;     /* ...or waits for that, with the next one in the queue */
    bool queued;
    struct addrinfo *found, *next; /* all, and the next to be tried */
    struct loop_watch *watch;      /* of the socket */
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

static void leave_queue(struct dial *dial)
{
    struct dial **link = &dial->look_ups->queued;

    while (*link != dial)
        link = &(*link)->behind;
    *link = dial->behind;
}

void dial_cancel(struct dial *dial)
{
    if (!dial)
        return;
    drop_socket(dial);
    loop_timer_drop(dial->loop, dial->timer);
    if (dial->look_up)
        dial->look_up->dial = NULL;
    if (dial->queued)
        leave_queue(dial);
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

static void succeed(struct dial *dial)
{
    int fd = dial->fd;

    loop_unwatch(dial->loop, dial->watch); /* before its descriptor goes */
    dial->watch = NULL;
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

/* The lowest free descriptor is what a socket gets: so this one tells that few are left. They are
 * for the API, the uplinks and the journal, without which nobody could look into it. */
static bool is_among_the_last(int fd)
{
    struct rlimit limit;
    rlim_t left;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return false;
    left = limit.rlim_cur / 4 < LEFT_FOR_OTHERS ? limit.rlim_cur / 4 : LEFT_FOR_OTHERS;
    return (rlim_t)fd >= limit.rlim_cur - left;
}

/* Begins with one address; 0 where it is under way or done already. */
static int begin(struct dial *dial, const struct addrinfo *info)
{
    int one = 1;

    dial->fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (dial->fd < 0)
        return error_from_errno(errno);
    if (is_among_the_last(dial->fd))
        return ERR_DESCRIPTORS;
    setsockopt(dial->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(dial->fd, info->ai_addr, info->ai_addrlen) < 0 && errno != EINPROGRESS)
        return connect_error(errno);
    dial->watch = loop_watch(dial->loop, dial->fd, EPOLLOUT, became_writable, dial);
    return dial->watch ? 0 : error_from_errno(errno);
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

static void looked_up(void *context, uint32_t events);

/* Starts the look-up of a dial; where that cannot be, it ends. */
static void start_look_up(struct dial *dial, bool counted)
{
    struct look_up *made = calloc(1, sizeof *made);
    int error = ERR_NOMEM;

    if (made)
        error = resolve_start(&made->resolve, dial->address->name, dial->address->port);
    if (!error) {
        made->watch = loop_watch(dial->loop, resolve_fd(made->resolve), EPOLLIN, looked_up, made);
        error = made->watch ? 0 : error_from_errno(errno);
        if (error)
            resolve_abandon(made->resolve);
    }
    if (error) {
        free(made);
        end(dial, error);
        return;
    }
    made->of = dial->look_ups;
    made->loop = dial->loop;
    made->dial = dial;
    made->counted = counted;
    made->next = made->of->under_way;
    made->of->under_way = made;
    made->of->count += counted;
    dial->look_up = made;
}

/* Before its descriptor goes, which is the resolver's. */
static struct resolve *forget(struct look_up *done)
{
    struct resolve *resolve = done->resolve;
    struct look_up **link = &done->of->under_way;

    while (*link != done)
        link = &(*link)->next;
    *link = done->next;
    done->of->count -= done->counted;
    loop_unwatch(done->loop, done->watch);
    free(done);
    return resolve;
}

void dial_look_ups_close(struct dial_look_ups *look_ups)
{
    while (look_ups->under_way)
        resolve_abandon(forget(look_ups->under_way));
}

static void begin_queued(struct dial_look_ups *look_ups)
{
    while (look_ups->queued && look_ups->count < DIAL_LOOK_UPS_MAX) {
        struct dial *dial = look_ups->queued;

        look_ups->queued = dial->behind;
        dial->queued = false;
        start_look_up(dial, true);
    }
}

static void begin_look_up(struct dial *dial)
{
    struct dial **last = &dial->look_ups->queued;

    if (resolve_is_numeric(dial->address->name)) {
        start_look_up(dial, false);
        return;
    }
    while (*last)
        last = &(*last)->behind;
    *last = dial;
    dial->queued = true;
    begin_queued(dial->look_ups);
}

static void looked_up(void *context, uint32_t events)
{
    struct look_up *done = context;
    struct dial_look_ups *of = done->of;
    struct dial *dial = done->dial;
    struct addrinfo *found = NULL;
    int error = resolve_take(forget(done), &found);

    (void)events;
    begin_queued(of);
    if (!dial) { /* nobody waits for it any more */
        if (!error)
            freeaddrinfo(found);
        return;
    }
    dial->look_up = NULL;
    if (error) {
        end(dial, error);
        return;
    }
    dial->found = dial->next = found;
    dial->until_ns = clock_mono(dial->clock) + dial->timeout_ns;
    try_next(dial);
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

struct dial *dial_start(struct dial_look_ups *look_ups, struct loop *loop,
                        const struct clock *clock, const struct modbus_host *address,
                        int64_t timeout_ns, dial_fn *fn, void *context)
{
    struct dial *dial = calloc(1, sizeof *dial);

    if (!dial)
        return NULL;
    *dial = (struct dial){
        .look_ups = look_ups,
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
