/*
 * A link over Modbus TCP: one request at a time, for programs that ask a few questions and leave.
 * A bus of the gateway has its own way (tcp_bus.h). The frames are made and read here and not by
 * libmodbus: it numbers raw requests all alike, and waits in select().
 */
#include <stdlib.h>

#include "core/error.h"
#include "modbus/link_on.h"
#include "modbus/mbap.h"

#define SILENT_MAX 3 /* time-outs in a row after which the connection is taken for dead */

struct tcp_link {
    struct link base; /* first: what others get a pointer to */
    struct wire wire;
    uint16_t transaction;
    unsigned silent;
    struct mbap mbap;
};

static struct tcp_link *self(struct link *link)
{
    return (struct tcp_link *)link;
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
        size = link->wire.ops->read(&link->wire, to, room);
        if (size < 0)
            return size;
        link->mbap.end += (size_t)size;
    }
}

/* Collects frames until one answers the request. */
static int collect(struct tcp_link *link, const struct modbus_request *request,
                   struct link_reply *reply, int64_t until_mono_ns)
{
    for (;;) {
        struct mbap_frame frame;
        int error = receive(link, &frame, until_mono_ns);

        reply->mono_ns = now(link);
        if (error == ERR_TIMEOUT && reply->strays)
            return ERR_PROTOCOL;
        if (error)
            return error;
        if (frame.transaction != link->transaction || frame.unit != request->unit) {
            reply->strays++;
            continue;
        }
        switch (pdu_match(request, frame.pdu, frame.size)) {
        case PDU_ANSWER:
            reply->data = frame.pdu + pdu_data_offset(request->function);
            reply->size = frame.size - pdu_data_offset(request->function);
            return 0;
        case PDU_EXCEPTION:
            reply->exception = frame.pdu[1];
            return ERR_EXCEPTION;
        case PDU_OTHER:
            break;
        }
        reply->strays++;
        return ERR_PROTOCOL;
    }
}

static int transact(struct link *base, const struct modbus_request *request,
                    struct link_reply *reply)
{
    struct tcp_link *link = self(base);
    uint8_t frame[MBAP_FRAME_MAX];
    size_t size;
    int result;

    *reply = (struct link_reply){0};
    if (!base->open)
        return ERR_IO;
    size = mbap_encode(request, ++link->transaction, frame);
    result = link->wire.ops->write(&link->wire, frame, size);
    if (result == 0) {
        reply->requests = 1;
        reply->sent_ns = now(link);
        result = collect(link, request, reply, reply->sent_ns + request->timeout_ns);
    }
    link->silent = result == ERR_TIMEOUT ? link->silent + 1 : 0;
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
