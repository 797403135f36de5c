/*
 * Links through libmodbus, which frames, checks and collects; nothing else of the gateway includes
 * it. What it leaves to its user is done here: the silence between frames, the wait that ends when
 * the bus is to stop, the fence against late replies (fence.h), and telling whether a reply belongs
 * to the request.
 *
 * libmodbus waits in select(), so a descriptor of FD_SETSIZE or more must never reach it. Its byte
 * time-out is off: then its response time-out is one deadline for the whole reply, however slowly
 * the bytes come. Its error recovery is off, too.
 */
#include <errno.h>
#include <linux/serial.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "core/error.h"
#include "core/status.h"
#include "modbus/fence.h"
#include "modbus/link.h"
#include "modbus/rtu.h"

#define UNITS 256

struct modbus_link {
    struct link base; /* first: what others get a pointer to */
    modbus_t *library;
    int fd;
    uint8_t frame[MODBUS_MAX_ADU_LENGTH];
    int size;         /* of the frame that answered */
    int64_t quiet_ns; /* the next frame may begin then */
    uint8_t last_unit;
    uint16_t last_shape;
    int64_t last_sent_ns;
    bool ambiguous;        /* the exception that came may answer an older request */
    uint32_t suspects;     /* frames that may have been the asked unit's answer to something else */
    bool instant;          /* no wire: replies come sooner than their bytes could */
    struct fence fences[]; /* one per unit */
};

static struct modbus_link *self(struct link *link)
{
    return (struct modbus_link *)link;
}

static int64_t now(const struct modbus_link *link)
{
    return clock_mono(link->base.host->clock);
}

/* A frame whose length libmodbus does not know: it takes a function that it has never heard of for
 * one byte long. */
static int receive_identity(struct modbus_link *link, int64_t until_mono_ns)
{
    size_t have = 0;

    for (;;) {
        int whole = rtu_reply_size(link->frame, have), ready;
        ssize_t size;

        if (whole < 0)
            return ERR_CHECKSUM;
        if (whole > 0 && have >= (size_t)whole)
            return rtu_is_sound(link->frame, (size_t)whole) ? whole : ERR_CHECKSUM;
        ready = host_wait(link->base.host, link->fd, until_mono_ns);
        if (ready == 0)
            return have ? ERR_CHECKSUM : ERR_TIMEOUT;
        if (ready < 0)
            return ready;
        size = read(link->fd, link->frame + have, (whole ? (size_t)whole : have + 1) - have);
        if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR))
            return ERR_IO;
        have += size > 0 ? (size_t)size : 0;
    }
}

/*
 * Collects one frame. Returns its size, 0 for a frame that libmodbus saw to be another unit's,
 * ERR_TIMEOUT when nothing came, ERR_CHECKSUM for what is damaged or incomplete, ERR_CLOSED, or
 * ERR_IO when the line is gone.
 */
static int receive(struct modbus_link *link, int64_t until_mono_ns)
{
    int ready = host_wait(link->base.host, link->fd, until_mono_ns), size;
    int64_t left_us = (until_mono_ns - now(link)) / NS_PER_US;

    if (ready <= 0)
        return ready == 0 ? ERR_TIMEOUT : ready;
    if (left_us < 1000)
        left_us = 1000;
    modbus_set_response_timeout(link->library, (uint32_t)(left_us / 1000000),
                                (uint32_t)(left_us % 1000000));
    size = modbus_receive_confirmation(link->library, link->frame);
    if (size >= 0)
        return size;
    if (errno == ETIMEDOUT || errno == EMBBADCRC || errno == EMBBADDATA)
        return ERR_CHECKSUM;
    return ERR_IO;
}

static void close_link(struct link *base)
{
    struct modbus_link *link = self(base);

    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
    modbus_set_socket(link->library, -1);
    base->open = false;
}

static void free_link(struct link *base)
{
    modbus_free(self(base)->library);
    free(base);
}

static int take(struct modbus_link *link, int fd)
{
    if (fd >= FD_SETSIZE) {
        close(fd);
        snprintf(link->base.why, sizeof link->base.why,
                 "all file descriptors below %d are in use: spread the buses over several gateways",
                 FD_SETSIZE);
        return ERR_FULL;
    }
    link->fd = fd;
    modbus_set_socket(link->library, fd);
    link->base.open = true;
    link->base.why[0] = '\0';
    return 0;
}

