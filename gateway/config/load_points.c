/* The points of a device: those of its profile, replaced by id by those that it says itself, and
 * then the rest of its own. */
#include <string.h>

#include "config/fingerprint.h"
#include "config/load.h"
#include "config/ucum.h"

static const struct json *id_of(const struct json *point)
{
    const struct json *id = json_find(point, "id");
    return id && id->type == JSON_STRING ? id : NULL;
}

/* Remembers each entry of a list by its id. */
static void collect(struct loader *loader, const struct json *list, struct textmap *ids)
{
    for (const struct json *node = list ? list->first : NULL; node; node = node->next) {
        const struct json *id = id_of(node);
        if (load_is_object(loader, node) && id)
            load_id_unique(loader, ids, node, id->text);
    }
}

static bool load_point_enum(struct loader *loader, const struct json *node,
                            struct site_point *point)
{
    bool clean = true;
    const struct json *map = decode_part(&loader->decoder, node, &shape_point, "enum", &clean);
    if (map)
        clean &= decode_enum(&loader->decoder, map, &point->enums, &point->enum_count);
    fingerprint_u64(&loader->decoder.hash, point->enum_count);
    return clean;
}

static bool load_point(struct loader *loader, const struct loaded_device *device,
                       const struct json *node, struct site_point *point)
{
    struct decoder *decoder = &loader->decoder;
    struct layers layers = {{node}};
    struct policy policy = device->options.policy;
    struct stray stray = {loader, device->bus ? device->bus->driver : NULL, STRAY_POINT};
    const struct option *rows = stray.driver ? stray.driver->point.options : loader->any_point;
    *point = (struct site_point){
        .every_ns = policy.every_ns, .decimals = DECIMALS_SHORTEST, .line = (int)node->at.line};
    bool clean = decode_keys(decoder, node, &shape_point, rows, load_stray, &stray);
    clean &= decode_options(decoder, shape_point.options, point, &layers);
    clean &= load_report(loader, node, NULL, &shape_point, &policy);
    clean &= load_point_enum(loader, node, point);
    point->on_change = policy.on_change;
    point->at_least_ns = policy.at_least_ns;
    if (point->unit && !point->ucum)
        point->ucum = ucum_of_unit(point->unit);
    if (!stray.driver || stray.driver->point.struct_size == 0)
        return clean;
    point->options = arena_alloc(decoder->arena, stray.driver->point.struct_size);
    return point->options && decode_options(decoder, rows, point->options, &layers) && clean;
}

struct collected {
    struct textmap own, profile;
    const struct json *own_list, *profile_list;
};

/* Reads one point and keeps it when it is clean, so that the driver's check gets what it can use.
 */
static void add_point(struct loader *loader, struct loaded_device *device, struct site_device *site,
                      const struct json *node, const struct collected *collected)
{
    struct site_point *point = &site->points[site->point_count];
    bool clean = load_point(loader, device, node, point);
    clean &= load_was_free(loader, &collected->own, node, &point->was);
    clean &= load_was_free(loader, &collected->profile, node, &point->was);
    if (clean)
        device->points[site->point_count++] = node;
}

static void add_points(struct loader *loader, struct loaded_device *device,
                       struct site_device *site, const struct collected *collected)
{
    const struct json *node = collected->profile_list ? collected->profile_list->first : NULL;
    for (; node; node = node->next) {
        const struct json *id = id_of(node);
        const struct json *own = id ? textmap_find(&collected->own, id->text) : NULL;
        if (node->type == JSON_OBJECT)
            add_point(loader, device, site, own ? own : node, collected);
    }
    node = collected->own_list ? collected->own_list->first : NULL;
    for (; node; node = node->next) {
        const struct json *id = id_of(node);
        if (node->type == JSON_OBJECT && (!id || !textmap_find(&collected->profile, id->text)))
            add_point(loader, device, site, node, collected);
    }
}

void load_points(struct loader *loader, struct loaded_device *device, struct site_device *site)
{
    struct collected collected = {0};
    struct decoder *decoder = &loader->decoder;
    collected.own_list = decode_part(decoder, device->node, &shape_device, "points", NULL);
    if (device->profile)
        collected.profile_list =
            decode_part(decoder, device->profile, &shape_profile, "points", NULL);
    size_t room = (collected.own_list ? collected.own_list->count : 0) +
                  (collected.profile_list ? collected.profile_list->count : 0);
    loader->point_count += room;
    if (loader->point_count > POINTS_MAX) {
        findings_value(decoder->findings, device->node, "more than %d points in all", POINTS_MAX);
        return;
    }
    collect(loader, collected.own_list, &collected.own);
    collect(loader, collected.profile_list, &collected.profile);
    site->points = arena_array(decoder->arena, room, sizeof(*site->points));
    device->points = arena_array(loader->scratch, room, sizeof(*device->points));
    if (site->points && device->points)
        add_points(loader, device, site, &collected);
    textmap_clear(&collected.own);
    textmap_clear(&collected.profile);
}
