/* Buses, and the devices on them: what each says of itself, then which bus it is on, then its
 * driver's options. */
#include <stdio.h>
#include <string.h>

#include "config/fingerprint.h"
#include "config/load.h"
#include "core/nearest.h"

const struct json *load_list(struct loader *loader, const char *key, unsigned entries_max)
{
    const struct json *list = decode_part(&loader->decoder, loader->root, &shape_root, key);
    if (!list || list->count <= entries_max)
        return list;
    findings_value(loader->decoder.findings, list, "found %u %s; allowed: at most %u", list->count,
                   key, entries_max);
    return NULL;
}

bool load_is_object(struct loader *loader, const struct json *entry)
{
    char found[FINDINGS_TEXT_MAX];
    if (entry->type == JSON_OBJECT)
        return true;
    json_describe(entry, found, sizeof(found));
    findings_value(loader->decoder.findings, entry, "found %s; an object {...} is expected", found);
    return false;
}

void load_id_unique(struct loader *loader, struct textmap *ids, const struct json *object,
                    const char *id)
{
    const struct json *first = textmap_find(ids, id);
    if (!first) {
        if (textmap_put(ids, id, object) != 0)
            loader->out_of_memory = true;
        return;
    }
    findings_value(loader->decoder.findings, json_find(object, "id"),
                   "found \"%s\"; that id is taken in line %u: ids are unique", id,
                   json_find(first, "id")->at.line);
}

void load_was_free(struct loader *loader, const struct textmap *ids, const struct json *object,
                   const struct option_texts *was)
{
    const struct json *list = json_find(object, "was");
    const struct json *item = list ? list->first : NULL;
    for (size_t i = 0; i < was->count && item; i++, item = item->next) {
        if (!id_valid(was->items[i]))
            findings_value(loader->decoder.findings, item,
                           "found \"%.60s\"; earlier ids are ids: a-z 0-9 - _", was->items[i]);
        else if (textmap_find(ids, was->items[i]))
            findings_value(loader->decoder.findings, item,
                           "found \"%s\"; that id is still in use: an earlier id is one that "
                           "nobody has any more",
                           was->items[i]);
    }
}

void load_driver_names(const struct loader *loader, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (const struct driver *const *driver = loader->parts->drivers; *driver; driver++)
        if (at < size)
            at +=
                (size_t)snprintf(out + at, size - at, "%s%s", at > 0 ? ", " : "", (*driver)->name);
}

/* The driver of that name. One letter or two amiss is told and counts as that driver, so that the
 * rest of the bus is checked as it was meant. */
static const struct driver *find_driver(struct loader *loader, const struct json *node,
                                        const char *name)
{
    char names[FINDINGS_TEXT_MAX];
    const struct driver *meant = NULL;
    struct nearest nearest;
    nearest_init(&nearest, name);
    for (const struct driver *const *driver = loader->parts->drivers; *driver; driver++) {
        if (strcmp((*driver)->name, name) == 0)
            return *driver;
        nearest_offer_part(&nearest, (*driver)->name);
        if (nearest.best == (*driver)->name && nearest_distance(name, nearest.best) <= 2)
            meant = *driver;
    }
    load_driver_names(loader, names, sizeof(names));
    findings_value(loader->decoder.findings, json_find(node, "driver"),
                   nearest.best ? "found \"%s\"; allowed: %s; did you mean \"%s\"?"
                                : "found \"%s\"; allowed: %s",
                   name, names, nearest.best);
    return meant;
}

void *load_options_alloc(struct loader *loader, const struct option_table *table)
{
    return table->struct_size > 0 ? arena_alloc(loader->decoder.arena, table->struct_size) : NULL;
}

static void load_bus(struct loader *loader, struct loaded_bus *bus, struct textmap *ids)
{
    struct bus_options options = {0};
    struct layers layers = {.objects = {bus->node}};
    struct decoder *decoder = &loader->decoder;
    decoder->hash = FINGERPRINT_BEGIN;
    fingerprint_text(&decoder->hash, decoder->gateway_id);
    fingerprint_text(&decoder->hash, loader->config->site.timezone);
    decode_options(decoder, shape_bus.options, &options, &layers);
    if (options.id)
        load_id_unique(loader, ids, bus->node, options.id);
    bus->driver = options.driver ? find_driver(loader, bus->node, options.driver) : NULL;
    bus->site = (struct site_bus){.id = options.id,
                                  .name = options.name,
                                  .driver = bus->driver,
                                  .line = (int)bus->node->at.line};
    if (bus->driver) {
        struct stray stray = {loader, bus->driver, STRAY_BUS, false};
        const struct option_table *table = &bus->driver->bus;
        decode_keys(decoder, bus->node, &shape_bus, table->options, load_stray, &stray);
        bus->site.options = load_options_alloc(loader, table);
        if (bus->site.options)
            decode_options(decoder, table->options, bus->site.options, &layers);
    }
    bus->hash = decoder->hash;
}

