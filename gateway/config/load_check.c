/* What no table can say is said by each driver's check; its complaints are told where the key
 * stands. */
#include "config/load.h"

#include <stdio.h>
#include <string.h>

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
    const struct json *places[5] = {NULL, NULL, NULL, NULL, checking->bus->node};
    if (device) {
        const struct loaded_device *loaded =
            checking->bus->devices[device - checking->bus->site.devices];
        if (point) {
            places[0] = loaded->points[point - device->points].objects[0];
            places[1] = loaded->points[point - device->points].objects[1];
        }
        places[2] = loaded->node;
        places[3] = loaded->profile ? loaded->profile->root : NULL;
    }
    *found = NULL;
    for (size_t i = 0; key && i < 5 && !*found; i++)
        *found = json_find(places[i], key);
    return places[0] ? places[0] : device ? places[2] : places[4];
}

static bool sound(struct driver_complaints *complaints, const struct site_device *device,
                  const struct site_point *point, const char *key)
{
    const struct checking *checking = (const struct checking *)complaints;
    const struct loaded_bus *bus = checking->bus;
    const struct option *rows = bus->driver->bus.options;
    struct layers layers = {{bus->node}, .lost = !bus->node};
    if (!device && strcmp(key, "driver") == 0)
        return bus->node != NULL; /* a mistyped one counts as what it was meant for */
    if (device) {
        const struct loaded_device *loaded = bus->devices[device - bus->site.devices];
        rows = point ? bus->driver->point.options : bus->driver->device.options;
        layers = (struct layers){{loaded->node, loaded->profile ? loaded->profile->root : NULL},
                                 .lost = loaded->profile_lost};
        if (point)
            layers = loaded->points[point - device->points];
    }
    if (decode_find(&layers, key))
        return decode_sound(&layers, key);
    const struct option *row = option_find(rows, key);
    return !layers.lost && !(row && row->required);
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

/* What a row of a bus holds, in the notation of the file; NULL where it holds nothing. */
static const char *text_of(const struct loaded_bus *bus, const struct option *row)
{
    const struct json *found;

    if (row->type != OPTION_PARSED) {
        const void *option = (const char *)bus->site.options + row->offset;
        return *(const char *const *)option;
    }
    found = json_find(bus->node, row->key);
    return found ? found->text : NULL;
}

/* The next text from row `at` on that a bus must have for itself, and its key; NULL behind the
 * last. */
static const char *next_exclusive(const struct loaded_bus *bus, size_t *at, const char **key)
{
    const struct option *rows = bus->driver ? bus->driver->bus.options : NULL;

    for (; rows && rows[*at].key; (*at)++) {
        const struct option *row = &rows[*at];
        const struct json *value = row->exclusive ? json_find(bus->node, row->key) : NULL;
        const char *text = value && json_sound(value) ? text_of(bus, row) : NULL;
        if (!text)
            continue;
        (*at)++;
        *key = row->key;
        return text;
    }
    return NULL;
}

static void check_exclusive(struct loader *loader, const struct loaded_bus *bus)
{
    const char *text, *other, *key, *other_key;

    for (size_t at = 0; (text = next_exclusive(bus, &at, &key));) {
        for (const struct loaded_bus *before = loader->buses; before < bus; before++) {
            for (size_t other_at = 0; (other = next_exclusive(before, &other_at, &other_key));) {
                if (strcmp(text, other) == 0)
                    findings_value(
                        loader->decoder.findings, json_find(bus->node, key),
                        "found \"%s\", which bus %s has already: a line is one bus, with "
                        "all its devices",
                        text, before->site.id);
            }
        }
    }
}

static void check_writes(struct checking *checking, const struct driver *driver)
{
    const struct site_bus *bus = &checking->bus->site;
    char sentence[128];

    snprintf(sentence, sizeof(sentence),
             "points of a bus with driver %s cannot be written: leave it out", driver->name);
    for (size_t i = 0; i < bus->device_count; i++) {
        const struct site_device *device = &bus->devices[i];
        for (size_t j = 0; j < device->point_count; j++) {
            if (device->points[j].write.allowed)
                tell(&checking->complaints, device, &device->points[j], "write", sentence);
        }
    }
}

/* Messages call what has no id by its line. */
static const char *id_for_messages(struct loader *loader, const char *id, int line)
{
    char text[32];
    snprintf(text, sizeof(text), "(line %d)", line);
    return id ? id : arena_text(loader->scratch, text, strlen(text));
}

static void check_bus(struct loader *loader, struct loaded_bus *bus)
{
    struct checking checking = {{tell, sound}, loader, bus};
    struct site_bus *site = &bus->site;
    if (!bus->driver || !site->devices)
        return;
    for (size_t i = 0; i < site->device_count; i++)
        site->devices[i].id = id_for_messages(loader, site->devices[i].id, site->devices[i].line);
    if (bus->driver->check)
        bus->driver->check(site, &checking.complaints);
    if (bus->node && !bus->driver->can_write)
        check_writes(&checking, bus->driver);
}

void load_check_alone(struct loader *loader, struct loaded_device *device, struct site_device *site)
{
    const struct option_table *table = &device->driver->bus;
    const struct layers none = {.objects = {NULL}};
    struct loaded_bus bus = {.driver = device->driver,
                             .devices = &device,
                             .site = {.driver = device->driver,
                                      .options = load_options_alloc(loader, table),
                                      .devices = site,
                                      .device_count = 1}};
    if (bus.site.options)
        decode_options(&loader->decoder, table->options, bus.site.options, &none);
    check_bus(loader, &bus);
}

static bool has_point(const struct site_device *device, const char *point)
{
    for (size_t i = 0; i < device->point_count; i++)
        if (device->points[i].id && strcmp(device->points[i].id, point) == 0)
            return true;
    return false;
}

static bool is_point(const struct loader *loader, const char *place)
{
    const char *dot = strchr(place, '.');
    size_t size = dot ? (size_t)(dot - place) : 0;

    for (size_t b = 0; dot && b < loader->bus_count; b++) {
        const struct site_bus *bus = &loader->buses[b].site;

        for (size_t d = 0; bus->devices && d < bus->device_count; d++) {
            const char *id = bus->devices[d].id;
            if (id && strlen(id) == size && strncmp(id, place, size) == 0 &&
                has_point(&bus->devices[d], dot + 1))
                return true;
        }
    }
    return false;
}

/* A clock that waits for a point that never comes would be told nowhere. */
static void check_time_from(struct loader *loader)
{
    const struct json *value = json_find(json_find(loader->root, "gateway"), "time_from");

    if (value && value->type == JSON_STRING && json_sound(value) && !is_point(loader, value->text))
        findings_value(loader->decoder.findings, value,
                       "found \"%s\"; there is no such point: expected is the id of a device, a "
                       "dot, and the id of its point",
                       value->text);
}

void load_check(struct loader *loader)
{
    for (size_t i = 0; i < loader->bus_count; i++) {
        struct site_bus *site = &loader->buses[i].site;
        site->id = id_for_messages(loader, site->id, site->line);
    }
    for (size_t i = 0; i < loader->bus_count; i++)
        check_exclusive(loader, &loader->buses[i]);
    for (size_t i = 0; i < loader->bus_count; i++)
        check_bus(loader, &loader->buses[i]);
    check_time_from(loader);
}
