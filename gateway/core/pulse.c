#include "core/pulse.h"

#include "core/clock.h"
#include "core/error.h"
#include "core/loop.h"

static void answer(void *context)
{
    struct pulse *pulse = context;

    atomic_store(&pulse->asked_ns, 0);
}

int64_t pulse_silent_ns(struct pulse *pulse, struct loop *loop)
{
    int64_t now = clock_mono(&clock_system);
    int64_t asked = atomic_load(&pulse->asked_ns);

    if (asked)
        return now - asked;
    atomic_store(&pulse->asked_ns, now);
    /* A loop that takes no more posts has 65,536 of them waiting: it is as good as silent. Without
     * memory nothing is known, and nothing is owed. */
    if (loop_post(loop, answer, pulse) == ERR_NOMEM)
        atomic_store(&pulse->asked_ns, 0);
    return 0;
}
