#include "modbus/plan.h"

#include <stdlib.h>

#include "core/clock.h"
#include "core/error.h"

static const struct modbus_point_options *options_of(const struct site_point *point)
{
    return point->options;
}

static int compare_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* Points of one device: by table, interval, address. */
static int compare_points(const void *left, const void *right)
{
    const struct site_point *a = *(const struct site_point *const *)left;
    const struct site_point *b = *(const struct site_point *const *)right;
    const struct modbus_point_options *x = options_of(a), *y = options_of(b);
    int order = (int)x->function - (int)y->function;

    if (order == 0)
        order = compare_i64(a->every_ns, b->every_ns);
    if (order == 0)
        order = (int)x->address - (int)y->address;
    return order ? order : (int)x->count - (int)y->count;
}

static unsigned end_of(const struct site_point *point)
{
    return (unsigned)options_of(point)->address + options_of(point)->count;
}

static unsigned block_end(const struct plan_block *block)
{
    return (unsigned)block->address + block->count;
}

static bool fits(const struct plan *plan, const struct plan_block *block,
                 const struct site_point *point)
{
    const struct modbus_device_options *device = plan->bus->devices[block->device].options;
    const struct modbus_point_options *options = point->options;
    bool bits = options->function <= MODBUS_DISCRETE_INPUTS;
    int64_t most = bits ? 16 * device->max_block : device->max_block;
    int64_t gap = bits ? 16 * device->gap : device->gap;
    unsigned end = end_of(point) > block_end(block) ? end_of(point) : block_end(block);

    return !device->alone && options->function == block->function &&
           point->every_ns == block->every_ns && options->address <= block_end(block) + gap &&
           end - block->address <= most;
}

static void begin_block(struct plan *plan, uint32_t device, uint32_t index)
{
    const struct site_point *point = plan->points[index];

    plan->blocks[plan->block_count++] = (struct plan_block){
        .device = device,
        .first = index,
        .points = 1,
        .address = options_of(point)->address,
        .count = options_of(point)->count,
        .function = options_of(point)->function,
        .every_ns = point->every_ns,
        .due_ns = INT64_MAX,
    };
}

static void plan_device(struct plan *plan, uint32_t device, uint32_t first)
{
    uint32_t end = first + (uint32_t)plan->bus->devices[device].point_count;

    qsort(&plan->points[first], end - first, sizeof plan->points[0], compare_points);
    for (uint32_t i = first; i < end; i++) {
        struct plan_block *block = i > first ? &plan->blocks[plan->block_count - 1] : NULL;
        const struct site_point *point = plan->points[i];

        if (!block || !fits(plan, block, point)) {
            begin_block(plan, device, i);
            continue;
        }
        if (end_of(point) > block_end(block))
            block->count = (uint16_t)(end_of(point) - block->address);
        block->points++;
    }
}

int plan_make(struct plan *plan, const struct site_bus *bus)
{
    uint32_t index = 0;

    *plan = (struct plan){.bus = bus};
    for (size_t i = 0; i < bus->device_count; i++)
        plan->point_count += bus->devices[i].point_count;
    if (plan->point_count == 0)
        return 0;
    plan->points = calloc(plan->point_count, sizeof *plan->points);
    plan->blocks = calloc(plan->point_count, sizeof *plan->blocks);
    if (!plan->points || !plan->blocks) {
        plan_free(plan);
        return ERR_NOMEM;
    }
    for (uint32_t i = 0; i < bus->device_count; i++) {
        const struct site_device *device = &bus->devices[i];
        uint32_t first = index;

        for (size_t j = 0; j < device->point_count; j++)
            plan->points[index++] = &device->points[j];
        plan_device(plan, i, first);
    }
    return 0;
}

void plan_free(struct plan *plan)
{
    free(plan->points);
    free(plan->blocks);
    *plan = (struct plan){0};
}

void plan_start(struct plan *plan, int64_t now_ns)
{
    for (size_t i = 0; i < plan->block_count; i++) {
        struct plan_block *block = &plan->blocks[i];
        int64_t spread = block->every_ns < NS_PER_S ? block->every_ns : NS_PER_S;

        block->due_ns = now_ns + spread / (int64_t)plan->block_count * (int64_t)i;
    }
}

struct plan_block *plan_next(struct plan *plan, int64_t now_ns, int64_t *wake_ns)
{
    struct plan_block *next = NULL;

    *wake_ns = INT64_MAX;
    for (size_t i = 0; i < plan->block_count; i++) {
        struct plan_block *block = &plan->blocks[i];

        if (block->paused)
            continue;
        if (block->due_ns > now_ns) {
            if (block->due_ns < *wake_ns)
                *wake_ns = block->due_ns;
        } else if (!next || block->due_ns + block->every_ns < next->due_ns + next->every_ns) {
            next = block;
        }
    }
    return next;
}

void plan_done(struct plan_block *block, int64_t now_ns)
{
    int64_t every = block->every_ns > 0 ? block->every_ns : 1;

    block->due_ns += every;
    if (block->due_ns <= now_ns)
        block->due_ns += (now_ns - block->due_ns) / every * every;
}

/* The registers that the block's points take. */
static void fit_to_points(const struct plan *plan, struct plan_block *block)
{
    unsigned end = 0;

    block->address = options_of(plan->points[block->first])->address;
    for (uint32_t i = 0; i < block->points; i++) {
        unsigned point_end = end_of(plan->points[block->first + i]);

        if (point_end > end)
            end = point_end;
    }
    block->count = (uint16_t)(end - block->address);
}

bool plan_split(struct plan *plan, struct plan_block *block, int64_t now_ns)
{
    struct plan_block *other = &plan->blocks[plan->block_count];
    uint32_t half = block->points / 2;

    if (half == 0)
        return false;
    *other = *block;
    plan->block_count++;
    other->first += half;
    other->points -= half;
    block->points = half;
    fit_to_points(plan, block);
    fit_to_points(plan, other);
    block->due_ns = other->due_ns = now_ns;
    return true;
}

void plan_pause(struct plan *plan, uint32_t device)
{
    for (size_t i = 0; i < plan->block_count; i++) {
        if (plan->blocks[i].device == device)
            plan->blocks[i].paused = true;
    }
}

void plan_resume(struct plan *plan, uint32_t device, int64_t now_ns)
{
    for (size_t i = 0; i < plan->block_count; i++) {
        struct plan_block *block = &plan->blocks[i];

        if (block->device != device || !block->paused)
            continue;
        block->paused = false;
        block->due_ns = now_ns;
    }
}