static int set_rs485(int fd)
{
    struct serial_rs485 mode;

    if (ioctl(fd, TIOCGRS485, &mode) < 0)
        return ERR_UNSUPPORTED;
    mode.flags |= SER_RS485_ENABLED;
    return ioctl(fd, TIOCSRS485, &mode) < 0 ? ERR_UNSUPPORTED : 0;
}

static const char *port_advice(int error)
{
    switch (error) {
    case ERR_NOT_FOUND:
        return "it is not there: plug the adapter in, or correct \"port\"";
    case ERR_BUSY:
        return "another program has it: end that program";
    case ERR_DENIED:
        return "permission denied: the gateway's user must be in the group of the port (dialout)";
    default:
        return error_text(error);
    }
}

/*
 * Waits until the line was silent for as long as it must be before a frame, and throws away what
 * comes meanwhile (*bytes counts it). Returns 0, ERR_CHECKSUM when the line does not fall silent
 * for two frames' time, ERR_CLOSED or ERR_IO.
 */
static int rtu_await_silence(struct modbus_link *link, size_t *bytes)
{
    const struct modbus_bus_options *options = link->base.options;
    int64_t silence = link_silence_ns(options);
    int64_t give_up =
        now(link) + link_bytes_ns(options, 2 * MODBUS_RTU_MAX_ADU_LENGTH) + 2 * silence;

    for (;;) {
        int ready = host_wait(link->base.host, link->fd, link->quiet_ns);
        uint8_t waste[MODBUS_RTU_MAX_ADU_LENGTH];
        ssize_t size;

        if (ready <= 0)
            return ready;
        size = read(link->fd, waste, sizeof waste);
        if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR))
            return ERR_IO;
        if (size > 0) {
            *bytes += (size_t)size;
            link->quiet_ns = now(link) + silence;
        }
        if (now(link) > give_up)
            return ERR_CHECKSUM;
    }
}

/* A frame that nobody asked for: the unit asked last may answer twice, or was given up. */
static void rtu_suspect_last(struct modbus_link *link)
{
    struct fence *fence = &link->fences[link->last_unit];

    if (link->last_shape && !fence_closed(fence, link->last_shape, link->last_sent_ns))
        fence_lost(fence, link->last_shape, link->last_sent_ns);
}

static int rtu_open(struct link *base)
{
    struct modbus_link *link = self(base);
    const struct modbus_bus_options *options = base->options;
    int fd, error = port_open(options->port, &options->line, &fd);

    if (error) {
        snprintf(base->why, sizeof base->why, "port %s: %s", options->port, port_advice(error));
        return error;
    }
    if (options->rs485 == MODBUS_RS485_KERNEL && set_rs485(fd) != 0) {
        close(fd);
        snprintf(base->why, sizeof base->why,
                 "port %s: its driver cannot switch RS-485; set \"rs485\" to \"none\" if the "
                 "transceiver switches by itself",
                 options->port);
        return ERR_UNSUPPORTED;
    }
    rtu_suspect_last(link); /* its answer may still be on its way */
    link->quiet_ns = now(link) + link_silence_ns(options);
    return take(link, fd);
}

/* An adapter that hears itself returns the request; anything else in its place is a collision. */
static int rtu_skip_echo(struct modbus_link *link, const uint8_t *sent, size_t sent_size,
                         int64_t until_mono_ns)
{
    uint8_t echo[RTU_FRAME_MAX];
    size_t have = 0;

    while (have < sent_size) {
        int ready = host_wait(link->base.host, link->fd, until_mono_ns);
        ssize_t size;

        if (ready <= 0)
            return ready == 0 ? ERR_TIMEOUT : ready;
        size = read(link->fd, echo + have, sent_size - have);
        if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR))
            return ERR_IO;
        have += size > 0 ? (size_t)size : 0;
    }
    return memcmp(echo, sent, sent_size) == 0 ? 0 : ERR_CHECKSUM;
}

static int rtu_send(struct modbus_link *link, const struct modbus_request *request,
                    struct link_reply *reply, int64_t *until_mono_ns)
{
    uint8_t pdu[PDU_SIZE_MAX], frame[RTU_FRAME_MAX];
    size_t size = rtu_encode(request->unit, pdu, pdu_encode(request, pdu), frame);

    modbus_flush(link->library);
    modbus_set_slave(link->library, request->unit);
    if (modbus_send_raw_request(link->library, frame, (int)size - 2) != (int)size)
        return ERR_IO;
    reply->requests++;
    reply->sent_ns = now(link) + link_bytes_ns(link->base.options, (unsigned)size);
    link->last_unit = request->unit;
    link->last_shape = fence_shape(request);
    link->last_sent_ns = reply->sent_ns;
    *until_mono_ns = reply->sent_ns + request->timeout_ns;
    return link->base.options->echo ? rtu_skip_echo(link, frame, size, *until_mono_ns) : 0;
}

