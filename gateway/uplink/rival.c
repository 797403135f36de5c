#include "uplink/rival.h"

enum rival_news rival_ended(struct rival *rival, enum rival_end end, int64_t held_ns)
{
    if (end == RIVAL_SUDDEN && held_ns < RIVAL_SOON_NS)
        rival->strikes++;
    else if (end != RIVAL_TAKEN_OVER)
        rival->strikes = 0;
    if (rival->told)
        return RIVAL_NO_NEWS;
    if (end == RIVAL_TAKEN_OVER || rival->strikes >= RIVAL_STRIKES) {
        rival->told = true;
        return RIVAL_FOUND;
    }
    return end == RIVAL_SUDDEN && rival->strikes == RIVAL_HINT ? RIVAL_MAYBE : RIVAL_NO_NEWS;
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
