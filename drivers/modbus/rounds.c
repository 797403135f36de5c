/* The schedule of a plan: which classes are due, which block is next, what became of it. */
#include <stdlib.h>

#include "core/error.h"
#include "core/zone.h"
#include "modbus/align.h"
#include "modbus/learn.h"
#include "modbus/phases.h"
#include "modbus/plan.h"
#include "modbus/sheet.h"

#define CLOCK_STEP_NS (20 * NS_PER_MS)
/* A timer may be that early by the wall clock. */
#define EARLY_NS (10 * NS_PER_MS)

static struct plan_class *class_of(const struct plan *plan, const struct plan_group *group,
                                   unsigned number)
{
    return &plan->classes[group->first_class + number];
}

static uint32_t index_of(const struct plan *plan, const struct plan_group *group)
{
    return (uint32_t)(group - plan->groups);
}

static bool keeps_wall(const struct plan *plan, const struct plan_class *class)
{
    return class->aligned && plan->wall_set;
}

/* Finds the group's next block, and when it has to be looked at again. */
static void refresh(struct plan *plan, struct plan_group *group, int64_t now_ns)
{
    struct plan_key key = {INT64_MAX, INT64_MAX};
    bool idle = group->paused || plan->devices[group->device].held;

    group->ready = NULL;
    for (struct plan_sheet *sheet = group->sheets; sheet && !idle; sheet = sheet->next) {
        uint32_t open = sheet->open;

        for (uint32_t i = 0; i < sheet->count && open > 0; i++) {
            struct plan_block *block = &sheet->blocks[i];

            if (!block->wanted)
                continue;
            open--;
            if (block->due_ns > now_ns) {
                if (block->due_ns < key.event_ns)
                    key.event_ns = block->due_ns;
            } else if (!group->ready || block->deadline_ns < key.deadline_ns) {
                group->ready = block;
                key.deadline_ns = block->deadline_ns;
            }
        }
    }
    for (unsigned i = 0; i < group->class_count && !idle; i++) {
        const struct plan_class *class = class_of(plan, group, i);

        if (class->open == 0 && class->due_ns < key.event_ns)
            key.event_ns = class->due_ns;
    }
    if (group->refused > 0 && !idle && group->refused_ns < key.event_ns)
        key.event_ns = group->refused_ns;
    plan->keys[index_of(plan, group)] = key;
}

/* When a class is due again, as of its round at `now_ns`. Rounds that have passed are left out. */
static void next_round(const struct plan *plan, struct plan_class *class, int64_t now_ns)
{
    if (keeps_wall(plan, class)) {
        int64_t wall_ns = now_ns + plan->wall_offset_ns;

        class->slot_ns = align_begin_ns(wall_ns + EARLY_NS, class->every_ns, zone_ahead_ns);
        class->due_ns = align_next_ns(wall_ns + EARLY_NS, class->every_ns, zone_ahead_ns) -
                        plan->wall_offset_ns;
        return;
    }
    class->due_ns += ((now_ns - class->due_ns) / class->every_ns + 1) * class->every_ns;
}

/* Wants the blocks of a sheet. Each has the earliest deadline of the classes that it serves. */
static void begin_sheet(const struct plan *plan, struct plan_group *group, struct plan_sheet *sheet,
                        int64_t now_ns)
{
    for (uint32_t i = 0; i < sheet->count; i++) {
        struct plan_block *block = &sheet->blocks[i];

        block->wanted = true;
        block->busy = 0;
        block->due_ns = now_ns;
        block->deadline_ns = sheet->classes ? INT64_MAX : now_ns + block->every_ns;
        for (unsigned number = 0; number < group->class_count; number++) {
            struct plan_class *class = class_of(plan, group, number);
            int64_t late_ns = (now_ns - class->due_ns) % class->every_ns;

            if (!(block->classes >> number & 1))
                continue;
            class->open++;
            if (now_ns - late_ns + class->every_ns < block->deadline_ns)
                block->deadline_ns = now_ns - late_ns + class->every_ns;
        }
    }
    sheet->open = sheet->count;
}

/* The classes that are due begin a round, together where there is a sheet for that. */
static void begin_round(struct plan *plan, struct plan_group *group, int64_t now_ns)
{
    uint16_t due = 0;
    struct plan_sheet *sheet;

    for (unsigned i = 0; i < group->class_count; i++) {
        const struct plan_class *class = class_of(plan, group, i);

        if (class->open == 0 && class->due_ns <= now_ns)
            due |= (uint16_t)(1u << i);
    }
    if (due == 0)
        return;
    sheet = sheet_for(plan, group, due);
    if (sheet)
        begin_sheet(plan, group, sheet, now_ns);
    for (unsigned i = 0; i < group->class_count; i++) {
        if (!(due >> i & 1))
            continue;
        if (!sheet)
            begin_sheet(plan, group, sheet_for(plan, group, (uint16_t)(1u << i)), now_ns);
        next_round(plan, class_of(plan, group, i), now_ns);
    }
}

