#include "modbus/sheet.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "modbus/learn.h"
#include "modbus/point.h"

bool sheet_serves(const struct plan *plan, const struct plan_block *block, uint32_t at)
{
    uint8_t flags = plan->flags[at];

    if (block->classes == 0)
        return true;
    return (block->classes >> (flags & PLAN_CLASS) & 1) && !(flags & PLAN_REFUSED);
}

/* Whether a read may go on from the point before this one to it; `end` is where the ones before
 * end. */
static bool joins(const struct plan *plan, const struct plan_group *group, uint32_t at,
                  uint32_t end)
{
    const struct modbus_device_options *device = plan->bus->devices[group->device].options;
    const struct modbus_point_options *point = point_options(plan, group, at);
    uint32_t gap = (uint32_t)device->gap * (group->function <= MODBUS_DISCRETE_INPUTS ? 16 : 1);

    if (device->alone || ((plan->flags[at] & PLAN_CUT) && at != group->trial))
        return false;
    return !((plan->flags[at] | plan->flags[at - 1]) & PLAN_REFUSED) && point->address <= end + gap;
}

/* Points that were refused are tried one by one, but those that share a register. */
static bool joins_refused(const struct plan *plan, const struct plan_group *group, uint32_t at,
                          uint32_t end)
{
    const struct modbus_device_options *device = plan->bus->devices[group->device].options;

    return !device->alone && point_options(plan, group, at)->address < end;
}

/* The points that these classes want, with what stands between them. */
static uint32_t collect(const struct plan *plan, const struct plan_group *group, uint16_t classes,
                        struct merge_span *spans)
{
    uint32_t count = 0, barriers = 0, end = 0;

    for (uint32_t at = group->first; at < group->first + group->points; at++) {
        const struct modbus_point_options *point = point_options(plan, group, at);
        bool refused = plan->flags[at] & PLAN_REFUSED;

        if (classes == 0 && !refused)
            continue;
        if (at > group->first &&
            !(classes ? joins(plan, group, at, end) : joins_refused(plan, group, at, end)))
            barriers++;
        if (point_end(point) > end)
            end = point_end(point);
        if (classes == 0 || (!refused && (classes >> (plan->flags[at] & PLAN_CLASS) & 1)))
            spans[count++] = (struct merge_span){at, barriers, point->address, point->count};
    }
    return count;
}

/* Sets what a block serves, and its registers, from its range of points. */
static void fit(const struct plan *plan, const struct plan_group *group, struct plan_block *block,
                uint16_t of_classes)
{
    uint32_t end = 0;

    block->classes = of_classes;
    block->address = point_options(plan, group, block->first)->address;
    block->every_ns = of_classes ? INT64_MAX : PLAN_REFUSED_RETRY_NS;
    uint16_t served = 0;
    for (uint32_t at = block->first; at < block->first + block->points; at++) {
        const struct modbus_point_options *point = point_options(plan, group, at);
        uint32_t number = plan->flags[at] & PLAN_CLASS;
        const struct plan_class *class = &plan->classes[group->first_class + number];

        if (!sheet_serves(plan, block, at))
            continue;
        if (point_end(point) > end)
            end = point_end(point);
        if (of_classes && class->every_ns < block->every_ns)
            block->every_ns = class->every_ns;
        served |= (uint16_t)(of_classes ? 1u << number : 0);
    }
    block->classes = served;
    block->count = (uint16_t)(end - block->address);
}

static struct plan_sheet *make(struct plan *plan, struct plan_group *group, uint16_t classes)
{
    struct merge_terms terms = plan_terms(plan, group->device, group->function);
    struct merge_span *spans = malloc(group->points * sizeof *spans);
    struct merge_read *reads = malloc(group->points * sizeof *reads);
    struct plan_sheet *sheet = NULL;
    int count = ERR_NOMEM;

