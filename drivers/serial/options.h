/* What a serial bus, its devices and their points are configured with. The rows are in options.c.
 */
#ifndef SLUICE_SERIAL_OPTIONS_H
#define SLUICE_SERIAL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/option.h"
#include "core/site.h"
#include "serial/checksum.h"
#include "serial/extract.h"
#include "serial/line.h"
#include "serial/port.h"

#define SERIAL_INTERVAL_MIN_NS (10 * NS_PER_MS)

struct serial_bus_options {
    const char *port;
    struct port_settings line;
    const char *start;
    const char *end; /* NULL where none was given: "\r\n", or nothing for lines of a fixed length */
    int64_t length, length_max;
    int checksum, checksum_form;
    int64_t checksum_from;
    const char *checksum_mark;
    bool echo;
};

/* What a line that is no value says about the device. */
enum serial_when {
    SERIAL_WHEN_BUSY,
    SERIAL_WHEN_OUT_OF_RANGE,
    SERIAL_WHEN_NOT_AVAILABLE,
    SERIAL_WHEN_FAILED,
    SERIAL_WHEN_COUNT
};

struct serial_device_options {
    const char *request; /* NULL or "": it speaks by itself */
    const char *match;
    const char *when[SERIAL_WHEN_COUNT];
    int64_t timeout_ns, silent_after_ns;
    bool thin;
};

/* The rows of the bus's, a device's and a point's (struct extract_options) option tables. */
extern const struct option serial_bus_rows[], serial_device_rows[], serial_point_rows[];

/* How often a device is asked: as often as its most frequent point wants; INT64_MAX for one without
 * points. */
int64_t serial_interval(const struct site_device *device);

/* The status of a line that matched when[when]. */
uint16_t serial_when_status(enum serial_when when);

/* The framing and the checksum that a bus's options mean. */
void serial_framing(const struct serial_bus_options *options, struct line_framing *framing);
void serial_checksum(const struct serial_bus_options *options, struct checksum *checksum);

static inline bool serial_is_asked(const struct serial_device_options *options)
{
    return options->request && options->request[0];
}

#endif
