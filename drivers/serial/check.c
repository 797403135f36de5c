#include "serial/check.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "serial/port_find.h"
#include "serial/script.h"

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

static void tell_found(struct checking *checking, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void tell_found(struct checking *checking, const char *key, const char *format, ...)
{
    char sentence[320];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    tell(checking, key, sentence);
}

static void check_checksum(struct checking *checking, const struct line_framing *framing,
                           const struct checksum *checksum, bool after_end)
{
    bool marks_length = framing->length > 0 || framing->length_field != LINE_LENGTH_NONE;
    bool binary = checksum->form >= CHECKSUM_BINARY;

    if (binary && !marks_length && !framing->by_silence && !after_end)
        tell(checking, "checksum_form",
             "a binary checksum may look like the end of the line: give \"length\", or "
             "\"checksum_after_end\": true where it stands behind the end");
    if (checksum->kind >= CHECKSUM_NMEA &&
        (checksum->form != CHECKSUM_HEX || checksum->from != 0 || checksum->mark[0] || after_end))
        tell(
            checking, "checksum",
            "\"nmea\", \"bcc\" and \"sdi-12\" say form, place and mark themselves: leave the other "
            "checksum keys out");
    else if (after_end && framing->end[0] == 0)
        tell(checking, "checksum_after_end", "needs \"end\"");
    if (checksum->kind == CHECKSUM_BCC && framing->end[0] == 0)
        tell(checking, "checksum", "\"bcc\" stands behind the end: give \"end\"");
}

/* The framing that holds for a device. */
static void check_framing(struct checking *checking, const struct serial_bus_options *bus,
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
        tell(checking, "end",
             "found \"\"; lines end with a text, or have a \"length\", a \"length_field\" or a "
             "\"silence\" behind them");
    if (framing.length > 0 && framing.length_field != LINE_LENGTH_NONE)
        tell(checking, "length_field", "and \"length\" exclude each other");
    if (framing.length > 0 && framing.length <= marks)
        tell(checking, "length", "leaves no byte between start and end");
    if (framing.length > framing.length_max)
        tell_found(checking, "length", "found %zu; \"max_length\" is %zu", framing.length,
                   framing.length_max);
    if ((framing.length > 0 || framing.length_field != LINE_LENGTH_NONE) && !asked &&
        framing.start[0] == 0 && framing.end[0] == 0 && checksum.kind <= CHECKSUM_NONE &&
        serial_silence_ns(bus, device) == 0)
        tell(checking, framing.length > 0 ? "length" : "length_field",
             "nothing tells where a line begins: give \"start\", \"end\", \"silence\" or a "
             "\"checksum\"");
    check_checksum(checking, &framing, &checksum,
                   (device->frame.checksum != CHECKSUM_UNSAID ? &device->frame : &bus->frame)
                       ->checksum_after_end);
}

static struct pattern *check_pattern(struct checking *checking, const char *key, const char *text)
{
    const struct serial_device_options *options = checking->device->options;
    struct pattern *pattern = NULL;
    char why[240];

    if (text && pattern_compile(&pattern, text, options->address, why, sizeof(why)) < 0)
        tell_found(checking, key,
                   strncmp(text, "byte ", 5) == 0 ? "%s" : "is no regular expression: %s", why);
    if (text && strstr(text, "{address}") && !options->address)
        tell(checking, key, "{address} needs the key \"address\" of the device");
    return pattern;
}

static void check_groups(struct checking *checking, const struct extract_options *options,
                         const struct pattern *match)
{
    int64_t wanted = options->group > options->hemisphere ? options->group : options->hemisphere;

    if (!options->match)
        tell(checking, "group", "needs \"match\", the regular expression that has the group");
    else if (match && wanted > (int64_t)pattern_groups(match))
        tell_found(checking, options->group > options->hemisphere ? "group" : "hemisphere",
                   "found group %d; \"match\" has %zu: (...) makes one", (int)wanted,
                   pattern_groups(match));
}

static void check_bytes(struct checking *checking, const struct extract_options *options)
{
    bool bytes = number_width(options->format) > 0;

    if (bytes && options->type == EXTRACT_TEXT)
        tell(checking, "format", "is for numbers and integers");
    if (bytes && options->at < 0)
        tell(checking, "format", "of bytes needs \"at\", the place of the first one");
    if (number_is_float(options->format) && options->type != EXTRACT_NUMBER)
        tell(checking, "format", "needs \"type\": \"number\"");
    if (options->order != NUMBER_BIG && number_width(options->format) < 2)
        tell(checking, "order", "is for formats of two bytes or more");
    if (options->mask != 0 &&
        (number_is_float(options->format) || (!bytes && options->format != NUMBER_HEX)))
        tell(checking, "mask", "is for the integer formats of bytes and for \"hex\"");
}

static void check_number(struct checking *checking, const struct extract_options *options)
{
    bool degrees = options->format == NUMBER_NMEA_DEGREES;
    bool scaled = options->scale != 1.0 || options->offset != 0.0;

    if (options->type != EXTRACT_NUMBER && scaled)
        tell(checking, options->scale != 1.0 ? "scale" : "offset",
             "is for \"type\": \"number\" alone");
    if (options->type != EXTRACT_NUMBER && options->decimals >= 0)
        tell(checking, "decimals", "is for \"type\": \"number\" alone");
    if (options->type != EXTRACT_NUMBER && options->decimals_at >= 0)
        tell(checking, "decimals_at", "is for \"type\": \"number\" alone");
    if (options->type != EXTRACT_NUMBER && options->negative_when)
        tell(checking, "negative_when", "is for \"type\": \"number\" alone");
    if (options->format != NUMBER_DECIMAL && number_width(options->format) == 0 &&
        options->type >= EXTRACT_BOOLEAN)
        tell(checking, "format", "is for numbers and integers");
    if ((degrees || options->format == NUMBER_DECIMAL_COMMA) && options->type == EXTRACT_INTEGER)
        tell(checking, "format", "needs \"type\": \"number\"");
    if (degrees != (options->hemisphere >= 0))
        tell(checking, "hemisphere", "and \"format\": \"nmea-degrees\" need each other");
    if (options->hemisphere >= 0 && (options->at >= 0 || options->key))
        tell(checking, "hemisphere", "needs \"column\" or \"group\", not \"at\" or \"key\"");
    if (options->type != EXTRACT_BOOLEAN &&
        (options->true_texts.count > 0 || options->false_texts.count > 0))
        tell(checking, options->true_texts.count > 0 ? "true" : "false",
             "is for \"type\": \"boolean\" alone");
}

/* Where in the line the value stands. */
static void check_place(struct checking *checking, const struct extract_options *options)
{
    bool bytes = number_width(options->format) > 0;
    int places = (options->group >= 0) + (options->column >= 0) + (options->at >= 0) +
                 (options->key != NULL);

    if (places != 1)
        tell(checking, NULL, "needs exactly one of \"group\", \"column\", \"at\" and \"key\"");
    if (bytes && options->length > 0)
        tell(checking, "length", "is what the format says: leave it out");
    else if (!bytes && (options->at >= 0) != (options->length > 0))
        tell(checking, "length", "and \"at\" need each other");
    if (options->delimiter[0] == 0)
        tell(checking, "delimiter", "is empty");
    if (options->key && !options->key[0])
        tell(checking, "key", "is empty");
    if (options->unit_text && !options->key)
        tell(checking, "unit_text", "needs \"key\"");
}

static void check_point(struct checking *checking, struct site_point *point)
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
        tell(checking, "reply", "is for devices that are asked");
    pattern_free(check_pattern(checking, "negative_when", options->negative_when));
    for (int i = 0; i < EXTRACT_WHEN_COUNT; i++)
        pattern_free(check_pattern(checking, when_keys[i], options->when[i]));
    point->type = extract_value_type(options);
    point->decimals = extract_decimals(options);
    pattern_free(match);
}

