#include "serial/check.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "field/complain.h"
#include "serial/port_find.h"
#include "serial/script.h"

/* The options of a device, and of its bus where the device says nothing, by which it is known how
 * lines end, how long they are, and how they are checked. */
#define END_KEYS  "end silence length length_field bus.end bus.silence bus.length bus.length_field"
#define MARK_KEYS END_KEYS " start bus.start checksum bus.checksum"
#define CHECKSUM_KEYS                                                                              \
    "checksum checksum_form checksum_from checksum_mark checksum_after_end bus.checksum "          \
    "bus.checksum_form bus.checksum_from bus.checksum_mark bus.checksum_after_end"
#define LINE_KEYS  MARK_KEYS " " CHECKSUM_KEYS " notation length_at length_plus max_length"
#define ASKED_KEYS "request exchange"

static void check_checksum(struct complaining *checking, const struct line_framing *framing,
                           const struct checksum *checksum, bool after_end)
{
    bool marks_length = framing->length > 0 || framing->length_field != LINE_LENGTH_NONE;
    bool binary = checksum->form >= CHECKSUM_BINARY;

    if (binary && !marks_length && !framing->by_silence && !after_end)
        complain(checking, "checksum_form", CHECKSUM_KEYS " " END_KEYS,
                 "a binary checksum may look like the end of the line: give \"length\", or "
                 "\"checksum_after_end\": true where it stands behind the end");
    if (checksum->kind >= CHECKSUM_NMEA &&
        (checksum->form != CHECKSUM_HEX || checksum->from != 0 || checksum->mark[0] || after_end))
        complain(
            checking, "checksum", CHECKSUM_KEYS,
            "\"nmea\", \"bcc\" and \"sdi-12\" say form, place and mark themselves: leave the other "
            "checksum keys out");
    else if (after_end && framing->end[0] == 0)
        complain(checking, "checksum_after_end", CHECKSUM_KEYS " " END_KEYS, "needs \"end\"");
    if (checksum->kind == CHECKSUM_BCC && framing->end[0] == 0)
        complain(checking, "end", CHECKSUM_KEYS " " END_KEYS,
                 "has to be given: \"checksum\": \"bcc\" stands behind it");
}

/* The framing that holds for a device. */
static void check_framing(struct complaining *checking, const struct serial_bus_options *bus,
                          const struct serial_device_options *device, bool asked)
{
    struct line_framing framing;
    struct checksum checksum;
    size_t marks;

    if (device->notation == SERIAL_SML)
        return; /* it says all that itself */
    serial_framing(bus, device, &framing);
    serial_checksum(bus, device, &checksum);
    marks = strlen(framing.start) + strlen(framing.end) + framing.trailer;
    if (framing.length == 0 && framing.length_field == LINE_LENGTH_NONE && !framing.by_silence &&
        framing.end[0] == 0)
        complain(checking, "end", END_KEYS,
                 "found \"\"; lines end with a text, or have a \"length\", a \"length_field\" or a "
                 "\"silence\" behind them");
    if (framing.length > 0 && framing.length_field != LINE_LENGTH_NONE)
        complain(checking, "length_field", END_KEYS, "and \"length\" exclude each other");
    if (framing.length > 0 && framing.length <= marks)
        complain(checking, "length", MARK_KEYS " checksum_after_end bus.checksum_after_end",
                 "leaves no byte between start and end");
    if (framing.length > framing.length_max)
        complain(checking, "length", "max_length bus.length bus.max_length",
                 "found %zu; \"max_length\" is %zu", framing.length, framing.length_max);
    if ((framing.length > 0 || framing.length_field != LINE_LENGTH_NONE) && !asked &&
        framing.start[0] == 0 && framing.end[0] == 0 && checksum.kind <= CHECKSUM_NONE &&
        serial_silence_ns(bus, device) == 0)
        complain(checking, framing.length > 0 ? "length" : "length_field", MARK_KEYS " " ASKED_KEYS,
                 "nothing tells where a line begins: give \"start\", \"end\", \"silence\" or a "
                 "\"checksum\"");
    check_checksum(checking, &framing, &checksum,
                   (device->frame.checksum != CHECKSUM_UNSAID ? &device->frame : &bus->frame)
                       ->checksum_after_end);
}

