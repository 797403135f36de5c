#include "config/shape.h"

#include <string.h>

#include "config/config.h"
#include "core/clock.h"
#include "core/stream.h"

#define DAY_NS (24.0 * 3600 * NS_PER_S)

static const struct option root_rows[] = {
    {.key = "$schema",
     .type = OPTION_TEXT,
     .offset = offsetof(struct root_options, schema),
     .example = "\"config.schema.json\"",
     .help = "where editors find the schema of this file; of no meaning to the gateway"},
    {.key = "version",
     .type = OPTION_INT,
     .offset = offsetof(struct root_options, version),
     .required = true,
     .minimum = CONFIG_VERSION,
     .maximum = CONFIG_VERSION,
     .example = "1",
     .help = "version of this file's format"},
    {0},
};

static const struct option gateway_rows[] = {
    {.key = "id",
     .type = OPTION_ID,
     .offset = offsetof(struct site, id),
     .required = true,
     .example = "\"plant7\"",
     .help = "permanent id of this gateway: part of topics, keys and the MQTT client id"},
    {.key = "name",
     .type = OPTION_TEXT,
     .offset = offsetof(struct site, name),
     .maximum = STREAM_NAME_SIZE_MAX - 1,
     .example = "\"Plant 7, boiler room\"",
     .help = "what people call it, in any language; may change"},
    {.key = "timezone",
     .type = OPTION_TEXT,
     .offset = offsetof(struct site, timezone),
     .maximum = 64,
     .fallback = "\"UTC\"",
     .example = "\"Europe/Berlin\"",
     .help = "time zone of the place by its IANA name, by whose midnight intervals with \"align\" "
             "count; published times are UTC"},
    {.key = "hw",
     .type = OPTION_TEXT,
     .offset = offsetof(struct site, hardware),
     .maximum = 64,
     .fallback = "\"\"",
     .example = "\"SN00412\"",
     .help = "serial number or inventory number of the box, published as it stands"},
    {0},
};

/* The values are those of enum journal_when_full. */
static const struct option_choice when_full_choices[] = {
    {"drop-oldest", 0, "the oldest segment makes room; what was not delivered is told as a gap"},
    {"refuse-newest", 1, "nothing stored is dropped; new readings are refused and told as a gap"},
    {0},
};

static const struct option_choice sector_choices[] = {
    {"auto", CONFIG_SECTOR_AUTO, "on for SD cards, eMMC and USB sticks"},
    {"on", CONFIG_SECTOR_ON,
     "each commit begins on a fresh sector: for media that tear what they rewrite"},
    {"off", CONFIG_SECTOR_OFF, "commits follow one another: least wear"},
    {0},
};

static const struct option journal_rows[] = {
    {.key = "path",
     .type = OPTION_PATH,
     .offset = offsetof(struct config_journal, path),
     .fallback = "\"\"",
     .example = "\"/var/lib/sluice/journal\"",
     .help = "folder of the journal; without it the daemon's own choice"},
    {.key = "keep",
     .type = OPTION_SIZE,
     .offset = offsetof(struct config_journal, keep_bytes),
     .minimum = 1 << 20,
     .maximum = 1e15,
     .fallback = "\"1GiB\"",
     .example = "\"8GiB\"",
     .help = "how much of the disk the journal may take"},
    {.key = "max_age",
     .type = OPTION_DURATION,
     .offset = offsetof(struct config_journal, max_age_ns),
     .minimum = 60.0 * NS_PER_S,
     .maximum = 36500 * DAY_NS,
     .example = "\"90d\"",
     .help = "how long events are kept at most; without it as long as there is room"},
    {.key = "when_full",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct config_journal, when_full),
     .choices = when_full_choices,
     .fallback = "\"drop-oldest\"",
     .example = "\"drop-oldest\"",
     .help = "what gives way when the journal is full"},
    {.key = "commit",
     .type = OPTION_DURATION,
     .offset = offsetof(struct config_journal, commit_ns),
     .minimum = 1.0 * NS_PER_MS,
     .maximum = 60.0 * NS_PER_S,
     .fallback = "\"250ms\"",
     .example = "\"250ms\"",
     .help =
         "longest time that an event waits before it is made durable: what a power cut may take, "
         "against the wear of the disk"},
    {.key = "segment",
     .type = OPTION_SIZE,
     .offset = offsetof(struct config_journal, segment_bytes),
     .minimum = 64 << 10,
     .maximum = 1 << 30,
     .example = "\"8MiB\"",
     .help = "size of one file of the journal; without it chosen by \"keep\""},
    {.key = "sector",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct config_journal, sector),
     .choices = sector_choices,
     .fallback = "\"auto\"",
     .example = "\"auto\"",
     .help = "whether commits begin on a fresh sector of the medium"},
    {0},
};

