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
 * Assumed, and no more: a unit answers requests in order, each at most once, and not later than
 * FENCE_LATE_NS after the request. Pure: no I/O. One struct per unit.
 */
#ifndef SLUICE_MODBUS_FENCE_H
#define SLUICE_MODBUS_FENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"

#define FENCE_LATE_NS (60 * NS_PER_S)
#define FENCE_MAX     16 /* requests that may be outstanding to one unit */

struct fence {
    struct {
        int64_t sent_ns;
        uint16_t shape;
    } lost[FENCE_MAX]; /* the oldest first */
    uint8_t count;
};

/* The shape of the reply to a read of `count` registers or bits. Never 0. */
uint16_t fence_shape(uint8_t function, uint16_t count);

/* Whether a reply of that shape could be a late one at this moment. */
bool fence_closed(struct fence *fence, uint16_t shape, int64_t now_ns);

/*
 * A read that touches the same place and whose shape is not outstanding: *address and *count become
 * it. False when there is none: then the unit must be left alone until the oldest request is too
 * old to be answered.
 */
bool fence_detour(struct fence *fence, uint8_t function, uint16_t *address, uint16_t *count,
                  int64_t now_ns);

/* The request of that shape, sent at `sent_ns`, is given up. */
void fence_lost(struct fence *fence, uint16_t shape, int64_t sent_ns);

/* Whether there is room to lose another one. */
bool fence_has_room(const struct fence *fence);

/* A reply of that shape came, which was not outstanding: it answers the newest request, and all
 * before it are settled. */
void fence_settled(struct fence *fence);

/* A reply of an outstanding shape came: settles it and what is older. Returns false when none has
 * that shape. */
bool fence_late(struct fence *fence, uint16_t shape);

#endif
