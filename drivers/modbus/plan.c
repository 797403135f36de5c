#include "modbus/plan.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "modbus/learn.h"
#include "modbus/link.h"
#include "modbus/phases.h"
#include "modbus/sheet.h"

/* Before a device has been heard: what a connection takes there and back, and each byte. */
#define TCP_LATENCY_NS (2 * NS_PER_MS)
#define TCP_BYTE_NS    100

#define LATENCY_CHANGE_NS NS_PER_MS /* less than that changes no plan */

/* A point while the order is made. */
struct placed {
    int64_t every_ns;
    uint32_t index;
    uint16_t address, count;
    uint16_t part; /* of a table that has more intervals than a group may have */
    uint8_t function, class;
    bool aligned;
};

static bool is_serial(const struct plan *plan)
{
    return ((const struct modbus_bus_options *)plan->bus->options)->line.baud > 0;
}

struct merge_terms plan_terms(const struct plan *plan, uint32_t index, uint8_t function)
{
    const struct modbus_bus_options *bus = plan->bus->options;
    const struct modbus_device_options *options = plan->bus->devices[index].options;
    const struct plan_device *device = &plan->devices[index];
    uint32_t limit = learn_limit(device, function);
    struct merge_terms terms = {
        .fixed_ns = device->latency_ns,
        .byte_ns = plan->byte_ns,
        .bits = function <= MODBUS_DISCRETE_INPUTS,
    };

    terms.limit = (uint32_t)options->max_block * (terms.bits ? 16 : 1);
    if (limit && limit < terms.limit)
        terms.limit = limit;
    /* Request (8 bytes) and reply (5) without its data; a silence before the request. */
    if (is_serial(plan))
        terms.fixed_ns += link_bytes_ns(bus, 8 + 5) + link_silence_ns(bus);
    return terms;
}

/* Before it has been heard. A device waits for the silence, too, before it answers. */
static int64_t first_latency_ns(const struct plan *plan)
{
    const struct modbus_bus_options *bus = plan->bus->options;

    return is_serial(plan) ? bus->turnaround_ns + link_silence_ns(bus) : TCP_LATENCY_NS;
}

void plan_renew(struct plan *plan, uint32_t index)
{
    const struct plan_device *device = &plan->devices[index];

    for (uint32_t i = 0; i < device->groups; i++) {
        struct plan_sheet *sheet = plan->groups[device->first_group + i].sheets;

        for (; sheet; sheet = sheet->next)
            sheet->stale = true;
    }
}

void plan_latency(struct plan *plan, uint32_t index, int64_t latency_ns)
{
    struct plan_device *device = &plan->devices[index];
    int64_t before_ns = plan_terms(plan, index, MODBUS_HOLDING_REGISTERS).fixed_ns;
    int64_t change_ns = llabs(latency_ns - device->latency_ns);

    if (latency_ns <= 0 || change_ns < LATENCY_CHANGE_NS || change_ns < before_ns / 4)
        return;
    device->latency_ns = latency_ns;
    plan_renew(plan, index);
}

static int compare_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_interval(const void *left, const void *right)
{
    const struct placed *a = left, *b = right;

    if (a->function != b->function)
        return (int)a->function - (int)b->function;
    if (a->every_ns != b->every_ns)
        return compare_i64(a->every_ns, b->every_ns);
    return (int)a->aligned - (int)b->aligned;
}

static int by_address(const void *left, const void *right)
{
    const struct placed *a = left, *b = right;

    if (a->function != b->function)
        return (int)a->function - (int)b->function;
    if (a->part != b->part)
        return (int)a->part - (int)b->part;
    if (a->address != b->address)
        return (int)a->address - (int)b->address;
    if (a->count != b->count)
        return (int)a->count - (int)b->count;
    return compare_i64(a->index, b->index);
}

static void place(const struct site_device *device, struct placed *placed)
{
    bool aligned = ((const struct modbus_device_options *)device->options)->align;

    for (size_t i = 0; i < device->point_count; i++) {
        const struct site_point *point = &device->points[i];
        const struct modbus_point_options *options = point->options;

        placed[i] = (struct placed){
            .every_ns = point->every_ns > 0 ? point->every_ns : 1,
            .index = (uint32_t)i,
            .address = options->address,
            .count = options->count,
            .function = options->function,
            .aligned = aligned || options->align,
        };
    }
}

/* Numbers the intervals of each table from the shortest on. */
static void classify(struct placed *placed, size_t count)
{
    unsigned number = 0;

    qsort(placed, count, sizeof *placed, by_interval);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && by_interval(&placed[i - 1], &placed[i]) != 0)
            number = placed[i - 1].function == placed[i].function ? number + 1 : 0;
        placed[i].part = (uint16_t)(number / PLAN_CLASSES_MAX);
        placed[i].class = (uint8_t)(number % PLAN_CLASSES_MAX);
    }
}

/* One more at the end of a growing array; NULL without memory. */
static void *one_more(void *array, size_t count, size_t size)
{
    return (count & (count - 1)) == 0 ? realloc(array, (count ? 2 * count : 1) * size) : array;
}

static int add_class(struct plan *plan, struct plan_group *group, const struct placed *placed)
{
    struct plan_class *classes = one_more(plan->classes, plan->class_count, sizeof *classes);

    if (!classes)
        return ERR_NOMEM;
    plan->classes = classes;
    classes[plan->class_count++] = (struct plan_class){
        .every_ns = placed->every_ns,
        .due_ns = INT64_MAX,
        .slot_ns = INT64_MIN,
        .aligned = placed->aligned,
    };
    plan->aligned_count += placed->aligned;
    group->class_count++;
    return 0;
}

