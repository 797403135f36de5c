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
#include "serial/port_rs485.h"

#define SERIAL_INTERVAL_MIN_NS (10 * NS_PER_MS)

#define SERIAL_MARK_MAX  16
#define SERIAL_STEPS_MAX 24

/* Bytes that mark a place in a line. */
struct serial_mark {
    bool given;
    char text[SERIAL_MARK_MAX + 1];
};

/*
 * How lines are told apart and checked. Stands at the bus and at a device: a device that gives
 * `start`, `end`, `length`, `length_field` or `silence` frames its lines by its own keys alone, and
 * one that gives `checksum` checks them by its own.
 */
struct serial_frame_options {
    struct serial_mark start, end; /* no end given: "\r\n", or nothing where something else ends
                                      the line */
    int64_t length, length_max;    /* length_max 0: as the bus */
    int length_field;
    int64_t length_at, length_plus;
    int64_t silence_ns;
    int checksum, checksum_form;
    int64_t checksum_from;
    struct serial_mark checksum_mark;
    bool checksum_after_end;
};

struct serial_bus_options {
    const char *port;
    struct port_settings line;
    struct serial_frame_options frame;
    struct port_rs485 rs485;
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

/* What the lines of a device are. */
enum serial_notation { SERIAL_TEXT, SERIAL_SML };

struct serial_device_options {
    int notation;              /* enum serial_notation */
    struct port_settings line; /* baud 0: as the bus */
    struct serial_frame_options frame;
    const char *address;          /* NULL: none */
    const char *request;          /* neither request nor exchange: it speaks by itself */
    struct option_texts exchange; /* steps (script.h) */
    int64_t retries;
    int64_t longest_wait_ns; /* for what a device says of the time that it needs */
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

extern const struct option_choice serial_checksum_kinds[], serial_checksum_forms[];

/*
 * The next byte of a text in which \r \n \t \\ \xHH stand for bytes; *text goes behind it. -1
 * where another backslash stands. Not at the text's end.
 */
int serial_parse_byte(const char **text);

/* An option_parse_fn for struct serial_mark: \r \n \t \\ \xHH stand for bytes. */
int serial_parse_mark(const char *text, void *field, char *why, size_t why_size);

/* The line, the framing and the checksum that hold for a device of a bus; the options must outlive
 * them. */
const struct port_settings *serial_line(const struct serial_bus_options *bus,
                                        const struct serial_device_options *device);
void serial_framing(const struct serial_bus_options *bus,
                    const struct serial_device_options *device, struct line_framing *framing);
void serial_checksum(const struct serial_bus_options *bus,
                     const struct serial_device_options *device, struct checksum *checksum);
int64_t serial_silence_ns(const struct serial_bus_options *bus,
                          const struct serial_device_options *device);

/* Whether a device says how its lines are told apart or checked, in place of its bus. */
bool serial_frames_itself(const struct serial_device_options *device);

static inline bool serial_is_asked(const struct serial_device_options *options)
{
    return (options->request && options->request[0]) || options->exchange.count > 0;
}

#endif
