/* Which uplinks are online, for whoever judges a change by that. */
#include <stdio.h>
#include <string.h>

#include "daemon/running.h"
#include "daemon/unstarted.h"

static bool state_of(struct running_uplink *entry, char *why, size_t size)
{
    struct uplink_stats stats;

    uplink_stats(entry->uplink, &stats);
    if (strcmp(stats.state, "online") == 0)
        return true;
    if (why)
        snprintf(why, size, "%s", *stats.error ? stats.error : stats.state);
    return false;
}

size_t running_online(struct running *running, char (*ids)[ID_SIZE_MAX], size_t max)
{
    size_t count = 0;

    pthread_mutex_lock(&running->lock);
    for (struct running_uplink *entry = running->uplinks; entry && count < max; entry = entry->next)
        if (state_of(entry, NULL, 0))
            snprintf(ids[count++], ID_SIZE_MAX, "%s", entry->config->id);
    pthread_mutex_unlock(&running->lock);
    return count;
}

bool running_is_online(struct running *running, const char *id, char *why, size_t size)
{
    bool online = true;

    snprintf(why, size, "it does not run");
    pthread_mutex_lock(&running->lock);
    const struct unstarted *unstarted = unstarted_uplink(running, id);
    if (unstarted)
        unstarted_why(unstarted, why, size);
    const struct config *config = running->current ? running->current->config : NULL;
    for (size_t i = 0; config && i < config->uplink_count; i++)
        online &= strcmp(config->uplinks[i].id, id) != 0;
    for (struct running_uplink *entry = running->uplinks; entry; entry = entry->next)
        if (strcmp(entry->config->id, id) == 0)
            online = state_of(entry, why, size);
    pthread_mutex_unlock(&running->lock);
    return online;
}

void running_why_refused(struct running *running, char *why, size_t size)
{
    pthread_mutex_lock(&running->lock);
    snprintf(why, size, "%s", running->refused.wall_ns ? running->refused.why : "");
    pthread_mutex_unlock(&running->lock);
}
