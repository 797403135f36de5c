/* What no table can say is said by each driver's check; its complaints are told where the key
 * stands. */
#include "config/load.h"

struct checking {
    struct driver_complaints complaints; /* first: the driver hands it back */
    const struct loader *loader;
    const struct loaded_bus *bus;
};

/*
 * Where the complaint belongs: the key in the point, in the device, in its profile, in the bus
 * (*found is then its value); else the innermost that is known.
 */
static const struct json *place_of(const struct checking *checking,
                                   const struct site_device *device, const struct site_point *point,
                                   const char *key, const struct json **found)
{
    const struct json *places[4] = {NULL, NULL, NULL, checking->bus->node};
    if (device) {
        const struct loaded_device *loaded =
            checking->bus->devices[device - checking->bus->site.devices];
        places[0] = point ? loaded->points[point - device->points] : NULL;
        places[1] = loaded->node;
        places[2] = loaded->profile;
    }
    *found = NULL;
    for (size_t i = 0; key && i < 4 && !*found; i++)
        *found = json_find(places[i], key);
    return places[0] ? places[0] : device ? places[1] : places[3];
}

static void tell(struct driver_complaints *complaints, const struct site_device *device,
                 const struct site_point *point, const char *key, const char *sentence)
{
    const struct checking *checking = (const struct checking *)complaints;
    struct findings *findings = checking->loader->decoder.findings;
    const struct json *found;
    const struct json *place = place_of(checking, device, point, key, &found);

    if (key && !found)
        findings_missing(findings, place, key, "%s", sentence);
    else
        findings_value(findings, found ? found : place, "%s", sentence);
}

void load_check(struct loader *loader)
{
    for (size_t i = 0; i < loader->bus_count; i++) {
        struct loaded_bus *bus = &loader->buses[i];
        struct checking checking = {{tell}, loader, bus};
        if (bus->clean && bus->driver && bus->driver->check && bus->devices)
            bus->driver->check(&bus->site, &checking.complaints);
    }
}
