/* What comes of the requests on a Modbus TCP connection, and what that says of it. */
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"
#include "modbus/tcp_bus_inside.h"

#define SILENT_MAX 3 /* time-outs in a row after which the connection is taken for dead */

/* Devices may share a unit. */
struct fence *tcp_bus_fence(struct tcp_bus *bus, uint32_t device)
{
    uint32_t first = 0;

    while (tcp_bus_unit(bus, first) != tcp_bus_unit(bus, device))
        first++;
    return &bus->units[first].fence;
}

void tcp_bus_hold(struct tcp_bus *bus, const struct flight *flight, bool held)
{
    for (uint32_t i = 0; i < bus->polling.devices.count && bus->window.most > 1; i++) {
        if (tcp_bus_unit(bus, i) != flight->tcp.request.unit)
            continue;
        if (held)
            polling_hold(&bus->polling, i, flight->writes ? NULL : &flight->turn);
        else
            polling_let_go(&bus->polling, i);
    }
}

void tcp_bus_hang_up(struct tcp_bus *bus)
{
    loop_unwatch(bus->shared->loop, bus->watch);
    bus->watch = NULL;
    if (bus->fd >= 0) {
        tap_put(bus->polling.host->tap, TAP_CLOSED, tcp_bus_now(bus), NULL, 0);
        close(bus->fd);
    }
    bus->fd = -1;
}

static void end_flight(struct tcp_bus *bus, struct flight *flight)
{
    flight->used = flight->unsent = false;
    bus->under_way--;
    tcp_bus_hold(bus, flight, false);
}

/* The request has its outcome, which says something of its device and, with `lost`, of the
 * connection. */
static void judge(struct tcp_bus *bus, struct flight *flight, int result, bool lost)
{
    int64_t took_ns = tcp_bus_now(bus) - flight->tcp.began_ns;

    flight->tcp.reply.late_ns = tcp_bus_fence(bus, flight->device)->late_ns;
    end_flight(bus, flight);
    if (flight->writes)
        writing_take(&bus->writing, result, &flight->tcp.reply, took_ns, lost);
    else
        polling_take(&bus->polling, &flight->turn, result, &flight->tcp.reply, took_ns, lost);
}

/* It has one that may be another's fault: it is asked again. A write is not. */
static void excuse(struct tcp_bus *bus, struct flight *flight, int result)
{
    if (flight->writes) {
        judge(bus, flight, result, false);
        return;
    }
    flight->tcp.reply.late_ns = tcp_bus_fence(bus, flight->device)->late_ns;
    end_flight(bus, flight);
    polling_put_back(&bus->polling, &flight->turn, result, &flight->tcp.reply,
                     tcp_bus_now(bus) - flight->tcp.began_ns);
}

void tcp_bus_excuse_all(struct tcp_bus *bus, const struct flight *other)
{
    for (unsigned i = 0; i < bus->window.most; i++) {
        struct flight *flight = &bus->flights[i];

        if (!flight->used || flight == other)
            continue;
        tcp_flight_lost(&flight->tcp, tcp_bus_fence(bus, flight->device));
        excuse(bus, flight, ERR_IO);
    }
}

static void tell_narrow(const struct tcp_bus *bus)
{
    log_warn("modbus",
             "bus %s: what is connected there does not take several requests at once; for an hour "
             "it gets one at a time (in_flight)",
             bus->polling.site->id);
}

/* The connection broke while several requests were under way: nobody can tell by which. */
static void break_down(struct tcp_bus *bus)
{
    tcp_bus_hang_up(bus);
    tcp_bus_excuse_all(bus, NULL);
    bus->polling.open_ns = tcp_bus_now(bus);
    if (tcp_window_hung_up(&bus->window, tcp_bus_now(bus)))
        tell_narrow(bus);
}

/* One that was sent beside others, of a device that is up, was not answered: that may be because
 * the server forgets what comes meanwhile. It is asked again while no other is. */
static void suspect_the_server(struct tcp_bus *bus, struct flight *flight)
{
    struct unit *unit = &bus->units[flight->device];

    excuse(bus, flight, ERR_TIMEOUT);
    bus->alone += !unit->alone;
    unit->alone = true;
    if (tcp_window_ignored(&bus->window, tcp_bus_now(bus)))
        tell_narrow(bus);
}

void tcp_bus_conclude(struct tcp_bus *bus, struct flight *flight, int result)
{
    bool broken = result == ERR_IO || result == ERR_CHECKSUM;
    bool answered = result == 0 || result == ERR_EXCEPTION;
    /* What answers nothing that was asked is no sign that the stream is in step. */
    bool silent = result == ERR_TIMEOUT && !flight->tcp.late;

    bus->silent = silent ? bus->silent + 1 : 0;
    if (result == ERR_TIMEOUT)
        fence_timed_out(tcp_bus_fence(bus, flight->device), flight->tcp.reply.sent_ns);
    if (broken && bus->under_way > 1) {
        break_down(bus);
        return;
    }
    if (!answered)
        tcp_flight_lost(&flight->tcp, tcp_bus_fence(bus, flight->device));
    if (broken || bus->silent >= SILENT_MAX) {
        tcp_bus_hang_up(bus);
        tcp_bus_excuse_all(bus, flight);
    }
    if (answered && flight->beside)
        tcp_window_answered(&bus->window);
    if (silent && flight->beside && !flight->writes && !flight->turn.probe)
        suspect_the_server(bus, flight);
    else
        judge(bus, flight, result, bus->fd < 0);
}