static struct plan_group *add_group(struct plan *plan, uint32_t device, uint32_t first,
                                    const struct placed *placed)
{
    struct plan_group *groups = one_more(plan->groups, plan->group_count, sizeof *groups);

    if (!groups)
        return NULL;
    plan->groups = groups;
    plan->devices[device].groups++;
    groups[plan->group_count] = (struct plan_group){
        .device = device,
        .first = first,
        .first_class = (uint32_t)plan->class_count,
        .refused_ns = INT64_MAX,
        .retest_ns = INT64_MAX,
        .trial = PLAN_NONE,
        .function = placed->function,
    };
    return &groups[plan->group_count++];
}

/* The classes of a group in the order of their numbers, from points that are sorted by interval. */
static int make_groups(struct plan *plan, uint32_t device, uint32_t first,
                       const struct placed *placed, size_t count)
{
    struct plan_group *group = NULL;

    plan->devices[device].first_group = (uint32_t)plan->group_count;
    for (size_t i = 0; i < count; i++) {
        bool begins = i == 0 || placed[i - 1].function != placed[i].function ||
                      placed[i - 1].part != placed[i].part;

        if (begins)
            group = add_group(plan, device, first + (uint32_t)i, &placed[i]);
        if (!group || ((begins || placed[i - 1].class != placed[i].class) &&
                       add_class(plan, group, &placed[i]) != 0))
            return ERR_NOMEM;
        group->points++;
    }
    return 0;
}

static int plan_device(struct plan *plan, uint32_t device, uint32_t first)
{
    size_t count = plan->bus->devices[device].point_count;
    struct placed *placed = malloc((count ? count : 1) * sizeof *placed);
    int error = placed ? 0 : ERR_NOMEM;

    if (!error) {
        place(&plan->bus->devices[device], placed);
        classify(placed, count);
        error = make_groups(plan, device, first, placed, count);
    }
    if (!error)
        qsort(placed, count, sizeof *placed, by_address);
    for (size_t i = 0; !error && i < count; i++) {
        plan->order[first + i] = placed[i].index;
        plan->flags[first + i] = placed[i].class;
    }
    free(placed);
    return error;
}

/* When each class is due, and the sheets of single classes, so that there is always one. */
static int make_sheets(struct plan *plan)
{
    for (size_t i = 0; i < plan->group_count; i++) {
        struct plan_group *group = &plan->groups[i];

        phases_choose(plan, group);
        for (unsigned class = 0; class < group->class_count; class ++) {
            if (!sheet_for(plan, group, (uint16_t)(1u << class)))
                return ERR_NOMEM;
        }
    }
    return 0;
}

static int fill(struct plan *plan)
{
    uint32_t first = 0;
    int error = 0;

    for (uint32_t i = 0; i < plan->bus->device_count && !error; i++) {
        plan->devices[i].latency_ns = first_latency_ns(plan);
        error = plan_device(plan, i, first);
        first += (uint32_t)plan->bus->devices[i].point_count;
    }
    if (error)
        return error;
    plan->keys = malloc((plan->group_count + 1) * sizeof *plan->keys);
    for (size_t i = 0; plan->keys && i < plan->group_count; i++)
        plan->keys[i] = (struct plan_key){INT64_MAX, INT64_MAX};
    return plan->keys ? make_sheets(plan) : ERR_NOMEM;
}

int plan_make(struct plan *plan, const struct site_bus *bus)
{
    int error = ERR_NOMEM;

    *plan = (struct plan){.bus = bus};
    for (size_t i = 0; i < bus->device_count; i++)
        plan->point_count += bus->devices[i].point_count;
    plan->byte_ns = is_serial(plan) ? link_bytes_ns(bus->options, 1) : TCP_BYTE_NS;
    plan->order = malloc((plan->point_count + 1) * sizeof *plan->order);
    plan->flags = malloc(plan->point_count + 1);
    plan->refusals = calloc(plan->point_count + 1, sizeof *plan->refusals);
    plan->devices = calloc(bus->device_count + 1, sizeof *plan->devices);
    if (plan->order && plan->flags && plan->refusals && plan->devices)
        error = fill(plan);
    if (error)
        plan_free(plan);
    return error;
}

void plan_free(struct plan *plan)
{
    for (size_t i = 0; i < plan->group_count; i++)
        sheet_free_all(&plan->groups[i]);
    free(plan->order);
    free(plan->flags);
    free(plan->refusals);
    for (size_t i = 0; plan->devices && i < plan->bus->device_count; i++)
        free(plan->devices[i].identity);
    free(plan->devices);
    free(plan->groups);
    free(plan->classes);
    free(plan->keys);
    *plan = (struct plan){0};
}

const struct site_point *plan_point(const struct plan *plan, const struct plan_block *block,
                                    uint32_t i)
{
    uint32_t at = block->first + i;

    return sheet_serves(plan, block, at)
               ? &plan->bus->devices[block->device].points[plan->order[at]]
               : NULL;
}

void plan_demand(const struct plan *plan, uint32_t index, double *share, double *reads_per_s)
{
    const struct plan_device *device = &plan->devices[index];

    *share = *reads_per_s = 0;
    for (uint32_t i = 0; i < device->groups; i++)
        phases_demand(plan, &plan->groups[device->first_group + i], share, reads_per_s);
}
