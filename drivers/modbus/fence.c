#include "modbus/fence.h"

#include <string.h>

#define LATE_AGAIN 2 /* so many times as late as the last one another may be */

static bool holds_bits(uint8_t function)
{
    return function <= MODBUS_DISCRETE_INPUTS;
}

static uint16_t shape(unsigned function, unsigned bytes)
{
    return (uint16_t)(function << 8 | bytes);
}

uint16_t fence_shape(const struct modbus_request *request)
{
    bool reads = request->function <= MODBUS_INPUT_REGISTERS;

    return shape(request->function,
                 reads ? pdu_data_size(request->function, request->count) & 0xFF : 0);
}

uint16_t fence_shape_of(const uint8_t *pdu, size_t size)
{
    return shape(pdu[0], size >= 2 && pdu[0] <= MODBUS_INPUT_REGISTERS ? pdu[1] : 0);
}

static void drop(struct fence *fence, unsigned index)
{
    fence->count--;
    memmove(&fence->lost[index], &fence->lost[index + 1],
            (fence->count - index) * sizeof fence->lost[0]);
}

/* FENCE_MAX where it is not there. */
static unsigned find(const struct fence *fence, uint16_t wanted)
{
    for (unsigned i = 0; i < fence->count; i++) {
        if (fence->lost[i].shape == wanted)
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

static bool known(struct fence *fence, uint16_t wanted, bool settled, int64_t now_ns)
{
    unsigned index;

    if (fence->count == 0)
        return false;
    forget_too_old(fence, now_ns);
    index = find(fence, wanted);
    return index < FENCE_MAX && fence->lost[index].settled == settled;
}

bool fence_closed(struct fence *fence, uint16_t wanted, int64_t now_ns)
{
    return known(fence, wanted, false, now_ns);
}

bool fence_doubtful(struct fence *fence, uint16_t wanted, int64_t now_ns)
{
    return known(fence, wanted, true, now_ns);
}

static bool known_function(struct fence *fence, uint8_t function, bool settled, int64_t now_ns)
{
    forget_too_old(fence, now_ns);
    for (unsigned i = 0; i < fence->count; i++) {
        if (fence->lost[i].shape >> 8 == function && fence->lost[i].settled == settled)
            return true;
    }
    return false;
}

bool fence_waits(struct fence *fence, uint8_t function, int64_t now_ns)
{
    return known_function(fence, function, false, now_ns);
}

bool fence_doubts(struct fence *fence, uint8_t function, int64_t now_ns)
{
    return known_function(fence, function, true, now_ns);
}

/* The function that reads what a request touches. */
static uint8_t reader(uint8_t function)
{
    if (function <= MODBUS_INPUT_REGISTERS)
        return function;
    return function == PDU_WRITE_COIL || function == PDU_WRITE_COILS ? MODBUS_COILS
                                                                     : MODBUS_HOLDING_REGISTERS;
}

bool fence_detour(struct fence *fence, const struct modbus_request *request,
                  struct modbus_request *detour, int64_t now_ns)
{
    bool reads = request->function <= MODBUS_INPUT_REGISTERS;
    uint8_t function = reader(request->function);
    unsigned step = holds_bits(function) ? 8 : 1;
    unsigned most = holds_bits(function) ? MODBUS_BITS_MAX : MODBUS_REGISTERS_MAX;
    unsigned address = request->function == PDU_IDENTIFY ? 0 : request->address;
    unsigned count = reads ? request->count : 0;

    forget_too_old(fence, now_ns);
    *detour = (struct modbus_request){
        .unit = request->unit, .function = function, .timeout_ns = request->timeout_ns};
    /* The shortest at the end first: it takes least of the line, and asks for nothing that is not
     * known to exist. */
    for (unsigned shorter = step; shorter < count; shorter += step) {
        detour->count = (uint16_t)shorter;
        if (find(fence, fence_shape(detour)) < FENCE_MAX)
            continue;
        detour->address = (uint16_t)(address + count - shorter);
        return true;
    }
    for (unsigned longer = count ? count + step : 1; longer <= most; longer += step) {
        detour->count = (uint16_t)longer;
        if (find(fence, fence_shape(detour)) < FENCE_MAX)
            continue;
        detour->address = (uint16_t)(address + longer > 65536 ? 65536 - longer : address);
        return true;
    }
    return false;
}

/* A read of `bytes` bytes at `address`, or as far below it as the table's end asks for. */
static void read_at(struct modbus_request *read, uint8_t function, unsigned address, unsigned bytes)
{
    unsigned count = holds_bits(function) ? 8 * bytes : bytes / 2;

    read->function = function;
    read->count = (uint16_t)(count > MODBUS_BITS_MAX ? MODBUS_BITS_MAX : count);
    read->address = (uint16_t)(address + read->count > 65536 ? 65536u - read->count : address);
}

/* Of the shapes that are outstanding at most a few are no reads: each function that writes has one.
 */
void fence_again(const struct fence *fence, const struct modbus_request *request,
                 struct modbus_request *detour)
{
    const struct fence_shape_lost *newest = &fence->lost[0];

    for (unsigned i = 1; i < fence->count; i++) {
        const struct fence_shape_lost *entry = &fence->lost[i];
        bool reads = entry->shape >> 8 <= MODBUS_INPUT_REGISTERS;

        if (reads &&
            (newest->shape >> 8 > MODBUS_INPUT_REGISTERS || entry->first_ns >= newest->first_ns))
            newest = entry;
    }
    *detour = (struct modbus_request){.unit = request->unit, .timeout_ns = request->timeout_ns};
    read_at(detour, (uint8_t)(newest->shape >> 8),
            request->function == PDU_IDENTIFY ? 0 : request->address, newest->shape & 0xFF);
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

void fence_lost(struct fence *fence, uint16_t lost, int64_t sent_ns)
{
    struct fence_shape_lost entry = {
        .first_ns = sent_ns, .sent_ns = sent_ns, .shape = lost, .times = 1};
    unsigned index = find(fence, lost);

    if (index < FENCE_MAX) {
        entry.first_ns = fence->lost[index].first_ns;
        entry.times = fence->lost[index].times + (fence->lost[index].times < UINT32_MAX);
        drop(fence, index);
    } else if (fence->count == FENCE_MAX) {
        index = oldest_settled(fence);
        drop(fence, index < FENCE_MAX ? index : 0);
    }
    fence->lost[fence->count++] = entry;
}

void fence_settled(struct fence *fence)
{
    for (unsigned i = 0; i < fence->count; i++)
        fence->lost[i].settled = true;
}

void fence_lost_numbered(struct fence *fence, uint16_t lost, int64_t sent_ns, uint16_t number)
{
    fence_lost(fence, lost, sent_ns);
    fence->lost[fence->count - 1].number = number;
}

/* One of the requests of that shape is answered. Any of them may be: only what was sent before the
 * first of them cannot be answered any more. */
static void answered(struct fence *fence, struct fence_shape_lost *entry)
{
    for (unsigned i = 0; i < fence->count; i++) {
        if (fence->lost[i].sent_ns < entry->first_ns)
            fence->lost[i].settled = true;
    }
    if (--entry->times == 1)
        entry->first_ns = entry->sent_ns;
}

void fence_late(struct fence *fence, uint16_t late)
{
    unsigned index = find(fence, late);

    if (index == FENCE_MAX)
        return;
    answered(fence, &fence->lost[index]);
    if (fence->lost[index].times == 0)
        drop(fence, index);
}

static void note_late(struct fence *fence, unsigned index, int64_t now_ns)
{
    fence->late_ns = now_ns - fence->lost[index].sent_ns;
    fence->silent_ns = 0;
}

void fence_late_at(struct fence *fence, uint16_t late, int64_t now_ns)
{
    unsigned index = find(fence, late);

    if (index < FENCE_MAX)
        note_late(fence, index, now_ns);
    fence_late(fence, late);
}

bool fence_late_number(struct fence *fence, uint16_t number, int64_t now_ns)
{
    for (unsigned i = 0; i < fence->count; i++) {
        if (number && fence->lost[i].number == number) {
            note_late(fence, i, now_ns);
            return true;
        }
    }
    return false;
}

void fence_timed_out(struct fence *fence, int64_t sent_ns)
{
    if (fence->silent_ns == 0)
        fence->silent_ns = sent_ns;
    else if (sent_ns - fence->silent_ns > LATE_AGAIN * fence->late_ns)
        fence->late_ns = 0;
}

void fence_exception(struct fence *fence, uint8_t function)
{
    struct fence_shape_lost *oldest = NULL;

    for (unsigned i = 0; i < fence->count; i++) {
        struct fence_shape_lost *entry = &fence->lost[i];

        if (entry->shape >> 8 == function && !entry->settled &&
            (!oldest || entry->first_ns < oldest->first_ns))
            oldest = entry;
    }
    if (!oldest)
        return;
    answered(fence, oldest);
    if (oldest->times == 0) {
        oldest->times = 1;
        oldest->settled = true;
    }
}
