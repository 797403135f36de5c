/*
 * A link over Modbus TCP: one request at a time, for programs that ask a few questions and leave.
 * A bus of the gateway has its own way (tcp_bus.h). The frames are made and read here and not by
 * libmodbus: it numbers raw requests all alike, and waits in select().
 */
#include <stdlib.h>

#include "core/error.h"
#include "modbus/link_on.h"
#include "modbus/tcp_flight.h"

#define SILENT_MAX 3 /* time-outs in a row after which the connection is taken for dead */
#define HEARD_MAX  65536

struct tcp_link {
    struct link base; /* first: what others get a pointer to */
    struct wire wire;
    uint16_t number; /* of the last request */
    unsigned silent;
    struct mbap mbap;
    struct fence fences[256]; /* of each unit */
};

static struct tcp_link *self(struct link *link)
{
    return (struct tcp_link *)(void *)link;
}

static int64_t now(const struct tcp_link *link)
{
    return wire_now(&link->wire);
}

static int open_link(struct link *base)
{
    struct tcp_link *link = self(base);
    int error = link->wire.ops->open(&link->wire, base->why, sizeof base->why);

    if (error)
        return error;
    link->silent = 0;
    mbap_clear(&link->mbap);
    base->why[0] = '\0';
    base->open = true;
    return 0;
}

static void close_link(struct link *base)
{
    struct tcp_link *link = self(base);

    link->wire.ops->close(&link->wire);
    base->open = false;
}

static void free_link(struct link *base)
{
    free(base);
}

/* The next frame. ERR_TIMEOUT; ERR_CHECKSUM when only a part of one came in time; ERR_CLOSED;
 * ERR_IO where the connection is gone or has lost its frames. */
static int receive(struct tcp_link *link, struct mbap_frame *frame, int64_t until_mono_ns)
{
    for (;;) {
        int taken = mbap_take(&link->mbap, frame), ready, size;
        size_t room;
        uint8_t *to;

        if (taken != 0)
            return taken > 0 ? 0 : ERR_IO;
        ready = wire_wait(&link->wire, until_mono_ns);
        if (ready == 0)
            return mbap_is_empty(&link->mbap) ? ERR_TIMEOUT : ERR_CHECKSUM;
        if (ready < 0)
            return ready;
        to = mbap_room(&link->mbap, &room);
        size = wire_read(&link->wire, to, room);
        if (size < 0)
            return size;
        link->mbap.end += (size_t)size;
    }
}

/* What has come before a request is not its answer. */
static int throw_away(struct tcp_link *link, struct tcp_flight *flight)
{
    struct mbap_frame frame;

    for (size_t heard = 0; heard <= HEARD_MAX;) {
        size_t room;
        uint8_t *to = mbap_room(&link->mbap, &room);
        int size = wire_read(&link->wire, to, room), taken;

        if (size <= 0)
            return size;
        heard += (size_t)size;
        link->mbap.end += (size_t)size;
        while ((taken = mbap_take(&link->mbap, &frame)) > 0) {
            flight->reply.strays++;
            flight->late |= tcp_flight_late(&link->fences[frame.unit], &frame, now(link));
        }
        if (taken < 0)
            return ERR_IO;
    }
    return ERR_IO; /* it sends without end */
}

static int send_frame(struct tcp_link *link, struct tcp_flight *flight)
{
    uint8_t bytes[MBAP_FRAME_MAX];
    int error = throw_away(link, flight);

    if (error)
        return error;
    return wire_write(&link->wire, bytes,
                      tcp_flight_frame(flight, &link->number, now(link), bytes));
}

/* Sends the request, behind a detour where one is needed, and collects frames until one answers. */
static int exchange(struct tcp_link *link, struct tcp_flight *flight)
{
    struct fence *fence = &link->fences[flight->request.unit];
    int result = send_frame(link, flight);

    for (struct mbap_frame frame; result == 0;) {
        result = receive(link, &frame, flight->deadline_ns);
        if (result == ERR_TIMEOUT)
            return tcp_flight_time_out(flight, false);
        if (result)
            return result;
        result = tcp_flight_take(flight, fence, &frame, now(link));
        if (result <= 0)
            return result;
        result = result == TCP_FLIGHT_GOES_ON ? send_frame(link, flight) : 0;
    }
    return result;
}

static int transact(struct link *base, const struct modbus_request *request,
                    struct link_reply *reply)
{
    struct tcp_link *link = self(base);
    struct fence *fence = &link->fences[request->unit];
    struct tcp_flight flight;
    int result;

    *reply = (struct link_reply){0};
    if (!base->open)
        return ERR_IO;
    tcp_flight_begin(&flight, fence, request, now(link));
    result = exchange(link, &flight);
    if (result != 0 && result != ERR_EXCEPTION)
        tcp_flight_lost(&flight, fence);
    *reply = flight.reply;
    /* Only an answer to what was given up is a sign of life: with anything else the server may be
     * out of step. */
    link->silent = result == ERR_TIMEOUT && !flight.late ? link->silent + 1 : 0;
    /* Behind a part of a frame nothing can be believed. */
    if (result == ERR_IO || result == ERR_CHECKSUM || link->silent >= SILENT_MAX)
        close_link(base);
    return result;
}

int link_new_tcp_on(struct link **link, const struct wire *wire)
{
    static const struct link_ops ops = {open_link, transact, close_link, free_link};
    struct tcp_link *made = calloc(1, sizeof *made);

    if (!made)
        return ERR_NOMEM;
    made->base.ops = &ops;
    made->base.host = wire->host;
    made->base.options = wire->options;
    made->wire = *wire;
    *link = &made->base;
    return 0;
}

int link_new_tcp(struct link **link, const struct modbus_bus_options *options,
                 struct driver_host *host)
{
    struct wire wire;

    wire_socket_init(&wire, options, host);
    return link_new_tcp_on(link, &wire);
}