/* Without a fallback: where it is absent the field keeps what was inherited. */
#define EVERY_ROW(field_offset)                                                                    \
    {                                                                                              \
        .key = "every", .type = OPTION_DURATION, .offset = (field_offset),                         \
        .minimum = 100.0 * NS_PER_US, .maximum = 366 * DAY_NS, .example = "\"1s\"",                \
        .help = "how often a point is read; the point's own comes first, then its device's, its "  \
                "profile's, that of \"defaults\", and at last 5s"                                  \
    }

#define HEARTBEAT_ROW(field_offset)                                                                \
    {                                                                                              \
        .key = "heartbeat", .type = OPTION_DURATION, .offset = (field_offset), .minimum = 0,       \
        .maximum = 366 * DAY_NS, .example = "\"60s\"",                                             \
        .help = "longest silence of a device that answers while none of its points has anything "  \
                "to report: then its state is told once more; the device's own comes first, then " \
                "its profile's, that of \"defaults\", and at last 60s; \"0s\": never"              \
    }

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
static const struct option_choice state_choices[] = {
    {"measurement", 0, "a value of this moment"},
    {"total", 0, "a sum that may rise and fall"},
    {"total_increasing", 0, "a counter that only rises, and begins again at zero"},
    {0},
};

#define POINT_ROWS                                                                                 \
    {.key = "id",                                                                                  \
     .type = OPTION_ID,                                                                            \
     .offset = offsetof(struct site_point, id),                                                    \
     .required = true,                                                                             \
     .example = "\"supply_temp\"",                                                                 \
     .help = "permanent id of the point, unique in its device"},                                   \
        {.key = "name",                                                                            \
         .type = OPTION_TEXT,                                                                      \
         .offset = offsetof(struct site_point, name),                                              \
         .maximum = STREAM_NAME_SIZE_MAX - 1,                                                      \
         .example = "\"Vorlauf\"",                                                                 \
         .help = "what people call it"},                                                           \
        {.key = "unit",                                                                            \
         .type = OPTION_TEXT,                                                                      \
         .offset = offsetof(struct site_point, unit),                                              \
         .maximum = STREAM_UNIT_SIZE_MAX - 1,                                                      \
         .example = "\"°C\"",                                                                      \
         .help = "unit of the value as people write it"},                                          \
        {.key = "ucum",                                                                            \
         .type = OPTION_TEXT,                                                                      \
         .offset = offsetof(struct site_point, ucum),                                              \
         .maximum = STREAM_UNIT_SIZE_MAX - 1,                                                      \
         .example = "\"Cel\"",                                                                     \
         .help = "the unit's UCUM code; known by itself for common units"},                        \
        {.key = "class",                                                                           \
         .type = OPTION_TEXT,                                                                      \
         .offset = offsetof(struct site_point, class),                                             \
         .maximum = 64,                                                                            \
         .example = "\"temperature\"",                                                             \
         .help = "what kind of quantity it is, published as it stands"},                           \
        {.key = "state",                                                                           \
         .type = OPTION_TEXT,                                                                      \
         .offset = offsetof(struct site_point, state),                                             \
         .choices = state_choices,                                                                 \
         .example = "\"measurement\"",                                                             \
         .help = "how the values of the point are to be read"},                                    \
        {.key = "was",                                                                             \
         .type = OPTION_TEXTS,                                                                     \
         .offset = offsetof(struct site_point, was),                                               \
         .pattern = ID_PATTERN,                                                                    \
         .example = "[\"durchfluss\"]",                                                            \
         .help = "earlier ids, whose history this point continues"},                               \
        {.key = "min",                                                                             \
         .type = OPTION_NUMBER,                                                                    \
         .offset = offsetof(struct site_point, minimum),                                           \
         .example = "-40",                                                                         \
         .help = "the least that is plausible: a value below it is published as uncertain "        \
                 "(\"implausible\")"},                                                             \
        {.key = "max",                                                                             \
         .type = OPTION_NUMBER,                                                                    \
         .offset = offsetof(struct site_point, maximum),                                           \
         .example = "120",                                                                         \
         .help = "the most that is plausible"},                                                    \
        EVERY_ROW(offsetof(struct site_point, every_ns))

