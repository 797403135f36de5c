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
     .help =
         "time zone of the place by its IANA name, for what people read; published times are UTC"},
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
        .minimum = 100.0 * NS_PER_US, .maximum = 366 * DAY_NS, .example = "\"1s\"",                  \
        .help = "how often a point is read; the point's own comes first, then its device's, its "  \
                "profile's, that of \"defaults\", and at last 5s"                                  \
    }

static const struct option defaults_rows[] = {EVERY_ROW(offsetof(struct policy, every_ns)), {0}};

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
         "here comes before it, and points of the same id replace the profile's"},
    {.key = "was",
     .type = OPTION_TEXTS,
     .offset = offsetof(struct device_options, was),
     .pattern = ID_PATTERN,
     .example = "[\"heater\"]",
     .help = "earlier ids, whose history this device continues"},
    EVERY_ROW(offsetof(struct device_options, policy.every_ns)),
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

static const struct option point_rows[] = {
    {.key = "id",
     .type = OPTION_ID,
     .offset = offsetof(struct site_point, id),
     .required = true,
     .example = "\"supply_temp\"",
     .help = "permanent id of the point, unique in its device"},
    {.key = "name",
     .type = OPTION_TEXT,
     .offset = offsetof(struct site_point, name),
     .maximum = STREAM_NAME_SIZE_MAX - 1,
     .example = "\"Vorlauf\"",
     .help = "what people call it"},
    {.key = "unit",
     .type = OPTION_TEXT,
     .offset = offsetof(struct site_point, unit),
     .maximum = STREAM_UNIT_SIZE_MAX - 1,
     .example = "\"°C\"",
     .help = "unit of the value as people write it"},
    {.key = "ucum",
     .type = OPTION_TEXT,
     .offset = offsetof(struct site_point, ucum),
     .maximum = STREAM_UNIT_SIZE_MAX - 1,
     .example = "\"Cel\"",
     .help = "the unit's UCUM code; known by itself for common units"},
    {.key = "class",
     .type = OPTION_TEXT,
     .offset = offsetof(struct site_point, class),
     .maximum = 64,
     .example = "\"temperature\"",
     .help = "what kind of quantity it is, published as it stands"},
    {.key = "state",
     .type = OPTION_TEXT,
     .offset = offsetof(struct site_point, state),
     .choices = state_choices,
     .example = "\"measurement\"",
     .help = "how the values of the point are to be read"},
    {.key = "was",
     .type = OPTION_TEXTS,
     .offset = offsetof(struct site_point, was),
     .pattern = ID_PATTERN,
     .example = "[\"durchfluss\"]",
     .help = "earlier ids, whose history this point continues"},
    EVERY_ROW(offsetof(struct site_point, every_ns)),
    {0},
};

static const struct option uplink_rows[] = {
    {.key = "id",
     .type = OPTION_ID,
     .offset = offsetof(struct uplink_own_options, id),
     .required = true,
     .example = "\"cloud\"",
     .help = "permanent id of the uplink: names its place in the journal"},
    {0},
};

static const struct option profile_rows[] = {
    {.key = "$schema",
     .type = OPTION_TEXT,
     .offset = offsetof(struct device_options, schema),
     .help = "where editors find a schema; of no meaning to the gateway"},
    {.key = "vendor",
     .type = OPTION_TEXT,
     .offset = offsetof(struct device_options, vendor),
     .maximum = 64,
     .help = "who makes the device"},
    {.key = "model",
     .type = OPTION_TEXT,
     .offset = offsetof(struct device_options, model),
     .maximum = 64,
     .help = "its model"},
    EVERY_ROW(offsetof(struct device_options, policy.every_ns)),
    {0},
};

const struct shape shape_gateway = {"the gateway", "who this gateway is", gateway_rows, NULL};
const struct shape shape_journal = {"the journal", "how events are stored", journal_rows, NULL};
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
    {"write", PART_REFUSED, false, NULL,
     "writing points is not supported by this version: leave it out"},
    {0},
};
const struct shape shape_point = {"a point", "a value that is read, with the driver's own options",
                                  point_rows, point_parts};

static const struct part device_parts[] = {
    REPORT_PART,
    {"points", PART_LIST, false, &shape_point, "what is read from the device"},
    {0},
};
const struct shape shape_device = {"a device", "a device on a bus, with the driver's own options",
                                   device_rows, device_parts};
const struct shape shape_profile = {"a profile", "what all devices of a model have in common",
                                    profile_rows, device_parts};

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
