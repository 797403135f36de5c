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

/* The uplink of that id, or the one that goes on with its place under another id; or NULL. */
static const char *present_id(const struct config *config, const char *id)
{
    const char *renamed = NULL;

    for (size_t i = 0; config && i < config->uplink_count; i++) {
        const struct config_uplink *uplink = &config->uplinks[i];
        const struct uplink_options *options = uplink->options;
        if (strcmp(uplink->id, id) == 0)
            return uplink->id;
        if (options->was && strcmp(options->was, id) == 0)
            renamed = uplink->id;
    }
    return renamed;
}

bool running_is_online(struct running *running, const char *id, char *why, size_t size)
{
    snprintf(why, size, "it does not run");
    pthread_mutex_lock(&running->lock);
    id = present_id(running->current ? running->current->config : NULL, id);
    bool online = !id;
    const struct unstarted *unstarted = id ? unstarted_uplink(running, id) : NULL;
    if (unstarted)
        unstarted_why(unstarted, why, size);
    for (struct running_uplink *entry = running->uplinks; id && entry; entry = entry->next)
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
