#include "modbus/learn.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "modbus/point.h"
#include "modbus/sheet.h"

#define VERSION 1

static bool are_bits(uint8_t function)
{
    return function <= MODBUS_DISCRETE_INPUTS;
}

uint32_t learn_limit(const struct plan_device *device, uint8_t function)
{
    uint32_t good = device->good[are_bits(function)], bad = device->bad[are_bits(function)];

    if (bad == 0)
        return 0;
    /* Half way between what is known to work and what is known not to, until they meet. */
    return bad - good > 1 ? good + (bad - good) / 2 : good;
}

static void learnt(struct plan *plan, const struct plan_group *group)
{
    plan->devices[group->device].news = true;
    plan_renew(plan, group->device);
}

void learn_accepted(struct plan *plan, struct plan_group *group, const struct plan_block *block)
{
    struct plan_device *device = &plan->devices[group->device];
    uint16_t *good = &device->good[are_bits(group->function)];
    uint16_t *bad = &device->bad[are_bits(group->function)];

    if (block->count > *good) {
        *good = block->count;
        if (*bad && *good >= *bad)
            *bad = 0; /* it was refused for another reason than its size */
        if (*bad)
            learnt(plan, group);
    }
    if (group->trial <= block->first || group->trial >= block->first + block->points)
        return;
    plan->flags[group->trial] &= (uint8_t) ~(PLAN_CUT | PLAN_SURE);
    group->trial = PLAN_NONE;
    learnt(plan, group);
}

/* Where points before `at` end. */
static uint32_t end_before(const struct plan *plan, const struct plan_group *group, uint32_t first,
                           uint32_t at)
{
    uint32_t end = 0;

    for (uint32_t i = first; i < at; i++) {
        uint32_t point_ends = point_end(point_options(plan, group, i));

        if (point_ends > end)
            end = point_ends;
    }
    return end;
}

/* The place next to the middle where a block can be cut, if possible between points with registers
 * between them that nobody asked for. */
static uint32_t place_to_cut(const struct plan *plan, const struct plan_group *group,
                             const struct plan_block *block, bool *gap)
{
    uint32_t found = PLAN_NONE, nearest = 0, end = 0;

    *gap = false;
    for (uint32_t i = 0; i < block->points; i++) {
        const struct modbus_point_options *point = point_options(plan, group, block->first + i);
        uint32_t distance = 2 * i > block->points ? 2 * i - block->points : block->points - 2 * i;
        bool wide = point->address > end;

        if (i > 0 && point->address >= end && wide >= *gap &&
            (found == PLAN_NONE || wide > *gap || distance < nearest)) {
            found = block->first + i;
            nearest = distance;
            *gap = wide;
        }
        if (point_end(point) > end)
            end = point_end(point);
    }
    return found;
}

static void forget_limit(struct plan_device *device, uint8_t function)
{
    device->bad[are_bits(function)] = 0;
}

uint32_t learn_refused(struct plan *plan, struct plan_group *group, const struct plan_block *block,
                       uint8_t exception)
{
    struct plan_device *device = &plan->devices[group->device];
    uint16_t *bad = &device->bad[are_bits(group->function)];
    bool large = block->count > device->good[are_bits(group->function)], gap;
    uint32_t at = place_to_cut(plan, group, block, &gap);
    bool tried = group->trial > block->first && group->trial < block->first + block->points;

    if (tried) {
        at = group->trial;
        gap = point_options(plan, group, at)->address > end_before(plan, group, block->first, at);
        group->trial = PLAN_NONE;
    }
    if (at == PLAN_NONE)
        return PLAN_NONE;
    if (tried && gap)
        forget_limit(device, group->function);
    /* Exception 3 says that it is the size; and without a gap there is little else that it can be
     * when both parts were answered. */
    else if (large && (exception == 3 || tried) && (*bad == 0 || block->count < *bad))
        *bad = block->count;
    if (tried)
        plan->flags[at] |= PLAN_CUT | PLAN_SURE;
    else if (exception != 3 || !large)
        plan->flags[at] |= PLAN_CUT;
    learnt(plan, group);
    return at;
}

