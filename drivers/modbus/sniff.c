#include "modbus/sniff.h"

#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "modbus/sniff_rtu.h"

#define SILENCE_NS (30 * NS_PER_MS)
#define LUMPS_NS   NS_PER_S       /* from the first lump of a frame to the last */
#define ANSWER_NS  (5 * NS_PER_S) /* a copy of a request that comes later is another request */
#define ASCII_MOST FRAMES_BYTES_MAX

void sniff_init(struct sniff *sniff, enum sniff_protocol protocol, int64_t byte_ns, sniff_fn *fn,
                void *context)
{
    memset(sniff, 0, sizeof *sniff);
    sniff->protocol = protocol;
    sniff->byte_ns = byte_ns < 0 ? 0 : byte_ns < NS_PER_S ? byte_ns : NS_PER_S;
    sniff->fn = fn;
    sniff->context = context;
    sniff->last_ns = INT64_MIN;
}

/* Longer than that, a pause parts lumps. */
static int64_t lump_ns(const struct sniff *sniff)
{
    return SILENCE_NS + 4 * sniff->byte_ns;
}

int64_t sniff_silence_ns(const struct sniff *sniff)
{
    return lump_ns(sniff) + (sniff->protocol == SNIFF_ASCII ? LUMPS_NS : 0);
}

int64_t sniff_patience_ns(const struct sniff *sniff)
{
    return lump_ns(sniff) + LUMPS_NS;
}

