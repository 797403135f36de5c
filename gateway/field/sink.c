#include "field/sink.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/status.h"
#include "field/sink_inside.h"

#define BATCH_MAX 128

struct entry {
    struct device_memory *device;
    struct report_memory *memory; /* NULL for a heartbeat, as `point` */
    const struct site_point *point;
};

/* What is put at once. On the stack of the call that fills it: there may be a thousand sinks, and
 * one thread for all of them. */
struct batch {
    struct sink *sink;
    size_t count;
    struct event events[BATCH_MAX];
    struct entry entries[BATCH_MAX];
};

/* How much room the points of a bus need. */
struct room {
    size_t points, texts, held;
};

static struct room count_room(const struct site_bus *bus)
{
    struct room room = {0};

    for (size_t i = 0; i < bus->device_count; i++) {
        const struct site_device *device = &bus->devices[i];

        room.points += device->point_count;
        for (size_t j = 0; j < device->point_count; j++) {
            size_t texts = report_is_text(device->points[j].type) ? 1 : 0;

            if (device->points[j].at_most_ns > 0) {
                room.held++;
                texts *= 2;
            }
            room.texts += texts;
        }
    }
    return room;
}

static void remember_devices(struct sink *sink, const struct site_bus *bus)
{
    struct report_memory *memory = sink->points;
    struct report_text *text = sink->texts;

    for (size_t i = 0; i < bus->device_count; i++) {
        const struct site_device *device = &bus->devices[i];

        sink->devices[i].device = device;
        sink->devices[i].points = memory;
        for (size_t j = 0; j < device->point_count; j++, memory++) {
            const struct site_point *point = &device->points[j];
            bool is_text = report_is_text(point->type);

            if (is_text)
                memory->content.text = text++;
            if (point->at_most_ns == 0)
                continue;
            struct held *held = &sink->held[sink->held_count++];

            held->point = point;
            held->device = (uint32_t)i;
            held->memory = (uint32_t)(memory - sink->points);
            if (is_text)
                held->content.text = text++;
        }
    }
}

/* Most buses have no texts, and nothing that is held back. */
static void *room_for(size_t count, size_t size)
{
    return calloc(count ? count : 1, count ? size : 1);
}

int sink_open(struct sink **sink, const struct site_bus *bus, const struct clock *clock,
              sink_put_fn *put, void *context)
{
    struct sink *made = calloc(1, sizeof *made + bus->device_count * sizeof made->devices[0]);
    struct room room = count_room(bus);

    if (!made)
        return ERR_NOMEM;
    made->clock = clock;
    made->put = put;
    made->context = context;
    made->bus = bus;
    made->due_ns = INT64_MAX;
    made->points = room_for(room.points, sizeof *made->points);
    made->texts = room_for(room.texts, sizeof *made->texts);
    made->held = room_for(room.held, sizeof *made->held);
    if (!made->points || !made->texts || !made->held) {
        sink_close(made);
        return ERR_NOMEM;
    }
    remember_devices(made, bus);
    *sink = made;
    return 0;
}

/* NULL for one of another bus. */
static struct device_memory *find_device(struct sink *sink, const struct site_device *device)
{
    size_t index = (size_t)(device - sink->bus->devices);

    return index < sink->bus->device_count ? &sink->devices[index] : NULL;
}

/* What is refused from number `taken` on. A heartbeat is no loss: the next reading brings it again.
 */
static void refuse(struct batch *batch, size_t taken, int64_t mono_ns)
{
    struct sink *sink = batch->sink;

    for (size_t i = taken; i < batch->count; i++) {
        const struct event *event = &batch->events[i];
        struct entry *entry = &batch->entries[i];
        struct report_memory *memory = entry->memory;

        entry->device->beating = false;
        if (!memory)
            continue;
        if (memory->pending)
            sink_put_pending_reading(sink, memory, false);
        memory->known = false;
        if (report_is_bad(event->status)) {
            sink_keep_reading(sink, memory, event->mono_ns, event->status);
        } else if (sink->put(sink->context, event, 1, false) == 1) {
            entry->device->stored_mono_ns = mono_ns;
            report_remember(memory, entry->point, mono_ns, &event->value, event->status);
        }
    }
}

