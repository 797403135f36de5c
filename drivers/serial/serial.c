#include "serial/serial.h"

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "serial/bus.h"
#include "serial/options.h"

/* For the arithmetic of a bus whose replies have no fixed length: what a short reply with its end
 * takes. */
#define TYPICAL_REPLY_SIZE 24

struct checking {
    struct driver_complaints *complaints;
    const struct site_device *device; /* NULL: the bus itself */
    const struct site_point *point;
    int result;
};

static void tell(struct checking *checking, const char *key, const char *sentence)
{
    checking->complaints->tell(checking->complaints, checking->device, checking->point, key,
                               sentence);
    checking->result = ERR_CONFIG;
}

static void check_framing(struct checking *checking, const struct serial_bus_options *options,
                          bool asked)
{
    struct line_framing framing;

    serial_framing(options, &framing);
    if (framing.length == 0 && framing.end[0] == 0)
        tell(checking, "end", "found \"\"; lines end with a text, or have a \"length\"");
    if (framing.length > 0 && framing.length <= strlen(framing.start) + strlen(framing.end))
        tell(checking, "length", "leaves no byte between start and end");
    if (framing.length > 0 && !asked && framing.start[0] == 0 && framing.end[0] == 0 &&
        options->checksum == CHECKSUM_NONE)
        tell(checking, "length",
             "nothing tells where a line begins: give \"start\", \"end\" or a \"checksum\"");
    if (framing.length == 0 && options->checksum_form >= CHECKSUM_BINARY)
        tell(checking, "checksum_form",
             "a binary checksum may look like the end of the line: give \"length\"");
    if (options->checksum == CHECKSUM_NMEA &&
        (options->checksum_form != CHECKSUM_HEX || options->checksum_from != 0 ||
         options->checksum_mark[0]))
        tell(checking, "checksum",
             "\"nmea\" says form, place and mark itself: leave the other checksum keys out");
}

static struct pattern *check_pattern(struct checking *checking, const char *key, const char *text)
{
    struct pattern *pattern = NULL;
    char why[160], sentence[224];

    if (text && pattern_compile(&pattern, text, why, sizeof(why)) < 0) {
        snprintf(sentence, sizeof(sentence), "is no regular expression: %s", why);
        tell(checking, key, sentence);
    }
    return pattern;
}

static void check_groups(struct checking *checking, const struct extract_options *options,
                         const struct pattern *match)
{
    char sentence[128];
    int64_t wanted = options->group > options->hemisphere ? options->group : options->hemisphere;

    if (!options->match) {
        tell(checking, "group", "needs \"match\", the regular expression that has the group");
    } else if (match && wanted > (int64_t)pattern_groups(match)) {
        snprintf(sentence, sizeof(sentence), "found group %d; \"match\" has %zu: (...) makes one",
                 (int)wanted, pattern_groups(match));
        tell(checking, options->group > options->hemisphere ? "group" : "hemisphere", sentence);
    }
}

static void check_number(struct checking *checking, const struct extract_options *options)
{
    bool degrees = options->format == EXTRACT_NMEA_DEGREES;
    bool scaled = options->scale != 1.0 || options->offset != 0.0;

    if (options->type != EXTRACT_NUMBER && scaled)
        tell(checking, options->scale != 1.0 ? "scale" : "offset",
             "is for \"type\": \"number\" alone");
    if (options->type != EXTRACT_NUMBER && options->decimals >= 0)
        tell(checking, "decimals", "is for \"type\": \"number\" alone");
    if (options->format != EXTRACT_DECIMAL && options->type >= EXTRACT_BOOLEAN)
        tell(checking, "format", "is for numbers and integers");
    if ((degrees || options->format == EXTRACT_DECIMAL_COMMA) && options->type == EXTRACT_INTEGER)
        tell(checking, "format", "needs \"type\": \"number\"");
    if (degrees != (options->hemisphere >= 0))
        tell(checking, "hemisphere", "and \"format\": \"nmea-degrees\" need each other");
    if (options->hemisphere >= 0 && options->at >= 0)
        tell(checking, "hemisphere", "needs \"column\" or \"group\", not \"at\"");
    if (options->type != EXTRACT_BOOLEAN &&
        (options->true_texts.count > 0 || options->false_texts.count > 0))
        tell(checking, options->true_texts.count > 0 ? "true" : "false",
             "is for \"type\": \"boolean\" alone");
}

