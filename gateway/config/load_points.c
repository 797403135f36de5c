/* The points of a device: those of its profile that it wants, refined or replaced by those of the
 * same id that it says itself, and then the rest of its own. */
#include <math.h>
#include <string.h>

#include "config/fingerprint.h"
#include "config/load.h"
#include "config/synonym.h"
#include "config/ucum.h"
#include "core/nearest.h"

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

static void load_point_enum(struct loader *loader, const struct layers *layers,
                            struct site_point *point)
{
    const struct json *map = NULL;
    for (size_t i = 0; i < 2 && !map; i++)
        if (layers->objects[i])
            map = decode_part(&loader->decoder, layers->objects[i], &shape_point, "enum");
    if (map)
        decode_enum(&loader->decoder, map, &point->enums, &point->enum_count);
    fingerprint_u64(&loader->decoder.hash, point->enum_count);
}

/* Without bounds both become 0: then nothing is implausible. */
static void load_range(struct loader *loader, const struct layers *layers, struct site_point *point)
{
    if (isinf(point->minimum) && isinf(point->maximum)) {
        point->minimum = point->maximum = 0;
    } else if (!(point->minimum < point->maximum) && decode_sound(layers, "min") &&
               decode_sound(layers, "max")) {
        const struct json *place = json_find(layers->objects[0], "max");
        findings_value(loader->decoder.findings, place ? place : layers->objects[0],
                       "\"min\" must be below \"max\"");
    }
}

/*
 * Only the configuration opens a point for writing: that a profile says it can be written is a
 * fact about the device, whose limits hold where the configuration names none. Read before the
 * driver's check, which says whether the point can be written at all.
 */
static void load_point_write(struct loader *loader, const struct layers *point_layers, bool own,
                             struct site_point *point)
{
    struct decoder *decoder = &loader->decoder;
    const struct json *object = NULL;
    struct site_write *write = &point->write;

    write->minimum = -INFINITY;
    write->maximum = INFINITY;
    if (own)
        object = decode_part(decoder, point_layers->objects[0], &shape_point, "write");
    write->allowed = object != NULL;
    fingerprint_u64(&decoder->hash, write->allowed);
    if (!object)
        return;
    const struct json *facts = json_find(point_layers->objects[1], "write");
    struct layers layers = {
        .objects = {object, facts && facts->type == JSON_OBJECT ? facts : NULL}};
    decode_keys(decoder, object, &shape_point_write, NULL, NULL, NULL);
    decode_options(decoder, shape_point_write.options, write, &layers);
    if (write->minimum > write->maximum && decode_sound(&layers, "min") &&
        decode_sound(&layers, "max")) {
        const struct json *place = json_find(object, "max");
        findings_value(decoder->findings, place ? place : object,
                       "\"write\": \"max\" is below \"min\"");
    }
}

/* `shapes` are those of the layers' objects. */
static void load_point(struct loader *loader, const struct loaded_device *device,
                       const struct layers *layers, const struct shape *const shapes[2],
                       struct site_point *point)
{
    struct decoder *decoder = &loader->decoder;
    struct policy policy = device->options.policy;
    const struct option_table *table = &device->driver->point;
    bool known = device->bus && device->bus->driver;
    struct stray stray = {loader, known ? device->driver : NULL, STRAY_POINT, false};
    const struct option *rows = known ? table->options : loader->any_point;
    memset(point, 0, sizeof(*point)); /* what is between its fields, too: see pool.h */
    point->every_ns = policy.every_ns;
    point->decimals = DECIMALS_SHORTEST;
    point->minimum = -INFINITY;
    point->maximum = INFINITY;
    for (size_t i = 0; i < 2 && layers->objects[i]; i++)
        decode_keys(decoder, layers->objects[i], shapes[i], rows, load_stray, &stray);
    decode_options(decoder, shape_point.options, point, layers);
    load_report(loader, layers->objects[0], layers->objects[1], &shape_point, &policy);
    load_point_enum(loader, layers, point);
    load_point_write(loader, layers, shapes[0] == &shape_point, point);
    load_range(loader, layers, point);
    point->on_change = policy.on_change;
    point->at_least_ns = policy.at_least_ns;
    point->at_most_ns = policy.at_most_ns;
    /* Numbers that stand for texts are not close to each other. */
    if (point->enum_count == 0)
        point->dead_band = policy.dead_band;
    if (point->unit && !point->ucum)
        point->ucum = ucum_of_unit(point->unit);
    if (table->struct_size == 0)
        return;
    point->options = arena_alloc(loader->scratch, table->struct_size);
    if (point->options)
        decode_options(decoder, table->options, point->options, layers);
}

struct collected {
    struct textmap own, profile;
    const struct json *own_list, *profile_list;
};

bool load_refines(const struct driver *driver, const struct json *own)
{
    const struct option *rows = driver->point.options;
    for (const struct json *item = own->first; item; item = item->next)
        if (option_find(rows, item->key) && !option_find(shape_point.options, item->key))
            return false;
    return true;
}

static bool has(const struct json *own, const char *key)
{
    for (const struct json *item = own->first; item; item = item->next)
        if (strcmp(item->key, key) == 0 || synonym_is(item->key, key))
            return true;
    return false;
}

/* Whether a key is missing without which no point is read. */
static bool lacks(const struct option *rows, const struct json *own)
{
    for (; rows && rows->key; rows++)
        if (rows->required && !has(own, rows->key))
            return true;
    return false;
}

/* A point that only refines one of the profile, and names none of them: its id is mistyped. True
 * where that is told, instead of all that such a point lacks. */
