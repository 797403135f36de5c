#include "modbus/tcp_bus.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/error.h"
#include "modbus/connect.h"
#include "modbus/mbap.h"
#include "modbus/writing.h"

#define REOPEN_MOST_NS (30 * NS_PER_S)
#define SILENT_MAX     3 /* time-outs in a row after which the connection is taken for dead */

struct tcp_bus {
    struct tcp_shared *shared;
    const struct modbus_bus_options *options;
    struct polling polling;
    struct writing writing;
    uint16_t gone; /* why it cannot be connected to at present; 0: nobody knows that it cannot */
    struct loop_timer *timer;
    struct dial *dial;        /* while it connects */
    struct loop_watch *watch; /* while it is connected */
    int fd;
    uint16_t transaction;
    uint32_t device; /* that was asked last */
    unsigned silent;
    bool asked;  /* what follows is of the request that is under way */
    bool writes; /* it is of a command, not of the turn */
    struct polling_turn turn;
    struct modbus_request request;
    struct link_reply reply;
    int64_t deadline_ns;
    struct mbap mbap;
};

static void go_on(struct tcp_bus *bus);

static int64_t now(const struct tcp_bus *bus)
{
    return clock_mono(bus->shared->clock);
}

static void hang_up(struct tcp_bus *bus)
{
    loop_unwatch(bus->shared->loop, bus->watch);
    bus->watch = NULL;
    if (bus->fd >= 0)
        close(bus->fd);
    bus->fd = -1;
}

/* The request under way has its outcome. */
static void conclude(struct tcp_bus *bus, int result)
{
    bool lost = result == ERR_IO || result == ERR_CHECKSUM;

    bus->asked = false;
    bus->silent = result == ERR_TIMEOUT ? bus->silent + 1 : 0;
    if (lost || bus->silent >= SILENT_MAX)
        hang_up(bus);
    if (bus->writes)
        writing_take(&bus->writing, result, &bus->reply, now(bus) - bus->reply.sent_ns,
                     bus->fd < 0);
    else
        polling_take(&bus->polling, &bus->turn, result, &bus->reply, now(bus) - bus->reply.sent_ns,
                     bus->fd < 0);
}

static void take_frame(struct tcp_bus *bus, const struct mbap_frame *frame)
{
    struct link_reply *reply = &bus->reply;

    reply->mono_ns = now(bus);
    if (frame->transaction != bus->transaction || frame->unit != bus->request.unit) {
        reply->strays++; /* it answers a request that was given up */
        return;
    }
    switch (pdu_match(&bus->request, frame->pdu, frame->size)) {
    case PDU_ANSWER:
        reply->data = frame->pdu + pdu_data_offset(bus->request.function);
        reply->size = frame->size - pdu_data_offset(bus->request.function);
        conclude(bus, 0);
        break;
    case PDU_EXCEPTION:
        reply->exception = frame->pdu[1];
        conclude(bus, ERR_EXCEPTION);
        break;
    case PDU_OTHER:
        reply->strays++;
        conclude(bus, ERR_PROTOCOL);
        break;
    }
}

/*
 * The connection ended. Some devices end those that are idle: then it is made again when the next
 * read is due, and nobody is told.
 */
static void connection_ended(struct tcp_bus *bus)
{
    struct polling_turn turn;
    int64_t wake;

    if (bus->asked) {
        conclude(bus, ERR_IO);
        return;
    }
    hang_up(bus);
    bus->polling.open_ns = polling_next(&bus->polling, now(bus), &turn, &wake) ? now(bus) : wake;
}

static void became_readable(void *context, uint32_t events)
{
    struct tcp_bus *bus = context;
    struct mbap_frame frame;
    size_t room;
    uint8_t *to = mbap_room(&bus->mbap, &room);
    ssize_t size = recv(bus->fd, to, room, MSG_DONTWAIT);
    int taken = 0;

    (void)events;
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size > 0) {
        bus->mbap.end += (size_t)size;
        while (bus->fd >= 0 && (taken = mbap_take(&bus->mbap, &frame)) > 0) {
            if (bus->asked)
                take_frame(bus, &frame);
            else /* it comes too late, or nobody wanted it */
                atomic_fetch_add(&bus->polling.host->stats[bus->device].unexpected, 1);
        }
    }
    if (bus->fd >= 0 && (size <= 0 || taken < 0))
        connection_ended(bus);
    go_on(bus);
}

static void time_out(struct tcp_bus *bus)
{
    if (!mbap_is_empty(&bus->mbap)) /* behind a part of a frame nothing can be believed */
        conclude(bus, ERR_CHECKSUM);
    else
        conclude(bus, bus->reply.strays ? ERR_PROTOCOL : ERR_TIMEOUT);
}