/*
 * Puts the batch, and remembers what was taken as stored at `mono_ns`; of what was refused the next
 * reading is stored, whatever it is.
 */
static int put_batch(struct batch *batch, int64_t mono_ns)
{
    const struct sink *sink = batch->sink;
    size_t count = batch->count;
    size_t taken = count ? sink->put(sink->context, batch->events, count, true) : 0;

    for (size_t i = 0; i < taken; i++) {
        const struct event *event = &batch->events[i];
        struct entry *entry = &batch->entries[i];

        entry->device->beating = false;
        entry->device->stored_mono_ns = mono_ns;
        if (entry->memory)
            report_remember(entry->memory, entry->point, mono_ns, &event->value, event->status);
    }
    refuse(batch, taken, mono_ns);
    batch->count = 0;
    return taken < count ? ERR_FULL : 0;
}

/* A place in the batch, which has one. */
static struct event *add(struct batch *batch, struct device_memory *device,
                         struct report_memory *memory, const struct site_point *point)
{
    batch->entries[batch->count] = (struct entry){device, memory, point};
    return &batch->events[batch->count++];
}

static void add_reading(struct batch *batch, struct device_memory *device,
                        struct report_memory *memory, const struct sink_item *item, int64_t mono_ns)
{
    struct event *event = add(batch, device, memory, item->point);

    *event = (struct event){
        .stream = site_point_stream(device->device, item->point),
        .mono_ns = mono_ns,
        .status = item->status,
        .kind = EVENT_READING,
    };
    if (!report_is_bad(item->status))
        event->value = item->value;
}

/* The same state once more, for a device that answers and has told nothing new for so long. */
static void add_heartbeat(struct batch *batch, struct device_memory *device, int64_t mono_ns)
{
    int64_t every_ns = device->device->heartbeat_ns;

    if (every_ns == 0 || !device->known || !device->up || device->beating ||
        mono_ns - device->stored_mono_ns < every_ns)
        return;
    device->beating = true;
    *add(batch, device, NULL, NULL) = (struct event){
        .stream = device->device->stream,
        .mono_ns = mono_ns,
        .status = device->status,
        .kind = EVENT_STATE,
        .value = {.type = VALUE_BOOL, .b = true},
    };
}

/* Where readings of the point wait; the point has an at_most. */
static struct held *find_held(struct sink *sink, const struct report_memory *memory)
{
    uint32_t wanted = (uint32_t)(memory - sink->points);
    size_t low = 0, high = sink->held_count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (sink->held[middle].memory <= wanted)
            low = middle;
        else
            high = middle;
    }
    return &sink->held[low];
}

static void hold(struct sink *sink, struct report_memory *memory, const struct sink_item *item,
                 int64_t mono_ns)
{
    struct held *held = find_held(sink, memory);
    int64_t due_ns = report_due_ns(memory, item->point);
    const struct value *value = &item->value;

    held->mono_ns = mono_ns;
    held->type = report_is_bad(item->status) ? VALUE_NONE : value->type;
    held->decimals = value->decimals;
    if (held->type == VALUE_F64)
        held->content.f = value->f;
    else if (held->type == VALUE_BOOL)
        held->content.b = value->b;
    else if (held->type == VALUE_I64 || held->type == VALUE_U64)
        held->content.u = value->u;
    else if (report_is_text(held->type)) {
        held->content.text->size = value->size;
        if (value->size > 0)
            memcpy(held->content.text->bytes, value->data, value->size);
    }
    memory->held = true;
    if (due_ns < sink->looked_through_ns + RELEASE_EVERY_NS)
        due_ns = sink->looked_through_ns + RELEASE_EVERY_NS;
    if (due_ns < sink->due_ns)
        sink->due_ns = due_ns;
}

