/*
 * The frames of a line: a PDU goes out in one, and one is collected from what comes in. Two layers
 * do that: libmodbus for RTU on a serial port (frames_modbus.c), and ours for everything on a wire
 * (frames_wire.c), whose codecs are pure. Neither keeps silences or knows which reply belongs to
 * what: that is link_line.c.
 */
#ifndef SLUICE_MODBUS_FRAMES_H
#define SLUICE_MODBUS_FRAMES_H

#include "modbus/pdu.h"
#include "modbus/wire.h"

#define FRAMES_ADU_MAX   (PDU_SIZE_MAX + 3) /* unit, PDU and checksum as bytes */
#define FRAMES_BYTES_MAX 513                /* on the wire: an ASCII frame */

struct frame {
    uint8_t unit;
    const uint8_t *pdu; /* valid until the next frame is collected */
    size_t pdu_size;    /* at least 2 */
};

/* How frames stand on the wire. */
struct frames_codec {
    unsigned bytes_of_one; /* on the wire for a byte of unit and PDU */
    unsigned bytes_around; /* for the rest of the frame */
    unsigned bytes_least;  /* of the shortest reply: fewer are noise */
    int64_t pause_ns;      /* that may lie between two bytes; 0: none is too long */

    /* Writes the frame of a PDU to `bytes` and returns its size. */
    size_t (*encode)(uint8_t unit, const uint8_t *pdu, size_t size,
                     uint8_t bytes[FRAMES_BYTES_MAX]);

    /*
     * Looks at the `have` bytes (at most FRAMES_BYTES_MAX) that came so far. Returns 1 and a frame,
     * whose PDU lies in `bytes` or `adu`; 0 when more is needed, of which *wanted bytes, at least
     * 1, can be read without taking any that is behind the frame; ERR_CHECKSUM when they are, or
     * begin, no sound frame.
     */
    int (*decode)(const uint8_t *bytes, size_t have, uint8_t adu[FRAMES_ADU_MAX],
                  struct frame *frame, size_t *wanted);
};

extern const struct frames_codec frames_rtu, frames_ascii;

/* Whether the bytes, at least 3, end with the CRC of those before it. */
bool frames_rtu_sound(const uint8_t *bytes, size_t size);

/* The bytes of a frame on the wire. */
static inline unsigned frames_size(const struct frames_codec *codec, size_t pdu_size)
{
    return codec->bytes_of_one * (unsigned)(pdu_size + 1) + codec->bytes_around;
}

struct frames;

struct frames_ops {
    /* Hands the frame of a PDU over to the wire. 0 or ERR_IO. */
    int (*send)(struct frames *frames, uint8_t unit, const uint8_t *pdu, size_t size);

    /* Collects a frame until the deadline, which is one for all its bytes. Returns 0; ERR_TIMEOUT:
     * nothing came; ERR_CHECKSUM: what came is damaged or incomplete; ERR_CLOSED; ERR_IO. */
    int (*receive)(struct frames *frames, int64_t until_mono_ns, struct frame *frame);

    void (*free)(struct frames *frames);
};

struct frames {
    const struct frames_ops *ops;
    struct wire *wire;
};

/* Make a frame layer on `wire`, which outlives it. ERR_NOMEM. frames_free: NULL is fine. */
int frames_new_wire(struct frames **frames, const struct frames_codec *codec, struct wire *wire);
int frames_new_modbus(struct frames **frames, struct wire *wire);
void frames_free(struct frames *frames);

/* Whether libmodbus can be asked: for a descriptor from 1024 on it would end the process, and it
 * does not know how long the replies to a function are that it has never heard of. Where RTS has to
 * be switched around a frame, it would sleep for a time of its own. */
bool frames_modbus_can(const struct wire *wire, uint8_t function);

#endif
