/*
 * The fence against late replies on a serial line. A reply does not say which request it answers,
 * so the answer to a request that was given up may be taken for the answer to the next one. It can
 * only be told apart by what a reply does say: the unit, the function and how many bytes it holds,
 * here called its shape.
 *
 * Every request of a unit that got no reply is remembered as outstanding. While one is, only a
 * request of another shape may be sent to that unit; when its own reply comes, every older request
 * is settled, because a device answers in order. A request whose shape is outstanding is therefore
 * preceded by a detour, a read of the same place with another length, whose result is thrown away.
 *
 * A settled shape stays in doubt for a while, for the sake of devices that do not answer in order:
 * a read of it is followed by another detour. Had it been answered by a late reply, its own would
 * turn up before that of the detour, and neither is believed.
 *
 * Assumed, and no more: a unit answers each request at most once; in order and not later than
 * FENCE_LATE_NS after the request, or out of order and not later than FENCE_DOUBT_NS. Pure: no I/O.
 * One struct per unit.
 */
#ifndef SLUICE_MODBUS_FENCE_H
#define SLUICE_MODBUS_FENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"

#define FENCE_LATE_NS  (60 * NS_PER_S)
#define FENCE_DOUBT_NS (10 * NS_PER_S)
#define FENCE_MAX      16 /* shapes that may be outstanding or in doubt at one unit */

struct fence {
    struct fence_shape_lost {
        int64_t sent_ns; /* of the newest */
        uint16_t shape;
        uint8_t times;
        bool settled;
    } lost[FENCE_MAX]; /* each shape once, the oldest first */
    uint8_t count;
};

/* The shape of the reply to a read of `count` registers or bits. Never 0. */
uint16_t fence_shape(uint8_t function, uint16_t count);

/* Whether a reply of that shape could be a late one at this moment. */
bool fence_closed(struct fence *fence, uint16_t shape, int64_t now_ns);

/* Whether a reply of that shape must be followed by a detour before it is believed. */
bool fence_doubtful(struct fence *fence, uint16_t shape, int64_t now_ns);

/*
 * A read that touches the same place and whose shape is neither outstanding nor in doubt: *address
 * and *count become it. False when there is none: then the unit must be left alone until the oldest
 * request is too old to be answered.
 */
bool fence_detour(struct fence *fence, uint8_t function, uint16_t *address, uint16_t *count,
                  int64_t now_ns);

/* The request of that shape, sent at `sent_ns`, is given up. */
void fence_lost(struct fence *fence, uint16_t shape, int64_t sent_ns);

/* Whether there is room to lose another one without forgetting one that is outstanding. */
bool fence_has_room(const struct fence *fence);

/* Whether any request is outstanding. */
bool fence_waits(const struct fence *fence);

/* The newest request was answered, by a reply whose shape was not outstanding: all before it are
 * settled. */
void fence_settled(struct fence *fence);

/* A late reply of that shape came: it is no longer expected, and what is older is settled. */
void fence_late(struct fence *fence, uint16_t shape);

#endif
