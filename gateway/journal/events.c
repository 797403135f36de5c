#include "journal/events.h"

#include "core/clock.h"
#include "core/error.h"

#define KEPT_RANGE_SIZE 8 /* the last n that a kept frame stands for */

void events_begin(struct events *events, const struct frame *frame, const uint8_t *payload,
                  const struct boots *boots)
{
    struct boot boot;

    *events = (struct events){
        .codec = {.n = frame->first_n - 1, .mono_ns = frame->mono_ns},
        .at = payload,
        .end = payload + frame->events_size,
        .offset_ns = frame->offset_ns,
        .left = frame->count,
        .epoch = frame->epoch,
        .boot = frame->boot,
        .trust = frame->trust,
        .kept = (frame->flags & FRAME_KEPT) != 0,
    };
    if (events->kept)
        events->at += KEPT_RANGE_SIZE;
    if (events->trust == CLOCK_UNSET && boots && boots_find(boots, frame->boot, &boot) &&
        boot.trust != CLOCK_UNSET) {
        events->offset_ns = boot.offset_ns;
        events->trust = boot.trust;
    }
}

static int skip_left_out(struct events *events)
{
    uint64_t left_out;
    int size = varint_get(events->at, (size_t)(events->end - events->at), &left_out);
    if (size < 0)
        return size;
    if (left_out > UINT64_MAX - 1 - events->codec.n)
        return ERR_CORRUPT;
    events->at += size;
    events->codec.n += left_out;
    return 0;
}

int events_next(struct events *events, struct event *event, struct gap *gap)
{
    if (events->left == 0)
        return 0;
    if (events->kept && skip_left_out(events) < 0)
        return ERR_CORRUPT;
    int size =
        codec_decode(&events->codec, events->at, (size_t)(events->end - events->at), event, gap);
    if (size < 0)
        return ERR_CORRUPT;
    events->at += size;
    events->left--;
    event->epoch = events->epoch;
    event->boot = events->boot;
    event->trust = events->trust;
    event->wall_ns = (int64_t)((uint64_t)event->mono_ns + (uint64_t)events->offset_ns);
    event->urgent = false;
    return 1;
}