void learn_bad_points(struct plan *plan, struct plan_group *group, const struct plan_block *block)
{
    for (uint32_t at = block->first; at < block->first + block->points; at++) {
        if (!sheet_serves(plan, block, at) || (plan->flags[at] & PLAN_REFUSED))
            continue;
        plan->flags[at] |= PLAN_REFUSED;
        group->refused++;
        /* What was refused for this register was not refused for its size. */
        forget_limit(&plan->devices[group->device], group->function);
        learnt(plan, group);
    }
}

void learn_good_points(struct plan *plan, struct plan_group *group, const struct plan_block *block)
{
    for (uint32_t at = block->first; at < block->first + block->points; at++) {
        if (!(plan->flags[at] & PLAN_REFUSED))
            continue;
        plan->flags[at] &= (uint8_t)~PLAN_REFUSED;
        group->refused--;
        learnt(plan, group);
    }
}

/* Whether the points on both sides of a cut are of these classes. */
static bool serves_both(const struct plan *plan, uint32_t at, uint16_t classes)
{
    return (classes >> (plan->flags[at] & PLAN_CLASS) & 1) &&
           (classes >> (plan->flags[at - 1] & PLAN_CLASS) & 1);
}

void learn_choose_trial(struct plan *plan, struct plan_group *group, uint16_t classes)
{
    for (uint32_t at = group->first + 1; at < group->first + group->points; at++) {
        if (group->trial != PLAN_NONE)
            return;
        if ((plan->flags[at] & (PLAN_CUT | PLAN_SURE)) == PLAN_CUT &&
            serves_both(plan, at, classes))
            group->trial = at;
    }
}

bool learn_check_trial(struct plan *plan, struct plan_group *group, uint16_t classes,
                       const struct plan_sheet *sheet)
{
    if (group->trial == PLAN_NONE)
        return true;
    for (uint32_t i = 0; i < sheet->count; i++) {
        const struct plan_block *block = &sheet->blocks[i];

        if (group->trial > block->first && group->trial < block->first + block->points)
            return true;
    }
    if (!serves_both(plan, group->trial, classes))
        return true; /* it is another sheet's */
    plan->flags[group->trial] |= PLAN_SURE;
    group->trial = PLAN_NONE;
    return false;
}

void learn_doubt(struct plan *plan, struct plan_group *group)
{
    struct plan_device *device = &plan->devices[group->device];
    bool any = device->bad[are_bits(group->function)] != 0;

    for (uint32_t at = group->first; at < group->first + group->points; at++) {
        any |= plan->flags[at] & PLAN_CUT;
        plan->flags[at] &= (uint8_t)~PLAN_SURE;
    }
    device->good[are_bits(group->function)] = 0;
    forget_limit(device, group->function);
    if (any)
        plan_renew(plan, group->device);
}

void learn_count(const struct plan *plan, uint32_t index, struct driver_stats *stats)
{
    const struct plan_device *device = &plan->devices[index];
    uint32_t cuts = 0, refused = 0;

    for (uint32_t i = 0; i < device->groups; i++) {
        const struct plan_group *group = &plan->groups[device->first_group + i];

        for (uint32_t at = group->first; at < group->first + group->points; at++) {
            cuts += (plan->flags[at] & (PLAN_CUT | PLAN_SURE)) == (PLAN_CUT | PLAN_SURE);
            refused += (plan->flags[at] & PLAN_REFUSED) || plan->refusals[at];
        }
    }
    atomic_store(&stats->learnt_block, learn_limit(device, MODBUS_HOLDING_REGISTERS));
    atomic_store(&stats->learnt_cuts, cuts);
    atomic_store(&stats->learnt_refused, refused);
}

