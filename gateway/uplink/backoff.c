#include "uplink/backoff.h"

int64_t backoff_fail(struct backoff *backoff, uint32_t random)
{
    int64_t limit_ns = backoff->limit_ns ? backoff->limit_ns : BACKOFF_MAX_NS;
    int64_t most_ns = BACKOFF_FIRST_NS;

    for (uint32_t i = 0; i < backoff->failures && most_ns < limit_ns; i++)
        most_ns *= 2;
    if (most_ns > limit_ns)
        most_ns = limit_ns;
    if (backoff->failures < UINT32_MAX)
        backoff->failures++;
    return (int64_t)((double)most_ns * ((double)random / (double)UINT32_MAX));
}

void backoff_up(struct backoff *backoff, int64_t now_ns)
{
    backoff->up_since_ns = now_ns;
}

void backoff_down(struct backoff *backoff, int64_t now_ns)
{
    if (backoff->up_since_ns != 0 && now_ns - backoff->up_since_ns >= BACKOFF_STABLE_NS)
        backoff->failures = 0;
    backoff->up_since_ns = 0;
}
