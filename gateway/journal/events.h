/* Walks through the events of one frame. */
#ifndef SLUICE_JOURNAL_EVENTS_H
#define SLUICE_JOURNAL_EVENTS_H

#include "core/codec.h"
#include "journal/boots.h"
#include "journal/frame.h"

struct events {
    struct codec codec;
    const uint8_t *at, *end;
    int64_t offset_ns;
    uint32_t left;
    uint32_t epoch, boot;
    uint8_t trust;
    bool kept;
};

/* Begins at the frame's first event. `boots` dates events that were stored before the clock was
 * set; NULL for as stored. */
void events_begin(struct events *events, const struct frame *frame, const uint8_t *payload,
                  const struct boots *boots);

/* Returns 1 with the next event, 0 behind the last, ERR_CORRUPT. The event's data lies in the
 * payload or in *gap. */
int events_next(struct events *events, struct event *event, struct gap *gap);

#endif
