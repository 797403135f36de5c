#include "modbus/tcp_bus_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/error.h"
#include "core/status.h"
#include "modbus/connect.h"

#define REOPEN_MOST_NS (30 * NS_PER_S)
#define BACK_NS        (100 * NS_PER_MS)
#define LOOKS_MAX      4 /* for an answer that is there already when its time is over */
/* What may come behind a request: more than all answers that could be due. */
#define HEARD_MAX 65536

static void go_on(struct tcp_bus *bus);

/* The request that a frame concerns: the one of its number, or of its unit, or the only one. */
static struct flight *concerned(struct tcp_bus *bus, const struct mbap_frame *frame)
{
    struct flight *found = NULL;

    for (unsigned i = 0; i < bus->window.most; i++) {
        struct flight *flight = &bus->flights[i];
        bool same_unit = flight->tcp.request.unit == frame->unit;

        if (!flight->used || flight->unsent)
            continue;
        if (same_unit && flight->tcp.number == frame->transaction)
            return flight;
        if (same_unit || bus->under_way == 1)
            found = flight;
    }
    return found;
}

/* It comes too late, or nobody wanted it. */
static void take_unasked(struct tcp_bus *bus, const struct mbap_frame *frame)
{
    uint32_t device = 0;

    while (device < bus->polling.devices.count && tcp_bus_unit(bus, device) != frame->unit)
        device++;
    if (device == bus->polling.devices.count)
        device = bus->device;
    else if (tcp_flight_late(tcp_bus_fence(bus, device), frame, tcp_bus_now(bus)))
        bus->silent = 0;
    atomic_fetch_add(&bus->polling.host->stats[device].unexpected, 1);
}

static void take_frame(struct tcp_bus *bus, const struct mbap_frame *frame)
{
    struct flight *flight = concerned(bus, frame);
    int result;

    if (!flight) {
        take_unasked(bus, frame);
        return;
    }
    result =
        tcp_flight_take(&flight->tcp, tcp_bus_fence(bus, flight->device), frame, tcp_bus_now(bus));
    if (result == TCP_FLIGHT_GOES_ON)
        flight->unsent = true;
    else if (result != TCP_FLIGHT_WAITS)
        tcp_bus_conclude(bus, flight, result);
}

/*
 * The connection ended while nothing was under way. Some devices end those that are idle: then it
 * is made again when the next read is due, and nobody is told. One that did before it was used is
 * another matter, and so is one that floods.
 */
static void idle_ended(struct tcp_bus *bus)
{
    struct polling_turn turn;
    int64_t wake;
    bool due = polling_next(&bus->polling, tcp_bus_now(bus), &turn, &wake);

    tcp_bus_hang_up(bus);
    bus->polling.open_ns = due ? tcp_bus_now(bus) : wake;
    if (bus->heard > HEARD_MAX)
        polling_not_opened(&bus->polling, STATUS_COMMUNICATION,
                           "what is connected there sends without being asked");
    else if (due && !bus->asked)
        polling_closed_unused(&bus->polling);
}

static void connection_ended(struct tcp_bus *bus)
{
    struct flight *flight = bus->flights;

    if (bus->under_way == 0) {
        idle_ended(bus);
        return;
    }
    while (!flight->used)
        flight++;
    tcp_bus_conclude(bus, flight, ERR_IO);
}

/* Takes what has come, as far as it fits. False when nothing has. */
static bool hear(struct tcp_bus *bus)
{
    struct mbap_frame frame;
    size_t room;
    uint8_t *to = mbap_room(&bus->mbap, &room);
    ssize_t size = recv(bus->fd, to, room, MSG_DONTWAIT);
    int taken = 0;

    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (size > 0) {
        tap_put(bus->polling.host->tap, TAP_RECEIVED, tcp_bus_now(bus), to, (size_t)size);
        bus->mbap.end += (size_t)size;
        bus->heard += (size_t)size;
        bus->heard_ns = tcp_bus_now(bus);
        while (bus->fd >= 0 && (taken = mbap_take(&bus->mbap, &frame)) > 0)
            take_frame(bus, &frame);
    }
    if (bus->fd >= 0 && (size <= 0 || taken < 0 || bus->heard > HEARD_MAX))
        connection_ended(bus);
    return true;
}

static void became_readable(void *context, uint32_t events)
{
    struct tcp_bus *bus = context;

    (void)events;
    hear(bus);
    go_on(bus);
}

