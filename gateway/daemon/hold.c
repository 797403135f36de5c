/* An uplink is cut off for a while, so that people see what an outage does; or all are, until it is
 * sure who this gateway is. */
#include <string.h>

#include "core/error.h"
#include "daemon/running.h"

int running_hold(struct running *running, const char *uplink, int64_t for_ns)
{
    int error = ERR_NOT_FOUND;

    pthread_mutex_lock(&running->lock);
    for (struct running_uplink *each = running->uplinks; each; each = each->next) {
        if (strcmp(each->config->id, uplink) != 0)
            continue;
        uplink_hold(each->uplink, for_ns ? clock_mono(&clock_system) + for_ns : 0);
        error = 0;
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
