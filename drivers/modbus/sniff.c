#include "modbus/sniff.h"

#include <string.h>

#include "core/clock.h"
#include "core/error.h"

#define PATIENCE_NS   (30 * NS_PER_MS)
#define ANSWER_NS     (5 * NS_PER_S) /* a copy of a request that comes later is another request */
#define AROUND_PDU    3              /* unit and checksum of RTU */
#define LEAST         4              /* of an RTU frame */
#define ASCII_MOST    FRAMES_BYTES_MAX
#define IDENTITY_HEAD 7 /* function, type, code, conformity, more, next, count of objects */

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

int64_t sniff_patience_ns(const struct sniff *sniff)
{
    return PATIENCE_NS + 4 * sniff->byte_ns + (sniff->protocol == SNIFF_ASCII ? NS_PER_S : 0);
}

static uint16_t u16_at(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* Modbus application protocol 1.1b3, chapter 6. */
int sniff_request_size(const uint8_t *pdu, size_t have)
{
    if (have < 1)
        return 0;
    switch (pdu[0]) {
    case MODBUS_COILS:
    case MODBUS_DISCRETE_INPUTS:
    case MODBUS_HOLDING_REGISTERS:
    case MODBUS_INPUT_REGISTERS:
    case PDU_WRITE_COIL:
    case PDU_WRITE_REGISTER:
    case 8: /* diagnostics */
        return 5;
    case 7:  /* exception status */
    case 11: /* event counter */
    case 12: /* event log */
    case 17: /* server id */
        return 1;
    case PDU_WRITE_COILS:
    case PDU_WRITE_REGISTERS:
        return have < 6 ? 0 : 6 + pdu[5];
    case PDU_MASK_REGISTER:
        return 7;
    case 23: /* write and read registers */
        return have < 10 ? 0 : 10 + pdu[9];
    case PDU_IDENTIFY:
        return 4;
    default:
        return ERR_NOT_FOUND;
    }
}

/* 43/14 says its length nowhere: it is the sum of its objects' lengths. */
static int identity_size(const uint8_t *pdu, size_t have)
{
    size_t size = IDENTITY_HEAD;

    if (have < IDENTITY_HEAD)
        return 0;
    for (unsigned i = 0; i < pdu[IDENTITY_HEAD - 1]; i++) {
        if (have < size + 2)
            return size + 2 > PDU_SIZE_MAX ? ERR_NOT_FOUND : 0;
        size += 2u + pdu[size + 1];
    }
    return size > PDU_SIZE_MAX ? ERR_NOT_FOUND : (int)size;
}

int sniff_reply_size(const uint8_t *pdu, size_t have)
{
    if (have < 1)
        return 0;
    if (pdu[0] & 0x80)
        return 2;
    switch (pdu[0]) {
    case MODBUS_COILS:
    case MODBUS_DISCRETE_INPUTS:
    case MODBUS_HOLDING_REGISTERS:
    case MODBUS_INPUT_REGISTERS:
    case 12:
    case 17:
    case 23:
        return have < 2 ? 0 : 2 + pdu[1];
    case PDU_WRITE_COIL:
    case PDU_WRITE_REGISTER:
    case PDU_WRITE_COILS:
    case PDU_WRITE_REGISTERS:
    case 8:
    case 11:
        return 5;
    case 7:
        return 2;
    case PDU_MASK_REGISTER:
        return 7;
    case PDU_IDENTIFY:
        return identity_size(pdu, have);
    default:
        return ERR_NOT_FOUND;
    }
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

static void emit(struct sniff *sniff, struct sniff_buffer *buffer, size_t at, size_t size,
                 struct sniff_frame *frame)
{
    frame->bytes = buffer->bytes + at;
    frame->size = size;
    frame->begin_ns = buffer->at_ns[at];
    frame->end_ns = buffer->at_ns[at + size - 1];
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

static void tell_garbage(struct sniff *sniff, struct sniff_buffer *buffer)
{
    struct sniff_frame frame = {.kind = SNIFF_GARBAGE};

    if (!buffer->garbage)
        return;
    emit(sniff, buffer, 0, buffer->garbage, &frame);
    tell(sniff, &frame);
    drop(buffer, buffer->garbage);
    buffer->garbage = 0;
}

/* A frame of `size` bytes stands behind the garbage. */
static void tell_frame(struct sniff *sniff, enum sniff_way way, struct sniff_buffer *buffer,
                       size_t size, struct sniff_frame *frame)
{
    struct sniff_request *request = NULL;

    emit(sniff, buffer, 0, size, frame);
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
}

/* Behind garbage a checksum alone proves little: of thousands of places one fits by chance. */
static bool is_plausible(const uint8_t *bytes, size_t have)
{
    if (bytes[0] > 247 || (bytes[1] & 0x7F) == 0)
        return false;
    if (!(bytes[1] & 0x80))
        return sniff_request_size(bytes + 1, have - 1) >= 0;
    return have < 3 || (bytes[2] >= 1 && bytes[2] <= 11);
}

/* The RTU frame at these bytes: its size, 0 when more may make one, ERR_NOT_FOUND when nothing
 * can. `behind`: garbage stands before them. */
static int rtu_at(const uint8_t *bytes, size_t have, enum sniff_way way, bool last, bool behind)
{
    int sizes[2] = {ERR_NOT_FOUND, ERR_NOT_FOUND};
    bool hope = false;

    if (have < 2)
        return last ? ERR_NOT_FOUND : 0;
    if (behind && !is_plausible(bytes, have))
        return ERR_NOT_FOUND;
    if (way != SNIFF_RECEIVED)
        sizes[0] = sniff_request_size(bytes + 1, have - 1);
    if (way != SNIFF_SENT)
        sizes[1] = sniff_reply_size(bytes + 1, have - 1);
    for (int i = 0; i < 2; i++) {
        size_t size = (size_t)sizes[i] + AROUND_PDU;

        if (sizes[i] < 0 || size > FRAMES_ADU_MAX)
            continue;
        if (sizes[i] == 0 || have < size)
            hope = true;
        else if (frames_rtu_sound(bytes, size))
            return (int)size;
    }
    if (!last)
        return hope || (sizes[0] < 0 && sizes[1] < 0) ? 0 : ERR_NOT_FOUND;
    /* Of a function that nobody knows: all that came before the silence. */
    return !behind && have >= LEAST && have <= FRAMES_ADU_MAX && frames_rtu_sound(bytes, have)
               ? (int)have
               : ERR_NOT_FOUND;
}

static void take_rtu(struct sniff *sniff, enum sniff_way way, bool last)
{
    struct sniff_buffer *buffer = &sniff->buffers[way == SNIFF_RECEIVED];

    while (buffer->have > buffer->garbage) {
        const uint8_t *bytes = buffer->bytes + buffer->garbage;
        int size = rtu_at(bytes, buffer->have - buffer->garbage, way, last, buffer->garbage > 0);
        struct sniff_frame frame = {0};

        if (size == 0)
            return;
        if (size < 0) {
            buffer->garbage++;
            continue;
        }
        tell_garbage(sniff, buffer);
        frame.unit = buffer->bytes[0];
        frame.pdu = buffer->bytes + 1;
        frame.pdu_size = (size_t)size - AROUND_PDU;
        tell_frame(sniff, way, buffer, (size_t)size, &frame);
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

static void take(struct sniff *sniff, enum sniff_way way, bool last)
{
    if (sniff->protocol == SNIFF_RTU)
        take_rtu(sniff, way, last);
    else if (sniff->protocol == SNIFF_ASCII)
        take_ascii(sniff, way, last);
    else
        take_tcp(sniff, way);
    if (last) {
        struct sniff_buffer *buffer = &sniff->buffers[way == SNIFF_RECEIVED];

        buffer->garbage = buffer->have;
        tell_garbage(sniff, buffer);
    }
}

void sniff_flush(struct sniff *sniff)
{
    take(sniff, sniff->way == SNIFF_HEARD ? SNIFF_HEARD : SNIFF_SENT, true);
    take(sniff, SNIFF_RECEIVED, true);
}

/* A frame of a function that nobody knows may be whole. */
static bool is_whole(const struct sniff *sniff, const struct sniff_buffer *buffer)
{
    return sniff->protocol == SNIFF_RTU && buffer->have >= LEAST &&
           buffer->have <= FRAMES_ADU_MAX && frames_rtu_sound(buffer->bytes, buffer->have);
}

static void end(struct sniff *sniff, enum sniff_way way, int64_t mono_ns)
{
    struct sniff_buffer *buffer = &sniff->buffers[way == SNIFF_RECEIVED];
    struct sniff_frame frame = {.kind = SNIFF_CUT};

    take(sniff, way, false);
    tell_garbage(sniff, buffer);
    if (buffer->have == 0)
        return;
    if (mono_ns - buffer->at_ns[buffer->have - 1] > sniff_patience_ns(sniff) ||
        is_whole(sniff, buffer)) {
        take(sniff, way, true);
        return;
    }
    emit(sniff, buffer, 0, buffer->have, &frame);
    tell(sniff, &frame);
    drop(buffer, buffer->have);
}

void sniff_end(struct sniff *sniff, int64_t mono_ns)
{
    end(sniff, sniff->way == SNIFF_HEARD ? SNIFF_HEARD : SNIFF_SENT, mono_ns);
    end(sniff, SNIFF_RECEIVED, mono_ns);
}

void sniff_feed(struct sniff *sniff, enum sniff_way way, int64_t mono_ns, const uint8_t *bytes,
                size_t size)
{
    struct sniff_buffer *buffer = &sniff->buffers[way == SNIFF_RECEIVED];

    /* On a line nobody speaks while another does. */
    if (way != sniff->way && sniff->protocol != SNIFF_TCP)
        sniff_flush(sniff);
    sniff->way = way;
    for (size_t i = 0; i < size; i++) {
        if (buffer->have == SNIFF_ROOM) {
            take(sniff, way, false);
            if (buffer->have == SNIFF_ROOM)
                take(sniff, way, true);
        }
        int64_t at_ns = mono_ns - (int64_t)(size - 1 - i) * sniff->byte_ns;

        /* What lay in a buffer was on the line earlier, but not before what came before it. */
        if (buffer->have && at_ns < buffer->at_ns[buffer->have - 1])
            at_ns = buffer->at_ns[buffer->have - 1];
        buffer->bytes[buffer->have] = bytes[i];
        buffer->at_ns[buffer->have++] = at_ns;
    }
    take(sniff, way, false);
}
