#include "uplink/rival.h"

bool rival_ended(struct rival *rival, enum rival_end end, int64_t held_ns)
{
    bool news;

    if (end == RIVAL_SUDDEN && held_ns < RIVAL_SOON_NS)
        rival->strikes++;
    else if (end != RIVAL_TAKEN_OVER)
        rival->strikes = 0;
    news = !rival->told && (end == RIVAL_TAKEN_OVER || rival->strikes >= RIVAL_STRIKES);
    if (news)
        rival->told = true;
    return news;
}

int64_t rival_quiet(int64_t retry_max_ns)
{
    return 2 * retry_max_ns > RIVAL_QUIET_NS ? 2 * retry_max_ns : RIVAL_QUIET_NS;
}

bool rival_over(struct rival *rival, int64_t held_ns, int64_t quiet_ns)
{
    if (!rival->told || held_ns < quiet_ns)
        return false;
    *rival = (struct rival){0};
    return true;
}