static const struct option point_rows[] = {POINT_ROWS, {0}};

static const struct option profile_point_rows[] = {
    POINT_ROWS,
    {.key = "read",
     .type = OPTION_BOOL,
     .offset = offsetof(struct profile_options, read),
     .fallback = "true",
     .help = "whether the point is read without being asked for by the device's \"also\" or "
             "\"only\""},
    {0},
};

/* The row of "read" alone: the others are of a point. */
const struct option *const profile_read_row =
    &profile_point_rows[sizeof(profile_point_rows) / sizeof(profile_point_rows[0]) - 2];

static const struct option uplink_rows[] = {
    {.key = "id",
     .type = OPTION_ID,
     .offset = offsetof(struct uplink_own_options, id),
     .required = true,
     .example = "\"cloud\"",
     .help = "permanent id of the uplink: names its place in the journal"},
    {0},
};

static const struct option_choice confidence_choices[] = {
    {"low", CONFIDENCE_LOW, "inferred: compare every reading"},
    {"medium", CONFIDENCE_MEDIUM, "one maintained source"},
    {"high", CONFIDENCE_HIGH, "two sources agree, or one that many devices are read with"},
    {0},
};

static const struct option profile_rows[] = {
    {.key = "$schema",
     .type = OPTION_TEXT,
     .offset = offsetof(struct profile_options, schema),
     .help = "where editors find a schema; of no meaning to the gateway"},
    {.key = "vendor",
     .type = OPTION_TEXT,
     .offset = offsetof(struct profile_options, vendor),
     .maximum = 64,
     .help = "who makes the device"},
    {.key = "model",
     .type = OPTION_TEXT,
     .offset = offsetof(struct profile_options, model),
     .maximum = 64,
     .help = "its model"},
    {.key = "category",
     .type = OPTION_TEXT,
     .offset = offsetof(struct profile_options, category),
     .maximum = 64,
     .example = "\"energy-meter\"",
     .help = "what kind of device it is"},
    {.key = "drivers",
     .type = OPTION_TEXTS,
     .offset = offsetof(struct profile_options, drivers),
     .example = "[\"modbus-rtu\"]",
     .help = "the drivers of the buses that it can be on, the usual one first"},
    {.key = "confidence",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct profile_options, confidence),
     .choices = confidence_choices,
     .help = "how sure it is that the profile is right; what is not \"high\" is marked "
             "\"unverified\""},
    {.key = "notes",
     .type = OPTION_TEXT,
     .offset = offsetof(struct profile_options, notes),
     .maximum = 1000,
     .help = "what somebody who uses it should know"},
    EVERY_ROW(offsetof(struct profile_options, policy.every_ns)),
    HEARTBEAT_ROW(offsetof(struct profile_options, policy.heartbeat_ns)),
    {0},
};

#define FACT_ROW(name, field, text)                                                                \
    {                                                                                              \
        .key = name, .type = OPTION_TEXT, .offset = offsetof(struct profile_options, field),       \
        .maximum = 400, .help = text                                                               \
    }

static const struct option source_rows[] = {
    FACT_ROW("repository", repository, "the public repository that the facts were taken from"),
    FACT_ROW("path", path, "the file in it"),
    FACT_ROW("commit", commit, "its version"),
    FACT_ROW("license", license, "the licence of that file; the profile holds facts only"),
    FACT_ROW("document", document, "the maker's document"),
    {0},
};

