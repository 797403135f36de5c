#include "field/sink.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/status.h"

#define BATCH_MAX     128
#define TEXT_KEPT_MAX 256 /* a longer text counts as changed */

/* What was last stored of a point. */
struct memory {
    int64_t mono_ns;
    struct value value; /* the data of a text is in `text` */
    uint16_t status;
    bool known;
    char *text; /* TEXT_KEPT_MAX bytes; NULL but for points whose values are text or bytes */
};

struct device_memory {
    const struct site_device *device;
    struct memory *points;
    int64_t told_mono_ns;
    uint16_t status;
    bool up, known;
    bool pending; /* the journal's ring refused it: to be put again */
};

struct sink {
    const struct clock *clock;
    sink_put_fn *put;
    void *context;
    size_t device_count, recent; /* `recent`: where the last point was found */
    size_t pending;              /* states that wait to be put again */
    struct memory *points;
    size_t point_count;
    struct event events[BATCH_MAX];
    struct memory *memories[BATCH_MAX];
    struct device_memory devices[];
};

static bool is_bad(uint16_t status)
{
    return (status & 0x8000) != 0;
}

static bool borrows(uint8_t type)
{
    return type == VALUE_TEXT || type == VALUE_BYTES;
}

static int remember_devices(struct sink *sink, const struct site_bus *bus)
{
    struct memory *memory = sink->points;

    for (size_t i = 0; i < bus->device_count; i++) {
        const struct site_device *device = &bus->devices[i];

        sink->devices[i].device = device;
        sink->devices[i].points = memory;
        for (size_t j = 0; j < device->point_count; j++, memory++) {
            if (!borrows(device->points[j].type))
                continue;
            memory->text = malloc(TEXT_KEPT_MAX);
            if (!memory->text)
                return ERR_NOMEM;
        }
    }
    return 0;
}

static void release(struct sink *sink)
{
    for (size_t i = 0; sink->points && i < sink->point_count; i++)
        free(sink->points[i].text);
    free(sink->points);
    free(sink);
}

int sink_open(struct sink **sink, const struct site_bus *bus, const struct clock *clock,
              sink_put_fn *put, void *context)
{
    struct sink *made = calloc(1, sizeof *made + bus->device_count * sizeof made->devices[0]);
    size_t points = 0;

    if (!made)
        return ERR_NOMEM;
    for (size_t i = 0; i < bus->device_count; i++)
        points += bus->devices[i].point_count;
    made->clock = clock;
    made->put = put;
    made->context = context;
    made->device_count = bus->device_count;
    made->point_count = points;
    made->points = calloc(points ? points : 1, sizeof *made->points);
    if (!made->points || remember_devices(made, bus) != 0) {
        release(made);
        return ERR_NOMEM;
    }
    *sink = made;
    return 0;
}

static bool owns(const struct device_memory *memory, const struct site_point *point)
{
    const struct site_device *device = memory->device;

    return point >= device->points && point < device->points + device->point_count;
}

/* The points of a read are neighbours, so the device found last is nearly always the right one. */
static struct memory *find(struct sink *sink, const struct site_point *point)
{
    if (sink->recent >= sink->device_count || !owns(&sink->devices[sink->recent], point)) {
        for (sink->recent = 0; sink->recent < sink->device_count; sink->recent++) {
            if (owns(&sink->devices[sink->recent], point))
                break;
        }
        if (sink->recent == sink->device_count)
            return NULL;
    }
    const struct device_memory *memory = &sink->devices[sink->recent];

    return &memory->points[point - memory->device->points];
}

static bool same(const struct memory *memory, const struct value *value, uint16_t status)
{
    if (memory->status != status)
        return false;
    if (is_bad(status))
        return true;
    if (!borrows(value->type))
        return value_equal(&memory->value, value);
    return memory->text && memory->value.type == value->type && value->size <= TEXT_KEPT_MAX &&
           memory->value.size == value->size &&
           (value->size == 0 || memcmp(memory->text, value->data, value->size) == 0);
}

static bool suppressed(const struct memory *memory, const struct site_point *point, int64_t mono_ns,
                       const struct value *value, uint16_t status)
{
    if (!point->on_change || !memory->known)
        return false;
    if (point->at_least_ns > 0 && mono_ns - memory->mono_ns >= point->at_least_ns)
        return false;
    return same(memory, value, status);
}

