/*
 * Drivers and an uplink of the tests' own: every type of option, tables that two drivers share, and
 * a check. So that the tests of the reader stay what they are when a real driver gets another
 * option.
 */
#ifndef TESTS_UNIT_CONFIG_PARTS_H
#define TESTS_UNIT_CONFIG_PARTS_H

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "core/error.h"
#include "field/driver.h"

struct line_bus {
    const char *port;
    int baud;
    int64_t timeout_ns;
};

struct net_bus {
    const char *host;
    int64_t timeout_ns;
};

struct meter_device {
    int64_t unit;
    int numbering;
};

struct meter_point {
    int64_t reg;
    int type;
    double scale;
    struct option_numbers sentinels;
    bool swap;
};

struct nmea_point {
    const char *sentence;
    int64_t field;
};

struct broker {
    const char *id, *url, *user, *password_file;
    int layout;
    int64_t linger_ns, budget_bytes_month;
    bool tls;
    const char *ca, *key;
    struct option_texts alpn;
};

/* "9600 8E1" and nothing else: the number in front counts. */
static int parse_baud(const char *text, void *field, char *why, size_t why_size)
{
    int baud = atoi(text);
    if (baud != 9600 && baud != 19200) {
        snprintf(why, why_size, "9600 or 19200 with data bits, parity and stop bits: \"9600 8E1\"");
        return ERR_INVALID;
    }
    *(int *)field = baud;
    return 0;
}

#define TIMEOUT_ROW(type_of_struct)                                                                \
    {                                                                                              \
        .key = "timeout", .type = OPTION_DURATION,                                                 \
        .offset = offsetof(struct type_of_struct, timeout_ns), .minimum = 1e6, .maximum = 60e9,    \
        .fallback = "\"500ms\"", .help = "How long a reply may take."                              \
    }

static const struct option line_bus_rows[] = {
    {.key = "port",
     .type = OPTION_TEXT,
     .offset = offsetof(struct line_bus, port),
     .required = true,
     .maximum = 100,
     .help = "The serial port."},
    {.key = "line",
     .type = OPTION_PARSED,
     .offset = offsetof(struct line_bus, baud),
     .parse = parse_baud,
     .pattern = "^(9600|19200)( 8[NEO][12])?$",
     .fallback = "\"19200 8E1\"",
     .help = "Baud rate and format."},
    TIMEOUT_ROW(line_bus),
    {0},
};

static const struct option net_bus_rows[] = {
    {.key = "host",
     .type = OPTION_TEXT,
     .offset = offsetof(struct net_bus, host),
     .required = true,
     .help = "Address and port."},
    TIMEOUT_ROW(net_bus),
    {0},
};

static const struct option_choice numbering_choices[] = {
    {"40001", 1, "as in manuals"}, {"0-based", 0, "as on the wire"}, {0}};

static const struct option meter_device_rows[] = {
    {.key = "unit",
     .type = OPTION_INT,
     .offset = offsetof(struct meter_device, unit),
     .required = true,
     .minimum = 1,
     .maximum = 247,
     .help = "The device's address on the bus."},
    {.key = "numbering",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct meter_device, numbering),
     .choices = numbering_choices,
     .fallback = "\"0-based\"",
     .help = "How registers are counted."},
    {0},
};

enum { TYPE_U16, TYPE_I16, TYPE_F32 };
static const struct option_choice type_choices[] = {{"u16", TYPE_U16, "unsigned, one register"},
                                                    {"i16", TYPE_I16, "signed, one register"},
                                                    {"f32", TYPE_F32, "float, two registers"},
                                                    {0}};

static const struct option meter_point_rows[] = {
    {.key = "reg",
     .type = OPTION_INT,
     .offset = offsetof(struct meter_point, reg),
     .required = true,
     .minimum = 0,
     .maximum = 65535,
     .help = "The register."},
    {.key = "type",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct meter_point, type),
     .choices = type_choices,
     .fallback = "\"u16\"",
     .help = "How its bits are read."},
    {.key = "scale",
     .type = OPTION_NUMBER,
     .offset = offsetof(struct meter_point, scale),
     .minimum = -1e9,
     .maximum = 1e9,
     .fallback = "1",
     .help = "Factor of the value."},
    {.key = "sentinel",
     .type = OPTION_NUMBERS,
     .offset = offsetof(struct meter_point, sentinels),
     .help = "Raw values that mean: not available."},
    {.key = "swap",
     .type = OPTION_BOOL,
     .offset = offsetof(struct meter_point, swap),
     .fallback = "false",
     .help = "Words in the other order."},
    {0},
};

static const struct option nmea_point_rows[] = {
    {.key = "sentence",
     .type = OPTION_TEXT,
     .offset = offsetof(struct nmea_point, sentence),
     .required = true,
     .help = "Which sentence, as \"GGA\"."},
    {.key = "field",
     .type = OPTION_INT,
     .offset = offsetof(struct nmea_point, field),
     .minimum = 0,
     .maximum = 40,
     .fallback = "1",
     .help = "Which field of it."},
    {0},
};

static int meter_check(struct site_bus *bus, struct driver_complaints *complaints)
{
    int error = 0;
    for (size_t i = 0; i < bus->device_count; i++) {
        for (size_t j = 0; j < bus->devices[i].point_count; j++) {
            struct site_point *point = &bus->devices[i].points[j];
            const struct meter_point *options = point->options;
            point->type = VALUE_F64;
            if (options->type != TYPE_F32 || options->reg < 65535 ||
                !complaints->sound(complaints, &bus->devices[i], point, "type") ||
                !complaints->sound(complaints, &bus->devices[i], point, "reg"))
                continue;
            complaints->tell(complaints, &bus->devices[i], point, "reg",
                             "found 65535; a f32 takes two registers: allowed: 0 to 65534");
            error = ERR_CONFIG;
        }
    }
    return error;
}