static struct pattern *check_pattern(struct complaining *checking, const char *key,
                                     const char *text)
{
    const struct serial_device_options *options = checking->device->options;
    struct pattern *pattern = NULL;
    char why[240];

    if (text && pattern_compile(&pattern, text, options->address, why, sizeof(why)) < 0)
        complain(checking, key, "device.address",
                 strncmp(text, "byte ", 5) == 0 ? "%s" : "is no regular expression: %s", why);
    if (text && strstr(text, "{address}") && !options->address)
        complain(checking, key, "device.address",
                 "{address} needs the key \"address\" of the device");
    return pattern;
}

static void check_groups(struct complaining *checking, const struct extract_options *options,
                         const struct pattern *match)
{
    int64_t second = options->format == NUMBER_NMEA_TIME ? options->date : options->hemisphere;
    int64_t wanted = options->group > second ? options->group : second;

    if (!options->match)
        complain(checking, "group", "match",
                 "needs \"match\", the regular expression that has the group");
    else if (match && wanted > (int64_t)pattern_groups(match))
        complain(checking,
                 options->group > second               ? "group"
                 : options->format == NUMBER_NMEA_TIME ? "date"
                                                       : "hemisphere",
                 "match group hemisphere date",
                 "found group %d; \"match\" has %zu: (...) makes one", (int)wanted,
                 pattern_groups(match));
}

static void check_bytes(struct complaining *checking, const struct extract_options *options)
{
    bool bytes = number_width(options->format) > 0;

    if (bytes && options->type == EXTRACT_TEXT)
        complain(checking, "format", "type", "is for numbers and integers");
    if (bytes && options->at < 0)
        complain(checking, "format", "at", "of bytes needs \"at\", the place of the first one");
    if (number_is_float(options->format) && options->type != EXTRACT_NUMBER)
        complain(checking, "format", "type", "needs \"type\": \"number\"");
    if (options->order != NUMBER_BIG && number_width(options->format) < 2)
        complain(checking, "order", "format", "is for formats of two bytes or more");
    if (options->mask != 0 &&
        (number_is_float(options->format) || (!bytes && options->format != NUMBER_HEX)))
        complain(checking, "mask", "format", "is for the integer formats of bytes and for \"hex\"");
}

static void check_number(struct complaining *checking, const struct extract_options *options)
{
    bool degrees = options->format == NUMBER_NMEA_DEGREES,
         time = options->format == NUMBER_NMEA_TIME;
    bool scaled = options->scale != 1.0 || options->offset != 0.0;

    if (options->type != EXTRACT_NUMBER && scaled)
        complain(checking, options->scale != 1.0 ? "scale" : "offset", "type",
                 "is for \"type\": \"number\" alone");
    if (options->type != EXTRACT_NUMBER && options->decimals >= 0)
        complain(checking, "decimals", "type", "is for \"type\": \"number\" alone");
    if (options->type != EXTRACT_NUMBER && options->decimals_at >= 0)
        complain(checking, "decimals_at", "type", "is for \"type\": \"number\" alone");
    if (options->type != EXTRACT_NUMBER && options->negative_when)
        complain(checking, "negative_when", "type", "is for \"type\": \"number\" alone");
    if (options->format != NUMBER_DECIMAL && number_width(options->format) == 0 &&
        options->type >= EXTRACT_BOOLEAN)
        complain(checking, "format", "type", "is for numbers and integers");
    if ((degrees || time || options->format == NUMBER_DECIMAL_COMMA) &&
        options->type == EXTRACT_INTEGER)
        complain(checking, "format", "type", "needs \"type\": \"number\"");
    if (degrees != (options->hemisphere >= 0))
        complain(checking, "hemisphere", "format",
                 "and \"format\": \"nmea-degrees\" need each other");
    if (time != (options->date >= 0))
        complain(checking, "date", "format", "and \"format\": \"nmea-time\" need each other");
    if (options->date >= 0 && (options->at >= 0 || options->key))
        complain(checking, "date", "at key",
                 "needs \"column\" or \"group\", not \"at\" or \"key\"");
    if (options->hemisphere >= 0 && (options->at >= 0 || options->key))
        complain(checking, "hemisphere", "at key",
                 "needs \"column\" or \"group\", not \"at\" or \"key\"");
    if (options->type != EXTRACT_BOOLEAN &&
        (options->true_texts.count > 0 || options->false_texts.count > 0))
        complain(checking, options->true_texts.count > 0 ? "true" : "false", "type",
                 "is for \"type\": \"boolean\" alone");
}

