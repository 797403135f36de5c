/*
 * A link on a line: whose replies say which unit and function they are of, but not which request
 * they answer. Kept here, whatever carries the bytes and however they are framed (frames.h): the
 * silence between frames, the fence against late replies (fence.h), and telling whether a reply
 * belongs to the request.
 */
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "modbus/fence.h"
#include "modbus/frames.h"
#include "modbus/link_on.h"
#include "modbus/unasked.h"

#define UNITS       256
#define SILENT_MAX  3   /* time-outs in a row after which a connection is taken for dead */
#define FRAME_BYTES 256 /* of a full frame: twice as many in a row are noise */
#define NOISE_NS    (50 * NS_PER_MS) /* the same for a network */

/* How the last answer stands to older requests. */
enum standing {
    CLEAR,
    IN_DOUBT,  /* it may be the answer to one that is in doubt */
    AMBIGUOUS, /* an exception that may be the answer to one that is outstanding */
};

struct line_link {
    struct link base; /* first: what others get a pointer to */
    struct wire wire;
    const struct frames_codec *codec;
    struct frames *frames, *library; /* ours; libmodbus's, NULL where it is not used */
    uint8_t kept[PDU_SIZE_MAX];      /* the answer */
    struct unasked unasked;          /* what came while silence was waited for */
    int64_t quiet_ns;                /* the next frame may begin then */
    uint8_t last_unit;
    uint16_t last_shape;
    int64_t last_sent_ns;
    unsigned silent;
    uint32_t suspects; /* frames that may have been the asked unit's answer to something else */
    enum standing standing;
    unsigned answer_size; /* on the wire */
    bool instant;         /* no wire: replies come sooner than their bytes could */
    struct fence fences[UNITS];
};

static struct line_link *self(struct link *link)
{
    return (struct line_link *)(void *)link;
}

static int64_t now(const struct line_link *link)
{
    return wire_now(&link->wire);
}

static int64_t bytes_ns(const struct line_link *link, size_t bytes)
{
    return (int64_t)bytes * link->wire.byte_ns;
}

/* The layer that frames a request and its reply. libmodbus keeps to itself what went over the wire:
 * where somebody listens to the bus it is not asked. */
static struct frames *layer(const struct line_link *link, const struct modbus_request *request)
{
    return link->library && frames_modbus_can(&link->wire, request->function) &&
                   !tap_wanted(link->base.host->tap)
               ? link->library
               : link->frames;
}

static void close_link(struct link *base)
{
    struct line_link *link = self(base);

    link->wire.ops->close(&link->wire);
    if (base->open)
        wire_told(&link->wire, TAP_CLOSED);
    base->open = false;
}

static void free_link(struct link *base)
{
    struct line_link *link = self(base);

    frames_free(link->frames);
    frames_free(link->library);
    free(link);
}

/*
 * Waits until the line was silent for as long as it must be before a frame, and throws away what
 * comes meanwhile (*bytes counts it). Returns 0, ERR_CHECKSUM when the line does not fall silent
 * for two frames' time, ERR_CLOSED or ERR_IO.
 */
static int await_silence(struct line_link *link, size_t *bytes)
{
    struct wire *wire = &link->wire;
    int64_t give_up = now(link) + bytes_ns(link, 2 * FRAME_BYTES) + 2 * wire->silence_ns +
                      (wire->network ? NOISE_NS : 0);

    link->unasked.size = 0;
    for (;;) {
        int ready = wire_wait(wire, link->quiet_ns), size;
        uint8_t waste[FRAME_BYTES];

        if (ready <= 0)
            return ready;
        size = wire_read(wire, waste, sizeof waste);
        if (size < 0)
            return size;
        if (size > 0) {
            *bytes += (size_t)size;
            unasked_keep(&link->unasked, waste, (size_t)size);
            link->quiet_ns = now(link) + wire->silence_ns;
        }
        if (now(link) > give_up)
            return ERR_CHECKSUM;
    }
}

/* A frame that nobody asked for: the unit asked last may answer twice, or was given up. */
static void suspect_last(struct line_link *link)
{
    struct fence *fence = &link->fences[link->last_unit];

    if (link->last_shape && !fence_closed(fence, link->last_shape, link->last_sent_ns))
        fence_lost(fence, link->last_shape, link->last_sent_ns);
}