void load_buses(struct loader *loader)
{
    struct textmap ids = {0};
    const struct json *list = load_list(loader, "buses", LIST_ENTRIES_MAX);
    if (!list)
        return;
    loader->buses = arena_array(loader->scratch, list->count, sizeof(*loader->buses));
    for (const struct json *node = list->first; node && loader->buses; node = node->next) {
        if (!load_is_object(loader, node))
            continue;
        struct loaded_bus *bus = &loader->buses[loader->bus_count++];
        bus->node = node;
        load_bus(loader, bus, &ids);
    }
    textmap_clear(&ids);
}

static struct loaded_bus *find_bus(struct loader *loader, const struct json *node, const char *id)
{
    struct nearest nearest;
    nearest_init(&nearest, id);
    for (size_t i = 0; i < loader->bus_count; i++) {
        struct loaded_bus *bus = &loader->buses[i];
        if (bus->site.id && strcmp(bus->site.id, id) == 0)
            return bus;
        if (bus->site.id)
            nearest_offer(&nearest, bus->site.id);
    }
    if (nearest.best)
        findings_value(loader->decoder.findings, json_find(node, "bus"),
                       "found \"%s\"; there is no such bus; did you mean \"%s\"?", id,
                       nearest.best);
    else
        findings_value(loader->decoder.findings, json_find(node, "bus"),
                       "found \"%s\"; there is no such bus in \"buses\"", id);
    return NULL;
}

/* How many keys of an object are in neither the shape nor the rows. */
static size_t count_strangers(const struct json *object, const struct shape *shape,
                              const struct option *rows)
{
    size_t count = 0;
    for (const struct json *item = object ? object->first : NULL; item; item = item->next)
        count += item->key && !option_find(shape->options, item->key) &&
                 !part_find(shape->parts, item->key) && !option_find(rows, item->key);
    return count;
}

const struct driver *load_likely_driver(const struct config_parts *parts, const struct json *device)
{
    const struct driver *best = NULL;
    const struct json *points = json_find(device, "points");
    size_t fewest = SIZE_MAX;
    for (const struct driver *const *driver = parts->drivers; *driver; driver++) {
        size_t count = count_strangers(device, &shape_device, (*driver)->device.options);
        const struct json *point = points && points->type == JSON_LIST ? points->first : NULL;
        for (; point; point = point->next)
            count += count_strangers(point, &shape_point, (*driver)->point.options);
        if (count < fewest) {
            fewest = count;
            best = *driver;
        }
    }
    return best;
}

/* Whether a profile's keys are those of the bus's driver: drivers of one kind share their rows. */
static bool profile_fits(const struct loader *loader, const struct profile *profile,
                         const struct driver *driver)
{
    const struct option_texts *names = &profile->options.drivers;
    for (const struct driver *const *other = loader->parts->drivers; *other; other++)
        for (size_t i = 0; i < names->count; i++)
            if ((*other)->point.options == driver->point.options &&
                strcmp((*other)->name, names->items[i]) == 0)
                return true;
    return names->count == 0;
}

/* A profile of another driver is told once, and then counts as one that could not be read. */
static void check_profile_fits(struct loader *loader, struct loaded_device *device)
{
    const struct driver *driver = device->bus ? device->bus->driver : NULL;
    if (!device->profile || !driver || profile_fits(loader, device->profile, driver))
        return;
    findings_value(loader->decoder.findings, json_find(device->node, "profile"),
                   "found \"%s\", which is for the driver %s; bus \"%s\" has the driver %s",
                   device->profile->name, device->profile->options.drivers.items[0],
                   device->options.bus, driver->name);
    device->profile = NULL;
    device->profile_lost = true;
}

/* What holds for devices on any bus: done for all of them first, so that each bus knows how many it
 * has. */
