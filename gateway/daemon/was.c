/* Earlier names of devices and points: what was stored under them is found under the present ones.
 */
#include "daemon/was.h"

#include <string.h>

#include "daemon/running.h"
#include "web/feed.h"

/* The name number `index` of something, its present one first; NULL behind the last. */
static const char *name_at(const char *id, const struct option_texts *was, size_t index)
{
    return index == 0 ? id : index <= was->count ? was->items[index - 1] : NULL;
}

static bool has_name(const char *id, const struct option_texts *was, const char *wanted)
{
    const char *name;

    for (size_t i = 0; (name = name_at(id, was, i)); i++) {
        if (strcmp(name, wanted) == 0)
            return true;
    }
    return false;
}

static bool has_point_named(const struct site_device *device, const char *point)
{
    for (size_t i = 0; i < device->point_count; i++) {
        if (has_name(device->points[i].id, &device->points[i].was, point))
            return true;
    }
    return false;
}

bool was_named(const struct site *site, const char *device, const char *point)
{
    for (size_t b = 0; b < site->bus_count; b++) {
        for (size_t d = 0; d < site->buses[b].device_count; d++) {
            const struct site_device *candidate = &site->buses[b].devices[d];

            if (has_name(candidate->id, &candidate->was, device) &&
                (!*point || has_point_named(candidate, point)))
                return true;
        }
    }
    return false;
}

static const struct site_point *find_point(const struct site_device *device, const char *point)
{
    for (size_t i = 0; i < device->point_count; i++) {
        if (strcmp(device->points[i].id, point) == 0)
            return &device->points[i];
    }
    return NULL;
}

static void add_points(const char *device, const struct site_point *point, struct feed_names *names)
{
    const char *name;

    for (size_t i = 0; (name = name_at(point->id, &point->was, i)); i++)
        feed_names_add(names, device, name);
}

static void add_device(const struct site_device *device, const char *point,
                       struct feed_names *names)
{
    const struct site_point *found = point ? find_point(device, point) : NULL;
    const char *name;

    for (size_t i = 0; (name = name_at(device->id, &device->was, i)); i++) {
        if (!point)
            feed_names_add(names, name, NULL);
        else
            feed_names_add_device(names, name);
        if (found)
            add_points(name, found, names);
    }
}

/* The point of any device: those that were always called so need no other names. */
static bool is_renamed(const struct site_device *device, const char *point)
{
    const struct site_point *found = find_point(device, point);

    return found && found->was.count > 0;
}

void running_was(struct running *running, const char *device, const char *point,
                 struct feed_names *names)
{
    pthread_mutex_lock(&running->lock);
    const struct site *site = running->current ? &running->current->config->site : NULL;
    for (size_t b = 0; site && b < site->bus_count; b++) {
        for (size_t d = 0; d < site->buses[b].device_count; d++) {
            const struct site_device *candidate = &site->buses[b].devices[d];

            if (device ? strcmp(candidate->id, device) == 0 : is_renamed(candidate, point))
                add_device(candidate, point, names);
        }
    }
    pthread_mutex_unlock(&running->lock);
}