/* Sends bus->request. */
static void ask(struct tcp_bus *bus, bool writes)
{
    uint8_t frame[MBAP_FRAME_MAX];
    size_t size;

    bus->writes = writes;
    if (!writes)
        bus->device = bus->turn.block->device;
    size = mbap_encode(&bus->request, ++bus->transaction, frame);
    bus->asked = true;
    bus->reply = (struct link_reply){.sent_ns = now(bus)};
    bus->deadline_ns = bus->reply.sent_ns + bus->request.timeout_ns;
    if (send(bus->fd, frame, size, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size)
        bus->reply.requests = 1;
    else
        conclude(bus, ERR_IO);
}

static void connected(void *context, int fd)
{
    struct tcp_bus *bus = context;
    char why[192];

    bus->dial = NULL;
    bus->gone = 0;
    if (fd >= 0) {
        bus->fd = fd;
        bus->silent = 0;
        mbap_clear(&bus->mbap);
        bus->watch = loop_watch(bus->shared->loop, fd, EPOLLIN, became_readable, bus);
        if (bus->watch) {
            polling_opened(&bus->polling);
        } else {
            hang_up(bus);
            fd = ERR_NOMEM;
        }
    }
    if (fd < 0) {
        connect_explain(&bus->options->host, fd, why, sizeof why);
        bus->gone = link_open_status(fd);
        polling_not_opened(&bus->polling, bus->gone, why);
    }
    go_on(bus);
}

/* While nobody answers there, commands fail at once; where the connection was only idle, one is a
 * reason to make it again. Returns whether it is to be made now. */
static bool command_opens(struct tcp_bus *bus)
{
    if (bus->gone) {
        writing_link_closed(&bus->writing, bus->gone);
        return false;
    }
    return writing_next(&bus->writing, &bus->request);
}

/* One thing that can be done now; false, and when to look again, when there is none. */
static bool step(struct tcp_bus *bus, int64_t *wake_ns)
{
    int64_t moment = now(bus);

    *wake_ns = INT64_MAX;
    if (bus->dial)
        return false;
    if (bus->fd < 0) {
        *wake_ns = bus->polling.open_ns;
        if (moment < bus->polling.open_ns && !command_opens(bus))
            return false;
        bus->dial = dial_start(bus->shared->loop, bus->shared->clock, &bus->options->host,
                               bus->options->connect_timeout_ns, connected, bus);
        if (!bus->dial)
            polling_not_opened(&bus->polling, link_open_status(ERR_NOMEM), error_text(ERR_NOMEM));
        return true;
    }
    if (bus->asked) {
        *wake_ns = bus->deadline_ns;
        if (moment < bus->deadline_ns)
            return false;
        time_out(bus);
        return true;
    }
    if (writing_next(&bus->writing, &bus->request)) {
        ask(bus, true);
        return true;
    }
    if (!polling_next(&bus->polling, moment, &bus->turn, wake_ns))
        return false;
    bus->request = polling_request(&bus->polling, bus->turn.block);
    ask(bus, false);
    return true;
}

static void go_on(struct tcp_bus *bus)
{
    struct sink *sink = bus->polling.host->sink;
    int64_t wake;

    while (step(bus, &wake))
        ;
    if (sink_due_ns(sink) != INT64_MAX && sink_due_ns(sink) <= now(bus))
        sink_release(sink);
    if (sink_due_ns(sink) < wake)
        wake = sink_due_ns(sink);
    loop_timer_set(bus->shared->loop, bus->timer, wake);
}

static void time_came(void *context)
{
    go_on(context);
}

void tcp_bus_wake(struct tcp_bus *bus)
{
    go_on(bus);
}

int tcp_bus_open(struct tcp_bus **bus, struct tcp_shared *shared, const struct site_bus *site,
                 struct driver_host *host)
{
    struct tcp_bus *made = calloc(1, sizeof *made);
    int error = ERR_NOMEM;

    if (!made)
        return ERR_NOMEM;
    made->shared = shared;
    made->options = site->options;
    made->fd = -1;
    made->writing.polling = &made->polling;
    made->timer = loop_timer(shared->loop, time_came, made);
    if (made->timer)
        error = polling_make(&made->polling, site, host, &shared->scratch, REOPEN_MOST_NS);
    if (error) {
        tcp_bus_close(made);
        return error;
    }
    *bus = made;
    go_on(made);
    return 0;
}

void tcp_bus_close(struct tcp_bus *bus)
{
    if (!bus)
        return;
    dial_cancel(bus->dial);
    hang_up(bus);
    writing_free(&bus->writing);
    loop_timer_drop(bus->shared->loop, bus->timer);
    polling_free(&bus->polling);
    free(bus);
}
