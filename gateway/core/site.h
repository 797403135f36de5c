/*
 * What a gateway consists of, as the configuration says it: the descriptions that drivers poll by
 * and that uplinks publish as meta. Made by config/, read-only for everybody else, lives until the
 * configuration that made it is replaced and nobody uses it any more (config.h).
 */
#ifndef SLUICE_CORE_SITE_H
#define SLUICE_CORE_SITE_H

#include "core/event.h"
#include "core/option.h"

struct site_enum {
    int64_t value;
    const char *text;
};

/* Whether and what may be written to a point. */
struct site_write {
    bool allowed;
    double minimum, maximum; /* of a number, inclusive; infinite where there is no limit */
    double step;             /* only multiples of it on top of minimum (0 without one); 0: any */
    bool verify;             /* what was written is read back and compared */
};

struct site_point {
    const char *id;
    const char *name;        /* NULL where none is given, as the texts below */
    const char *unit;        /* as people write it: "°C" */
    const char *ucum;        /* UCUM code: "Cel" */
    const char *class;       /* "temperature" */
    const char *state;       /* "measurement", "total", "total_increasing" */
    struct option_texts was; /* earlier ids */
    const struct site_enum *enums;
    size_t enum_count;
    int64_t every_ns;    /* polling interval */
    int64_t at_least_ns; /* with on_change: one is stored at least this often; 0: no limit */
    int64_t at_most_ns;  /* no two are stored closer to each other; 0: no limit */
    struct option_band dead_band; /* with on_change: numbers this close do not differ */
    bool on_change;               /* store only what differs from the reading stored before */
    struct site_write write;
    uint8_t type; /* enum value_type of its readings: the driver says (driver.h) */
    int8_t decimals;
    double minimum, maximum; /* what is plausible, where minimum < maximum */
    void *options;           /* the driver's struct, by its point table */
};

struct site_device {
    const char *id;
    const char *name, *vendor, *model;
    const char *profile; /* NULL where it has none */
    bool unverified;     /* nobody has compared what the profile reads with a device of the model */
    struct option_texts was;
    /* Devices whose points are described alike have them in common: a point does not tell its
     * device. */
    struct site_point *points;
    uint32_t
        *streams; /* of each point, the journal's number; set by the daemon before drivers start */
    size_t point_count;
    int64_t heartbeat_ns; /* longest silence of a device that answers; 0: no limit */
    uint32_t stream;      /* of the device's own states (point "") */
    void *options;
    int line;
};

struct site_bus {
    const char *id;
    const char *name;
    const struct driver *driver; /* field/driver.h */
    struct site_device *devices;
    size_t device_count;
    void *options;
    uint32_t stream; /* of the bus itself (device "bus:ID"), for what is learnt of it; 0: none */
    uint64_t fingerprint; /* of all that this bus and its devices are configured with */
    int line;
};

struct site {
    const char *id, *name, *timezone;
    const char *time_from;        /* "DEVICE.POINT" that tells the time; NULL: none does */
    const char *hardware, *board; /* "" where unknown */
    const char *fingerprint;      /* of the whole configuration, hexadecimal, short */
    struct site_bus *buses;
    size_t bus_count;
};

/* The journal's number of a point's stream. */
static inline uint32_t site_point_stream(const struct site_device *device,
                                         const struct site_point *point)
{
    return device->streams[point - device->points];
}

#endif