/* Its time is over. We may be late ourselves: then the answer is there. */
static void time_out(struct tcp_bus *bus, struct flight *flight)
{
    uint16_t number = flight->tcp.number;
    bool partial;

    for (int i = 0; i < LOOKS_MAX && bus->fd >= 0 && hear(bus); i++) {
        if (!flight->used || flight->unsent || flight->tcp.number != number)
            return;
    }
    /* Behind a part of a frame nothing can be believed; that of another request may be coming. */
    partial =
        !mbap_is_empty(&bus->mbap) &&
        (bus->under_way == 1 || tcp_bus_now(bus) - bus->heard_ns > flight->tcp.request.timeout_ns);
    if (flight->used)
        tcp_bus_conclude(bus, flight, tcp_flight_time_out(&flight->tcp, partial));
}

static void send_frame(struct tcp_bus *bus, struct flight *flight)
{
    uint8_t frame[MBAP_FRAME_MAX];
    size_t size = tcp_flight_frame(&flight->tcp, &bus->number, tcp_bus_now(bus), frame);

    flight->unsent = false;
    bus->asked = true;
    bus->heard = 0;
    tap_put(bus->polling.host->tap, TAP_SENT, tcp_bus_now(bus), frame, size);
    if (send(bus->fd, frame, size, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)size)
        tcp_bus_conclude(bus, flight, ERR_IO);
}

/* Begins with what `next` says: writes, device, turn; and the request. */
static void ask(struct tcp_bus *bus, const struct flight *next)
{
    struct flight *flight = bus->flights;
    struct unit *unit = &bus->units[next->device];

    while (flight->used)
        flight++;
    *flight = *next;
    flight->used = true;
    flight->beside = bus->under_way++ > 0;
    bus->device = flight->device;
    bus->alone -= unit->alone;
    unit->alone = false;
    tcp_bus_hold(bus, flight, true);
    tcp_flight_begin(&flight->tcp, tcp_bus_fence(bus, flight->device), &next->tcp.request,
                     tcp_bus_now(bus));
    send_frame(bus, flight);
}

