/* Earlier names of devices and points: what was stored under them is found under the present ones.
 */
#include <string.h>

#include "daemon/running.h"

static bool is_or_was(const char *name, const char *id, const struct option_texts *was)
{
    if (strcmp(name, id) == 0)
        return true;
    for (size_t i = 0; i < was->count; i++) {
        if (strcmp(name, was->items[i]) == 0)
            return true;
    }
    return false;
}

static bool device_was(const struct site_device *device, const struct stream *stream,
                       const char *point)
{
    if (!is_or_was(stream->device, device->id, &device->was))
        return false;
    if (!point)
        return true;
    for (size_t i = 0; i < device->point_count; i++) {
        const struct site_point *candidate = &device->points[i];
        if (strcmp(candidate->id, point) == 0)
            return is_or_was(stream->point, candidate->id, &candidate->was);
    }
    return false;
}

static bool site_was(const struct site *site, const struct stream *stream, const char *device,
                     const char *point)
{
    for (size_t b = 0; b < site->bus_count; b++) {
        for (size_t d = 0; d < site->buses[b].device_count; d++) {
            const struct site_device *candidate = &site->buses[b].devices[d];
            if ((!device || strcmp(candidate->id, device) == 0) &&
                device_was(candidate, stream, point))
                return true;
        }
    }
    return false;
}

bool running_was(struct running *running, const struct stream *stream, const char *device,
                 const char *point)
{
    pthread_mutex_lock(&running->lock);
    bool was = running->current && site_was(&running->current->config->site, stream, device, point);
    pthread_mutex_unlock(&running->lock);
    return was;
}