/* Collects frames until one answers the request. */
static int rtu_collect(struct modbus_link *link, const struct modbus_request *request,
                       struct link_reply *reply, int64_t until_mono_ns)
{
    uint32_t strays = 0;

    for (;;) {
        int size = request->function == PDU_IDENTIFY ? receive_identity(link, until_mono_ns)
                                                     : receive(link, until_mono_ns);
        const uint8_t *pdu = link->frame + 1;

        reply->mono_ns = now(link);
        if (size == ERR_TIMEOUT && strays)
            return ERR_PROTOCOL;
        if (size < 0)
            return size;
        if (size >= RTU_FRAME_LEAST && link->frame[0] == request->unit) {
            switch (pdu_match(request, pdu, (size_t)size - 3)) {
            case PDU_ANSWER:
                link->size = size;
                reply->data = pdu + pdu_data_offset(request->function);
                reply->size = (size_t)size - 3 - pdu_data_offset(request->function);
                return 0;
            case PDU_EXCEPTION:
                link->size = size;
                reply->exception = pdu[1];
                return ERR_EXCEPTION;
            case PDU_OTHER:
                link->suspects++;
                fence_late(&link->fences[request->unit], fence_shape_of(pdu, (size_t)size - 3));
                break;
            }
        }
        strays++;
        reply->strays++;
    }
}

/*
 * What the outcome of a request means for the next ones to that unit. An exception says no more
 * than its function: when an older request of that function is outstanding it may be the answer to
 * that one.
 */
static void rtu_settle(struct modbus_link *link, const struct modbus_request *request, int result,
                       int64_t sent_ns)
{
    struct fence *fence = &link->fences[request->unit];

    link->ambiguous = result == ERR_EXCEPTION && fence_waits(fence, request->function, now(link));
    if (link->ambiguous)
        fence_exception(fence, request->function);
    if (link->ambiguous || (result != 0 && result != ERR_EXCEPTION))
        fence_lost(fence, fence_shape(request), sent_ns);
    else
        fence_settled(fence);
}

/*
 * A second frame right behind the reply: one of the two belongs to another request, and nobody can
 * tell which. The silence that has to be kept anyway is long enough to notice it. Returns `result`,
 * or the reason why it cannot be believed.
 */
static int rtu_expect_silence(struct modbus_link *link, int result, struct link_reply *reply)
{
    size_t bytes = 0;
    int error = rtu_await_silence(link, &bytes);

    if (error)
        return error;
    if (bytes < RTU_FRAME_LEAST)
        return result;
    reply->strays++;
    return ERR_PROTOCOL;
}

static int rtu_transact(struct modbus_link *link, const struct modbus_request *request,
                        struct link_reply *reply)
{
    size_t bytes = 0;
    int64_t until;
    int result = rtu_await_silence(link, &bytes);

    if (bytes >= RTU_FRAME_LEAST) {
        reply->strays++;
        link->suspects++;
        rtu_suspect_last(link);
    }
    if (result)
        return result;
    if (fence_closed(&link->fences[request->unit], fence_shape(request), now(link)))
        return ERR_AGAIN;
    result = rtu_send(link, request, reply, &until);
    if (result == 0)
        result = rtu_collect(link, request, reply, until);
    if (result == ERR_CLOSED || result == ERR_IO)
        return result;
    link->quiet_ns = (now(link) > reply->sent_ns ? now(link) : reply->sent_ns) +
                     link_silence_ns(link->base.options);
    if (result == 0 || result == ERR_EXCEPTION)
        result = rtu_expect_silence(link, result, reply);
    rtu_settle(link, request, result, reply->sent_ns);
    return result;
}

/*
 * Whether the reply began before its request was out: then it is the answer to an older one, and
 * the collision may have kept the unit from hearing this one, so that nothing else will come and
 * tell. A device waits for the silence before it answers; half of it is what our own lateness may
 * take. Ports that are no wire (a pty, a network) are known by replies that were sooner when
 * nothing was in doubt.
 */
static bool rtu_too_soon(struct modbus_link *link, const struct link_reply *reply, bool in_doubt)
{
    const struct modbus_bus_options *options = link->base.options;
    int64_t began_ns = reply->mono_ns - link_bytes_ns(options, (unsigned)link->size);

    if (!in_doubt)
        link->instant |= began_ns < reply->sent_ns;
    return in_doubt && !link->instant && began_ns < reply->sent_ns + link_silence_ns(options) / 2;
}

