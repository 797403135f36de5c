/* The reads that fetch what is due of a group: made, kept, split. Only plan.c uses this. */
#ifndef SLUICE_MODBUS_SHEET_H
#define SLUICE_MODBUS_SHEET_H

#include "modbus/plan.h"

/* Sets of several classes that are kept of a group. Intervals that are multiples of each other need
 * fewer than there are intervals. */
#define SHEET_UNIONS_MAX 12

/*
 * The reads for these classes of a group, from the ones that are kept or newly made; 0: those that
 * try the points again that were refused. No block of it may be wanted. NULL when there is no
 * memory, or when there are too many sets of classes to keep: those of a single class always are.
 */
struct plan_sheet *sheet_for(struct plan *plan, struct plan_group *group, uint16_t classes);

/* The time on the wire that the reads for these classes take, and how many there are, without
 * keeping them. Without memory: 0. */
int64_t sheet_price_ns(const struct plan *plan, const struct plan_group *group, uint16_t classes,
                       uint32_t *reads);

void sheet_free_all(struct plan_group *group);

/* Splits a block in two, in front of the point at `at` of the order; both are wanted as it was.
 * Returns the first of the two, or NULL without memory: then it is as it was. */
struct plan_block *sheet_split(struct plan *plan, struct plan_group *group,
                               struct plan_block *block, uint32_t at);

/* Which points of the order a block serves. */
bool sheet_serves(const struct plan *plan, const struct plan_block *block, uint32_t at);

/* The sheet that a block is of. */
struct plan_sheet *sheet_of(struct plan_group *group, const struct plan_block *block);

#endif
