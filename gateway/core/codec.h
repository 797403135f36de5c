/*
 * The compact binary form of events inside a journal frame. Pure: no I/O, no allocation, bounded.
 * The bytes are specified in docs/event-encoding.md. An event is packed relative to the one before
 * it in the same frame: n rises by one, time and stream are differences, so that a reading of a
 * known stream takes 12 bytes or less on average.
 */
#ifndef SLUICE_CORE_CODEC_H
#define SLUICE_CORE_CODEC_H

#include "core/event.h"

#define CODEC_EVENT_SIZE_MAX (EVENT_VALUE_SIZE_MAX + 64)

/* What the packing of the next event depends on. Zero it, and set n and time, at a frame's begin.
 */
struct codec {
    uint64_t n;      /* of the event before (first n minus one at the beginning) */
    int64_t mono_ns; /* of the event before (the frame's base at the beginning) */
    uint32_t stream; /* of the event before */
};

/*
 * Packs `event` (its n must be codec->n + 1; epoch, boot, wall time and trust are the frame's
 * business). Writes at most CODEC_EVENT_SIZE_MAX bytes and returns how many, ERR_FULL when `room`
 * is too small (codec unchanged, `out` in any state), ERR_INVALID for an event that cannot be
 * stored (value too large, unknown kind or type, an n that does not follow).
 */
int codec_encode(struct codec *codec, const struct event *event, uint8_t *out, size_t room);

/*
 * Unpacks one event. Returns the bytes taken, or ERR_CORRUPT. Text and bytes values borrow from
 * `data`; a gap value is written to *gap, and event->value.gap points there. Sets n, stream,
 * mono_ns, kind, status and value (decimals to DECIMALS_SHORTEST: the stream's declaration knows
 * better); leaves the other fields. After an error the codec is unchanged, the event in any state.
 * Safe for any bytes.
 */
int codec_decode(struct codec *codec, const uint8_t *data, size_t size, struct event *event,
                 struct gap *gap);

/*
 * Unsigned LEB128 (at most 10 bytes) and zigzag, for the journal's other records. varint_put
 * returns the size; varint_get the size taken, or ERR_CORRUPT for a number that is cut off, above
 * 64 bits, or longer than need be.
 */
size_t varint_put(uint8_t *out, uint64_t value);
int varint_get(const uint8_t *data, size_t size, uint64_t *value);

static inline uint64_t zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static inline int64_t unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

#endif