static const struct option factory_rows[] = {
    {.key = "line",
     .type = OPTION_TEXT,
     .offset = offsetof(struct profile_options, line),
     .maximum = 32,
     .example = "\"9600 8N1\"",
     .help = "the line's settings"},
    {.key = "unit",
     .type = OPTION_INT,
     .offset = offsetof(struct profile_options, unit),
     .minimum = 0,
     .maximum = 255,
     .help = "the unit number"},
    FACT_ROW("source", line_source, "who says so"),
    {0},
};

static const struct option_choice assign_types[] = {
    {"u16", ASSIGN_U16, "a register each"},
    {"f32", ASSIGN_F32, "a float in two registers each, written by function 16"},
    {0},
};

static const struct option assign_rows[] = {
    {.key = "unit_reg",
     .type = OPTION_INT,
     .offset = offsetof(struct profile_options, unit_reg),
     .required = true,
     .maximum = 65535,
     .example = "20",
     .help = "the holding register, counted from 0, that holds the unit number"},
    {.key = "baud_reg",
     .type = OPTION_INT,
     .offset = offsetof(struct profile_options, baud_reg),
     .maximum = 65535,
     .example = "28",
     .help = "the one that holds a code of the baud; only together with \"bauds\""},
    {.key = "bauds",
     .type = OPTION_TEXTS,
     .offset = offsetof(struct profile_options, bauds),
     .example = "[\"9600=2\", \"19200=3\"]",
     .help = "which code stands for which baud, each as BAUD=CODE"},
    {.key = "type",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct profile_options, assign_type),
     .choices = assign_types,
     .fallback = "\"u16\"",
     .help = "what these registers hold"},
    {.key = "multiple",
     .type = OPTION_BOOL,
     .offset = offsetof(struct profile_options, multiple),
     .fallback = "false",
     .help = "single registers, too, are written by function 16"},
    {.key = "restart",
     .type = OPTION_BOOL,
     .offset = offsetof(struct profile_options, restart),
     .fallback = "false",
     .help = "what was written may hold only when the device was switched off and on"},
    FACT_ROW("setup", setup, "what has to be done at the device so that it takes the writes"),
    {.key = "confidence",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct profile_options, assign_confidence),
     .choices = confidence_choices,
     .help = "how sure it is that these registers are right"},
    FACT_ROW("source", assign_source, "who says so"),
    {0},
};

static const struct option write_rows[] = {
    {.key = "min",
     .type = OPTION_NUMBER,
     .offset = offsetof(struct profile_options, write_minimum),
     .help = "the least that may be written"},
    {.key = "max",
     .type = OPTION_NUMBER,
     .offset = offsetof(struct profile_options, write_maximum),
     .help = "the most that may be written"},
    {0},
};

const struct shape shape_gateway = {"the gateway", "who this gateway is", gateway_rows, NULL};
const struct shape shape_journal = {"the journal", "how events are stored", journal_rows, NULL};
const struct shape shape_point_write = {"\"write\"", "what may be written to the point",
                                        point_write_rows, NULL};
const struct shape shape_report = {"\"report\"", "which readings are stored", report_rows, NULL};

#define REPORT_PART                                                                                \
    {                                                                                              \
        "report", PART_OBJECT, false, &shape_report,                                               \
            "which readings are stored; taken from the same places as \"every\", key by key"       \
    }

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

const struct shape shape_write = {"\"write\"",
                                  "the device lets the point be written, which a configuration may "
                                  "then allow by \"write\" at its own point of that id. Without "
                                  "bounds it is not known which values the device takes",
                                  write_rows, NULL};
static const struct part profile_point_parts[] = {
    REPORT_PART,
    {"enum", PART_ENUM, false, NULL,
     "texts for the values of the point: {\"0\": \"off\", \"1\": \"auto\"}"},
    {"write", PART_FACTS, false, &shape_write, "the device lets the point be written"},
    {0},
};
const struct shape shape_profile_point = {
    "a point of a profile", "a value that devices of the model have, with the driver's own options",
    profile_point_rows, profile_point_parts};

