#include "modbus/unasked.h"

#include <string.h>

void unasked_keep(struct unasked *unasked, const uint8_t *bytes, size_t size)
{
    size_t room = sizeof unasked->bytes - unasked->size;

    size = size < room ? size : room;
    memcpy(unasked->bytes + unasked->size, bytes, size);
    unasked->size += size;
}

/* The size of the frame at the begin of the bytes; 0 where there is no sound one. */
static size_t find_frame(const struct frames_codec *codec, const uint8_t *bytes, size_t size,
                         uint8_t adu[FRAMES_ADU_MAX], struct frame *frame)
{
    size_t have = 0, wanted = 0;
    int result;

    while ((result = codec->decode(bytes, have, adu, frame, &wanted)) == 0) {
        if (wanted > size - have)
            return 0;
        have += wanted;
    }
    return result > 0 ? have : 0;
}

static bool answers_older(const struct frame *frame, struct fence *fence, int64_t now_ns)
{
    uint16_t shape = fence_shape_of(frame->pdu, frame->pdu_size);
    uint8_t function = frame->pdu[0] & 0x7F;

    if (frame->pdu[0] != function) { /* an exception */
        if (!fence_waits(fence, function, now_ns))
            return false;
        fence_exception(fence, function);
        return true;
    }
    if (!fence_closed(fence, shape, now_ns))
        return false;
    fence_late_at(fence, shape, now_ns);
    return true;
}

bool unasked_late(const struct unasked *unasked, const struct frames_codec *codec,
                  struct fence *fences, int64_t now_ns)
{
    uint8_t adu[FRAMES_ADU_MAX];
    struct frame frame;
    size_t at = 0, size;

    while (at < unasked->size &&
           (size = find_frame(codec, unasked->bytes + at, unasked->size - at, adu, &frame)) > 0 &&
           answers_older(&frame, &fences[frame.unit], now_ns))
        at += size;
    return at > 0 && at == unasked->size;
}
