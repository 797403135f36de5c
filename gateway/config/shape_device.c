/* What is read: buses, devices and points, and what is stored of their readings. */
#include <stddef.h>

#include "config/shape_rows.h"

static const struct option defaults_rows[] = {EVERY_ROW(offsetof(struct policy, every_ns)),
                                              HEARTBEAT_ROW(offsetof(struct policy, heartbeat_ns)),
                                              {0}};

static const struct option report_rows[] = {
    {.key = "on_change",
     .type = OPTION_BOOL,
     .offset = offsetof(struct policy, on_change),
     .example = "true",
     .help = "store a reading only when it differs from the one stored before; without it every "
             "reading is stored"},
    {.key = "at_least",
     .type = OPTION_DURATION,
     .offset = offsetof(struct policy, at_least_ns),
     .minimum = 1.0 * NS_PER_MS,
     .maximum = 366 * DAY_NS,
     .example = "\"60s\"",
     .help = "with \"on_change\": store one at least this often, so that silence is not taken for "
             "calm"},
    {.key = "at_most",
     .type = OPTION_DURATION,
     .offset = offsetof(struct policy, at_most_ns),
     .minimum = 0,
     .maximum = 366 * DAY_NS,
     .example = "\"10s\"",
     .help = "store no more than one in this time; the newest of those that came in between is "
             "stored when it has passed. A change of quality does not wait. \"0s\": no limit"},
    {.key = "dead_band",
     .type = OPTION_BAND,
     .offset = offsetof(struct policy, dead_band),
     .maximum = 1e15,
     .example = "0.5",
     .help =
         "how far a number may move from the one stored last without being stored, in the "
         "point's unit, or as \"2%\" of the magnitude of the stored one; switches \"on_change\" "
         "on; 0: any change is stored"},
    {0},
};

static const struct option point_write_rows[] = {
    {.key = "min",
     .type = OPTION_NUMBER,
     .offset = offsetof(struct site_write, minimum),
     .example = "0",
     .help = "the lowest number that may be written, in the point's unit"},
    {.key = "max",
     .type = OPTION_NUMBER,
     .offset = offsetof(struct site_write, maximum),
     .example = "1",
     .help = "the highest"},
    {.key = "step",
     .type = OPTION_NUMBER,
     .offset = offsetof(struct site_write, step),
     .minimum = 0,
     .maximum = 1e15,
     .fallback = "0",
     .example = "0.5",
     .help =
         "only \"min\" (or 0) and multiples of this on top of it may be written; 0: any number"},
    {.key = "verify",
     .type = OPTION_BOOL,
     .offset = offsetof(struct site_write, verify),
     .fallback = "true",
     .help = "read back what was written, and fail when it is something else"},
    {0},
};

static const struct option bus_rows[] = {
    {.key = "id",
     .type = OPTION_ID,
     .offset = offsetof(struct bus_options, id),
     .required = true,
     .example = "\"rs485-1\"",
     .help = "permanent id of the bus, by which devices name it"},
    {.key = "name",
     .type = OPTION_TEXT,
     .offset = offsetof(struct bus_options, name),
     .maximum = STREAM_NAME_SIZE_MAX - 1,
     .example = "\"Line in hall 2\"",
     .help = "what people call it"},
    {.key = "driver",
     .type = OPTION_TEXT,
     .offset = offsetof(struct bus_options, driver),
     .required = true,
     .example = "\"modbus-tcp\"",
     .help = "what is spoken on the bus"},
    {0},
};

