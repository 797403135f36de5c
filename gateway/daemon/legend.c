/* What the numbers of the running points stand for. */
#include "daemon/running.h"
#include "web/legend.h"

static void add_device(const struct site_device *device, struct legend *legend)
{
    for (size_t i = 0; i < device->point_count; i++) {
        const struct site_point *point = &device->points[i];

        if (point->enum_count > 0)
            legend_add(legend, site_point_stream(device, point), point->enums, point->enum_count);
    }
}

void running_legend(struct running *running, struct legend *legend)
{
    pthread_mutex_lock(&running->lock);
    for (struct running_bus *entry = running->buses; entry; entry = entry->next) {
        for (size_t i = 0; i < entry->bus->device_count; i++)
            add_device(&entry->bus->devices[i], legend);
    }
    pthread_mutex_unlock(&running->lock);
}
