#include "modbus/dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "core/error.h"
#include "core/knock.h"
#include "core/resolve.h"

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
    struct addrinfo *found; /* then its addresses are tried */
    struct knock *knock;
    struct loop_timer *timer;
    int64_t timeout_ns;
};

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
    knock_stop(dial->knock);
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

/* A knock's tune. */
static int tune(void *context, int fd)
{
    int one = 1;

    (void)context;
    if (is_among_the_last(fd))
        return EMFILE;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return 0;
}

static void knocked(void *context, int failure, int fd)
{
    struct dial *dial = context;

    dial->knock = NULL;
    end(dial, failure ? error_from_errno(failure) : fd);
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
    dial->found = found;
    const struct knock_given given = {
        .loop = dial->loop,
        .clock = dial->clock,
        .addresses = found,
        .deadline_ns = clock_mono(dial->clock) + dial->timeout_ns,
        .tune = tune,
        .done = knocked,
        .context = dial,
    };
    error = knock_start(&dial->knock, &given);
    if (error)
        end(dial, error);
}

/* From the loop, so that nothing is called back before dial_start has returned. */
static void time_came(void *context)
{
    begin_look_up(context);
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
    };
    dial->timer = loop_timer(loop, time_came, dial);
    if (!dial->timer) {
        free(dial);
        return NULL;
    }
    loop_timer_set(loop, dial->timer, clock_mono(clock));
    return dial;
}
