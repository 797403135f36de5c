/*
 * Where a driver puts what it has read. A sink belongs to one bus and is used by that bus's thread
 * only. It never blocks: when the bus's ring into the journal is full, the newest is refused,
 * counted, and told as a gap.
 */
#ifndef SLUICE_FIELD_SINK_H
#define SLUICE_FIELD_SINK_H

#include "core/clock.h"
#include "core/event.h"
#include "core/site.h"

struct sink;

/*
 * Takes events in order, copying what their values borrow, and returns how many of them it took:
 * the first ones. What it does not take is lost, and counted so, unless it comes `again`. Never
 * blocks. In the daemon this is the bus's lane.
 */
typedef size_t sink_put_fn(void *context, const struct event *events, size_t count, bool again);

/* For a bus whose streams are declared. `bus` and `clock` outlive the sink. ERR_NOMEM. */
int sink_open(struct sink **sink, const struct site_bus *bus, const struct clock *clock,
              sink_put_fn *put, void *context);
/* Puts the states that wait for room a last time, stores what is held back, and frees. NULL is
 * fine. */
void sink_close(struct sink *sink);

/*
 * A reading of a point of a device of this bus, taken at `mono_ns`. Points of one read share that
 * time. `status` is STATUS_GOOD, or why `value` is not to be trusted: a bad status stores no value,
 * whatever `value` holds (it may be NULL then). Readings that the point's rule of reporting drops
 * are not stored (report.h); the first one after the start, and one whose predecessor was refused,
 * always are. Where its device has told nothing for a heartbeat, and is up, that is told once more
 * instead: so silence of a device means that it is not read. Text is copied. Returns 0, or ERR_FULL
 * when it was refused.
 */
int sink_reading(struct sink *sink, const struct site_device *device,
                 const struct site_point *point, int64_t mono_ns, const struct value *value,
                 uint16_t status);

/* One of many readings of one read. */
struct sink_item {
    const struct site_point *point;
    struct value value;
    uint16_t status;
};

/*
 * The same for a whole read at once, which is much cheaper; in order. Text need only live until the
 * call returns. Returns 0, or ERR_FULL when any was refused.
 */
int sink_readings(struct sink *sink, const struct site_device *device, int64_t mono_ns,
                  const struct sink_item *items, size_t count);

/* How many points of the device, by its number on the bus, were bad when they were last read. On
 * any thread. */
uint32_t sink_bad(const struct sink *sink, size_t device);

/* The same of those that were implausible. */
uint32_t sink_implausible(const struct sink *sink, size_t device);

/*
 * A point with an at_most keeps its newest reading until that has passed: when the first of these,
 * or of what waits for room, is due (monotonic; INT64_MAX: none), and storing what is. The driver's
 * host does both while the driver waits, an engine in its loop. A reading stored so keeps the time
 * at which it was read.
 */
int64_t sink_due_ns(const struct sink *sink);
void sink_release(struct sink *sink);

/*
 * The device came up, or went down for the reason given. Stored only when that differs from what
 * was last told; one that is refused is put again before the readings that follow it, and counts as
 * refused only when the next state comes before there was room.
 */
void sink_state(struct sink *sink, const struct site_device *device, bool up, uint16_t status);

/*
 * What the driver learnt about a device, as a text of its own making: stored as a config event of
 * the device, and handed to the driver when it starts the next time (driver.h). The driver bounds
 * how often. Returns 0, or ERR_FULL when it was refused.
 */
int sink_learnt(struct sink *sink, const struct site_device *device, const char *text, size_t size);

/* The same about the bus itself, as which adapter its port is: a config event of the bus
 * (site_bus.stream). 0, also for a bus that has no stream; ERR_FULL. */
int sink_bus_learnt(struct sink *sink, const char *text, size_t size);

/* An alarm of a device: a sentence for people, as a text, stored at once. 0, or ERR_FULL when it
 * was refused. */
int sink_alarm(struct sink *sink, const struct site_device *device, const char *text, size_t size);

#endif
