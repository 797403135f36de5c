/* What the parts of the sink share. Nobody else includes it. */
#ifndef SLUICE_FIELD_SINK_INSIDE_H
#define SLUICE_FIELD_SINK_INSIDE_H

#include <stdatomic.h>

#include "field/report.h"
#include "field/sink.h"

#define RELEASE_EVERY_NS (100 * NS_PER_MS) /* how often what is held back is looked through */

/* The newest reading of a point with an at_most, while it waits for the end of it. */
struct held {
    const struct site_point *point;
    int64_t mono_ns;
    union report_content content;
    uint32_t device;
    uint32_t memory; /* its index, by which these are in order */
    uint8_t type;
    int8_t decimals;
};

struct device_memory {
    const struct site_device *device;
    struct report_memory *points;
    int64_t told_mono_ns;
    int64_t stored_mono_ns;            /* of its last event */
    _Atomic uint32_t bad, implausible; /* points whose newest reading is */
    uint16_t status;
    bool up, known;
    bool pending; /* the journal's ring refused it: to be put again */
    bool beating; /* its heartbeat is in the batch */
};

struct sink {
    const struct site_bus *bus;
    const struct clock *clock;
    sink_put_fn *put;
    void *context;
    size_t pending;          /* states that wait to be put again */
    size_t pending_readings; /* bad readings that do, */
    size_t pending_from;     /* none of a point before this one */
    struct report_memory *points;
    struct report_text *texts; /* of the points whose values are text */
    struct held *held;
    size_t held_count; /* of points with an at_most, whether a reading of theirs waits or not */
    int64_t due_ns;    /* not later than the first held reading is; INT64_MAX: none waits */
    int64_t looked_through_ns; /* when they were looked through last */
    struct device_memory devices[];
};

/* sink_pending.c: what waits for room in the journal's ring. */

/* Puts what waits; what is refused `again` waits on, and otherwise is lost, and counted so. */
void sink_put_pending(struct sink *sink, bool again);

/* The same for one reading that waits. False when it was refused. */
bool sink_put_pending_reading(struct sink *sink, struct report_memory *memory, bool again);

/* A bad reading was refused: it waits. */
void sink_keep_reading(struct sink *sink, struct report_memory *memory, int64_t mono_ns,
                       uint16_t status);

/* Puts the state of a device; it waits when it is refused. */
void sink_put_state(struct sink *sink, struct device_memory *memory);

/* Another state follows the one that waits, so that it cannot wait any longer: it is put a last
 * time. */
void sink_drop_state(struct sink *sink, struct device_memory *memory);

#endif