static void add_held(struct batch *batch, struct device_memory *device,
                     struct report_memory *memory)
{
    const struct held *held = find_held(batch->sink, memory);
    struct sink_item item = {
        .point = held->point,
        .value = {.type = held->type, .decimals = held->decimals},
        .status = memory->status, /* another one would not have been held back */
    };

    if (held->type == VALUE_F64) {
        item.value.f = held->content.f;
    } else if (held->type == VALUE_BOOL) {
        item.value.b = held->content.b;
    } else if (report_is_text(held->type)) {
        item.value.size = held->content.text->size;
        item.value.data = held->content.text->bytes;
    } else {
        item.value.u = held->content.u;
    }
    memory->held = false;
    add_reading(batch, device, memory, &item, held->mono_ns);
}

/* Returns the status that the reading is stored with. */
static uint16_t add_item(struct batch *batch, struct device_memory *device,
                         const struct sink_item *given, int64_t mono_ns)
{
    struct sink_item judged = *given, *item = &judged;

    judged.status = report_status(given->point, &given->value, given->status);
    struct report_memory *memory = &device->points[item->point - device->device->points];

    if (memory->pending) {
        if (item->point->on_change && memory->status == item->status)
            return item->status;
        /* This one follows it, so that it cannot wait any longer. */
        sink_put_pending_reading(batch->sink, memory, false);
    }
    switch (report_judge(memory, item->point, mono_ns, &item->value, item->status)) {
    case REPORT_STORE:
        /* What came before a change of quality is not lost to it. */
        if (memory->held && memory->known && memory->status != item->status)
            add_held(batch, device, memory);
        memory->held = false;
        add_reading(batch, device, memory, item, mono_ns);
        return item->status;
    case REPORT_DROP:
        memory->held = false;
        break;
    case REPORT_HOLD:
        hold(batch->sink, memory, item, mono_ns);
        break;
    }
    if (!report_is_bad(item->status))
        add_heartbeat(batch, device, mono_ns);
    return item->status;
}

/* By what is remembered: of a good reading that was refused that is nothing. */
static void count_doubtful(struct device_memory *device)
{
    uint32_t bad = 0, implausible = 0;

    for (size_t i = 0; i < device->device->point_count; i++) {
        const struct report_memory *memory = &device->points[i];

        bad += (memory->known || memory->pending) && report_is_bad(memory->status);
        implausible += memory->known && memory->status == STATUS_IMPLAUSIBLE;
    }
    atomic_store(&device->bad, bad);
    atomic_store(&device->implausible, implausible);
}

int sink_readings(struct sink *sink, const struct site_device *of, int64_t mono_ns,
                  const struct sink_item *items, size_t count)
{
    struct device_memory *device = find_device(sink, of);
    struct batch batch;
    bool any = false;
    int error = 0;

    batch.sink = sink;
    batch.count = 0;
    sink_put_pending(sink, true);
    for (size_t i = 0; device && i < count; i++) {
        /* An item may add what was held back of its point, too. */
        if (batch.count + 2 > BATCH_MAX && put_batch(&batch, mono_ns) != 0)
            error = ERR_FULL;
        uint16_t status = add_item(&batch, device, &items[i], mono_ns);

        any = any || report_is_bad(status) || status == STATUS_IMPLAUSIBLE;
    }
    if (put_batch(&batch, mono_ns) != 0)
        error = ERR_FULL;
    if (device && (any || atomic_load(&device->bad) + atomic_load(&device->implausible) > 0))
        count_doubtful(device);
    return error;
}

int sink_reading(struct sink *sink, const struct site_device *device,
                 const struct site_point *point, int64_t mono_ns, const struct value *value,
                 uint16_t status)
{
    struct sink_item item = {.point = point, .status = status};

    if (value && !report_is_bad(status))
        item.value = *value;
    return sink_readings(sink, device, mono_ns, &item, 1);
}