static void check_script(struct checking *checking, const struct serial_device_options *options)
{
    struct script script = {.count = 0};
    char why[240];
    size_t wrong = 0;

    if (options->request && options->request[0] && options->exchange.count > 0) {
        tell(checking, "exchange", "and \"request\" exclude each other");
    } else if (serial_is_asked(options) &&
               script_compile(&script, options, &wrong, why, sizeof(why)) < 0) {
        if (options->exchange.count > 0 && wrong < options->exchange.count)
            tell_found(checking, "exchange", "step %zu, \"%.60s\": %s", wrong + 1,
                       options->exchange.items[wrong], why);
        else
            tell(checking, "request", why);
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
    if (options->notation == SERIAL_SML &&
        (options->frame.start.given || options->frame.end.given || options->frame.length > 0 ||
         options->frame.silence_ns > 0 || options->frame.length_field != LINE_LENGTH_NONE ||
         options->frame.checksum != CHECKSUM_UNSAID))
        tell(checking, "notation",
             "\"sml\" says how lines begin, end and are checked: leave these keys out");
    if (options->address && !is_address(options->address))
        tell_found(checking, "address", "found \"%s\"; allowed: letters and digits",
                   options->address);
    check_script(checking, options);
    pattern_free(check_pattern(checking, "match", options->match));
    for (int i = 0; i < SERIAL_WHEN_COUNT; i++)
        pattern_free(check_pattern(checking, when_keys[i], options->when[i]));
}

static bool is_asked(const struct site_bus *bus)
{
    return bus->device_count > 0 && serial_is_asked(bus->devices[0].options);
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
static void check_shared(struct checking *checking, const struct site_bus *site)
{
    const struct serial_bus_options *bus = site->options;
    const struct serial_device_options *first = site->devices[0].options;
    const struct serial_device_options *options = checking->device->options;
    struct line_framing framings[2];
    struct checksum checksums[2];

    serial_framing(bus, first, &framings[0]);
    serial_framing(bus, options, &framings[1]);
    serial_checksum(bus, first, &checksums[0]);
    serial_checksum(bus, options, &checksums[1]);
    if (first->notation != options->notation || !same_framing(&framings[0], &framings[1]) ||
        !same_checksum(&checksums[0], &checksums[1]))
        tell_found(checking, NULL,
                   "frames or checks its lines otherwise than device %s: devices that speak by "
                   "themselves on one bus share that",
                   site->devices[0].id);
    if (serial_line(bus, first)->baud != serial_line(bus, options)->baud)
        tell_found(checking, "line", "is not that of device %s: a line has one speed",
                   site->devices[0].id);
}

static void check_frames(struct checking *checking, const struct site_bus *bus)
{
    static const struct serial_device_options plain;
    bool bus_frames = bus->device_count == 0;

    for (size_t i = 0; i < bus->device_count; i++) {
        const struct serial_device_options *options = bus->devices[i].options;

        checking->device = &bus->devices[i];
        if (serial_frames_itself(options))
            check_framing(checking, bus->options, options, is_asked(bus));
        else
            bus_frames = true;
    }
    checking->device = NULL;
    if (bus_frames)
        check_framing(checking, bus->options, &plain, is_asked(bus));
}

static void check_port(struct checking *checking, const struct serial_bus_options *options)
{
    char why[256], sentence[512];

    if (port_name_valid(options->port, why, sizeof why))
        return;
    snprintf(sentence, sizeof sentence, "found \"%.200s\"; %s", options->port, why);
    tell(checking, "port", sentence);
}

int serial_check(struct site_bus *bus, struct driver_complaints *complaints)
{
    struct checking checking = {.complaints = complaints};

    check_port(&checking, bus->options);
    check_frames(&checking, bus);
    for (size_t i = 0; i < bus->device_count; i++) {
        struct site_device *device = &bus->devices[i];

        checking.device = device;
        check_device(&checking, bus, is_asked(bus));
        if (i > 0 && !is_asked(bus))
            check_shared(&checking, bus);
        for (size_t j = 0; j < device->point_count; j++) {
            checking.point = &device->points[j];
            check_point(&checking, &device->points[j]);
        }
        checking.point = NULL;
    }
    return checking.result;
}
