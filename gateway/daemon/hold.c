/* An uplink is cut off for a while, so that people see what an outage does; or all are, until it is
 * sure who this gateway is. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "daemon/identity.h"
#include "daemon/running.h"
#include "web/api.h"

const char running_held_back[] =
    "held back until it is said whether this gateway was replaced or copied";

bool running_is_held(const struct running *running)
{
    return running->identity && identity_holds(running->identity);
}

/* Whether nobody else has the uplink for himself. */
static bool may_hold(const struct running_uplink *entry, const struct api_hold *hold,
                     int64_t now_ns, struct text *refusal)
{
    if (entry->claim.until_mono_ns <= now_ns ||
        (hold->by && strcmp(hold->by, entry->claim.by) == 0))
        return true;
    text_printf(refusal,
                "an outage drill of this uplink runs already: %s. Wait for its end, or end it "
                "first; if it has died, this is over in %" PRId64 " s",
                entry->claim.by, (entry->claim.until_mono_ns - now_ns) / NS_PER_S + 1);
    return false;
}

static int take_hold(struct running_uplink *entry, const struct api_hold *hold, int64_t now_ns,
                     struct text *refusal)
{
    if (!may_hold(entry, hold, now_ns, refusal))
        return ERR_BUSY;
    if (hold->by) {
        entry->claim.until_mono_ns = hold->claim_ns ? now_ns + hold->claim_ns : 0;
        snprintf(entry->claim.by, sizeof entry->claim.by, "%s", hold->by);
    }
    if (hold->for_ns != API_HOLD_AS_IS)
        uplink_hold(entry->uplink, hold->for_ns ? now_ns + hold->for_ns : 0);
    return 0;
}

int running_hold(struct running *running, const char *uplink, const struct api_hold *hold,
                 struct text *refusal)
{
    int error = ERR_NOT_FOUND;

    /* Who ended a hold now would let this gateway connect in the name of another. */
    if (running_is_held(running)) {
        text_string(refusal, running_held_back);
        return ERR_BUSY;
    }
    pthread_mutex_lock(&running->lock);
    for (struct running_uplink *each = running->uplinks; each; each = each->next) {
        if (strcmp(each->config->id, uplink) == 0)
            error = take_hold(each, hold, clock_mono(&clock_system), refusal);
    }
    pthread_mutex_unlock(&running->lock);
    return error;
}

void running_release(struct running *running)
{
    pthread_mutex_lock(&running->lock);
    for (struct running_uplink *each = running->uplinks; each; each = each->next)
        uplink_hold(each->uplink, 0);
    pthread_mutex_unlock(&running->lock);
}