/* Where in the line the value stands. */
static void check_place(struct complaining *checking, const struct extract_options *options)
{
    bool bytes = number_width(options->format) > 0;
    int places = (options->group >= 0) + (options->column >= 0) + (options->at >= 0) +
                 (options->key != NULL);

    if (places != 1)
        complain(checking, NULL, "group column at key",
                 "needs exactly one of \"group\", \"column\", \"at\" and \"key\"");
    if (bytes && options->length > 0)
        complain(checking, "length", "format", "is what the format says: leave it out");
    else if (!bytes && (options->at >= 0) != (options->length > 0))
        complain(checking, "length", "at format", "and \"at\" need each other");
    if (options->delimiter[0] == 0)
        complain(checking, "delimiter", NULL, "is empty");
    if (options->key && !options->key[0])
        complain(checking, "key", NULL, "is empty");
    if (options->unit_text && !options->key)
        complain(checking, "unit_text", "key", "needs \"key\"");
}

static void check_point(struct complaining *checking, struct site_point *point)
{
    static const char *const when_keys[EXTRACT_WHEN_COUNT] = {
        [EXTRACT_WHEN_FAILED] = "when_failed",
        [EXTRACT_WHEN_NOT_AVAILABLE] = "when_not_available",
        [EXTRACT_WHEN_OUT_OF_RANGE] = "when_out_of_range",
        [EXTRACT_WHEN_UNSTABLE] = "when_unstable",
    };
    const struct extract_options *options = point->options;
    const struct serial_device_options *device = checking->device->options;
    struct pattern *match = check_pattern(checking, "match", options->match);

    check_place(checking, options);
    if (options->group >= 0)
        check_groups(checking, options, match);
    check_number(checking, options);
    check_bytes(checking, options);
    if (options->reply > 0 && !serial_is_asked(device))
        complain(checking, "reply", "device.request device.exchange",
                 "is for devices that are asked");
    pattern_free(check_pattern(checking, "negative_when", options->negative_when));
    for (int i = 0; i < EXTRACT_WHEN_COUNT; i++)
        pattern_free(check_pattern(checking, when_keys[i], options->when[i]));
    point->type = extract_value_type(options);
    point->decimals = extract_decimals(options);
    pattern_free(match);
}

static void check_script(struct complaining *checking, const struct serial_device_options *options)
{
    struct script script = {.count = 0};
    char why[240];
    size_t wrong = 0;

    if (options->request && options->request[0] && options->exchange.count > 0) {
        complain(checking, "exchange", "request", "and \"request\" exclude each other");
    } else if (serial_is_asked(options) &&
               script_compile(&script, options, &wrong, why, sizeof(why)) < 0) {
        if (options->exchange.count > 0 && wrong < options->exchange.count)
            complain(checking, "exchange", "address", "step %zu, \"%.60s\": %s", wrong + 1,
                     options->exchange.items[wrong], why);
        else
            complain(checking, "request", "address exchange", "%s", why);
    }
    script_free(&script);
}

static bool is_address(const char *text)
{
    for (; *text; text++) {
        if (!isalnum((unsigned char)*text))
            return false;
    }
    return true;
}

static void check_device(struct complaining *checking, const struct site_bus *bus, bool bus_asked)
{
    static const char *const when_keys[SERIAL_WHEN_COUNT] = {
        [SERIAL_WHEN_BUSY] = "when_busy",
        [SERIAL_WHEN_OUT_OF_RANGE] = "when_out_of_range",
        [SERIAL_WHEN_NOT_AVAILABLE] = "when_not_available",
        [SERIAL_WHEN_FAILED] = "when_failed",
    };
    const struct serial_device_options *options = checking->device->options;

    if (serial_is_asked(options) != bus_asked)
        complain(checking, "request", "exchange",
                 "a bus has either devices that are asked or devices that speak by themselves, not "
                 "both");
    if (!bus_asked && bus->device_count > 1 && !options->match)
        complain(checking, "match", ASKED_KEYS,
                 "is needed where several devices speak on one bus: it tells whose a line is");
    if (options->notation == SERIAL_SML &&
        (options->frame.start.given || options->frame.end.given || options->frame.length > 0 ||
         options->frame.silence_ns > 0 || options->frame.length_field != LINE_LENGTH_NONE ||
         options->frame.checksum != CHECKSUM_UNSAID))
        complain(checking, "notation", NULL,
                 "\"sml\" says how lines begin, end and are checked: leave these keys out");
    if (options->address && !is_address(options->address))
        complain(checking, "address", NULL, "found \"%s\"; allowed: letters and digits",
                 options->address);
    check_script(checking, options);
    pattern_free(check_pattern(checking, "match", options->match));
    for (int i = 0; i < SERIAL_WHEN_COUNT; i++)
        pattern_free(check_pattern(checking, when_keys[i], options->when[i]));
}