/* FNV-1a, over texts that end with a zero each. */
static uint32_t hash_text(uint32_t hash, const char *text)
{
    for (; text && *text; text++)
        hash = (hash ^ (uint8_t)*text) * 16777619u;
    return hash * 16777619u;
}

/* Whatever makes it another device when it changes. */
static uint32_t key_of(const struct plan *plan, uint32_t index)
{
    const struct site_device *device = &plan->bus->devices[index];
    const struct modbus_device_options *options = device->options;
    const struct modbus_bus_options *bus = plan->bus->options;
    uint32_t hash = hash_text(2166136261u, bus->port ? bus->port : bus->host.name);

    hash = hash_text(hash_text(hash, device->vendor), device->model);
    return (hash ^ (uint32_t)options->unit ^ (uint32_t)bus->host.port << 8) * 16777619u;
}

struct writer {
    char *out;
    size_t size;
    unsigned ranges;
};

__attribute__((format(printf, 2, 3))) static void put(struct writer *writer, const char *format,
                                                      ...)
{
    size_t room = LEARN_TEXT_SIZE_MAX - writer->size;
    va_list arguments;
    int size;

    va_start(arguments, format);
    size = vsnprintf(writer->out + writer->size, room, format, arguments);
    va_end(arguments);
    if (size > 0 && (size_t)size < room)
        writer->size += (size_t)size;
}

static void put_range(struct writer *writer, const char *word, uint8_t function, uint32_t first,
                      uint32_t end)
{
    if (writer->ranges++ < LEARN_RANGES_MAX)
        put(writer, " %s=%u:%" PRIu32 "-%" PRId32, word, function, first, (int32_t)end - 1);
}

static void put_group(struct writer *writer, const struct plan *plan,
                      const struct plan_group *group)
{
    for (uint32_t at = group->first; at < group->first + group->points; at++) {
        const struct modbus_point_options *point = point_options(plan, group, at);

        if ((plan->flags[at] & PLAN_CUT) && (plan->flags[at] & PLAN_SURE))
            put_range(writer, "cut", group->function, end_before(plan, group, group->first, at),
                      point->address);
        if (plan->flags[at] & PLAN_REFUSED)
            put_range(writer, "refused", group->function, point->address, point_end(point));
    }
}

size_t learn_text(const struct plan *plan, uint32_t index, char out[LEARN_TEXT_SIZE_MAX])
{
    const struct plan_device *device = &plan->devices[index];
    struct writer writer = {.out = out};

    put(&writer, "learnt=%d key=%08" PRIx32, VERSION, key_of(plan, index));
    if (device->measured_ns)
        put(&writer, " answers_us=%" PRId64, device->measured_ns / NS_PER_US);
    if (device->bad[0])
        put(&writer, " registers=%u", (unsigned)learn_limit(device, MODBUS_HOLDING_REGISTERS));
    if (device->bad[1])
        put(&writer, " bits=%u", (unsigned)learn_limit(device, MODBUS_COILS));
    for (uint32_t i = 0; i < device->groups; i++)
        put_group(&writer, plan, &plan->groups[device->first_group + i]);
    if (device->identity)
        put(&writer, " %s", device->identity);
    return writer.size;
}

/* A cut that was learnt between `first` and `last` holds where the points now have a gap of which
 * that is a part. */
static void take_cut(struct plan *plan, const struct plan_group *group, uint32_t first,
                     uint32_t end)
{
    uint32_t before = 0;

    for (uint32_t at = group->first; at < group->first + group->points; at++) {
        const struct modbus_point_options *point = point_options(plan, group, at);
        uint32_t low = before > first ? before : first;
        uint32_t high = point->address < end ? point->address : end;

        if (at > group->first && (first == end ? low <= high : low < high))
            plan->flags[at] |= PLAN_CUT | PLAN_SURE;
        if (point_end(point) > before)
            before = point_end(point);
    }
}