/* The points that the device refused, unless the last try is still under way. */
static void try_refused(struct plan *plan, struct plan_group *group, int64_t now_ns)
{
    struct plan_sheet *sheet = group->sheets;

    group->refused_ns = now_ns + PLAN_REFUSED_RETRY_NS;
    while (sheet && (sheet->classes || sheet->open == 0))
        sheet = sheet->next;
    if (sheet)
        return;
    sheet = sheet_for(plan, group, 0);
    if (sheet)
        begin_sheet(plan, group, sheet, now_ns);
}

static void begin_what_is_due(struct plan *plan, struct plan_group *group, int64_t now_ns)
{
    if (!group->paused && now_ns >= group->retest_ns) {
        group->retest_ns = now_ns + LEARN_RETEST_NS;
        learn_doubt(plan, group);
    }
    if (!group->paused)
        begin_round(plan, group, now_ns);
    if (!group->paused && group->refused > 0 && now_ns >= group->refused_ns)
        try_refused(plan, group, now_ns);
    refresh(plan, group, now_ns);
}

/*
 * The wall clock was set or stepped, or it is the start. A moment that the step jumped over is made
 * up for at once; one that comes a second time, because the clock was put back by less than an
 * interval, does not count again.
 */
static void align(struct plan *plan, struct plan_class *class, int64_t now_ns)
{
    int64_t wall_ns = now_ns + plan->wall_offset_ns;
    int64_t slot_ns = align_begin_ns(wall_ns, class->every_ns, zone_ahead_ns);
    bool known = class->slot_ns != INT64_MIN;

    if (known && slot_ns > class->slot_ns) {
        class->due_ns = now_ns;
        return;
    }
    if (known && slot_ns < class->slot_ns && class->slot_ns - wall_ns <= class->every_ns)
        wall_ns = class->slot_ns;
    else
        class->slot_ns = slot_ns;
    class->due_ns = align_next_ns(wall_ns, class->every_ns, zone_ahead_ns) - plan->wall_offset_ns;
}

static void look_at_the_clock(struct plan *plan, int64_t now_ns, bool always)
{
    bool set = plan->clock && clock_trust(plan->clock) != CLOCK_UNSET;
    int64_t offset_ns = set ? clock_wall(plan->clock) - clock_mono(plan->clock) : 0;
    bool moved = set != plan->wall_set || llabs(offset_ns - plan->wall_offset_ns) > CLOCK_STEP_NS;

    if (!moved && !always)
        return;
    plan->wall_set = set;
    plan->wall_offset_ns = offset_ns;
    for (size_t i = 0; i < plan->group_count; i++) {
        struct plan_group *group = &plan->groups[i];

        for (unsigned j = 0; j < group->class_count; j++) {
            struct plan_class *class = class_of(plan, group, j);

            if (keeps_wall(plan, class))
                align(plan, class, now_ns);
        }
        refresh(plan, group, now_ns);
    }
}

/* Now, whatever its phase; the second round is at its phase. */
static void begin_class(struct plan_class *class, int64_t now_ns)
{
    class->due_ns = now_ns + (class->phase_ns ? class->phase_ns - class->every_ns : 0);
}

static void begin_classes(struct plan *plan, const struct plan_group *group, int64_t now_ns)
{
    for (unsigned i = 0; i < group->class_count; i++)
        begin_class(class_of(plan, group, i), now_ns);
}

void plan_start(struct plan *plan, int64_t now_ns)
{
    const struct modbus_bus_options *bus = plan->bus->options;
    int64_t spread_ns = NS_PER_S;

    for (size_t i = 0; i < plan->class_count; i++) {
        if (plan->classes[i].every_ns < spread_ns)
            spread_ns = plan->classes[i].every_ns;
    }
    if (bus->line.baud == 0)
        now_ns += (int64_t)(plan->bus->fingerprint % (uint64_t)spread_ns);
    for (uint32_t i = 0; i < plan->group_count; i++) {
        struct plan_group *group = &plan->groups[i];

        phases_choose(plan, group); /* once more: by what was learnt */
        begin_classes(plan, group, now_ns);
        group->refused_ns = now_ns;
        group->retest_ns = now_ns + LEARN_RETEST_NS;
    }
    look_at_the_clock(plan, now_ns, true);
}

struct plan_block *plan_next(struct plan *plan, int64_t now_ns, int64_t *wake_ns)
{
    const struct plan_key *first = NULL;

    if (plan->aligned_count > 0)
        look_at_the_clock(plan, now_ns, false);
    *wake_ns = INT64_MAX;
    for (size_t i = 0; i < plan->group_count; i++) {
        const struct plan_key *key = &plan->keys[i];

        if (key->event_ns <= now_ns)
            begin_what_is_due(plan, &plan->groups[i], now_ns);
        if (key->event_ns < *wake_ns)
            *wake_ns = key->event_ns;
        if (key->deadline_ns != INT64_MAX && (!first || key->deadline_ns < first->deadline_ns))
            first = key;
    }
    return first ? plan->groups[first - plan->keys].ready : NULL;
}

static void close_block(struct plan *plan, struct plan_group *group, struct plan_block *block)
{
    block->wanted = false;
    sheet_of(group, block)->open--;
    for (unsigned number = 0; number < group->class_count; number++) {
        if (block->classes >> number & 1)
            class_of(plan, group, number)->open--;
    }
}

