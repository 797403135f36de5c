#include "modbus/fence.h"

#include <string.h>

#include "modbus/options.h"

static bool holds_bits(uint8_t function)
{
    return function <= MODBUS_DISCRETE_INPUTS;
}

uint16_t fence_shape(uint8_t function, uint16_t count)
{
    unsigned bytes = holds_bits(function) ? (count + 7u) / 8 : 2u * count;

    return (uint16_t)((unsigned)function << 8 | bytes);
}

static void drop(struct fence *fence, unsigned index)
{
    fence->count--;
    memmove(&fence->lost[index], &fence->lost[index + 1],
            (fence->count - index) * sizeof fence->lost[0]);
}

/* FENCE_MAX where it is not there. */
static unsigned find(const struct fence *fence, uint16_t shape)
{
    for (unsigned i = 0; i < fence->count; i++) {
        if (fence->lost[i].shape == shape)
            return i;
    }
    return FENCE_MAX;
}

static void forget_too_old(struct fence *fence, int64_t now_ns)
{
    for (unsigned i = 0; i < fence->count;) {
        int64_t limit = fence->lost[i].settled ? FENCE_DOUBT_NS : FENCE_LATE_NS;

        if (now_ns - fence->lost[i].sent_ns > limit)
            drop(fence, i);
        else
            i++;
    }
}

static bool known(struct fence *fence, uint16_t shape, bool settled, int64_t now_ns)
{
    unsigned index;

    if (fence->count == 0)
        return false;
    forget_too_old(fence, now_ns);
    index = find(fence, shape);
    return index < FENCE_MAX && fence->lost[index].settled == settled;
}

bool fence_closed(struct fence *fence, uint16_t shape, int64_t now_ns)
{
    return known(fence, shape, false, now_ns);
}

bool fence_doubtful(struct fence *fence, uint16_t shape, int64_t now_ns)
{
    return known(fence, shape, true, now_ns);
}

bool fence_detour(struct fence *fence, uint8_t function, uint16_t *address, uint16_t *count,
                  int64_t now_ns)
{
    unsigned step = holds_bits(function) ? 8 : 1;
    unsigned most = holds_bits(function) ? MODBUS_BITS_MAX : MODBUS_REGISTERS_MAX;

    forget_too_old(fence, now_ns);
    /* The shortest at the end first: it takes least of the line, and asks for nothing that is not
     * known to exist. */
    for (unsigned shorter = step; shorter < *count; shorter += step) {
        if (find(fence, fence_shape(function, (uint16_t)shorter)) == FENCE_MAX) {
            *address = (uint16_t)(*address + *count - shorter);
            *count = (uint16_t)shorter;
            return true;
        }
    }
    for (unsigned longer = *count + step; longer <= most; longer += step) {
        if (find(fence, fence_shape(function, (uint16_t)longer)) < FENCE_MAX)
            continue;
        if (*address + longer > 65536)
            *address = (uint16_t)(65536 - longer);
        *count = (uint16_t)longer;
        return true;
    }
    return false;
}

/* The oldest that is only in doubt; FENCE_MAX where none is. */
static unsigned oldest_settled(const struct fence *fence)
{
    for (unsigned i = 0; i < fence->count; i++) {
        if (fence->lost[i].settled)
            return i;
    }
    return FENCE_MAX;
}

bool fence_has_room(const struct fence *fence)
{
    return fence->count < FENCE_MAX || oldest_settled(fence) < FENCE_MAX;
}

void fence_lost(struct fence *fence, uint16_t shape, int64_t sent_ns)
{
    unsigned index = find(fence, shape);
    uint8_t times = 1;

    if (index < FENCE_MAX) {
        times = (uint8_t)(fence->lost[index].times + (fence->lost[index].times < UINT8_MAX));
        drop(fence, index);
    } else if (fence->count == FENCE_MAX) {
        index = oldest_settled(fence);
        drop(fence, index < FENCE_MAX ? index : 0);
    }
    fence->lost[fence->count++] =
        (struct fence_shape_lost){.sent_ns = sent_ns, .shape = shape, .times = times};
}

bool fence_waits(const struct fence *fence)
{
    for (unsigned i = 0; i < fence->count; i++) {
        if (!fence->lost[i].settled)
            return true;
    }
    return false;
}

void fence_settled(struct fence *fence)
{
    for (unsigned i = 0; i < fence->count; i++)
        fence->lost[i].settled = true;
}

void fence_late(struct fence *fence, uint16_t shape)
{
    unsigned index = find(fence, shape);

    if (index == FENCE_MAX)
        return;
    for (unsigned i = 0; i < index; i++)
        fence->lost[i].settled = true;
    if (--fence->lost[index].times == 0)
        drop(fence, index);
}