static const struct part device_parts[] = {
    REPORT_PART,
    {"points", PART_TABLE, false, &shape_point,
     "what is read from the device; or the name of a file that is a table of it (CSV)"},
    {0},
};
const struct shape shape_device = {"a device", "a device on a bus, with the driver's own options",
                                   device_rows, device_parts};

const struct shape shape_source = {"\"source\"", "where the profile's facts come from", source_rows,
                                   NULL};
static const struct option confirmed_rows[] = {
    {.key = "at",
     .type = OPTION_TEXT,
     .offset = offsetof(struct profile_options, confirmed_at),
     .required = true,
     .maximum = 32,
     .example = "\"2026-11-27\"",
     .help = "when"},
    {.key = "device",
     .type = OPTION_TEXT,
     .offset = offsetof(struct profile_options, confirmed_device),
     .maximum = 64,
     .help = "at which device"},
    {.key = "points",
     .type = OPTION_TEXTS,
     .offset = offsetof(struct profile_options, confirmed_points),
     .pattern = ID_PATTERN,
     .example = "[\"voltage_l1_n\"]",
     .help = "whose readings were compared"},
    {.key = "by",
     .type = OPTION_TEXT,
     .offset = offsetof(struct profile_options, confirmed_by),
     .maximum = 64,
     .help = "by whom"},
    {0},
};

const struct shape shape_confirmed = {"\"confirmed\"",
                                      "somebody has compared readings with a device's display",
                                      confirmed_rows, NULL};
const struct shape shape_factory = {"\"factory\"", "what a new device is set to", factory_rows,
                                    NULL};
const struct shape shape_assign = {"\"assign\"",
                                   "by which registers sluice assign gives a device its unit and "
                                   "its baud",
                                   assign_rows, NULL};
static const struct part profile_parts[] = {
    REPORT_PART,
    {"source", PART_FACTS, false, &shape_source, "where the profile's facts come from"},
    {"factory", PART_FACTS, false, &shape_factory, "what a new device is set to"},
    {"assign", PART_FACTS, false, &shape_assign,
     "by which registers sluice assign gives a device its unit and its baud"},
    {"confirmed", PART_FACTS, false, &shape_confirmed,
     "somebody has compared readings with a device's display (\"sluice profile confirm\"): takes "
     "the mark \"unverified\" from the profile"},
    {"points", PART_LIST, false, &shape_profile_point, "what can be read from the device"},
    {0},
};
const struct shape shape_profile = {"a profile", "what all devices of a model have in common",
                                    profile_rows, profile_parts};

const struct shape shape_uplink_tls = {"\"tls\"", "encryption of the connection", NULL, NULL};
static const struct part uplink_parts[] = {
    {"tls", PART_OBJECT, false, &shape_uplink_tls, "encryption of the connection"},
    {"password", PART_REFUSED, false, NULL,
     "secrets do not stand in this file: write the password into a file of its own and name that "
     "in "
     "\"password_file\""},
    {0},
};
const struct shape shape_uplink = {"an uplink", "a broker that events are published to",
                                   uplink_rows, uplink_parts};

static const struct part root_parts[] = {
    {"gateway", PART_OBJECT, true, &shape_gateway, "who this gateway is"},
    {"journal", PART_OBJECT, false, &shape_journal, "how events are stored"},
    {"defaults", PART_OBJECT, false, &shape_defaults,
     "what holds for points that do not say otherwise"},
    {"buses", PART_LIST, false, &shape_bus, "the lines and connections to devices"},
    {"devices", PART_LIST, false, &shape_device, "the devices on the buses, with their points"},
    {"uplinks", PART_LIST, false, &shape_uplink, "the brokers that events are published to"},
    {0},
};
const struct shape shape_root = {"the configuration", "configuration of a Sluice gateway",
                                 root_rows, root_parts};

const struct option *option_find(const struct option *options, const char *key)
{
    for (; options && options->key; options++)
        if (strcmp(options->key, key) == 0)
            return options;
    return NULL;
}

const struct part *part_find(const struct part *parts, const char *key)
{
    for (; parts && parts->key; parts++)
        if (strcmp(parts->key, key) == 0)
            return parts;
    return NULL;
}