static void remember(struct memory *memory, const struct event *event)
{
    memory->known = true;
    memory->mono_ns = event->mono_ns;
    memory->status = event->status;
    memory->value = event->value;
    if (borrows(event->value.type) && memory->text && event->value.size <= TEXT_KEPT_MAX &&
        event->value.size > 0)
        memcpy(memory->text, event->value.data, event->value.size);
}

static bool put_state(struct sink *sink, const struct device_memory *memory, bool again)
{
    struct event event = {
        .stream = memory->device->stream,
        .mono_ns = memory->told_mono_ns,
        .status = memory->status,
        .kind = EVENT_STATE,
        .value = {.type = VALUE_BOOL, .b = memory->up},
    };

    return sink->put(sink->context, &event, 1, again) == 1;
}

static void put_pending_states(struct sink *sink, bool again)
{
    for (size_t i = 0; i < sink->device_count && sink->pending; i++) {
        if (!sink->devices[i].pending)
            continue;
        if (!put_state(sink, &sink->devices[i], again) && again)
            return;
        sink->devices[i].pending = false;
        sink->pending--;
    }
}

/* Puts the batch, and remembers what was taken; of what was refused the next reading is stored,
 * whatever it is. */
static int put_batch(struct sink *sink, size_t count)
{
    size_t taken = count ? sink->put(sink->context, sink->events, count, false) : 0;

    for (size_t i = 0; i < count; i++) {
        if (i < taken)
            remember(sink->memories[i], &sink->events[i]);
        else
            sink->memories[i]->known = false;
    }
    return taken < count ? ERR_FULL : 0;
}

/* Integers beyond 2^53 are rounded, which makes no difference to what is plausible. */
static uint16_t judge(const struct site_point *point, const struct value *value, uint16_t status)
{
    double number;

    if (status != STATUS_GOOD || !(point->minimum < point->maximum))
        return status;
    if (value->type == VALUE_F64)
        number = value->f;
    else if (value->type == VALUE_I64)
        number = (double)value->i;
    else if (value->type == VALUE_U64)
        number = (double)value->u;
    else
        return status;
    return number < point->minimum || number > point->maximum ? STATUS_IMPLAUSIBLE : status;
}

static int put_items(struct sink *sink, int64_t mono_ns, const struct sink_item *items,
                     size_t count)
{
    size_t batched = 0;

    for (size_t i = 0; i < count; i++) {
        const struct sink_item *item = &items[i];
        struct memory *memory = find(sink, item->point);
        struct event *event = &sink->events[batched];
        uint16_t status = judge(item->point, &item->value, item->status);

        if (!memory || suppressed(memory, item->point, mono_ns, &item->value, status))
            continue;
        *event = (struct event){
            .stream = item->point->stream,
            .mono_ns = mono_ns,
            .status = status,
            .kind = EVENT_READING,
        };
        if (!is_bad(item->status))
            event->value = item->value;
        sink->memories[batched++] = memory;
    }
    return put_batch(sink, batched);
}

int sink_readings(struct sink *sink, int64_t mono_ns, const struct sink_item *items, size_t count)
{
    int error = 0;

    if (sink->pending)
        put_pending_states(sink, true);
    while (count > 0) {
        size_t part = count < BATCH_MAX ? count : BATCH_MAX;
        int part_error = put_items(sink, mono_ns, items, part);

        if (part_error)
            error = part_error;
        items += part;
        count -= part;
    }
    return error;
}

int sink_reading(struct sink *sink, const struct site_point *point, int64_t mono_ns,
                 const struct value *value, uint16_t status)
{
    struct sink_item item = {.point = point, .status = status};

    if (value && !is_bad(status))
        item.value = *value;
    return sink_readings(sink, mono_ns, &item, 1);
}

void sink_state(struct sink *sink, const struct site_device *device, bool up, uint16_t status)
{
    for (size_t i = 0; i < sink->device_count; i++) {
        struct device_memory *memory = &sink->devices[i];

        if (memory->device != device)
            continue;
        if (memory->known && memory->up == up && memory->status == status)
            return;
        if (memory->pending) { /* this one follows it, so that it cannot wait any longer */
            put_state(sink, memory, false);
            sink->pending--;
        }
        memory->known = true;
        memory->up = up;
        memory->status = status;
        memory->told_mono_ns = clock_mono(sink->clock);
        memory->pending = !put_state(sink, memory, true);
        if (memory->pending)
            sink->pending++;
        return;
    }
}

void sink_close(struct sink *sink)
{
    if (!sink)
        return;
    put_pending_states(sink, false);
    release(sink);
}