static int open_link(struct link *base)
{
    struct line_link *link = self(base);
    int error = link->wire.ops->open(&link->wire, base->why, sizeof base->why);

    if (error)
        return error;
    wire_told(&link->wire, TAP_OPENED);
    suspect_last(link); /* its answer may still be on its way */
    link->quiet_ns = now(link) + link->wire.silence_ns;
    link->silent = 0;
    base->why[0] = '\0';
    base->open = true;
    return 0;
}

/* An adapter that hears itself returns the request; anything else in its place is a collision. */
static int skip_echo(struct line_link *link, uint8_t unit, const uint8_t *pdu, size_t pdu_size,
                     int64_t until_mono_ns)
{
    uint8_t sent[FRAMES_BYTES_MAX], echo[FRAMES_BYTES_MAX];
    size_t whole = link->codec->encode(unit, pdu, pdu_size, sent), have = 0;

    while (have < whole) {
        int ready = wire_wait(&link->wire, until_mono_ns), size;

        if (ready <= 0)
            return ready == 0 ? ERR_TIMEOUT : ready;
        size = wire_read(&link->wire, echo + have, whole - have);
        if (size < 0)
            return size;
        have += (size_t)size;
    }
    return memcmp(echo, sent, whole) == 0 ? 0 : ERR_CHECKSUM;
}

static int send_request(struct line_link *link, const struct modbus_request *request,
                        struct link_reply *reply, int64_t *until_mono_ns)
{
    struct frames *frames = layer(link, request);
    uint8_t pdu[PDU_SIZE_MAX];
    size_t size = pdu_encode(request, pdu);

    if (frames->ops->send(frames, request->unit, pdu, size) != 0)
        return ERR_IO;
    reply->requests++;
    reply->sent_ns = now(link);
    if (!link->wire.drains)
        reply->sent_ns += bytes_ns(link, frames_size(link->codec, size));
    link->last_unit = request->unit;
    link->last_shape = fence_shape(request);
    link->last_sent_ns = reply->sent_ns;
    *until_mono_ns = reply->sent_ns + request->timeout_ns;
    return link->base.options->echo ? skip_echo(link, request->unit, pdu, size, *until_mono_ns) : 0;
}

/* Keeps the answer where the next frame does not overwrite it. */
static void keep(struct line_link *link, const struct modbus_request *request,
                 const struct frame *frame, struct link_reply *reply)
{
    size_t offset = pdu_data_offset(request->function);

    memcpy(link->kept, frame->pdu, frame->pdu_size);
    reply->data = link->kept + offset;
    reply->size = frame->pdu_size - offset;
}

/* An older request of the unit is answered. */
static bool takes_late(struct line_link *link, const struct frame *frame, int64_t now_ns)
{
    struct fence *fence = &link->fences[frame->unit];
    uint16_t shape = fence_shape_of(frame->pdu, frame->pdu_size);
    bool late = fence_closed(fence, shape, now_ns);

    fence_late_at(fence, shape, now_ns);
    return late;
}

/* Collects frames until one answers the request; its PDU's size goes to *pdu_size. */
static int collect(struct line_link *link, const struct modbus_request *request,
                   struct link_reply *reply, int64_t until_mono_ns, struct frame *frame)
{
    struct frames *frames = layer(link, request);

    for (bool misled = false;; reply->strays++) {
        int error = frames->ops->receive(frames, until_mono_ns, frame);
        bool late = false;

        reply->mono_ns = now(link);
        if (error == ERR_TIMEOUT && misled)
            return ERR_PROTOCOL;
        if (error)
            return error;
        if (frame->unit == request->unit) {
            switch (pdu_match(request, frame->pdu, frame->pdu_size)) {
            case PDU_ANSWER:
                return 0;
            case PDU_EXCEPTION:
                reply->exception = frame->pdu[1];
                return ERR_EXCEPTION;
            case PDU_OTHER:
                link->suspects++;
                late = takes_late(link, frame, reply->mono_ns);
                break;
            }
        }
        misled |= !late;
    }
}

/*
 * What the outcome of a request means for the next ones to that unit. An exception says no more
 * than its function: when an older request of that function is outstanding it may be the answer to
 * that one, and even when one is only in doubt it may, so that its own is still to come.
 */
