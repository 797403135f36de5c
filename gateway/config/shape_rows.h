/* Rows that stand at several levels. Used by the files of shape.h only. */
#ifndef SLUICE_CONFIG_SHAPE_ROWS_H
#define SLUICE_CONFIG_SHAPE_ROWS_H

#include "config/config.h"
#include "config/shape.h"
#include "core/clock.h"
#include "core/stream.h"

#define DAY_NS (24.0 * 3600 * NS_PER_S)

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

extern const struct option_choice shape_state_choices[];

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
         .choices = shape_state_choices,                                                           \
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

#define REPORT_PART                                                                                \
    {                                                                                              \
        "report", PART_OBJECT, false, &shape_report,                                               \
            "which readings are stored; taken from the same places as \"every\", key by key"       \
    }

#endif
