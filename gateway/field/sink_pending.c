/* What the full ring of a bus has refused and what must not be lost for that: the states of
 * devices, and bad readings. */
#include "core/status.h"
#include "field/sink_inside.h"

#define STORED_MS_MASK ((UINT64_C(1) << 42) - 1) /* of struct report_memory */

static bool put_state(struct sink *sink, struct device_memory *memory, bool again)
{
    struct event event = {
        .stream = memory->device->stream,
        .mono_ns = memory->told_mono_ns,
        .status = memory->status,
        .kind = EVENT_STATE,
        .value = {.type = VALUE_BOOL, .b = memory->up},
    };

    if (sink->put(sink->context, &event, 1, again) != 1)
        return false;
    memory->stored_mono_ns = memory->told_mono_ns;
    return true;
}

static void put_pending_states(struct sink *sink, bool again)
{
    for (size_t i = 0; i < sink->bus->device_count && sink->pending; i++) {
        if (!sink->devices[i].pending)
            continue;
        if (!put_state(sink, &sink->devices[i], again) && again)
            return;
        sink->devices[i].pending = false;
        sink->pending--;
    }
}

/* The device of the point with that memory. */
static struct device_memory *device_of(struct sink *sink, const struct report_memory *memory)
{
    size_t low = 0, high = sink->bus->device_count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (sink->devices[middle].points <= memory)
            low = middle;
        else
            high = middle;
    }
    return &sink->devices[low];
}

bool sink_put_pending_reading(struct sink *sink, struct report_memory *memory, bool again)
{
    struct device_memory *device = device_of(sink, memory);
    const struct site_point *point = &device->device->points[memory - device->points];
    struct event event = {
        .stream = site_point_stream(device->device, point),
        .mono_ns = (int64_t)memory->stored_ms * NS_PER_MS,
        .status = memory->status,
        .kind = EVENT_READING,
    };
    bool taken = sink->put(sink->context, &event, 1, again) == 1;

    if (!taken && again)
        return false;
    memory->pending = false;
    sink->pending_readings--;
    if (taken) {
        device->stored_mono_ns = event.mono_ns;
        report_remember(memory, point, event.mono_ns, &event.value, event.status);
    }
    return taken;
}

void sink_put_pending(struct sink *sink, bool again)
{
    put_pending_states(sink, again);
    if (sink->pending && again)
        return; /* there is no room */
    while (sink->pending_readings) {
        struct report_memory *memory = &sink->points[sink->pending_from];

        if (memory->pending && !sink_put_pending_reading(sink, memory, again) && again)
            return;
        sink->pending_from++;
    }
}

/* Something waits for room: whether there is some is looked at soon, also when no reading comes. */
static void look_soon(struct sink *sink)
{
    int64_t soon_ns = clock_mono(sink->clock) + RELEASE_EVERY_NS;

    if (soon_ns < sink->due_ns)
        sink->due_ns = soon_ns;
}

/*
 * A bad reading may be the last one of its point for long: without it a dead point would stay good.
 * So it waits for room as the state of a device does, until a reading of another kind follows it.
 */
void sink_keep_reading(struct sink *sink, struct report_memory *memory, int64_t mono_ns,
                       uint16_t status)
{
    size_t index = (size_t)(memory - sink->points);

    memory->known = false;
    memory->pending = true;
    memory->status = status;
    memory->stored_ms = (uint64_t)(mono_ns / NS_PER_MS) & STORED_MS_MASK;
    if (sink->pending_readings++ == 0 || index < sink->pending_from)
        sink->pending_from = index;
    look_soon(sink);
}

void sink_put_state(struct sink *sink, struct device_memory *memory)
{
    memory->pending = !put_state(sink, memory, true);
    if (memory->pending) {
        sink->pending++;
        look_soon(sink);
    }
}

void sink_drop_state(struct sink *sink, struct device_memory *memory)
{
    put_state(sink, memory, false);
    memory->pending = false;
    sink->pending--;
}
