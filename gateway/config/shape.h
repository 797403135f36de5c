/*
 * Which keys an object of the configuration has: its options by table, and its parts, that is what
 * is nested in it. The reader, the schema and the reference page are made from these.
 */
#ifndef SLUICE_CONFIG_SHAPE_H
#define SLUICE_CONFIG_SHAPE_H

#include "core/option.h"

enum part_kind {
    PART_OBJECT,
    PART_LIST,    /* of objects */
    PART_TABLE,   /* the same, or the name of a file that holds it as a table (csv.h) */
    PART_ENUM,    /* an object from whole numbers to texts */
    PART_FACTS,   /* an object that is checked and of no meaning to the gateway */
    PART_REFUSED, /* a key that people expect and that is not to be used: `help` says what to do */
};

struct shape;

struct part {
    const char *key; /* NULL ends a list of parts */
    enum part_kind kind;
    bool required;
    const struct shape *shape;
    const char *help;
};

struct shape {
    const char *name; /* as in "a device has no key ..." */
    const char *help;
    const struct option
        *options; /* NULL-ended as in option.h; the driver's or uplink's come on top */
    const struct part *parts;
};

/* What a gateway's, bus's, ... own options are read into, besides the structs of core/site.h and
 * config.h. */
struct root_options {
    const char *schema;
    int64_t version;
};

struct bus_options {
    const char *id, *name, *driver;
};

/* How often a point is read and which of its readings are stored. */
struct policy {
    int64_t every_ns;
    bool on_change;
    int64_t at_least_ns, at_most_ns;
    struct option_band dead_band;
    int64_t heartbeat_ns; /* of devices */
};

struct device_options {
    const char *schema, *id, *name, *vendor, *model, *bus, *profile;
    struct option_texts was;
    struct option_texts also, only; /* points of the profile */
    bool verified;
    struct policy policy;
};

/* How sure it is that a profile is right. */
enum confidence { CONFIDENCE_UNSAID, CONFIDENCE_LOW, CONFIDENCE_MEDIUM, CONFIDENCE_HIGH };

/* What the registers of "assign" hold. */
enum assign_type { ASSIGN_U16, ASSIGN_F32 };

/* What a profile says of itself. */
struct profile_options {
    const char *schema, *vendor, *model, *category, *notes;
    struct option_texts drivers;
    int confidence; /* enum confidence */
    struct policy policy;
    /* "source" */
    const char *repository, *path, *commit, *license, *document;
    /* "confirmed" */
    const char *confirmed_at, *confirmed_device, *confirmed_by;
    struct option_texts confirmed_points;
    /* "assign" */
    int64_t unit_reg, baud_reg, format_reg, stop_reg;
    int assign_type; /* enum assign_type */
    struct option_texts bauds, formats;
    bool multiple, restart;
    const char *setup, *assign_source;
    int assign_confidence; /* enum confidence */
    /* "factory" */
    const char *line, *line_source;
    int64_t unit;
    /* of a point */
    bool read;
    double write_minimum, write_maximum;
};

struct uplink_own_options {
    const char *id;
};

#define CONFIG_VERSION      1
#define POLICY_EVERY_NS     (5 * NS_PER_S)
#define POLICY_HEARTBEAT_NS (60 * NS_PER_S)
#define ENUM_ENTRIES_MAX    1024
#define LIST_ENTRIES_MAX    10000 /* buses or devices */
#define ENUM_TEXT_SIZE_MAX  64
#define POINTS_MAX          200000
#define UPLINKS_MAX         32

/* An id (event.h) as a regular expression, for the schema. */
#define ID_PATTERN "^[a-z0-9_-]{1,63}$"

extern const struct shape shape_root, shape_gateway, shape_journal, shape_web, shape_defaults,
    shape_report, shape_bus, shape_device, shape_point, shape_uplink, shape_uplink_tls,
    shape_profile, shape_profile_point, shape_source, shape_factory, shape_assign, shape_confirmed,
    shape_write, shape_point_write;

/* The row of "read", for struct profile_options; the other rows of a profile's point are those of
 * struct site_point. */
extern const struct option *const profile_read_row;

/* The row of `key`, NULL where there is none or `options` is NULL. */
const struct option *option_find(const struct option *options, const char *key);
const struct part *part_find(const struct part *parts, const char *key);

#endif
