/* What a device profile says. */
#include <stddef.h>

#include "config/shape_rows.h"

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
    {.key = "format_reg",
     .type = OPTION_INT,
     .offset = offsetof(struct profile_options, format_reg),
     .maximum = 65535,
     .example = "18",
     .help = "the one that holds a code of parity and stop bits; only together with \"formats\""},
    {.key = "stop_reg",
     .type = OPTION_INT,
     .offset = offsetof(struct profile_options, stop_reg),
     .maximum = 65535,
     .example = "112",
     .help = "where the stop bits have a register of their own: that one; \"format_reg\" is then "
             "the one of the parity"},
    {.key = "formats",
     .type = OPTION_TEXTS,
     .offset = offsetof(struct profile_options, formats),
     .example = "[\"8N1=0\", \"8E1=1\"]",
     .help = "which code stands for which data bits, parity and stop bits, each as FORMAT=CODE; "
             "with \"stop_reg\" as FORMAT=PARITY/STOP"},
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
                                   "its line's settings",
                                   assign_rows, NULL};
static const struct part profile_parts[] = {
    REPORT_PART,
    {"source", PART_FACTS, false, &shape_source, "where the profile's facts come from"},
    {"factory", PART_FACTS, false, &shape_factory, "what a new device is set to"},
    {"assign", PART_FACTS, false, &shape_assign,
     "by which registers sluice assign gives a device its unit and its line's settings"},
    {"confirmed", PART_FACTS, false, &shape_confirmed,
     "somebody has compared readings with a device's display (\"sluice profile confirm\"): takes "
     "the mark \"unverified\" from the profile"},
    {"points", PART_LIST, false, &shape_profile_point, "what can be read from the device"},
    {0},
};
const struct shape shape_profile = {"a profile", "what all devices of a model have in common",
                                    profile_rows, profile_parts};