static bool tell_no_base(struct loader *loader, const struct loaded_device *device,
                         const struct json *own, const struct collected *collected)
{
    const struct json *id = id_of(own);
    struct nearest nearest;
    if (!device->profile || !id || !load_refines(device->driver, own) ||
        !lacks(device->driver->point.options, own))
        return false;
    nearest_init(&nearest, id->text);
    const struct json *node = collected->profile_list ? collected->profile_list->first : NULL;
    for (; node; node = node->next)
        if (id_of(node))
            nearest_offer(&nearest, id_of(node)->text);
    if (nearest.best)
        findings_value(loader->decoder.findings, id,
                       "the profile \"%s\" has no point \"%s\"; did you mean \"%s\"?",
                       device->options.profile, id->text, nearest.best);
    else
        findings_value(loader->decoder.findings, id,
                       "the profile \"%s\" has no point \"%s\", and this one does not say what it "
                       "is read from",
                       device->options.profile, id->text);
    return true;
}

static void add_point(struct loader *loader, struct loaded_device *device, struct site_device *site,
                      const struct json *own, const struct json *profile,
                      const struct collected *collected)
{
    const struct shape *shapes[2] = {&shape_point, &shape_profile_point};
    struct site_point *point = &site->points[site->point_count];
    struct layers layers = {.objects = {own, profile}};
    if (own && !load_refines(device->driver, own))
        layers.objects[1] = NULL;
    else if (own && !profile)
        layers.lost = device->profile_lost || tell_no_base(loader, device, own, collected);
    if (!own) {
        layers = (struct layers){.objects = {profile}};
        shapes[0] = &shape_profile_point;
    }
    load_point(loader, device, &layers, shapes, point);
    load_was_free(loader, &collected->own, layers.objects[0], &point->was);
    load_was_free(loader, &collected->profile, layers.objects[0], &point->was);
    device->points[site->point_count++] = layers;
}

static bool lists(const struct option_texts *list, const char *id)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], id) == 0)
            return true;
    return false;
}

/* Whether a point of the profile that the device has no word on is read. */
static bool is_read(const struct device_options *options, const struct json *point, const char *id)
{
    const struct json *read = json_find(point, profile_read_row->key);
    if (lists(&options->only, id) || lists(&options->also, id) || lists(&options->also, "*"))
        return true;
    return options->only.count == 0 && !(read && read->type == JSON_BOOL && !read->truth);
}

static void add_points(struct loader *loader, struct loaded_device *device,
                       struct site_device *site, const struct collected *collected)
{
    const struct json *node = collected->profile_list ? collected->profile_list->first : NULL;
    for (; node; node = node->next) {
        const struct json *id = id_of(node);
        const struct json *own = id ? textmap_find(&collected->own, id->text) : NULL;
        if (node->type == JSON_OBJECT && (own || !id || is_read(&device->options, node, id->text)))
            add_point(loader, device, site, own, node, collected);
    }
    node = collected->own_list ? collected->own_list->first : NULL;
    for (; node; node = node->next) {
        const struct json *id = id_of(node);
        if (node->type == JSON_OBJECT && (!id || !textmap_find(&collected->profile, id->text)))
            add_point(loader, device, site, node, NULL, collected);
    }
}

/* "also" and "only" name points of the profile. */
static void check_selection(struct loader *loader, const struct loaded_device *device,
                            const char *key, const struct option_texts *wanted,
                            const struct collected *collected)
{
    const struct json *list = json_find(device->node, key);
    const struct json *item = list ? list->first : NULL;
    if (device->profile_lost)
        return;
    for (size_t i = 0; i < wanted->count && item; i++, item = item->next) {
        struct nearest nearest;
        if (strcmp(wanted->items[i], "*") == 0 ||
            textmap_find(&collected->profile, wanted->items[i]))
            continue;
        nearest_init(&nearest, wanted->items[i]);
        const struct json *node = collected->profile_list ? collected->profile_list->first : NULL;
        for (; node; node = node->next)
            if (id_of(node))
                nearest_offer(&nearest, id_of(node)->text);
        findings_value(loader->decoder.findings, item,
                       nearest.best ? "found \"%s\"; the profile has no such point; did you mean "
                                      "\"%s\"?"
                                    : "found \"%s\"; the profile has no such point",
                       wanted->items[i], nearest.best);
    }
}

void load_points(struct loader *loader, struct loaded_device *device, struct site_device *site)
{
    struct collected collected = {0};
    struct decoder *decoder = &loader->decoder;
    collected.own_list = load_own_points(loader, device);
    if (device->profile)
        collected.profile_list =
            decode_part(decoder, device->profile->root, &shape_profile, "points");
    size_t room = (collected.own_list ? collected.own_list->count : 0) +
                  (collected.profile_list ? collected.profile_list->count : 0);
    loader->point_count += room;
    if (loader->point_count > POINTS_MAX) {
        findings_value(decoder->findings, device->node, "more than %d points in all", POINTS_MAX);
        return;
    }
    collect(loader, collected.own_list, &collected.own);
    collect(loader, collected.profile_list, &collected.profile);
    check_selection(loader, device, "also", &device->options.also, &collected);
    check_selection(loader, device, "only", &device->options.only, &collected);
    site->points = arena_array(loader->scratch, room, sizeof(*site->points));
    device->points = arena_array(loader->scratch, room, sizeof(*device->points));
    if (site->points && device->points)
        add_points(loader, device, site, &collected);
    site->streams = arena_array(decoder->arena, site->point_count, sizeof(*site->streams));
    textmap_clear(&collected.own);
    textmap_clear(&collected.profile);
}
