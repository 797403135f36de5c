/*
 * Where a request begins and ends on the line: Modbus over serial line 1.02, 2.5.1.1. By silence as
 * the standard has it, or by what the frame itself says of its length, for adapters (and emulators)
 * that do not keep the bytes of a frame together.
 *
 * Bytes come in an interrupt and frames are taken by the program: whoever calls frame_end() and
 * frame_clear() keeps that interrupt off meanwhile. A frame that is whole stays as it is until it
 * is cleared. Times are microseconds of a 32-bit counter that may wrap.
 */
#ifndef SLUICE_NODE_FRAME_H
#define SLUICE_NODE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_SIZE_MIN 4   /* unit, function, checksum */
#define FRAME_SIZE_MAX 256 /* 2.5.1 */

#define FRAME_LOOSE_US 500000 /* by length: a longer pause inside of a frame ends the attempt */

enum frame_kind {
    FRAME_STRICT = 0, /* 3.5 characters of silence end it, more than 1.5 inside spoil it */
    FRAME_TOLERANT =
        1, /* its length ends it; what can be none loses its first byte, until it can */
};

struct frame {
    uint8_t bytes[FRAME_SIZE_MAX];
    uint16_t size; /* taken so far; stays at FRAME_SIZE_MAX when more came */
    uint16_t crc;  /* over them: 0 behind a sound frame */
    bool whole;    /* bytes[] is a sound frame, and is kept */
    bool spoilt;   /* strict: what comes until the next silence is no frame; and it was counted */
    uint8_t kind;  /* enum frame_kind */
    uint8_t unit;  /* of this node */
    uint32_t last_us;   /* when the last byte had come */
    uint32_t char_us;   /* what one character takes */
    uint32_t inside_us; /* the longest silence within a frame (T1.5)... */
    uint32_t end_us;    /* ...and the shortest between two (T3.5) */
    uint32_t damaged;   /* how many were none, since the start: errors of the line */
};

/* Begins anew, for a line of `baud` with characters of 10 or 11 bits; `damaged` goes on. */
void frame_open(struct frame *frame, uint8_t unit, uint32_t baud, uint8_t char_bits,
                enum frame_kind kind, uint32_t now_us);

/* A byte whose last bit was there at `now_us`. `damaged`: the UART saw a wrong parity or stop bit.
 */
void frame_byte(struct frame *frame, uint32_t now_us, uint8_t byte, bool damaged);

/*
 * The size of the sound frame that has ended by now, its checksum included, or 0. Until
 * frame_clear() nothing else is taken. By silence it may be a frame between others; by length it is
 * for this node, or for all.
 */
size_t frame_end(struct frame *frame, uint32_t now_us);

/* Whether bytes came that are no whole frame yet: then somebody must look again soon. */
bool frame_is_begun(const struct frame *frame);

void frame_clear(struct frame *frame);

#define FRAME_LATE_US 50000 /* for a processor that was busy, and an emulator */

/* The longest that sending `size` bytes may take on this line: twice their time, and FRAME_LATE_US.
 * A transmitter that is not done by then is stuck. */
uint32_t frame_sending_us(const struct frame *frame, size_t size);

#endif
