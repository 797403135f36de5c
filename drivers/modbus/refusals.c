#include "modbus/refusals.h"

#include <inttypes.h>

#include "core/log.h"
#include "core/status.h"

static const char *advice(uint16_t status)
{
    switch (status) {
    case STATUS_ILLEGAL_FUNCTION:
        return "it has no such table: look in its manual whether the value is a holding register, "
               "an input register or a coil";
    case STATUS_ILLEGAL_VALUE:
        return "compare \"type\" and \"length\" with its manual: it may let only the whole value be "
               "read";
    default:
        return "compare \"reg\" with its manual, and whether that counts from 0 or from 1 "
               "(\"numbering\")";
    }
}

static void tell(const struct plan *plan, const struct plan_block *block,
                 const struct site_point *point, uint16_t status)
{
    const struct site_device *device = &plan->bus->devices[block->device];
    const struct modbus_point_options *options = point->options;

    log_warn("modbus",
             "bus %s: device %s refuses point %s (register %" PRId64 ", function %u): %s, %s; %s. "
             "\"sluice probe %s\" finds which points it has",
             plan->bus->id, device->id, point->id, options->reg, (unsigned)block->function,
             status_why(status), status_help(status), advice(status), device->id);
}

/* The place of a point of a block; NULL for one that the block passes over. */
static uint16_t *place_of(struct plan *plan, const struct plan_block *block, uint32_t i)
{
    return plan_point(plan, block, i) ? &plan->refusals[block->first + i] : NULL;
}

bool refusals_tell(struct plan *plan, const struct plan_block *block, uint16_t status)
{
    struct plan_device *device = &plan->devices[block->device];
    bool news = false;

    if (block->group == PLAN_NONE)
        return false; /* a probe: it is told when the schedule asks for it */
    for (uint32_t i = 0; i < block->points; i++) {
        uint16_t *refusal = place_of(plan, block, i);

        if (!refusal || *refusal == status)
            continue;
        news = true;
        if (!*refusal)
            device->refusing++;
        *refusal = status;
        if (device->refusals_told == REFUSALS_TOLD_MAX)
            log_warn("modbus", "bus %s: device %s refuses more points: \"sluice status\" names them",
                     plan->bus->id, plan->bus->devices[block->device].id);
        else if (device->refusals_told < REFUSALS_TOLD_MAX)
            tell(plan, block, plan_point(plan, block, i), status);
        if (device->refusals_told <= REFUSALS_TOLD_MAX)
            device->refusals_told++;
    }
    return news;
}

bool refusals_over(struct plan *plan, const struct plan_block *block)
{
    struct plan_device *device = &plan->devices[block->device];
    bool news = false;

    if (device->refusing == 0 || block->group == PLAN_NONE)
        return false;
    for (uint32_t i = 0; i < block->points; i++) {
        uint16_t *refusal = place_of(plan, block, i);

        if (!refusal || !*refusal)
            continue;
        news = true;
        *refusal = STATUS_GOOD;
        device->refusing--;
        log_info("modbus", "bus %s: device %s answers for point %s now", plan->bus->id,
                 plan->bus->devices[block->device].id, plan_point(plan, block, i)->id);
    }
    return news;
}