static void check_point(struct checking *checking, struct site_point *point)
{
    const struct extract_options *options = point->options;
    struct pattern *match = check_pattern(checking, "match", options->match);
    int places = (options->group >= 0) + (options->column >= 0) + (options->at >= 0);

    if (places != 1)
        tell(checking, NULL, "needs exactly one of \"group\", \"column\" and \"at\"");
    if (options->group >= 0)
        check_groups(checking, options, match);
    if ((options->at >= 0) != (options->length > 0))
        tell(checking, "length", "and \"at\" need each other");
    if (options->delimiter[0] == 0)
        tell(checking, "delimiter", "is empty");
    check_number(checking, options);
    point->type = extract_value_type(options);
    point->decimals = extract_decimals(options);
    pattern_free(match);
}

static void check_device(struct checking *checking, const struct site_bus *bus, bool bus_asked)
{
    static const char *const when_keys[SERIAL_WHEN_COUNT] = {
        [SERIAL_WHEN_BUSY] = "when_busy",
        [SERIAL_WHEN_OUT_OF_RANGE] = "when_out_of_range",
        [SERIAL_WHEN_NOT_AVAILABLE] = "when_not_available",
        [SERIAL_WHEN_FAILED] = "when_failed",
    };
    const struct serial_device_options *options = checking->device->options;

    if (serial_is_asked(options) != bus_asked)
        tell(checking, "request",
             "a bus has either devices that are asked or devices that speak by themselves, not "
             "both");
    if (!bus_asked && bus->device_count > 1 && !options->match)
        tell(checking, "match",
             "is needed where several devices speak on one bus: it tells whose a line is");
    pattern_free(check_pattern(checking, "match", options->match));
    for (int i = 0; i < SERIAL_WHEN_COUNT; i++)
        pattern_free(check_pattern(checking, when_keys[i], options->when[i]));
}

static bool is_asked(const struct site_bus *bus)
{
    return bus->device_count > 0 && serial_is_asked(bus->devices[0].options);
}

static int check(struct site_bus *bus, struct driver_complaints *complaints)
{
    struct checking checking = {.complaints = complaints};

    check_framing(&checking, bus->options, is_asked(bus));
    for (size_t i = 0; i < bus->device_count; i++) {
        struct site_device *device = &bus->devices[i];

        checking.device = device;
        check_device(&checking, bus, is_asked(bus));
        for (size_t j = 0; j < device->point_count; j++) {
            checking.point = &device->points[j];
            check_point(&checking, &device->points[j]);
        }
        checking.point = NULL;
    }
    return checking.result;
}

static void load(const struct site_bus *bus, struct driver_load *load)
{
    const struct serial_bus_options *options = bus->options;
    double byte_s = (double)port_byte_ns(&options->line) / 1e9;
    double reply = options->length > 0 ? (double)options->length : TYPICAL_REPLY_SIZE;

    memset(load, 0, sizeof(*load));
    if (!is_asked(bus)) {
        load->busy_share = -1;
        snprintf(load->note, sizeof(load->note),
                 "the devices speak by themselves: more comes than \"every\" says, unless \"thin\" "
                 "is set; the line carries at most %.0f bytes/s",
                 1 / byte_s);
        return;
    }
    for (size_t i = 0; i < bus->device_count; i++) {
        const struct serial_device_options *device = bus->devices[i].options;
        int64_t every_ns = serial_interval(&bus->devices[i]);
        double rate = 1e9 / (double)every_ns;

        if (bus->devices[i].point_count == 0)
            continue;
        load->requests_per_s += rate;
        load->busy_share += rate * byte_s * ((double)strlen(device->request) + reply);
    }
    if (load->busy_share > 1)
        snprintf(load->note, sizeof(load->note),
                 "needs %.1f s each second: raise the baud or ask less often", load->busy_share);
    else if (options->length == 0)
        snprintf(load->note, sizeof(load->note), "reckoned with replies of %d bytes",
                 TYPICAL_REPLY_SIZE);
}

const struct driver driver_serial = {
    .name = "serial",
    .help = "sensors that write lines on a serial port, by themselves or when asked",
    .bus = {serial_bus_rows, sizeof(struct serial_bus_options)},
    .device = {serial_device_rows, sizeof(struct serial_device_options)},
    .point = {serial_point_rows, sizeof(struct extract_options)},
    .check = check,
    .load = load,
    .run = serial_run,
};
