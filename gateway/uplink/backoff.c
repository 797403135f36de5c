#include "uplink/backoff.h"

/* From `first_ns` on, doubled once for each of the `times`. */
static int64_t doubled(const struct backoff *backoff, int64_t first_ns, uint32_t times)
{
    int64_t limit_ns = backoff->limit_ns ? backoff->limit_ns : BACKOFF_MAX_NS;
    int64_t most_ns = first_ns;

    for (uint32_t i = 0; i < times && most_ns < limit_ns; i++)
        most_ns *= 2;
    return most_ns < limit_ns ? most_ns : limit_ns;
}

static int64_t share(int64_t ns, uint32_t random)
{
    return (int64_t)((double)ns * ((double)random / (double)UINT32_MAX));
}

static void count(uint32_t *times)
{
    if (*times < UINT32_MAX)
        ++*times;
}

int64_t backoff_fail(struct backoff *backoff, uint32_t random)
{
    int64_t most_ns = doubled(backoff, BACKOFF_FIRST_NS, backoff->failures);

    count(&backoff->failures);
    return share(most_ns, random);
}

int64_t backoff_refuse(struct backoff *backoff, uint32_t random)
{
    int64_t most_ns = doubled(backoff, BACKOFF_REFUSED_NS, backoff->refusals);

    count(&backoff->failures);
    count(&backoff->refusals);
    return most_ns / 2 + share(most_ns - most_ns / 2, random);
}

void backoff_up(struct backoff *backoff, int64_t now_ns)
{
    backoff->up_since_ns = now_ns;
}

void backoff_down(struct backoff *backoff, int64_t now_ns)
{
    if (backoff->up_since_ns != 0 && now_ns - backoff->up_since_ns >= BACKOFF_STABLE_NS)
        backoff->failures = backoff->refusals = 0;
    backoff->up_since_ns = 0;
}
