#include <stdlib.h>

#include "core/error.h"
#include "modbus/frames.h"

struct wire_frames {
    struct frames base; /* first: what others get a pointer to */
    const struct frames_codec *codec;
    uint8_t bytes[FRAMES_BYTES_MAX], adu[FRAMES_ADU_MAX];
};

static int send_frame(struct frames *base, uint8_t unit, const uint8_t *pdu, size_t size)
{
    struct wire_frames *frames = (struct wire_frames *)base;
    size_t bytes = frames->codec->encode(unit, pdu, size, frames->bytes);

    return wire_write(base->wire, frames->bytes, bytes);
}

/* Waits for more of a frame of which `have` bytes are there. */
static int wait_for_more(struct wire_frames *frames, size_t have, int64_t until_mono_ns)
{
    struct wire *wire = frames->base.wire;
    int64_t pause = have ? frames->codec->pause_ns : 0, until = until_mono_ns;
    int ready;

    if (pause && wire_now(wire) + pause < until)
        until = wire_now(wire) + pause;
    ready = wire_wait(wire, until);
    if (ready == 0)
        return have ? ERR_CHECKSUM : ERR_TIMEOUT;
    return ready < 0 ? ready : 0;
}

static int receive_frame(struct frames *base, int64_t until_mono_ns, struct frame *frame)
{
    struct wire_frames *frames = (struct wire_frames *)base;
    struct wire *wire = base->wire;
    size_t have = 0;

    for (;;) {
        size_t wanted;
        int result = frames->codec->decode(frames->bytes, have, frames->adu, frame, &wanted);
        int size;

        if (result != 0)
            return result > 0 ? 0 : result;
        result = wait_for_more(frames, have, until_mono_ns);
        if (result)
            return result;
        if (wanted > sizeof frames->bytes - have)
            wanted = sizeof frames->bytes - have;
        size = wire_read(wire, frames->bytes + have, wanted);
        if (size < 0)
            return size;
        have += (size_t)size;
    }
}

static void free_frames(struct frames *base)
{
    free(base);
}

int frames_new_wire(struct frames **frames, const struct frames_codec *codec, struct wire *wire)
{
    static const struct frames_ops ops = {send_frame, receive_frame, free_frames};
    struct wire_frames *made = calloc(1, sizeof *made);

    if (!made)
        return ERR_NOMEM;
    made->base.ops = &ops;
    made->base.wire = wire;
    made->codec = codec;
    *frames = &made->base;
    return 0;
}

void frames_free(struct frames *frames)
{
    if (frames)
        frames->ops->free(frames);
}