    if (spans && reads)
        count = merge_spans(&terms, spans, collect(plan, group, classes, spans), reads);
    if (count >= 0)
        sheet = calloc(1, sizeof *sheet + (size_t)count * sizeof sheet->blocks[0]);
    if (sheet) {
        sheet->classes = classes;
        sheet->count = (uint32_t)count;
    }
    for (uint32_t i = 0; sheet && i < sheet->count; i++) {
        struct plan_block *block = &sheet->blocks[i];
        uint32_t last = spans[reads[i].first + reads[i].spans - 1].index;

        block->device = group->device;
        block->group = (uint32_t)(group - plan->groups);
        block->function = group->function;
        block->first = spans[reads[i].first].index;
        block->points = last - block->first + 1;
        block->due_ns = INT64_MAX;
        fit(plan, group, block, classes);
    }
    free(spans);
    free(reads);
    return sheet;
}

int64_t sheet_price_ns(const struct plan *plan, const struct plan_group *group, uint16_t classes,
                       uint32_t *reads)
{
    struct merge_terms terms = plan_terms(plan, group->device, group->function);
    struct merge_span *spans = malloc(group->points * sizeof *spans);
    struct merge_read *merged = malloc(group->points * sizeof *merged);
    int64_t sum_ns = 0;
    int count = 0;

    if (spans && merged)
        count = merge_spans(&terms, spans, collect(plan, group, classes, spans), merged);
    for (int i = 0; i < count; i++)
        sum_ns += merge_cost_ns(&terms, merged[i].count);
    *reads = count > 0 ? (uint32_t)count : 0;
    free(spans);
    free(merged);
    return sum_ns;
}

static bool is_union(uint16_t classes)
{
    return classes & (classes - 1);
}

struct plan_sheet *sheet_for(struct plan *plan, struct plan_group *group, uint16_t classes)
{
    struct plan_sheet **link = &group->sheets, *made;
    unsigned unions = 0;

    while (*link && (*link)->classes != classes) {
        unions += is_union((*link)->classes);
        link = &(*link)->next;
    }
    if (*link ? !(*link)->stale : is_union(classes) && unions >= SHEET_UNIONS_MAX)
        return *link;
    for (;;) {
        learn_choose_trial(plan, group, classes);
        made = make(plan, group, classes);
        if (!made)
            return *link;
        if (learn_check_trial(plan, group, classes, made))
            break;
        free(made);
    }
    if (*link) {
        made->next = (*link)->next;
        free(*link);
    }
    *link = made;
    return made;
}

void sheet_free_all(struct plan_group *group)
{
    while (group->sheets) {
        struct plan_sheet *next = group->sheets->next;

        free(group->sheets);
        group->sheets = next;
    }
}

static struct plan_sheet **link_to(struct plan_group *group, const struct plan_block *block)
{
    struct plan_sheet **link = &group->sheets;

    while (block < (*link)->blocks || block >= (*link)->blocks + (*link)->count)
        link = &(*link)->next;
    return link;
}

struct plan_sheet *sheet_of(struct plan_group *group, const struct plan_block *block)
{
    return *link_to(group, block);
}

struct plan_block *sheet_split(struct plan *plan, struct plan_group *group,
                               struct plan_block *block, uint32_t at)
{
    struct plan_sheet **link = link_to(group, block), *sheet = *link;
    size_t index = (size_t)(block - sheet->blocks);
    uint16_t classes = block->classes;
    uint32_t end = block->first + block->points, middle = at;

    sheet = realloc(sheet, sizeof *sheet + (sheet->count + 1) * sizeof sheet->blocks[0]);
    if (!sheet)
        return NULL;
    *link = sheet;
    block = &sheet->blocks[index];
    memmove(block + 1, block, (sheet->count - index) * sizeof *block);
    sheet->count++;
    while (!sheet_serves(plan, block, at - 1))
        at--;
    block[0].points = at - block->first;
    while (!sheet_serves(plan, block, middle))
        middle++;
    block[1].first = middle;
    block[1].points = end - middle;
    fit(plan, group, &block[0], classes);
    fit(plan, group, &block[1], classes);
    return block;
}