/* Whether the devices of the bus are asked: the first says it of which that is known. */
static bool is_asked(const struct complaining *checking, const struct site_bus *bus)
{
    struct complaining device = *checking;

    for (size_t i = 0; i < bus->device_count; i++) {
        device.device = &bus->devices[i];
        if (complain_sound(&device, ASKED_KEYS))
            return serial_is_asked(bus->devices[i].options);
    }
    return false;
}

static bool same_checksum(const struct checksum *a, const struct checksum *b)
{
    return a->kind == b->kind && a->form == b->form && a->from == b->from &&
           strcmp(a->mark, b->mark) == 0;
}

static bool same_framing(const struct line_framing *a, const struct line_framing *b)
{
    return strcmp(a->start, b->start) == 0 && strcmp(a->end, b->end) == 0 &&
           a->trailer == b->trailer && a->length == b->length &&
           a->length_field == b->length_field && a->length_at == b->length_at &&
           a->length_plus == b->length_plus && a->by_silence == b->by_silence &&
           a->length_max == b->length_max;
}

/* Of devices that speak by themselves nobody knows whose the bytes are before a line is found. */
static void check_shared(struct complaining *checking, const struct site_bus *site)
{
    const struct serial_bus_options *bus = site->options;
    const struct serial_device_options *first = site->devices[0].options;
    const struct serial_device_options *options = checking->device->options;
    struct complaining other = *checking;
    struct line_framing framings[2];
    struct checksum checksums[2];

    other.device = site->devices;
    serial_framing(bus, first, &framings[0]);
    serial_framing(bus, options, &framings[1]);
    serial_checksum(bus, first, &checksums[0]);
    serial_checksum(bus, options, &checksums[1]);
    if ((first->notation != options->notation || !same_framing(&framings[0], &framings[1]) ||
         !same_checksum(&checksums[0], &checksums[1])) &&
        complain_sound(&other, LINE_KEYS))
        complain(checking, NULL, LINE_KEYS,
                 "frames or checks its lines otherwise than device %s: devices that speak by "
                 "themselves on one bus share that",
                 site->devices[0].id);
    if (serial_line(bus, first)->baud != serial_line(bus, options)->baud &&
        complain_sound(&other, "line"))
        complain(checking, "line", "bus.line", "is not that of device %s: a line has one speed",
                 site->devices[0].id);
}

static void check_frames(struct complaining *checking, const struct site_bus *bus, bool asked)
{
    static const struct serial_device_options plain;
    bool bus_frames = bus->device_count == 0;

    for (size_t i = 0; i < bus->device_count; i++) {
        const struct serial_device_options *options = bus->devices[i].options;

        checking->device = &bus->devices[i];
        if (serial_frames_itself(options))
            check_framing(checking, bus->options, options, asked);
        else
            bus_frames = true;
    }
    checking->device = NULL;
    if (bus_frames)
        check_framing(checking, bus->options, &plain, asked);
}

static void check_port(struct complaining *checking, const struct serial_bus_options *options)
{
    char why[384];

    if (options->port && !port_name_valid(&port_roots_system, options->port, why, sizeof why))
        complain(checking, "port", NULL, "found \"%.200s\"; %s", options->port, why);
}

int serial_check(struct site_bus *bus, struct driver_complaints *complaints)
{
    struct complaining checking = {.complaints = complaints};
    bool asked = is_asked(&checking, bus);

    check_port(&checking, bus->options);
    check_frames(&checking, bus, asked);
    for (size_t i = 0; i < bus->device_count; i++) {
        struct site_device *device = &bus->devices[i];

        checking.device = device;
        check_device(&checking, bus, asked);
        if (i > 0 && !asked)
            check_shared(&checking, bus);
        for (size_t j = 0; j < device->point_count; j++) {
            checking.point = &device->points[j];
            check_point(&checking, &device->points[j]);
        }
        checking.point = NULL;
    }
    return checking.error;
}
