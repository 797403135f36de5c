/*
 * When the intervals of a group begin, and how often which of them are due at the same time: pure
 * arithmetic.
 *
 * Intervals a and b, begun at p and q, meet if p and q are alike modulo their greatest common
 * divisor, and then once in their least common multiple; several meet where each two of them do
 * (the Chinese remainder theorem). So what a group costs follows from the rate of each meeting and
 * the reads that fetch its points, without going through the rounds one by one: a day beside a
 * second is no more work than two seconds.
 *
 * Intervals that meet share reads, so a group begins in step. It is cheaper not to where a limit
 * keeps two slower neighbours of a fast point from coming with it at once, but each could alone.
 */
#ifndef SLUICE_MODBUS_PHASES_H
#define SLUICE_MODBUS_PHASES_H

#include "modbus/plan.h"

/*
 * Sets phase_ns of the classes of a group: those with the least time on the wire, in step where
 * nothing is gained otherwise. Among phases that are alike in that, each group has others, so that
 * long reads of many groups do not all come in the same second. Looks at no more than 63 sets of
 * classes (a group with more than six intervals, or with intervals that keep to the wall clock,
 * begins in step).
 */
void phases_choose(struct plan *plan, struct plan_group *group);

/* Adds the time on the wire and the reads of a group, each second, when all is well. */
void phases_demand(const struct plan *plan, const struct plan_group *group, double *share,
                   double *reads_per_s);

#endif