/* The detour of fence.h. What it reads, or whether the unit refuses it, does not matter, only that
 * nothing older can come any more. */
static int rtu_detour(struct modbus_link *link, const struct modbus_request *request,
                      struct link_reply *reply)
{
    struct modbus_request detour;
    int result;

    if (!fence_detour(&link->fences[request->unit], request, &detour, now(link)))
        return ERR_TIMEOUT;
    result = rtu_transact(link, &detour, reply);
    if (result == 0)
        rtu_too_soon(link, reply, false);
    return result == ERR_EXCEPTION ? 0 : result;
}

/* A reply in doubt is believed when the one to a detour comes right behind it, and no other of the
 * unit. Returns `result`, or why it is not. */
static int rtu_confirm(struct modbus_link *link, const struct modbus_request *request, int result,
                       struct link_reply *reply)
{
    uint8_t kept[sizeof link->frame];
    struct link_reply first = *reply;
    uint32_t suspects = link->suspects;
    int error;

    memcpy(kept, link->frame, sizeof kept);
    error = rtu_detour(link, request, reply);
    memcpy(link->frame, kept, sizeof kept);
    first.requests = reply->requests;
    first.strays = reply->strays;
    *reply = first;
    if (error)
        return error;
    return link->suspects != suspects ? ERR_PROTOCOL : result;
}

/* What must be looked at before an answer is believed: `result` is 0 or ERR_EXCEPTION. */
static int rtu_judge(struct modbus_link *link, const struct modbus_request *request, int result,
                     struct link_reply *reply)
{
    struct fence *fence = &link->fences[request->unit];
    uint16_t shape = fence_shape(request);
    bool in_doubt = result == ERR_EXCEPTION ? fence_doubts(fence, request->function, now(link))
                                            : fence_doubtful(fence, shape, now(link));

    if (result == ERR_EXCEPTION && link->ambiguous)
        return ERR_PROTOCOL;
    if (rtu_too_soon(link, reply, in_doubt)) {
        reply->strays++;
        fence_lost(fence, shape, reply->sent_ns);
        return ERR_PROTOCOL;
    }
    return in_doubt ? rtu_confirm(link, request, result, reply) : result;
}

static int rtu_answer(struct link *base, const struct modbus_request *request,
                      struct link_reply *reply)
{
    struct modbus_link *link = self(base);
    struct fence *fence = &link->fences[request->unit];
    int result = ERR_AGAIN;

    *reply = (struct link_reply){0};
    /* A stray frame that is noticed on the way closes the fence: then once more, with the detour.
     */
    for (int tries = 0; tries < 2 && result == ERR_AGAIN; tries++) {
        if (!fence_has_room(fence))
            return ERR_TIMEOUT;
        result = 0;
        if (fence_closed(fence, fence_shape(request), now(link)))
            result = rtu_detour(link, request, reply);
        if (result == 0)
            result = rtu_transact(link, request, reply);
        if (result == 0 || result == ERR_EXCEPTION)
            result = rtu_judge(link, request, result, reply);
    }
    if (result == ERR_AGAIN)
        return ERR_PROTOCOL;
    if (result == ERR_IO)
        close_link(base);
    return result;
}

static const struct link_ops rtu_ops = {
    .open = rtu_open, .transact = rtu_answer, .close = close_link, .free = free_link};

static int make(struct link **link, const struct link_ops *ops, size_t fences, modbus_t *library,
                const struct modbus_bus_options *options, struct driver_host *host)
{
    struct modbus_link *made = calloc(1, sizeof *made + fences * sizeof made->fences[0]);

    if (!made || !library) {
        if (library)
            modbus_free(library);
        free(made);
        return ERR_NOMEM;
    }
    made->base.ops = ops;
    made->base.host = host;
    made->base.options = options;
    made->library = library;
    made->fd = -1;
    modbus_set_byte_timeout(library, 0, 0);
    *link = &made->base;
    return 0;
}

/* libmodbus is given an open descriptor; where it would open one itself is never used. */
int link_new_rtu(struct link **link, const struct modbus_bus_options *options,
                 struct driver_host *host)
{
    return make(link, &rtu_ops, UNITS,
                modbus_new_rtu("/dev/null", options->line.baud, options->line.parity, 8,
                               options->line.stop_bits),
                options, host);
}
