/* What the parts of the loader share while a configuration is read: load.c, load_devices.c,
 * profile.c. */
#ifndef SLUICE_CONFIG_LOAD_H
#define SLUICE_CONFIG_LOAD_H

#include "config/config.h"
#include "config/decode.h"
#include "field/driver.h"

#define PROFILES_MAX 255 /* different ones in one configuration */

struct loaded_device {
    const struct json *node;
    const struct profile *profile; /* NULL where it names none that could be read */
    bool profile_lost;             /* it names one that could not be read */
    struct device_options options;
    struct loaded_bus *bus;      /* NULL where it names none that exists */
    const struct driver *driver; /* the bus's; where that is not known the one that fits best */
    struct layers *points;       /* where each of its site_point stands */
    uint64_t hash;
};

struct loaded_bus {
    const struct json *node;     /* NULL: the bus of a device that names none that exists */
    const struct driver *driver; /* NULL where it names none that exists; a mistyped one counts */
    struct site_bus site;
    struct loaded_device **devices; /* where each of its site_device stands */
    size_t device_room;
    uint64_t hash;
};

struct profile {
    const char *name;
    const struct json *root; /* NULL when it could not be read: told */
    struct profile_options options;
};

#define TABLES_MAX 512 /* different ones in one configuration */

/* A file of points, by the rows of the driver that it was read for. */
struct table {
    const char *path;
    const struct option *rows;
    const struct json *root; /* NULL when it could not be read: told */
};

struct loader {
    struct decoder decoder;
    struct arena *scratch; /* the decoder's */
    const struct config_parts *parts;
    struct config *config;
    const struct json *root;
    struct policy defaults;
    struct loaded_bus *buses;
    struct loaded_device *devices;
    size_t bus_count, device_count, point_count;
    struct profile profiles[PROFILES_MAX];
    size_t profile_count;
    struct table tables[TABLES_MAX];
    size_t table_count;
    bool out_of_memory; /* beyond what the arenas remember */
    /* Every driver's rows in one, for devices and points whose driver is not known. */
    struct option *any_device, *any_point;
};

/* Reads "buses" and then "devices" into loader->config->site. */
void load_buses(struct loader *loader);
void load_devices(struct loader *loader);

/* The points of a device whose driver is known, and their part of its hash. `device_site->points`
 * is set, to memory that goes when reading is done: see load_share. */
void load_points(struct loader *loader, struct loaded_device *device,
                 struct site_device *device_site);

/* Reads "uplinks". */
void load_uplinks(struct loader *loader);

/* Lets each driver check its buses. */
void load_check(struct loader *loader);

/* The same for a device whose bus is not known, and with it nothing that relies on the bus. */
void load_check_alone(struct loader *loader, struct loaded_device *device,
                      struct site_device *site);

/* Whether a point that a device has on its own says nothing of how it is read: then its profile
 * does. */
bool load_refines(const struct driver *driver, const struct json *own);

/* The option by which a device names such a table. */
extern const struct option load_table_row;

/* The list of points that a device says itself, in the file or in a table of its own that "points"
 * names; NULL for none. */
const struct json *load_own_points(struct loader *loader, const struct loaded_device *device);

/* The driver that knows most of a device's keys, for one whose bus or driver is not known. */
const struct driver *load_likely_driver(const struct config_parts *parts,
                                        const struct json *device);

/* A struct for the options of a bus or a device; NULL where its driver has none or memory is out
 * (the arena remembers that). */
void *load_options_alloc(struct loader *loader, const struct option_table *table);

/* Moves the points from where they were read to where the site lives, alike ones once. Afterwards
 * nothing of them may change. */
void load_share(struct loader *loader);

/* Tells an id of a list's entry that stands twice, or an earlier id ("was") that somebody still
 * has; remembers it otherwise. */
void load_id_unique(struct loader *loader, struct textmap *ids, const struct json *object,
                    const char *id);
void load_was_free(struct loader *loader, const struct textmap *ids, const struct json *object,
                   const struct option_texts *was);

/* A list of the whole configuration; NULL where there is none, or it is told as too long. */
const struct json *load_list(struct loader *loader, const char *key, unsigned entries_max);

/* Whether each entry of a list is an object; those that are not are told. */
bool load_is_object(struct loader *loader, const struct json *entry);

/* The profile of that name, read once; NULL when there is none or it cannot be read: told at
 * `value`. */
const struct profile *load_profile(struct loader *loader, const struct json *value,
                                   const char *name);

/* Reads "report" of an object (and of the one below it) over the policy that is inherited. */
void load_report(struct loader *loader, const struct json *object, const struct json *below,
                 const struct shape *shape, struct policy *policy);

/* "modbus-rtu, modbus-tcp" into `out`. */
void load_driver_names(const struct loader *loader, char *out, size_t size);

/* Where keys of a bus's devices and points belong, for those that stand elsewhere. A
 * decode_stray_fn. */
struct stray {
    const struct loader *loader;
    const struct driver *driver; /* of the bus; may be NULL */
    enum stray_level { STRAY_BUS, STRAY_DEVICE, STRAY_POINT } level;
    bool profile; /* of such a device */
};
bool load_stray(void *context, const char *key, char *sentence, size_t size);

#endif
