/* A device of a serial bus while it runs: whose a line is, what readings it gives, and whether the
 * device is up. */
#ifndef SLUICE_SERIAL_DEVICE_H
#define SLUICE_SERIAL_DEVICE_H

#include "field/driver.h"
#include "serial/options.h"
#include "serial/script.h"

struct device_point {
    const struct site_point *point;
    struct extract *extract;
    int64_t next_ns; /* when its next reading is wanted */
    bool wanted;     /* the reply at hand has not given it yet */
};

struct device {
    const struct site_device *site;
    const struct serial_device_options *options;
    struct driver_stats *stats;
    struct sink *sink;
    struct pattern *match, *when[SERIAL_WHEN_COUNT];
    struct script script; /* where it is asked */
    struct device_point *points;
    bool is_binary; /* zero bytes are content */
    int64_t interval_ns;
    int64_t next_ns; /* asked: when the next request is due; INT64_MAX: never */
    int64_t
        silent_ns; /* speaking by itself: when it counts as silent; INT64_MAX: it does already */
    unsigned failures;  /* in a row */
    bool told, told_up; /* whether its state was logged, and which */
};

enum device_took {
    DEVICE_NOT_MINE,
    DEVICE_TOOK,
    DEVICE_COMPLETE, /* and nothing more is wanted from this reply */
    DEVICE_SAID_NO,  /* it answered that there is no value: told, and the reply is over */
};

/* ERR_NOMEM. device_close may be called on a zeroed struct and on what failed to open. */
int device_open(struct device *device, const struct site_device *site, struct driver_stats *stats,
                struct sink *sink);
void device_close(struct device *device);

/* The port was opened: the device is asked, or must speak, from now on. */
void device_restart(struct device *device, int64_t now_ns);

/* Marks the points that the request due at next_ns is to give, and sets next_ns to the next one, in
 * step with the schedule. */
void device_begin(struct device *device, int64_t now_ns);

/* Offers a line without its end and checksum, the `reply`th of an exchange, that was read at
 * `now_ns`; publishes what it says. */
enum device_took device_offer(struct device *device, const char *line, size_t size, size_t reply,
                              int64_t now_ns);

/* Whether the line says that there is no value, and why: then the points at hand are told as bad.
 */
bool device_says_no(struct device *device, const char *line, size_t size, int64_t now_ns);

/* Whether it is asked less often, as it is down. */
bool device_is_down(const struct device *device);

/* The reply at hand was whole: the device is up. */
void device_answered(struct device *device, int64_t now_ns);

/* No whole reply came: what is still wanted is bad for the reason given; after some of these the
 * device is down and asked less often. */
void device_missed(struct device *device, int64_t now_ns, uint16_t status);

/* Nothing can be had from it (the port is gone, it fell silent): all its points are bad and it is
 * down. */
void device_lost(struct device *device, int64_t now_ns, uint16_t status);

#endif