static const struct option device_rows[] = {
    {.key = "id",
     .type = OPTION_ID,
     .offset = offsetof(struct device_options, id),
     .required = true,
     .example = "\"boiler\"",
     .help = "permanent id of the device, unique in this gateway"},
    {.key = "name",
     .type = OPTION_TEXT,
     .offset = offsetof(struct device_options, name),
     .maximum = STREAM_NAME_SIZE_MAX - 1,
     .example = "\"Kessel\"",
     .help = "what people call it"},
    {.key = "vendor",
     .type = OPTION_TEXT,
     .offset = offsetof(struct device_options, vendor),
     .maximum = 64,
     .example = "\"Acme\"",
     .help = "who made it; the profile's unless given"},
    {.key = "model",
     .type = OPTION_TEXT,
     .offset = offsetof(struct device_options, model),
     .maximum = 64,
     .example = "\"B7\"",
     .help = "its model; the profile's unless given"},
    {.key = "bus",
     .type = OPTION_TEXT,
     .offset = offsetof(struct device_options, bus),
     .required = true,
     .example = "\"hall\"",
     .help = "id of the bus that the device is on"},
    {.key = "profile",
     .type = OPTION_TEXT,
     .offset = offsetof(struct device_options, profile),
     .maximum = 64,
     .example = "\"abb-b2x\"",
     .help =
         "name of a device profile, a file NAME.json that brings points and options; what stands "
         "here comes before it; points of the same id replace the profile's when they say how they "
         "are read, and refine it otherwise"},
    {.key = "was",
     .type = OPTION_TEXTS,
     .offset = offsetof(struct device_options, was),
     .pattern = ID_PATTERN,
     .example = "[\"heater\"]",
     .help = "earlier ids, whose history this device continues"},
    {.key = "also",
     .type = OPTION_TEXTS,
     .offset = offsetof(struct device_options, also),
     .pattern = "^([a-z0-9_-]{1,63}|\\*)$",
     .example = "[\"thd_voltage_l1\"]",
     .help = "points of the profile that are read besides those that it reads by default; \"*\": "
             "all"},
    {.key = "only",
     .type = OPTION_TEXTS,
     .offset = offsetof(struct device_options, only),
     .pattern = ID_PATTERN,
     .example = "[\"energy_import\"]",
     .help = "the points of the profile that are read, in place of those that it reads by default"},
    {.key = "verified",
     .type = OPTION_BOOL,
     .offset = offsetof(struct device_options, verified),
     .fallback = "false",
     .help = "whether somebody has compared readings with the device's display; takes the mark "
             "\"unverified\" from a device whose profile is not beyond doubt"},
    EVERY_ROW(offsetof(struct device_options, policy.every_ns)),
    HEARTBEAT_ROW(offsetof(struct device_options, policy.heartbeat_ns)),
    {0},
};

/* The readings' meaning in Home Assistant's and others' words: a counter must not be taken for a
 * gauge. */
const struct option_choice shape_state_choices[] = {
    {"measurement", 0, "a value of this moment"},
    {"total", 0, "a sum that may rise and fall"},
    {"total_increasing", 0, "a counter that only rises, and begins again at zero"},
    {0},
};

static const struct option point_rows[] = {POINT_ROWS, {0}};

const struct shape shape_point_write = {"\"write\"", "what may be written to the point",
                                        point_write_rows, NULL};
const struct shape shape_report = {"\"report\"", "which readings are stored", report_rows, NULL};

static const struct part report_parts[] = {REPORT_PART, {0}};
const struct shape shape_defaults = {
    "\"defaults\"", "what holds for points that do not say otherwise", defaults_rows, report_parts};

const struct shape shape_bus = {
    "a bus", "a serial line or a connection, with the driver's own options", bus_rows, NULL};

static const struct part point_parts[] = {
    REPORT_PART,
    {"enum", PART_ENUM, false, NULL,
     "texts for the values of the point: {\"0\": \"off\", \"1\": \"auto\"}"},
    {"write", PART_OBJECT, false, &shape_point_write,
     "the point may be written by commands, within these limits; {}: within those of its profile, "
     "or any value that its type holds; without it nothing is ever written"},
    {0},
};
const struct shape shape_point = {"a point", "a value that is read, with the driver's own options",
                                  point_rows, point_parts};

static const struct part device_parts[] = {
    REPORT_PART,
    {"points", PART_TABLE, false, &shape_point,
     "what is read from the device; or the name of a file that is a table of it (CSV)"},
    {0},
};
const struct shape shape_device = {"a device", "a device on a bus, with the driver's own options",
                                   device_rows, device_parts};