static void settle(struct line_link *link, const struct modbus_request *request, int result,
                   int64_t sent_ns)
{
    struct fence *fence = &link->fences[request->unit];
    uint16_t shape = fence_shape(request);

    link->standing = CLEAR;
    if (result == 0 && fence_doubtful(fence, shape, now(link)))
        link->standing = IN_DOUBT;
    if (result == ERR_EXCEPTION && fence_doubts(fence, request->function, now(link)))
        link->standing = IN_DOUBT;
    if (result == ERR_EXCEPTION && fence_waits(fence, request->function, now(link)))
        link->standing = AMBIGUOUS;

    if (link->standing == AMBIGUOUS)
        fence_exception(fence, request->function);
    else if (result == 0 || result == ERR_EXCEPTION)
        fence_settled(fence);
    if (result != 0 && (result != ERR_EXCEPTION || link->standing != CLEAR))
        fence_lost(fence, shape, sent_ns);
}

/*
 * A second frame right behind the reply: one of the two belongs to another request, and nobody can
 * tell which. The silence that has to be kept anyway is long enough to notice it. Returns `result`,
 * or the reason why it cannot be believed.
 */
static int expect_silence(struct line_link *link, int result, struct link_reply *reply)
{
    size_t bytes = 0;
    int error = await_silence(link, &bytes);

    if (error)
        return error;
    if (bytes < link->codec->bytes_least)
        return result;
    reply->strays++;
    return ERR_PROTOCOL;
}

static int exchange(struct line_link *link, const struct modbus_request *request,
                    struct link_reply *reply)
{
    size_t bytes = 0;
    struct frame frame;
    int64_t until;
    int result = await_silence(link, &bytes);

    if (bytes >= link->codec->bytes_least) {
        reply->strays++;
        link->suspects++;
        if (!unasked_late(&link->unasked, link->codec, link->fences, now(link)))
            suspect_last(link);
    }
    if (result)
        return result;
    if (fence_closed(&link->fences[request->unit], fence_shape(request), now(link)))
        return ERR_AGAIN;
    result = send_request(link, request, reply, &until);
    if (result == 0)
        result = collect(link, request, reply, until, &frame);
    if (result == ERR_CLOSED || result == ERR_IO)
        return result;
    link->quiet_ns =
        (now(link) > reply->sent_ns ? now(link) : reply->sent_ns) + link->wire.silence_ns;
    if (result == 0)
        keep(link, request, &frame, reply);
    if (result == 0 || result == ERR_EXCEPTION) {
        link->answer_size = frames_size(link->codec, frame.pdu_size);
        reply->answers++;
        result = expect_silence(link, result, reply);
    }
    settle(link, request, result, reply->sent_ns);
    return result;
}

/*
 * Whether the reply began before its request was out: then it is the answer to an older one, and
 * the collision may have kept the unit from hearing this one, so that nothing else will come and
 * tell. A device waits for the silence before it answers; half of it is what our own lateness may
 * take. Ports that are no wire (a pty, a network) are known by replies that were sooner when
 * nothing was in doubt.
 */
static bool too_soon(struct line_link *link, const struct link_reply *reply, bool in_doubt)
{
    int64_t began_ns = reply->mono_ns - bytes_ns(link, link->answer_size);

    if (!in_doubt)
        link->instant |= began_ns < reply->sent_ns;
    return in_doubt && !link->instant && began_ns < reply->sent_ns + link->wire.silence_ns / 2;
}

/* The detour of fence.h. What it reads, or whether the unit refuses it, does not matter, only that
 * nothing older can come any more. */
static int take_detour(struct line_link *link, const struct modbus_request *request,
                       struct link_reply *reply)
{
    struct modbus_request detour;
    int result;

    if (!fence_detour(&link->fences[request->unit], request, &detour, now(link)))
        return ERR_TIMEOUT;
    result = exchange(link, &detour, reply);
    if (result == 0)
        too_soon(link, reply, false);
    return result == ERR_EXCEPTION ? 0 : result;
}

/* A reply in doubt is believed when the one to a detour comes right behind it, and no other of the
 * unit. Returns `result`, or why it is not. */
static int confirm(struct line_link *link, const struct modbus_request *request, int result,
                   struct link_reply *reply)
{
    uint8_t kept[sizeof link->kept];
    struct link_reply first = *reply;
    uint32_t suspects = link->suspects;
    int error;

    memcpy(kept, link->kept, sizeof kept);
    error = take_detour(link, request, reply);
    memcpy(link->kept, kept, sizeof kept);
    first.requests = reply->requests;
    first.answers = reply->answers;
    first.strays = reply->strays;
    *reply = first;
    if (error)
        return error;
    return link->suspects != suspects ? ERR_PROTOCOL : result;
}

