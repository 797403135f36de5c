/*
 * What devices have in common is kept once. While a configuration is read and checked each point
 * has a description of its own, and its driver's options, in memory that is given back afterwards.
 * Here they move to where the site lives: first the options, each once, and then the lists of
 * points, which are equal where all their points are.
 */
#include "config/load.h"

static bool share_points(struct pool *pool, const struct driver *driver, struct site_device *device)
{
    for (size_t i = 0; driver && i < device->point_count; i++) {
        struct site_point *point = &device->points[i];

        if (!point->options)
            continue;
        point->options = (void *)pool_keep(pool, point->options, driver->point.struct_size);
        if (!point->options)
            return false;
    }
    device->points = (struct site_point *)pool_keep(pool, device->points,
                                                    device->point_count * sizeof *device->points);
    return device->points || device->point_count == 0;
}

void load_share(struct loader *loader)
{
    for (size_t i = 0; i < loader->bus_count; i++) {
        const struct site_bus *bus = &loader->buses[i].site;

        for (size_t j = 0; bus->devices && j < bus->device_count; j++) {
            if (!share_points(&loader->decoder.pool, bus->driver, &bus->devices[j]))
                return; /* out of memory, which the arena remembers */
        }
    }
}
