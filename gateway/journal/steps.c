#include "journal/steps.h"

#include "core/error.h"

#include <stdbool.h>
#include <string.h>

/* By more than what counts; whatever the two are. */
static bool is_later(int64_t a_ns, int64_t b_ns)
{
    return a_ns > b_ns && (uint64_t)a_ns - (uint64_t)b_ns > STEP_MIN_NS;
}

static void lock(const struct steps *steps)
{
    pthread_mutex_lock((pthread_mutex_t *)&steps->mutex);
}

static void unlock(const struct steps *steps)
{
    pthread_mutex_unlock((pthread_mutex_t *)&steps->mutex);
}

void steps_init(struct steps *steps)
{
    memset(steps, 0, sizeof(*steps));
    pthread_mutex_init(&steps->mutex, NULL);
}

void steps_clear(struct steps *steps)
{
    pthread_mutex_destroy(&steps->mutex);
}

static uint64_t size_of(const struct step *step)
{
    return step->from_ns > step->to_ns ? (uint64_t)step->from_ns - (uint64_t)step->to_ns
                                       : (uint64_t)step->to_ns - (uint64_t)step->from_ns;
}

static void forget_smallest(struct steps *steps)
{
    uint32_t smallest = 0;

    for (uint32_t at = 1; at < steps->count; at++)
        if (size_of(&steps->table[at]) < size_of(&steps->table[smallest]))
            smallest = at;
    steps->count--;
    memmove(steps->table + smallest, steps->table + smallest + 1,
            (steps->count - smallest) * sizeof(steps->table[0]));
}

static void add(struct steps *steps, const struct step *step)
{
    lock(steps);
    if (steps->count == STEPS_MAX)
        forget_smallest(steps);
    steps->table[steps->count++] = *step;
    unlock(steps);
}

void steps_see(struct steps *steps, uint64_t n, int64_t mono_ns, int64_t offset_ns, uint32_t boot)
{
    int64_t wall_ns = (int64_t)((uint64_t)mono_ns + (uint64_t)offset_ns);
    bool known = steps->boot != 0;
    /* Of another boot nobody knows how long the machine was off. */
    bool forward = known && boot == steps->boot && is_later(offset_ns, steps->offset_ns);

    if (known && (forward || is_later(steps->high_ns, wall_ns))) {
        add(steps, &(struct step){n, steps->high_ns, wall_ns});
        steps->high_ns = wall_ns;
    } else if (!known || wall_ns > steps->high_ns) {
        steps->high_ns = wall_ns;
    }
    steps->offset_ns = offset_ns;
    steps->boot = boot;
}

bool steps_any(const struct steps *steps)
{
    lock(steps);
    bool any = steps->count > 0;
    unlock(steps);
    return any;
}

void steps_pack(const struct steps *steps, struct packer *packer)
{
    pack_signed(packer, steps->high_ns);
    pack_signed(packer, steps->offset_ns);
    pack_varint(packer, steps->boot);
    pack_varint(packer, steps->count);
    for (uint32_t at = 0; at < steps->count; at++) {
        pack_varint(packer, steps->table[at].n);
        pack_signed(packer, steps->table[at].from_ns);
        pack_signed(packer, steps->table[at].to_ns);
    }
}

int steps_apply(struct steps *steps, struct unpacker *body)
{
    struct step table[STEPS_MAX];
    int64_t high_ns = unpack_signed(body), offset_ns = unpack_signed(body);
    uint64_t boot = unpack_varint(body);
    uint64_t count = unpack_varint(body);

    if (body->bad || boot > UINT32_MAX || count > STEPS_MAX)
        return ERR_CORRUPT;
    for (uint64_t at = 0; at < count; at++) {
        table[at].n = unpack_varint(body);
        table[at].from_ns = unpack_signed(body);
        table[at].to_ns = unpack_signed(body);
        if (body->bad || (at > 0 && table[at].n <= table[at - 1].n))
            return ERR_CORRUPT;
    }
    lock(steps);
    memcpy(steps->table, table, count * sizeof(table[0]));
    steps->count = (uint32_t)count;
    unlock(steps);
    steps->high_ns = high_ns;
    steps->offset_ns = offset_ns;
    steps->boot = (uint32_t)boot;
    return 0;
}

/* Number `at` of count + 1. Under the lock. */
static struct stretch stretch_of(const struct steps *steps, uint32_t at)
{
    struct stretch stretch = {0, UINT64_MAX, INT64_MIN, INT64_MAX};

    if (at > 0) {
        stretch.first_n = steps->table[at - 1].n;
        stretch.low_ns = steps->table[at - 1].to_ns;
    }
    if (at < steps->count) {
        stretch.last_n = steps->table[at].n - 1;
        stretch.high_ns = steps->table[at].from_ns;
    }
    return stretch;
}

struct stretch steps_first(const struct steps *steps, int64_t wall_ns)
{
    uint32_t at = 0;

    lock(steps);
    struct stretch stretch = stretch_of(steps, at);
    while (stretch.high_ns < wall_ns)
        stretch = stretch_of(steps, ++at);
    unlock(steps);
    return stretch;
}

struct stretch steps_last(const struct steps *steps, int64_t wall_ns)
{
    lock(steps);
    uint32_t at = steps->count;
    struct stretch stretch = stretch_of(steps, at);
    while (stretch.low_ns > wall_ns)
        stretch = stretch_of(steps, --at);
    unlock(steps);
    return stretch;
}

struct stretch steps_at(const struct steps *steps, int64_t wall_ns, int64_t now_ns)
{
    int64_t nearest_ns = INT64_MIN;

    lock(steps);
    struct stretch found = stretch_of(steps, steps->count);
    bool begun = found.low_ns <= wall_ns, inside = begun && wall_ns <= now_ns;
    for (uint32_t at = steps->count; !inside && at-- > 0;) {
        struct stretch stretch = stretch_of(steps, at);

        inside = stretch.low_ns <= wall_ns && wall_ns <= stretch.high_ns;
        if (inside || (!begun && stretch.high_ns < wall_ns && stretch.high_ns > nearest_ns)) {
            found = stretch;
            nearest_ns = stretch.high_ns;
        }
    }
    unlock(steps);
    return found;
}