static void load_device_common(struct loader *loader, struct loaded_device *device,
                               struct textmap *ids)
{
    struct decoder *decoder = &loader->decoder;
    struct device_options *options = &device->options;
    const struct json *name = json_find(device->node, "profile");
    if (name && name->type == JSON_STRING)
        device->profile = load_profile(loader, name, name->text);
    device->profile_lost = name && !device->profile;
    const struct json *profile = device->profile ? device->profile->root : NULL;
    struct layers layers = {.objects = {device->node, profile}};
    options->policy = loader->defaults;
    decoder->hash = FINGERPRINT_BEGIN;
    decode_options(decoder, shape_device.options, options, &layers);
    load_report(loader, device->node, profile, &shape_device, &options->policy);
    device->hash = decoder->hash;
    if (options->id)
        load_id_unique(loader, ids, device->node, options->id);
    if (options->bus) {
        device->bus = find_bus(loader, device->node, options->bus);
        if (device->bus)
            device->bus->device_room++;
    }
    check_profile_fits(loader, device);
    device->driver = device->bus ? device->bus->driver : NULL;
    if (!device->driver)
        device->driver = load_likely_driver(loader->parts, device->node);
}

static void device_keys(struct loader *loader, const struct loaded_device *device)
{
    bool known = device->bus && device->bus->driver;
    struct stray stray = {loader, known ? device->driver : NULL, STRAY_DEVICE, false};
    const struct option *extra = known ? device->driver->device.options : loader->any_device;
    decode_keys(&loader->decoder, device->node, &shape_device, extra, load_stray, &stray);
    stray.profile = true;
    if (device->profile)
        decode_keys(&loader->decoder, device->profile->root, &shape_profile, extra, load_stray,
                    &stray);
}

static bool is_unverified(const struct loaded_device *device)
{
    int confidence = device->profile ? device->profile->options.confidence : CONFIDENCE_UNSAID;
    return confidence != CONFIDENCE_UNSAID && confidence != CONFIDENCE_HIGH &&
           !device->profile->options.confirmed_at && !device->options.verified;
}

/* The driver's part and the points; then the device joins its bus. */
static void load_device_rest(struct loader *loader, struct loaded_device *device)
{
    struct loaded_bus *bus = device->bus;
    struct layers layers = {{device->node, device->profile ? device->profile->root : NULL},
                            .lost = device->profile_lost};
    struct site_device site = {.id = device->options.id,
                               .name = device->options.name,
                               .vendor = device->options.vendor,
                               .model = device->options.model,
                               .profile = device->options.profile,
                               .unverified = is_unverified(device),
                               .was = device->options.was,
                               .heartbeat_ns = device->options.policy.heartbeat_ns,
                               .line = (int)device->node->at.line};
    loader->decoder.hash = device->hash;
    device_keys(loader, device);
    site.options = load_options_alloc(loader, &device->driver->device);
    if (site.options)
        decode_options(&loader->decoder, device->driver->device.options, site.options, &layers);
    load_points(loader, device, &site);
    if (!bus || !bus->driver) {
        load_check_alone(loader, device, &site);
        return;
    }
    fingerprint_u64(&bus->hash, loader->decoder.hash);
    if (!bus->site.devices)
        return;
    bus->devices[bus->site.device_count] = device;
    bus->site.devices[bus->site.device_count++] = site;
}

static void load_device_list(struct loader *loader, const struct json *list, struct textmap *ids)
{
    for (const struct json *node = list->first; node; node = node->next) {
        if (!load_is_object(loader, node))
            continue;
        struct loaded_device *device = &loader->devices[loader->device_count++];
        device->node = node;
        load_device_common(loader, device, ids);
    }
    for (size_t i = 0; i < loader->bus_count; i++) {
        struct loaded_bus *bus = &loader->buses[i];
        bus->devices = arena_array(loader->scratch, bus->device_room, sizeof(*bus->devices));
        bus->site.devices =
            arena_array(loader->decoder.arena, bus->device_room, sizeof(*bus->site.devices));
        if (!bus->devices)
            return;
    }
    for (size_t i = 0; i < loader->device_count; i++) {
        struct loaded_device *device = &loader->devices[i];
        load_was_free(loader, ids, device->node, &device->options.was);
        load_device_rest(loader, device);
    }
}

void load_devices(struct loader *loader)
{
    struct textmap ids = {0};
    const struct json *list = load_list(loader, "devices", LIST_ENTRIES_MAX);
    if (!list)
        return;
    loader->devices = arena_array(loader->scratch, list->count, sizeof(*loader->devices));
    if (loader->devices)
        load_device_list(loader, list, &ids);
    textmap_clear(&ids);
}
