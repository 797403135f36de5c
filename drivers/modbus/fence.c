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

static void drop_oldest(struct fence *fence, unsigned drop)
{
    fence->count = (uint8_t)(fence->count - drop);
    memmove(&fence->lost[0], &fence->lost[drop], fence->count * sizeof fence->lost[0]);
}

static bool outstanding(const struct fence *fence, uint16_t shape)
{
    for (unsigned i = 0; i < fence->count; i++) {
        if (fence->lost[i].shape == shape)
            return true;
    }
    return false;
}

static void forget_too_old(struct fence *fence, int64_t now_ns)
{
    unsigned old = 0;

    while (old < fence->count && now_ns - fence->lost[old].sent_ns > FENCE_LATE_NS)
        old++;
    if (old)
        drop_oldest(fence, old);
}

bool fence_closed(struct fence *fence, uint16_t shape, int64_t now_ns)
{
    if (fence->count == 0)
        return false;
    forget_too_old(fence, now_ns);
    return outstanding(fence, shape);
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
        if (!outstanding(fence, fence_shape(function, (uint16_t)shorter))) {
            *address = (uint16_t)(*address + *count - shorter);
            *count = (uint16_t)shorter;
            return true;
        }
    }
    for (unsigned longer = *count + step; longer <= most; longer += step) {
        if (outstanding(fence, fence_shape(function, (uint16_t)longer)))
            continue;
        if (*address + longer > 65536)
            *address = (uint16_t)(65536 - longer);
        *count = (uint16_t)longer;
        return true;
    }
    return false;
}

bool fence_has_room(const struct fence *fence)
{
    return fence->count < FENCE_MAX;
}

void fence_lost(struct fence *fence, uint16_t shape, int64_t sent_ns)
{
    if (!fence_has_room(fence))
        drop_oldest(fence, 1);
    fence->lost[fence->count].shape = shape;
    fence->lost[fence->count].sent_ns = sent_ns;
    fence->count++;
}

void fence_settled(struct fence *fence)
{
    fence->count = 0;
}

bool fence_late(struct fence *fence, uint16_t shape)
{
    for (unsigned i = 0; i < fence->count; i++) {
        if (fence->lost[i].shape == shape) {
            drop_oldest(fence, i + 1);
            return true;
        }
    }
    return false;
}
