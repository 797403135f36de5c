#include "uplink/suspect.h"

static void begin_strikes(struct suspect *suspect, uint64_t first)
{
    suspect->strike_first = first;
    suspect->strikes = 0;
}

static enum suspect_advice single(struct suspect *suspect, uint64_t n, enum suspect_cause cause)
{
    if (suspect->aside != 0) { /* the neighbour fails as well: it is not the message */
        *suspect = (struct suspect){0};
        return SUSPECT_LATER;
    }
    if (cause == SUSPECT_CONTENT || suspect->witnessed)
        suspect->poison = n;
    else
        suspect->aside = n;
    return SUSPECT_AGAIN;
}

enum suspect_advice suspect_refused(struct suspect *suspect, uint64_t first, uint64_t last,
                                    uint32_t events, enum suspect_cause cause)
{
    if (events == 0) /* it holds nothing that could be refused for its own sake */
        return SUSPECT_LATER;
    if (cause == SUSPECT_UNCLEAR) {
        if (suspect->strike_first != first)
            begin_strikes(suspect, first);
        /* While it is narrowed down one more refusal is enough; to convict a single event it is
         * not. */
        if (++suspect->strikes < SUSPECT_STRIKES && (suspect->until == 0 || events == 1))
            return SUSPECT_LATER;
    }
    begin_strikes(suspect, 0);
    if (suspect->until < last)
        suspect->until = last;
    if (events == 1)
        return single(suspect, last, cause);
    suspect->limit = events / 2;
    return SUSPECT_AGAIN;
}

bool suspect_accepted(struct suspect *suspect, uint64_t first, uint64_t last)
{
    begin_strikes(suspect, 0);
    if (suspect->until == 0)
        return false;
    if (suspect->aside != 0 && first > suspect->aside) {
        suspect->aside = 0;
        suspect->witnessed = true;
        return true;
    }
    suspect->witnessed = true;
    if (last >= suspect->until && suspect->poison == 0)
        *suspect = (struct suspect){0};
    return false;
}

void suspect_no_neighbour(struct suspect *suspect)
{
    *suspect = (struct suspect){0};
}

void suspect_buried(struct suspect *suspect)
{
    bool over = suspect->poison >= suspect->until;

    suspect->poison = 0;
    if (over)
        *suspect = (struct suspect){0};
}

uint32_t suspect_limit(const struct suspect *suspect, uint64_t first)
{
    if (suspect->until == 0 || first > suspect->until)
        return UINT32_MAX;
    return suspect->limit > 0 ? suspect->limit : 1;
}

bool suspect_active(const struct suspect *suspect)
{
    return suspect->until != 0;
}