static void take_refused(struct plan *plan, struct plan_group *group, uint32_t first, uint32_t end)
{
    for (uint32_t at = group->first; at < group->first + group->points; at++) {
        const struct modbus_point_options *point = point_options(plan, group, at);

        if (point->address != first || point_end(point) != end || (plan->flags[at] & PLAN_REFUSED))
            continue;
        plan->flags[at] |= PLAN_REFUSED;
        group->refused++;
    }
}

static void take_word(struct plan *plan, struct plan_device *device, const char *word)
{
    unsigned function, number;
    long first, last;
    long long us;

    if (sscanf(word, "answers_us=%lld", &us) == 1 && us > 0 && us < 60000000)
        device->measured_ns = us * NS_PER_US;
    else if (sscanf(word, "registers=%u", &number) == 1 && number > 0 &&
             number < MODBUS_REGISTERS_MAX) {
        device->good[0] = (uint16_t)number;
        device->bad[0] = (uint16_t)(number + 1);
    } else if (sscanf(word, "bits=%u", &number) == 1 && number > 0 && number < MODBUS_BITS_MAX) {
        device->good[1] = (uint16_t)number;
        device->bad[1] = (uint16_t)(number + 1);
    }
    bool cut = sscanf(word, "cut=%u:%ld-%ld", &function, &first, &last) == 3;
    if (!cut && sscanf(word, "refused=%u:%ld-%ld", &function, &first, &last) != 3)
        return;
    for (uint32_t i = 0; i < device->groups && first >= 0 && last + 1 >= first && last < 65536;
         i++) {
        struct plan_group *group = &plan->groups[device->first_group + i];

        if (group->function != function)
            continue;
        if (cut)
            take_cut(plan, group, (uint32_t)first, (uint32_t)(last + 1));
        else
            take_refused(plan, group, (uint32_t)first, (uint32_t)(last + 1));
    }
}

/* Another word of who the device is. */
static void take_identity(struct plan_device *device, const char *word)
{
    size_t before = device->identity ? strlen(device->identity) + 1 : 0;
    char *longer = realloc(device->identity, before + strlen(word) + 1);

    if (!longer)
        return;
    if (before)
        longer[before - 1] = ' ';
    strcpy(longer + before, word);
    device->identity = longer;
}

void learn_forget(struct plan *plan, uint32_t index)
{
    struct plan_device *device = &plan->devices[index];

    for (uint32_t i = 0; i < device->groups; i++) {
        struct plan_group *group = &plan->groups[device->first_group + i];

        for (uint32_t at = group->first; at < group->first + group->points; at++)
            plan->flags[at] &= PLAN_CLASS;
        group->refused = 0;
        group->trial = PLAN_NONE;
    }
    for (int i = 0; i < 2; i++)
        device->good[i] = device->bad[i] = 0;
    device->measured_ns = 0;
    device->news = true;
    plan_renew(plan, index);
}

int learn_take(struct plan *plan, uint32_t index, const char *text, size_t size)
{
    char copy[LEARN_TEXT_SIZE_MAX], *word, *rest = copy;
    uint32_t key;
    int version;

    if (size >= sizeof copy)
        return ERR_INVALID;
    memcpy(copy, text, size);
    copy[size] = '\0';
    if (sscanf(copy, "learnt=%d key=%" SCNx32, &version, &key) != 2 || version != VERSION)
        return ERR_INVALID;
    if (key != key_of(plan, index))
        return ERR_NOT_FOUND;
    while ((word = strtok_r(rest, " ", &rest))) {
        if (strncmp(word, "id.", 3) == 0)
            take_identity(&plan->devices[index], word);
        else
            take_word(plan, &plan->devices[index], word);
    }
    plan_latency(plan, index, plan->devices[index].measured_ns);
    plan_renew(plan, index);
    return 0;
}