static uint16_t u16_at(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* The open request that a frame of that unit and function may answer. */
static struct sniff_request *find_request(struct sniff *sniff, const struct sniff_frame *frame)
{
    uint8_t function = frame->pdu[0] & 0x7F;

    for (unsigned i = 1; i <= SNIFF_REQUESTS; i++) {
        struct sniff_request *request =
            &sniff->requests[(sniff->next_request + SNIFF_REQUESTS - i) % SNIFF_REQUESTS];

        if (request->open && request->unit == frame->unit && request->function == function &&
            (sniff->protocol != SNIFF_TCP || request->transaction == frame->transaction))
            return frame->begin_ns - request->end_ns < ANSWER_NS ? request : NULL;
        if (sniff->protocol != SNIFF_TCP && request->open)
            return NULL; /* only the last request of a line can be answered */
    }
    return NULL;
}

static bool has_address(uint8_t function)
{
    return (function >= 1 && function <= 6) || function == PDU_WRITE_COILS ||
           function == PDU_WRITE_REGISTERS || function == PDU_MASK_REGISTER || function == 23;
}

static bool has_count(uint8_t function)
{
    return (function >= 1 && function <= 4) || function == PDU_WRITE_COILS ||
           function == PDU_WRITE_REGISTERS || function == 23;
}

static void note_request(struct sniff *sniff, const struct sniff_frame *frame)
{
    struct sniff_request *request = &sniff->requests[sniff->next_request++ % SNIFF_REQUESTS];

    if (sniff->protocol != SNIFF_TCP)
        for (unsigned i = 0; i < SNIFF_REQUESTS; i++)
            sniff->requests[i].open = false;
    *request = (struct sniff_request){.unit = frame->unit,
                                      .function = frame->pdu[0],
                                      .transaction = frame->transaction,
                                      .end_ns = frame->end_ns,
                                      .open = true};
    if (has_address(request->function) && frame->pdu_size >= 5) {
        request->address = u16_at(frame->pdu + 1);
        request->count = has_count(request->function) ? u16_at(frame->pdu + 3) : 1;
    }
}

/* Whether a frame that has the shape of both is a reply: it is when its request is open, and asked
 * for as much. */
static bool answers(const struct sniff_request *request, const struct sniff_frame *frame)
{
    uint8_t function = frame->pdu[0];

    if (!request)
        return false;
    if (function >= 1 && function <= 4)
        return frame->pdu[1] == pdu_data_size(function, request->count);
    return !has_address(function) || u16_at(frame->pdu + 1) == request->address;
}

static enum sniff_kind kind_of(struct sniff *sniff, enum sniff_way way,
                               const struct sniff_frame *frame)
{
    int as_request = sniff_request_size(frame->pdu, frame->pdu_size);
    int as_reply = sniff_reply_size(frame->pdu, frame->pdu_size);
    bool may_ask = as_request < 0 || as_request == (int)frame->pdu_size;
    bool may_answer = as_reply < 0 || as_reply == (int)frame->pdu_size;

    if (way != SNIFF_HEARD)
        return way == SNIFF_SENT ? SNIFF_REQUEST : SNIFF_REPLY;
    if (may_ask && may_answer)
        return answers(find_request(sniff, frame), frame) ? SNIFF_REPLY : SNIFF_REQUEST;
    return may_answer ? SNIFF_REPLY : SNIFF_REQUEST;
}

/* Whether a pause stands before the byte at `at`. */
static bool is_apart(const struct sniff *sniff, const struct sniff_buffer *buffer, size_t at)
{
    return buffer->at_ns[at] - buffer->at_ns[at - 1] > lump_ns(sniff);
}

/* The first `size` bytes. */
static void emit(struct sniff *sniff, struct sniff_buffer *buffer, size_t size,
                 struct sniff_frame *frame)
{
    frame->bytes = buffer->bytes;
    frame->size = size;
    frame->begin_ns = buffer->at_ns[0];
    frame->end_ns = buffer->at_ns[size - 1];
    for (size_t i = 1; i < size; i++) {
        int64_t pause_ns = buffer->at_ns[i] - buffer->at_ns[i - 1] - sniff->byte_ns;

        if (is_apart(sniff, buffer, i) && pause_ns > frame->pause_ns)
            frame->pause_ns = pause_ns;
    }
    frame->gap_ns = -1;
    if (sniff->last_ns != INT64_MIN) {
        frame->gap_ns = frame->begin_ns - sniff->byte_ns - sniff->last_ns;
        if (frame->gap_ns < 0)
            frame->gap_ns = 0;
    }
}

static void tell(struct sniff *sniff, const struct sniff_frame *frame)
{
    sniff->fn(sniff->context, frame);
    sniff->last_ns = frame->end_ns;
}

static void drop(struct sniff_buffer *buffer, size_t size)
{
    buffer->have -= size;
    memmove(buffer->bytes, buffer->bytes + size, buffer->have);
    memmove(buffer->at_ns, buffer->at_ns + size, buffer->have * sizeof buffer->at_ns[0]);
}

/* How many of the first `most` bytes no pause parts. */
static size_t lump_size(const struct sniff *sniff, const struct sniff_buffer *buffer, size_t most)
{
    size_t size = 1;

    while (size < most && !is_apart(sniff, buffer, size))
        size++;
    return size;
}

/* Each lump of it by itself. */
static void tell_garbage(struct sniff *sniff, struct sniff_buffer *buffer)
{
    while (buffer->garbage) {
        struct sniff_frame frame = {.kind = SNIFF_GARBAGE};
        size_t size = lump_size(sniff, buffer, buffer->garbage);

        emit(sniff, buffer, size, &frame);
        tell(sniff, &frame);
        drop(buffer, size);
        buffer->garbage -= size;
        buffer->garbage_ns = frame.end_ns;
    }
}

/* A frame of `size` bytes stands behind the garbage. */
static void tell_frame(struct sniff *sniff, enum sniff_way way, struct sniff_buffer *buffer,
                       size_t size, struct sniff_frame *frame)
{
    struct sniff_request *request = NULL;

    emit(sniff, buffer, size, frame);
    frame->kind = kind_of(sniff, way, frame);
    if (frame->kind == SNIFF_REPLY)
        request = find_request(sniff, frame);
    frame->request = request;
    tell(sniff, frame);
    if (request)
        request->open = false;
    if (frame->kind == SNIFF_REQUEST)
        note_request(sniff, frame);
    drop(buffer, size);
    buffer->garbage_ns = 0;
}

/* Whether garbage stands right before the byte at `at`. */
static bool is_behind_garbage(const struct sniff *sniff, const struct sniff_buffer *buffer,
                              size_t at)
{
    if (at > 0)
        return !is_apart(sniff, buffer, at);
    return buffer->garbage_ns && buffer->at_ns[0] - buffer->garbage_ns <= lump_ns(sniff);
}

/* As sniff_rtu_at; but what goes over a pause, behind which a frame begins, is none. */
static int rtu_at(const struct sniff *sniff, const struct sniff_buffer *buffer, size_t at,
                  enum sniff_way way, bool last)
{
    const uint8_t *bytes = buffer->bytes;
    int size = sniff_rtu_at(bytes + at, buffer->have - at, way, last,
                            is_behind_garbage(sniff, buffer, at));
    size_t end = size > 0 ? at + (size_t)size : buffer->have;

    for (size_t i = at + 1; size >= 0 && i < end; i++) {
        if (is_apart(sniff, buffer, i) &&
            sniff_rtu_at(bytes + i, buffer->have - i, way, false, true) > 0)
            return ERR_NOT_FOUND;
    }
    return size;
}

/* An RTU frame of `size` bytes stands behind the garbage. */
static void tell_rtu(struct sniff *sniff, enum sniff_way way, struct sniff_buffer *buffer, int size)
{
    struct sniff_frame frame = {0};

    tell_garbage(sniff, buffer);
    frame.unit = buffer->bytes[0];
    frame.pdu = buffer->bytes + 1;
    frame.pdu_size = (size_t)size - SNIFF_RTU_AROUND;
    tell_frame(sniff, way, buffer, (size_t)size, &frame);
}

static void take_rtu(struct sniff *sniff, enum sniff_way way)
{
    struct sniff_buffer *buffer = &sniff->buffers[way == SNIFF_RECEIVED];

    while (buffer->have > buffer->garbage) {
        int size = rtu_at(sniff, buffer, buffer->garbage, way, false);

        if (size == 0)
            return;
        if (size > 0)
            tell_rtu(sniff, way, buffer, size);
        else
            buffer->garbage++;
    }
}

/* The frames that a silence shows: of functions that nobody knows, and those behind bytes that
 * looked like the beginning of a longer one. */
static void take_rtu_before_silence(struct sniff *sniff, enum sniff_way way)
{
    struct sniff_buffer *buffer = &sniff->buffers[way == SNIFF_RECEIVED];
    size_t at = buffer->garbage;

    while (at < buffer->have) {
        int size = rtu_at(sniff, buffer, at, way, true);

        if (size <= 0) {
            at++;
            continue;
        }
        buffer->garbage = at;
        tell_rtu(sniff, way, buffer, size);
        take_rtu(sniff, way);
        at = buffer->garbage;
    }
}

static void take_ascii(struct sniff *sniff, enum sniff_way way, bool last)
{
    struct sniff_buffer *buffer = &sniff->buffers[way == SNIFF_RECEIVED];

    while (buffer->have > buffer->garbage) {
        const uint8_t *bytes = buffer->bytes + buffer->garbage;
        size_t have = buffer->have - buffer->garbage, wanted;
        const uint8_t *end = memchr(bytes, '\n', have);
        uint8_t adu[FRAMES_ADU_MAX];
        struct frame found;

        if (bytes[0] == ':' && !end && have < ASCII_MOST && !last)
            return;
        if (bytes[0] != ':' || !end || end - bytes >= ASCII_MOST ||
            frames_ascii.decode(bytes, (size_t)(end - bytes) + 1, adu, &found, &wanted) != 1) {
            buffer->garbage++;
            continue;
        }
        struct sniff_frame frame = {
            .unit = found.unit, .pdu = found.pdu, .pdu_size = found.pdu_size};
        size_t size = (size_t)(end - bytes) + 1;
        tell_garbage(sniff, buffer);
        tell_frame(sniff, way, buffer, size, &frame);
    }
}

static void take_tcp(struct sniff *sniff, enum sniff_way way)
{
    struct sniff_buffer *buffer = &sniff->buffers[way == SNIFF_RECEIVED];

    while (buffer->have >= MBAP_HEADER_SIZE) {
        const uint8_t *bytes = buffer->bytes;
        size_t length = u16_at(bytes + 4), size = MBAP_HEADER_SIZE - 1 + length;
        struct sniff_frame frame = {
            .transaction = u16_at(bytes), .unit = bytes[6], .pdu = bytes + MBAP_HEADER_SIZE};

        if (bytes[2] || bytes[3] || length < 2 || length > PDU_SIZE_MAX + 1) {
            buffer->garbage = buffer->have; /* nothing behind it can be believed */
            tell_garbage(sniff, buffer);
            return;
        }
        if (buffer->have < size)
            return;
        frame.pdu_size = length - 1;
        tell_frame(sniff, way, buffer, size, &frame);
    }
}

static void take(struct sniff *sniff, enum sniff_way way)
{
    if (sniff->protocol == SNIFF_RTU)
        take_rtu(sniff, way);
    else if (sniff->protocol == SNIFF_ASCII)
        take_ascii(sniff, way, false);
    else
        take_tcp(sniff, way);
}

/* Nothing more comes of what is there. */
static void take_last(struct sniff *sniff, enum sniff_way way)
{
    struct sniff_buffer *buffer = &sniff->buffers[way == SNIFF_RECEIVED];

    take(sniff, way);
    if (sniff->protocol == SNIFF_RTU)
        take_rtu_before_silence(sniff, way);
    else if (sniff->protocol == SNIFF_ASCII)
        take_ascii(sniff, way, true);
    buffer->garbage = buffer->have;
    tell_garbage(sniff, buffer);
    buffer->garbage_ns = 0;
}

static enum sniff_way other_way(const struct sniff *sniff)
{
    return sniff->way == SNIFF_HEARD ? SNIFF_HEARD : SNIFF_SENT;
}

void sniff_flush(struct sniff *sniff)
{
    take_last(sniff, other_way(sniff));
    take_last(sniff, SNIFF_RECEIVED);
}

static void rest(struct sniff *sniff, enum sniff_way way, int64_t mono_ns)
{
    struct sniff_buffer *buffer = &sniff->buffers[way == SNIFF_RECEIVED];

    for (;;) {
        int64_t longest_ns = sniff_patience_ns(sniff) + (int64_t)buffer->have * sniff->byte_ns;

        take(sniff, way);
        if (sniff->protocol == SNIFF_RTU)
            take_rtu_before_silence(sniff, way);
        tell_garbage(sniff, buffer);
        if (buffer->have == 0 || mono_ns - buffer->at_ns[0] <= longest_ns)
            return;
        buffer->garbage = lump_size(sniff, buffer, buffer->have);
    }
}

void sniff_rest(struct sniff *sniff, int64_t mono_ns)
{
    if (sniff->protocol == SNIFF_TCP)
        return; /* nobody knows how long a connection takes */
    rest(sniff, other_way(sniff), mono_ns);
    rest(sniff, SNIFF_RECEIVED, mono_ns);
}

/* A frame of a function that nobody knows may be whole. */
static bool is_whole(const struct sniff *sniff, const struct sniff_buffer *buffer)
{
    return sniff->protocol == SNIFF_RTU && buffer->have >= SNIFF_RTU_LEAST &&
           buffer->have <= FRAMES_ADU_MAX && frames_rtu_sound(buffer->bytes, buffer->have);
}

static void end(struct sniff *sniff, enum sniff_way way, int64_t mono_ns)
{
    struct sniff_buffer *buffer = &sniff->buffers[way == SNIFF_RECEIVED];
    struct sniff_frame frame = {.kind = SNIFF_CUT};
    int64_t quiet_ns = buffer->have ? mono_ns - buffer->at_ns[buffer->have - 1] : 0;

    if (quiet_ns > sniff_patience_ns(sniff) || is_whole(sniff, buffer))
        take_last(sniff, way);
    else if (quiet_ns > sniff_silence_ns(sniff))
        rest(sniff, way, mono_ns);
    else
        take(sniff, way);
    tell_garbage(sniff, buffer);
    if (buffer->have == 0)
        return;
    emit(sniff, buffer, buffer->have, &frame);
    tell(sniff, &frame);
    drop(buffer, buffer->have);
}

void sniff_end(struct sniff *sniff, int64_t mono_ns)
{
    end(sniff, other_way(sniff), mono_ns);
    end(sniff, SNIFF_RECEIVED, mono_ns);
}

void sniff_feed(struct sniff *sniff, enum sniff_way way, int64_t mono_ns, const uint8_t *bytes,
                size_t size)
{
    struct sniff_buffer *buffer = &sniff->buffers[way == SNIFF_RECEIVED];
    int64_t first_ns = mono_ns - (int64_t)(size - 1) * sniff->byte_ns;

    /* On a line nobody speaks while another does. */
    if (way != sniff->way && sniff->protocol != SNIFF_TCP)
        sniff_flush(sniff);
    sniff->way = way;
    if (buffer->have && first_ns - buffer->at_ns[buffer->have - 1] > sniff_silence_ns(sniff))
        sniff_rest(sniff, first_ns);
    for (size_t i = 0; i < size; i++) {
        if (buffer->have == SNIFF_ROOM) {
            take(sniff, way);
            if (buffer->have == SNIFF_ROOM)
                take_last(sniff, way);
        }
        int64_t at_ns = mono_ns - (int64_t)(size - 1 - i) * sniff->byte_ns;

        /* What lay in a buffer was on the line earlier, but not before what came before it. */
        if (buffer->have && at_ns < buffer->at_ns[buffer->have - 1])
            at_ns = buffer->at_ns[buffer->have - 1];
        buffer->bytes[buffer->have] = bytes[i];
        buffer->at_ns[buffer->have++] = at_ns;
    }
    take(sniff, way);
}
