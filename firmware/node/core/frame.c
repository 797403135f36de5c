#include "node/core/frame.h"

#include <string.h>

#include "node/core/crc.h"
#include "node/core/pdu.h"

/* Above this rate the silences are the same for all, 2.5.1.1: less would burden the CPU. */
#define FIXED_ABOVE_BAUD 19200
#define FIXED_INSIDE_US  750
#define FIXED_END_US     1750

void frame_open(struct frame *frame, uint8_t unit, uint32_t baud, uint8_t char_bits,
                enum frame_kind kind, uint32_t now_us)
{
    uint32_t bits_us = char_bits * 1000000u;

    frame->unit = unit;
    frame->kind = (uint8_t)kind;
    frame->char_us = bits_us / baud;
    frame->inside_us = baud > FIXED_ABOVE_BAUD ? FIXED_INSIDE_US : bits_us * 3 / (2 * baud);
    frame->end_us = baud > FIXED_ABOVE_BAUD ? FIXED_END_US : bits_us * 7 / (2 * baud);
    if (kind == FRAME_TOLERANT)
        frame->end_us = FRAME_LOOSE_US;
    frame->last_us = now_us;
    frame_clear(frame);
    /* Whoever listens in the middle of something waits for its end, 2.4.1: "initial state". */
    frame->spoilt = kind == FRAME_STRICT;
}

void frame_clear(struct frame *frame)
{
    frame->size = 0;
    frame->crc = CRC16_START;
    frame->whole = false;
    frame->spoilt = false;
}

uint32_t frame_sending_us(const struct frame *frame, size_t size)
{
    return 2 * (uint32_t)size * frame->char_us + FRAME_LATE_US;
}

bool frame_is_begun(const struct frame *frame)
{
    return (frame->size > 0 || frame->spoilt) && !frame->whole;
}

static void spoil(struct frame *frame)
{
    if (!frame->spoilt)
        frame->damaged++;
    frame->spoilt = true;
}

static void add(struct frame *frame, uint8_t byte)
{
    if (frame->size == FRAME_SIZE_MAX) {
        spoil(frame);
        frame->size = 0; /* what comes is looked through by length, and thrown away by silence */
    }
    frame->bytes[frame->size++] = byte;
    frame->crc = crc16_byte(frame->crc, byte);
}

/* So long a request of a function that is not known is waited for, to be refused. */
#define UNKNOWN_SIZE_MAX 32

enum fit { FIT_WHOLE, FIT_MORE, FIT_NOTHING };

/*
 * By length. Whether what is there is a frame, can become one, or can not: to this node only
 * masters speak; what goes to and comes from others may be a request or a reply. Of a function that
 * is not known the checksum says where it ends; where others use one it does not matter.
 */
static enum fit fit(const struct frame *frame, bool ours)
{
    size_t size = frame->size - 3u;
    size_t request = pdu_request_size(frame->bytes + 1, size + 2);
    size_t reply = ours ? 0 : pdu_reply_size(frame->bytes + 1, size + 2);
    bool unknown = request == 0 && reply == 0;

    if (frame->size < FRAME_SIZE_MIN)
        return FIT_MORE;
    if (frame->crc == 0 && (size == request || size == reply || unknown))
        return FIT_WHOLE;
    if (unknown)
        return ours && frame->size < UNKNOWN_SIZE_MAX ? FIT_MORE : FIT_NOTHING;
    return size < request || size < reply ? FIT_MORE : FIT_NOTHING;
}

/* Whether the last `size` bytes are a request to this node. */
static bool is_request(const struct frame *frame, size_t size)
{
    const uint8_t *bytes = frame->bytes + frame->size - size;

    return bytes[0] == frame->unit && pdu_request_size(bytes + 1, size - 3) == size - 3 &&
           crc16(bytes, size) == 0;
}

/* Out of step, where nothing says what is a beginning: a request to this node is one all the same.
 */
static void find_request(struct frame *frame)
{
    for (size_t size = FRAME_SIZE_MIN; size <= frame->size; size++) {
        if (!is_request(frame, size))
            continue;
        memmove(frame->bytes, frame->bytes + frame->size - size, size);
        frame->size = (uint16_t)size;
        frame->whole = true;
    }
}

/*
 * By length. What is said between others is passed over, so that nobody has to be quick between a
 * question to another node and its answer.
 */
static void find(struct frame *frame)
{
    bool ours = frame->bytes[0] == frame->unit || frame->bytes[0] == 0;
    enum fit fits = frame->spoilt ? FIT_NOTHING : fit(frame, ours);

    if (fits == FIT_WHOLE && ours)
        frame->whole = true;
    else if (fits == FIT_WHOLE)
        frame_clear(frame);
    if (fits != FIT_NOTHING)
        return;
    spoil(frame);
    find_request(frame);
}

void frame_byte(struct frame *frame, uint32_t now_us, uint8_t byte, bool damaged)
{
    uint32_t since_us = now_us - frame->last_us;
    /* Both times are those of a last bit: between the two lies the character itself. */
    uint32_t silence_us = since_us > frame->char_us ? since_us - frame->char_us : 0;

    frame->last_us = now_us;
    if (frame->whole)
        return;
    if (silence_us >= frame->end_us) {
        /* What nobody took by now, and what was no frame, is over. */
        if (frame->size > 0 && (frame->kind == FRAME_TOLERANT || frame->crc != 0))
            spoil(frame);
        frame_clear(frame);
    } else if (frame->kind == FRAME_STRICT && frame->size > 0 && silence_us > frame->inside_us) {
        spoil(frame);
    }
    if (frame->kind == FRAME_TOLERANT) {
        add(frame, byte);
        find(frame);
        return;
    }
    if (damaged)
        spoil(frame);
    if (!frame->spoilt)
        add(frame, byte);
}

size_t frame_end(struct frame *frame, uint32_t now_us)
{
    if (frame->whole)
        return frame->size;
    if (!frame_is_begun(frame) || now_us - frame->last_us < frame->end_us)
        return 0;
    if (frame->kind == FRAME_STRICT && !frame->spoilt && frame->size >= FRAME_SIZE_MIN &&
        frame->crc == 0) {
        frame->whole = true;
        return frame->size;
    }
    spoil(frame);
    frame_clear(frame);
    return 0;
}