void plan_done(struct plan *plan, struct plan_block *block, int64_t now_ns)
{
    struct plan_group *group;

    if (block->group == PLAN_NONE)
        return;
    group = &plan->groups[block->group];
    close_block(plan, group, block);
    if (block->classes)
        learn_accepted(plan, group, block);
    else
        learn_good_points(plan, group, block);
    refresh(plan, group, now_ns);
}

void plan_give_up(struct plan *plan, struct plan_block *block, int64_t now_ns, int64_t until_ns)
{
    struct plan_group *group;

    if (block->group == PLAN_NONE)
        return;
    group = &plan->groups[block->group];
    close_block(plan, group, block);
    for (unsigned number = 0; number < group->class_count; number++) {
        struct plan_class *class = class_of(plan, group, number);

        if ((block->classes >> number & 1) && class->due_ns < until_ns)
            class->due_ns = until_ns;
    }
    refresh(plan, group, now_ns);
}

void plan_retry(struct plan *plan, struct plan_block *block, int64_t now_ns, int64_t due_ns)
{
    if (block->group == PLAN_NONE)
        return;
    block->due_ns = due_ns;
    block->deadline_ns = due_ns + block->every_ns;
    refresh(plan, &plan->groups[block->group], now_ns);
}

bool plan_split(struct plan *plan, struct plan_block *block, uint8_t exception, int64_t now_ns)
{
    struct plan_group *group;
    uint32_t at;

    if (block->group == PLAN_NONE)
        return false;
    group = &plan->groups[block->group];
    at = block->classes && block->points > 1 ? learn_refused(plan, group, block, exception)
                                             : PLAN_NONE;
    struct plan_block *parts = at == PLAN_NONE ? NULL : sheet_split(plan, group, block, at);
    if (parts) {
        sheet_of(group, parts)->open++;
        for (unsigned number = 0; number < group->class_count; number++) {
            if (parts[0].classes & parts[1].classes & 1u << number)
                class_of(plan, group, number)->open++;
        }
        parts[0].due_ns = parts[1].due_ns = now_ns;
    } else {
        if (group->refused == 0)
            group->refused_ns = now_ns + PLAN_REFUSED_RETRY_NS;
        close_block(plan, group, block);
        block->classes = 0; /* no longer of a class: this serves all its points */
        learn_bad_points(plan, group, block);
    }
    refresh(plan, group, now_ns);
    return parts != NULL;
}

void plan_pause(struct plan *plan, uint32_t device)
{
    const struct plan_device *of = &plan->devices[device];

    for (uint32_t i = 0; i < of->groups; i++) {
        struct plan_group *group = &plan->groups[of->first_group + i];

        group->paused = true;
        for (struct plan_sheet *sheet = group->sheets; sheet; sheet = sheet->next) {
            for (uint32_t j = 0; j < sheet->count; j++) {
                if (sheet->blocks[j].wanted)
                    close_block(plan, group, &sheet->blocks[j]);
            }
        }
        refresh(plan, group, 0);
    }
}

/* In step with the others: the round that is under way is read now, and the next one in time. */
void plan_resume(struct plan *plan, uint32_t device, int64_t now_ns)
{
    const struct plan_device *of = &plan->devices[device];

    for (uint32_t i = 0; i < of->groups; i++) {
        struct plan_group *group = &plan->groups[of->first_group + i];

        if (!group->paused)
            continue;
        group->paused = false;
        for (unsigned j = 0; j < group->class_count; j++) {
            struct plan_class *class = class_of(plan, group, j);

            if (keeps_wall(plan, class))
                align(plan, class, now_ns);
            else if (class->due_ns > now_ns)
                class->due_ns -=
                    ((class->due_ns - now_ns - 1) / class->every_ns + 1) * class->every_ns;
        }
        refresh(plan, group, now_ns);
    }
}

void plan_again(struct plan *plan, uint32_t device, int64_t now_ns)
{
    const struct plan_device *of = &plan->devices[device];

    for (uint32_t i = 0; i < of->groups; i++) {
        struct plan_group *group = &plan->groups[of->first_group + i];

        for (unsigned j = 0; j < group->class_count; j++) {
            struct plan_class *class = class_of(plan, group, j);

            if (keeps_wall(plan, class))
                align(plan, class, now_ns);
            else if (class->due_ns - now_ns <= class->every_ns) /* else it is refused */
                begin_class(class, now_ns);
        }
        refresh(plan, group, now_ns);
    }
}

static void set_held(struct plan *plan, uint32_t device, bool held, int64_t now_ns)
{
    struct plan_device *of = &plan->devices[device];

    of->held = held;
    for (uint32_t i = 0; i < of->groups; i++)
        refresh(plan, &plan->groups[of->first_group + i], now_ns);
}

void plan_hold(struct plan *plan, uint32_t device)
{
    set_held(plan, device, true, 0);
}

void plan_let_go(struct plan *plan, uint32_t device, int64_t now_ns)
{
    if (plan->devices[device].held)
        set_held(plan, device, false, now_ns);
}
