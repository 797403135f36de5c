/*
 * Which reads a bus consists of, and which is next: pure, no I/O. Points of one device, table and
 * interval that are neighbours become one block, as far as the device's max_block and gap allow. A
 * block that turned out to hold a register that the device refuses is split until the bad one
 * stands alone; that is remembered for as long as the plan lives.
 */
#ifndef SLUICE_MODBUS_PLAN_H
#define SLUICE_MODBUS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/site.h"
#include "modbus/options.h"

struct plan_block {
    uint32_t device;         /* index in the bus */
    uint32_t first, points;  /* range of plan->points */
    uint16_t address, count; /* registers or bits */
    uint8_t function;
    bool paused; /* not scheduled: its device is down */
    int64_t every_ns;
    int64_t due_ns; /* monotonic */
    uint8_t busy;   /* times in a row that the device asked for patience */
};

struct plan {
    const struct site_bus *bus;
    const struct site_point **points; /* by device, function, interval and address */
    struct plan_block *blocks;
    size_t point_count, block_count; /* there is room for a block per point */
};

/* Plans a checked bus. Nothing is due yet. ERR_NOMEM. plan_free leaves the struct empty. */
int plan_make(struct plan *plan, const struct site_bus *bus);
void plan_free(struct plan *plan);

/*
 * Makes every block due: spread over the first second (or their interval, when that is shorter), so
 * that blocks with the same interval do not come in a bunch for ever.
 */
void plan_start(struct plan *plan, int64_t now_ns);

/*
 * The block that is due with the earliest deadline (its due time plus its interval), NULL when none
 * is due: then *wake_ns is when the next one will be (INT64_MAX: never). Paused blocks do not
 * count.
 */
struct plan_block *plan_next(struct plan *plan, int64_t now_ns, int64_t *wake_ns);

/* It was read: due again one interval after it was due, without drift; intervals that have passed
 * already are left out. */
void plan_done(struct plan_block *block, int64_t now_ns);

/* Splits a block of more than one point in two, both due now. Returns false for a single point. */
bool plan_split(struct plan *plan, struct plan_block *block, int64_t now_ns);

/* Pauses the blocks of a device, or makes them due now. */
void plan_pause(struct plan *plan, uint32_t device);
void plan_resume(struct plan *plan, uint32_t device, int64_t now_ns);

#endif