static void meter_load(const struct site_bus *bus, struct driver_load *load)
{
    *load =
        (struct driver_load){.busy_share = bus->driver->bus.options == line_bus_rows ? 0.25 : -1};
    for (size_t i = 0; i < bus->device_count; i++)
        for (size_t j = 0; j < bus->devices[i].point_count; j++)
            load->requests_per_s += 1e9 / (double)bus->devices[i].points[j].every_ns;
}

static bool meter_can_write(const struct site_device *device, const struct site_point *point,
                            const struct value *value, char *why, size_t why_size)
{
    (void)device;
    (void)point;
    (void)value;
    (void)why;
    (void)why_size;
    return true;
}

static const struct driver driver_line = {
    .name = "meter-line",
    .help = "Meters on a serial line.",
    .bus = {line_bus_rows, sizeof(struct line_bus)},
    .device = {meter_device_rows, sizeof(struct meter_device)},
    .point = {meter_point_rows, sizeof(struct meter_point)},
    .check = meter_check,
    .load = meter_load,
    .can_write = meter_can_write,
};

static const struct driver driver_net = {
    .name = "meter-net",
    .help = "Meters in a network.",
    .bus = {net_bus_rows, sizeof(struct net_bus)},
    .device = {meter_device_rows, sizeof(struct meter_device)},
    .point = {meter_point_rows, sizeof(struct meter_point)},
    .check = meter_check,
    .load = meter_load,
    .can_write = meter_can_write,
};

static void nmea_load(const struct site_bus *bus, struct driver_load *load)
{
    (void)bus;
    *load = (struct driver_load){.busy_share = -1, .own_pace = true};
}

static const struct driver driver_nmea = {
    .name = "nmea",
    .help = "NMEA 0183 talkers.",
    .load = nmea_load,
    .bus = {line_bus_rows, sizeof(struct line_bus)},
    .point = {nmea_point_rows, sizeof(struct nmea_point)},
};

static const struct driver *const test_drivers[] = {&driver_line, &driver_net, &driver_nmea, NULL};

static const struct option_choice layout_choices[] = {
    {"batch", 0, "many events a message"}, {"values", 1, "a topic for each point"}, {0}};

static const struct option broker_rows[] = {
    {.key = "id",
     .type = OPTION_ID,
     .offset = offsetof(struct broker, id),
     .required = true,
     .help = "Id."},
    {.key = "url",
     .type = OPTION_TEXT,
     .offset = offsetof(struct broker, url),
     .required = true,
     .help = "Where the broker is: mqtts://host:port."},
    {.key = "user",
     .type = OPTION_TEXT,
     .offset = offsetof(struct broker, user),
     .help = "User name."},
    {.key = "password_file",
     .type = OPTION_SECRET,
     .offset = offsetof(struct broker, password_file),
     .help = "File with the password."},
    {.key = "layout",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct broker, layout),
     .choices = layout_choices,
     .fallback = "\"batch\"",
     .help = "How events are put into messages."},
    {.key = "linger",
     .type = OPTION_DURATION,
     .offset = offsetof(struct broker, linger_ns),
     .maximum = 60e9,
     .fallback = "\"1s\"",
     .help = "How long a batch waits for more."},
    {.key = "budget",
     .type = OPTION_SIZE,
     .offset = offsetof(struct broker, budget_bytes_month),
     .help = "What may be sent in a month."},
    {0},
};

static const struct option broker_tls_rows[] = {
    {.key = "ca",
     .type = OPTION_FILE,
     .offset = offsetof(struct broker, ca),
     .help = "CA certificates."},
    {.key = "key",
     .type = OPTION_SECRET,
     .offset = offsetof(struct broker, key),
     .help = "Private key."},
    {.key = "alpn",
     .type = OPTION_TEXTS,
     .offset = offsetof(struct broker, alpn),
     .help = "Protocol names."},
    {0},
};

static void broker_check(void *options, const char *id, struct option_complaints *complaints)
{
    const struct broker *broker = options;
    (void)id;
    if (broker->url && strncmp(broker->url, "mqtt", 4) != 0)
        complaints->tell(complaints, "url", "a broker's URL begins with mqtt:// or mqtts://");
}

static void broker_plan(const void *options, struct config_uplink_plan *plan)
{
    const struct broker *broker = options;
    *plan = (struct config_uplink_plan){.each_alone = broker->layout == 1,
                                        .tls = broker->tls,
                                        .linger_ns = broker->linger_ns,
                                        .budget_bytes_month = broker->budget_bytes_month};
}

/* Paths of the corpus are found from this file's own, which may be relative to where the compiler
 * ran. */
static inline const char *corpus_path(const char *name, char out[PATH_MAX])
{
    char here[PATH_MAX] = __FILE__, folder[PATH_MAX];

    *strrchr(here, '/') = '\0';
    snprintf(out, PATH_MAX, "%.2000s/%.1000s", realpath(here, folder) ? folder : here, name);
    return out;
}

static inline struct config_parts test_parts(char profiles[PATH_MAX])
{
    return (struct config_parts){
        .drivers = test_drivers,
        .uplink = {broker_rows, sizeof(struct broker)},
        .uplink_tls = {broker_tls_rows, sizeof(struct broker)},
        .uplink_tls_present = offsetof(struct broker, tls),
        .uplink_check = broker_check,
        .uplink_plan = broker_plan,
        .profile_folders = {corpus_path("profiles", profiles)},
    };
}

#endif
