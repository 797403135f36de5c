/* Keys that stand in the wrong place: those of another driver, or of another level of the same one.
 */
#include <stdio.h>
#include <string.h>

#include "config/load.h"

static const struct option *rows_of(const struct driver *driver, enum stray_level level)
{
    return level == STRAY_BUS      ? driver->bus.options
           : level == STRAY_DEVICE ? driver->device.options
                                   : driver->point.options;
}

static const struct shape *shape_of(enum stray_level level)
{
    return level == STRAY_BUS ? &shape_bus : level == STRAY_DEVICE ? &shape_device : &shape_point;
}

static bool of_level(const struct driver *driver, enum stray_level level, const char *key)
{
    return option_find(shape_of(level)->options, key) || part_find(shape_of(level)->parts, key) ||
           option_find(rows_of(driver, level), key);
}

bool load_stray(void *context, const char *key, char *sentence, size_t size)
{
    static const enum stray_level order[] = {STRAY_DEVICE, STRAY_POINT, STRAY_BUS};
    static const char *const plural[] = {"buses", "devices", "points"};
    const struct stray *stray = context;
    char owners[128];
    size_t at = 0;
    if (!stray->driver)
        return false;
    for (const struct driver *const *driver = stray->loader->parts->drivers; *driver; driver++)
        if (option_find(rows_of(*driver, stray->level), key) && at < sizeof(owners))
            at += (size_t)snprintf(owners + at, sizeof(owners) - at, "%s%s", at > 0 ? ", " : "",
                                   (*driver)->name);
    if (at > 0) {
        snprintf(sentence, size, "\"%s\" belongs to %s of the driver %s; this bus's driver is %s",
                 key, plural[stray->level], owners, stray->driver->name);
        return true;
    }
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        if (!of_level(stray->driver, order[i], key))
            continue;
        snprintf(sentence, size, "\"%s\" belongs to %s, not to %s", key, shape_of(order[i])->name,
                 stray->profile ? shape_profile.name : shape_of(stray->level)->name);
        return true;
    }
    return false;
}
