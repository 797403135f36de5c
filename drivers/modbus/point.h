/* How the planner's files look at a point of the order. */
#ifndef SLUICE_MODBUS_POINT_H
#define SLUICE_MODBUS_POINT_H

#include "modbus/plan.h"

static inline const struct modbus_point_options *
point_options(const struct plan *plan, const struct plan_group *group, uint32_t at)
{
    return plan->bus->devices[group->device].points[plan->order[at]].options;
}

/* The register behind its last one. */
static inline uint32_t point_end(const struct modbus_point_options *options)
{
    return (uint32_t)options->address + options->count;
}

#endif