uint32_t sink_bad(const struct sink *sink, size_t device)
{
    return atomic_load(&sink->devices[device].bad);
}

uint32_t sink_implausible(const struct sink *sink, size_t device)
{
    return atomic_load(&sink->devices[device].implausible);
}

int64_t sink_due_ns(const struct sink *sink)
{
    return sink->due_ns;
}

/* Stores what is held back and due by `due_by_ns`. */
static void release(struct sink *sink, int64_t now_ns, int64_t due_by_ns)
{
    int64_t first_ns = INT64_MAX;
    struct batch batch;

    batch.sink = sink;
    batch.count = 0;
    for (size_t i = 0; i < sink->held_count; i++) {
        const struct held *held = &sink->held[i];
        struct report_memory *memory = &sink->points[held->memory];
        int64_t due_ns;

        if (!memory->held)
            continue;
        due_ns = report_due_ns(memory, held->point);
        if (due_ns > due_by_ns) {
            first_ns = due_ns < first_ns ? due_ns : first_ns;
            continue;
        }
        if (batch.count == BATCH_MAX)
            put_batch(&batch, now_ns);
        add_held(&batch, &sink->devices[held->device], memory);
    }
    put_batch(&batch, now_ns);
    sink->looked_through_ns = now_ns;
    if (sink->pending || sink->pending_readings)
        first_ns = now_ns;
    if (first_ns < now_ns + RELEASE_EVERY_NS)
        first_ns = now_ns + RELEASE_EVERY_NS;
    sink->due_ns = first_ns;
}

void sink_release(struct sink *sink)
{
    int64_t now_ns = clock_mono(sink->clock);

    sink_put_pending(sink, true);
    release(sink, now_ns, now_ns);
}

void sink_close(struct sink *sink)
{
    if (!sink)
        return;
    sink_put_pending(sink, false);
    if (sink->due_ns != INT64_MAX)
        release(sink, clock_mono(sink->clock), INT64_MAX);
    sink_put_pending(sink, false); /* what was held back and refused: nothing is lost uncounted */
    free(sink->held);
    free(sink->texts);
    free(sink->points);
    free(sink);
}

void sink_state(struct sink *sink, const struct site_device *device, bool up, uint16_t status)
{
    struct device_memory *memory = find_device(sink, device);

    if (!memory || (memory->known && memory->up == up && memory->status == status))
        return;
    if (memory->pending)
        sink_drop_state(sink, memory);
    memory->known = true;
    memory->up = up;
    memory->status = status;
    memory->told_mono_ns = clock_mono(sink->clock);
    sink_put_state(sink, memory);
}

int sink_learnt(struct sink *sink, const struct site_device *device, const char *text, size_t size)
{
    struct event event = {
        .stream = device->stream,
        .mono_ns = clock_mono(sink->clock),
        .kind = EVENT_CONFIG,
        .value = {.type = VALUE_TEXT, .size = (uint16_t)size, .data = text},
    };

    return sink->put(sink->context, &event, 1, false) == 1 ? 0 : ERR_FULL;
}

int sink_bus_learnt(struct sink *sink, const char *text, size_t size)
{
    const struct site_device bus = {.stream = sink->bus->stream};

    return bus.stream ? sink_learnt(sink, &bus, text, size) : 0;
}

int sink_alarm(struct sink *sink, const struct site_device *device, const char *text, size_t size)
{
    struct event event = {
        .stream = device->stream,
        .mono_ns = clock_mono(sink->clock),
        .kind = EVENT_ALARM,
        .urgent = true,
        .value = {.type = VALUE_TEXT, .size = (uint16_t)size, .data = text},
    };

    return sink->put(sink->context, &event, 1, false) == 1 ? 0 : ERR_FULL;
}
