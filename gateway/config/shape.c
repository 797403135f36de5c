/* What holds for the whole gateway: who it is, its journal, its uplinks. */
#include "config/shape.h"

#include <string.h>

#include "config/shape_rows.h"

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
    {.key = "time_from",
     .type = OPTION_TEXT,
     .offset = offsetof(struct site, time_from),
     .maximum = 128,
     .example = "\"gps.utc\"",
     .help = "the point that tells the time where no time server is reached, as DEVICE.POINT: "
             "seconds since 1970, as \"utc\" of the profile nmea-0183-gnss"},
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

static const struct option uplink_rows[] = {
    {.key = "id",
     .type = OPTION_ID,
     .offset = offsetof(struct uplink_own_options, id),
     .required = true,
     .example = "\"cloud\"",
     .help = "permanent id of the uplink: names its place in the journal"},
    {0},
};

const struct shape shape_gateway = {"the gateway", "who this gateway is", gateway_rows, NULL};
const struct shape shape_journal = {"the journal", "how events are stored", journal_rows, NULL};
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
    {"web", PART_OBJECT, false, &shape_web, "the web page and the API over the network"},
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