static void connected(void *context, int fd)
{
    struct tcp_bus *bus = context;
    char why[192];

    bus->dial = NULL;
    bus->gone = 0;
    if (fd >= 0) {
        bus->fd = fd;
        bus->asked = false;
        bus->silent = 0;
        bus->heard = 0;
        tap_put(bus->polling.host->tap, TAP_OPENED, tcp_bus_now(bus), NULL, 0);
        mbap_clear(&bus->mbap);
        bus->watch = loop_watch(bus->shared->loop, fd, EPOLLIN, became_readable, bus);
        if (bus->watch) {
            polling_opened(&bus->polling);
        } else {
            fd = error_from_errno(errno);
            tcp_bus_hang_up(bus);
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
    struct modbus_request request;

    if (bus->gone) {
        writing_link_closed(&bus->writing, bus->gone);
        return false;
    }
    return writing_next(&bus->writing, &request);
}

static bool step_closed(struct tcp_bus *bus, int64_t moment, int64_t *wake_ns)
{
    *wake_ns = bus->polling.open_ns;
    if (bus->rests) {
        writing_link_closed(&bus->writing, STATUS_LENT);
        *wake_ns = INT64_MAX;
        return false;
    }
    if (moment < bus->polling.open_ns && !command_opens(bus))
        return false;
    bus->dial = dial_start(&bus->shared->look_ups, bus->shared->loop, bus->shared->clock,
                           &bus->options->host, bus->options->connect_timeout_ns, connected, bus);
    if (!bus->dial)
        polling_not_opened(&bus->polling, link_open_status(ERR_NOMEM), error_text(ERR_NOMEM));
    return true;
}

/* Whether another request may be sent; if not, *wake_ns is lowered to when it may. */
static bool may_ask(const struct tcp_bus *bus, int64_t moment, int64_t *wake_ns)
{
    int64_t overdue_ns, from_ns = INT64_MIN;

    if (bus->under_way == 0)
        return true;
    if (bus->under_way >= tcp_window_size(&bus->window, moment) || bus->alone > 0)
        return false;
    overdue_ns = devices_overdue_ns(&bus->polling.devices);
    for (unsigned i = 0; i < bus->window.most; i++) {
        const struct flight *flight = &bus->flights[i];
        int64_t patience_ns = !flight->writes && flight->turn.probe ? 0 : overdue_ns;
        int64_t sent_ns = flight->tcp.reply.sent_ns;

        if (!flight->used)
            continue;
        if (sent_ns + patience_ns > from_ns)
            from_ns = sent_ns + patience_ns;
    }
    if (moment < from_ns && from_ns < *wake_ns)
        *wake_ns = from_ns;
    return moment >= from_ns;
}

static bool is_under_way(const struct tcp_bus *bus, uint8_t unit)
{
    for (unsigned i = 0; i < bus->window.most; i++) {
        if (bus->flights[i].used && bus->flights[i].tcp.request.unit == unit)
            return true;
    }
    return false;
}

static bool writes_already(const struct tcp_bus *bus)
{
    for (unsigned i = 0; i < bus->window.most; i++) {
        if (bus->flights[i].used && bus->flights[i].writes)
            return true;
    }
    return false;
}

/* What is to be asked now: commands go ahead of polls. */
static bool choose(struct tcp_bus *bus, int64_t moment, struct flight *next, int64_t *wake_ns)
{
    int64_t due_ns;

    *next = (struct flight){0};
    if (bus->rests && !bus->writing.command)
        return false;
    if (!may_ask(bus, moment, wake_ns))
        return false;
    if (!writes_already(bus) && writing_next(&bus->writing, &next->tcp.request) &&
        !is_under_way(bus, next->tcp.request.unit)) {
        next->writes = true;
        next->device = writing_device(&bus->writing);
        return true;
    }
    if (!polling_next(&bus->polling, moment, &next->turn, &due_ns)) {
        if (due_ns < *wake_ns)
            *wake_ns = due_ns;
        return false;
    }
    next->device = next->turn.block->device;
    next->tcp.request = polling_request(&bus->polling, next->turn.block);
    return true;
}

/* The request that waits for being sent; NULL: none does. *late is set to one whose time is over,
 * and *wake_ns to when the next one's is. */
static struct flight *look(struct tcp_bus *bus, int64_t moment, struct flight **late,
                           int64_t *wake_ns)
{
    struct flight *unsent = NULL;

    *late = NULL;
    *wake_ns = INT64_MAX;
    for (unsigned i = 0; i < bus->window.most; i++) {
        struct flight *flight = &bus->flights[i];

        if (!flight->used)
            continue;
        if (flight->unsent)
            unsent = flight;
        else if (flight->tcp.deadline_ns <= moment)
            *late = flight;
        else if (flight->tcp.deadline_ns < *wake_ns)
            *wake_ns = flight->tcp.deadline_ns;
    }
    return unsent;
}

/* One thing that can be done now; false, and when to look again, when there is none. What has come
 * before a request is sent is not its answer: it is read first. */
static bool step(struct tcp_bus *bus, int64_t *wake_ns)
{
    int64_t moment = tcp_bus_now(bus);
    struct flight *unsent, *late, next;

    *wake_ns = INT64_MAX;
    if (bus->dial)
        return false;
    if (bus->fd < 0)
        return step_closed(bus, moment, wake_ns);
    unsent = look(bus, moment, &late, wake_ns);
    if (late) {
        time_out(bus, late);
        return true;
    }
    if (!unsent && !choose(bus, moment, &next, wake_ns))
        return false;
    if (hear(bus))
        return true;
    if (unsent)
        send_frame(bus, unsent);
    else
        ask(bus, &next);
    return true;
}

static void go_on(struct tcp_bus *bus)
{
    struct sink *sink = bus->polling.host->sink;
    int64_t wake;

    polling_heed(&bus->polling);
    while (step(bus, &wake))
        ;
    if (sink_due_ns(sink) != INT64_MAX && sink_due_ns(sink) <= tcp_bus_now(bus))
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

void tcp_bus_rest(struct tcp_bus *bus, bool rest)
{
    bus->rests = rest;
}

void tcp_bus_leave(struct tcp_bus *bus)
{
    dial_cancel(bus->dial);
    bus->dial = NULL;
    tcp_bus_hang_up(bus);
    tcp_bus_excuse_all(bus, NULL);
    loop_timer_set(bus->shared->loop, bus->timer, INT64_MAX);
}

void tcp_bus_back(struct tcp_bus *bus)
{
    bus->rests = false;
    bus->gone = 0;
    polling_back(&bus->polling);
    /* Whoever had it has ended a connection just now, and a device may take one at a time. */
    bus->polling.open_ns = tcp_bus_now(bus) + BACK_NS;
    go_on(bus);
}

bool tcp_bus_at_work(const struct tcp_bus *bus, bool replies)
{
    return bus->writing.command || (replies && bus->under_way > 0);
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
    made->number = (uint16_t)(clock_mono(shared->clock) / NS_PER_US);
    made->writing.polling = &made->polling;
    tcp_window_init(&made->window, (unsigned)made->options->in_flight, site->device_count);
    made->units = calloc(site->device_count ? site->device_count : 1, sizeof *made->units);
    made->flights = calloc(made->window.most, sizeof *made->flights);
    made->timer = loop_timer(shared->loop, time_came, made);
    if (made->timer && made->units && made->flights)
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
    tcp_bus_hang_up(bus);
    writing_free(&bus->writing);
    loop_timer_drop(bus->shared->loop, bus->timer);
    polling_free(&bus->polling);
    free(bus->flights);
    free(bus->units);
    free(bus);
}