/* What must be looked at before an answer is believed: `result` is 0 or ERR_EXCEPTION. */
static int judge(struct line_link *link, const struct modbus_request *request, int result,
                 struct link_reply *reply)
{
    bool in_doubt = link->standing == IN_DOUBT;

    if (link->standing == AMBIGUOUS)
        return ERR_PROTOCOL;
    if (too_soon(link, reply, in_doubt)) {
        reply->strays++;
        fence_lost(&link->fences[request->unit], fence_shape(request), reply->sent_ns);
        return ERR_PROTOCOL;
    }
    return in_doubt ? confirm(link, request, result, reply) : result;
}

/* Nobody is asked, since too much is outstanding; but what is there already is looked at. 0, or why
 * nothing can be asked in any case. */
static int hear_late(struct line_link *link, struct link_reply *reply)
{
    size_t bytes = 0;
    int result = await_silence(link, &bytes);

    if (bytes >= link->codec->bytes_least) {
        reply->strays++;
        unasked_late(&link->unasked, link->codec, link->fences, now(link));
    }
    return result;
}

static int transact(struct link *base, const struct modbus_request *request,
                    struct link_reply *reply)
{
    struct line_link *link = self(base);
    struct fence *fence = &link->fences[request->unit];
    int result = ERR_AGAIN;

    *reply = (struct link_reply){0};
    if (!base->open)
        return ERR_IO;
    /* A stray frame that is noticed on the way closes the fence: then once more, with the detour.
     */
    for (int tries = 0; tries < 2 && result == ERR_AGAIN; tries++) {
        bool closed = fence_closed(fence, fence_shape(request), now(link));

        if (!fence_has_room(fence)) { /* now that what is too old is forgotten */
            result = hear_late(link, reply);
            if (result != 0 || !fence_has_room(fence))
                return result != 0 ? result : ERR_TIMEOUT;
            closed = fence_closed(fence, fence_shape(request), now(link));
        }
        result = 0;
        if (closed)
            result = take_detour(link, request, reply);
        if (result == 0)
            result = exchange(link, request, reply);
        if (result == 0 || result == ERR_EXCEPTION)
            result = judge(link, request, result, reply);
    }
    if (result == 0 || result == ERR_EXCEPTION)
        fence->late_ns = 0;
    if (result == ERR_TIMEOUT)
        fence_timed_out(fence, reply->sent_ns);
    reply->late_ns = fence->late_ns;
    link->silent = result == ERR_TIMEOUT && reply->strays == 0 ? link->silent + 1 : 0;
    if (result == ERR_IO || (link->wire.network && link->silent >= SILENT_MAX))
        close_link(base);
    return result == ERR_AGAIN ? ERR_PROTOCOL : result;
}

void link_line_changed(struct link *base)
{
    struct line_link *link = self(base);

    if (!base->open || !base->options->port)
        return;
    if (port_set_line(link->wire.fd, &base->options->line) != 0) {
        close_link(base);
        return;
    }
    port_flush_input(link->wire.fd);
    memset(link->fences, 0, sizeof link->fences);
    link->last_shape = 0;
    link->wire.byte_ns = port_byte_ns(&base->options->line);
    link->wire.silence_ns = link_silence_ns(base->options);
    link->quiet_ns = now(link) + link->wire.silence_ns;
}

/* `library`: whether libmodbus frames what it can. */
static int make(struct link **link, const struct wire *wire, const struct frames_codec *codec,
                bool library)
{
    static const struct link_ops ops = {open_link, transact, close_link, free_link};
    struct line_link *made = calloc(1, sizeof *made);
    int error;

    if (!made)
        return ERR_NOMEM;
    made->base.ops = &ops;
    made->base.host = wire->host;
    made->base.options = wire->options;
    made->wire = *wire;
    made->codec = codec;
    made->instant = wire->network;
    error = frames_new_wire(&made->frames, codec, &made->wire);
    if (!error && library)
        error = frames_new_modbus(&made->library, &made->wire);
    if (error)
        free_link(&made->base);
    else
        *link = &made->base;
    return error;
}

int link_new_on(struct link **link, const struct wire *wire, const struct frames_codec *codec)
{
    return make(link, wire, codec, false);
}

int link_new_line(struct link **link, const struct modbus_bus_options *options,
                  struct driver_host *host)
{
    struct wire wire;

    if (options->port)
        wire_port_init(&wire, options, host);
    else
        wire_socket_init(&wire, options, host);
    return make(link, &wire, options->ascii ? &frames_ascii : &frames_rtu,
                options->port && !options->ascii);
}
