#include "serial/options.h"

#include <string.h>

#include "core/status.h"

#define FIELD(struct_name, member) .offset = offsetof(struct struct_name, member)
#define BUS(member)                FIELD(serial_bus_options, member)
#define DEVICE(member)             FIELD(serial_device_options, member)
#define POINT(member)              FIELD(extract_options, member)

static const struct option_choice checksum_kinds[] = {
    {"none", CHECKSUM_NONE, "lines carry no checksum"},
    {"nmea", CHECKSUM_NMEA, "NMEA 0183: \"*\" and two hexadecimal digits"},
    {"xor", CHECKSUM_XOR, "exclusive or of the bytes"},
    {"sum8", CHECKSUM_SUM8, "sum of the bytes modulo 256"},
    {"lrc", CHECKSUM_LRC, "two's complement of that sum"},
    {"crc16-modbus", CHECKSUM_CRC16_MODBUS, "CRC-16 as Modbus has it"},
    {"crc16-ccitt", CHECKSUM_CRC16_CCITT, "polynomial 0x1021 beginning with 0xFFFF"},
    {"crc16-xmodem", CHECKSUM_CRC16_XMODEM, "polynomial 0x1021 beginning with 0"},
    {NULL, 0, NULL},
};

static const struct option_choice checksum_forms[] = {
    {"hex", CHECKSUM_HEX, "hexadecimal digits, the most significant first"},
    {"hex-low-first", CHECKSUM_HEX_LOW_FIRST, "hexadecimal digits, the low byte first"},
    {"binary", CHECKSUM_BINARY, "bytes, the most significant first; needs \"length\""},
    {"binary-low-first", CHECKSUM_BINARY_LOW_FIRST, "bytes, the low one first; needs \"length\""},
    {NULL, 0, NULL},
};

const struct option serial_bus_rows[] = {
    {"port", OPTION_TEXT, BUS(port), .required = true, .exclusive = true,
     .example = "\"/dev/serial/by-id/usb-FTDI_A50285BI-if00\"",
     .help =
         "the serial port; a name below /dev/serial/by-id stays right when adapters are swapped"},
    {"line", OPTION_PARSED, BUS(line), .parse = port_parse_settings, .fallback = "\"9600 8N1\"",
     .pattern = "^[0-9]+ [78][NEO][12]$", .example = "\"4800 8N1\"",
     .help = "baud, data bits, parity, stop bits"},
    {"start", OPTION_TEXT, BUS(start), .maximum = 16, .fallback = "\"\"", .example = "\"$\"",
     .help = "what each line begins with; it stays part of the line"},
    {"end", OPTION_TEXT, BUS(end), .maximum = 16, .example = "\"\\r\\n\"",
     .help =
         "what each line ends with: \"\\r\\n\" unless said otherwise, or nothing with \"length\""},
    {"length", OPTION_INT, BUS(length), .minimum = 0, .maximum = LINE_SIZE_MAX, .fallback = "0",
     .example = "17",
     .help = "bytes of a line of fixed length, start and end included; 0: lines end with \"end\""},
    {"max_length", OPTION_INT, BUS(length_max), .minimum = 1, .maximum = LINE_SIZE_MAX,
     .fallback = "256", .help = "longer lines are noise"},
    {"checksum", OPTION_CHOICE, BUS(checksum), .choices = checksum_kinds, .fallback = "\"none\"",
     .example = "\"nmea\"", .help = "a line whose checksum is wrong is counted and dropped"},
    {"checksum_form", OPTION_CHOICE, BUS(checksum_form), .choices = checksum_forms,
     .fallback = "\"hex\"", .help = "how the checksum is written"},
    {"checksum_from", OPTION_INT, BUS(checksum_from), .minimum = 0, .maximum = 255, .fallback = "0",
     .help = "the first byte of the line that the checksum covers, counted from 0"},
    {"checksum_mark", OPTION_TEXT, BUS(checksum_mark), .maximum = 8, .fallback = "\"\"",
     .example = "\"*\"", .help = "what stands before the checksum and is not covered by it"},
    {"echo", OPTION_BOOL, BUS(echo), .fallback = "false",
     .help = "whether the adapter returns what is sent (two-wire RS-485)"},
    {.key = NULL},
};

const struct option serial_device_rows[] = {
    {"request", OPTION_TEXT, DEVICE(request), .maximum = 256, .example = "\"SI\\r\\n\"",
     .help =
         "what to send to get a reply, its end included; without it the device speaks by itself"},
    {"match", OPTION_TEXT, DEVICE(match), .example = "\"^\\\\$G[NP]\"",
     .help = "POSIX extended regular expression of the lines that are this device's"},
    {"when_busy", OPTION_TEXT, DEVICE(when[SERIAL_WHEN_BUSY]), .example = "\"^S I$\"",
     .help = "regular expression of the lines that say: busy, no value now"},
    {"when_out_of_range", OPTION_TEXT, DEVICE(when[SERIAL_WHEN_OUT_OF_RANGE]),
     .example = "\"^S [+-]$\"",
     .help = "regular expression of the lines that say: over or under the range"},
    {"when_not_available", OPTION_TEXT, DEVICE(when[SERIAL_WHEN_NOT_AVAILABLE]),
     .help = "regular expression of the lines that say: there is no value"},
    {"when_failed", OPTION_TEXT, DEVICE(when[SERIAL_WHEN_FAILED]), .example = "\"^E[STL]$\"",
     .help = "regular expression of the lines that say: the sensor failed"},
    {"timeout", OPTION_DURATION, DEVICE(timeout_ns), .minimum = 10e6, .maximum = 60e9,
     .fallback = "\"1s\"", .help = "how long the whole reply may take after the request"},
    {"silent_after", OPTION_DURATION, DEVICE(silent_after_ns), .minimum = 100e6, .maximum = 86400e9,
     .fallback = "\"10s\"",
     .help = "a device that speaks by itself is down when it says nothing for so long"},
    {"thin", OPTION_BOOL, DEVICE(thin), .fallback = "false",
     .help = "of a device that speaks by itself, take one reading in each point's \"every\", not "
             "each line"},
    {.key = NULL},
};

static const struct option_choice types[] = {
    {"number", EXTRACT_NUMBER, "a number, with \"scale\" and \"offset\""},
    {"integer", EXTRACT_INTEGER, "a whole number"},
    {"boolean", EXTRACT_BOOLEAN, "one of the texts in \"true\" or \"false\""},
    {"text", EXTRACT_TEXT, "the text itself"},
    {NULL, 0, NULL},
};

static const struct option_choice formats[] = {
    {"decimal", EXTRACT_DECIMAL, "-12.5, + 3, 1e-3"},
    {"decimal-comma", EXTRACT_DECIMAL_COMMA, "-12,5"},
    {"hex", EXTRACT_HEX, "hexadecimal digits without sign"},
    {"nmea-degrees", EXTRACT_NMEA_DEGREES, "dddmm.mmmm to degrees; needs \"hemisphere\""},
    {NULL, 0, NULL},
};

const struct option serial_point_rows[] = {
    {"match", OPTION_TEXT, POINT(match), .example = "\"^\\\\$..RMC,\"",
     .help = "POSIX extended regular expression of the lines that carry the point; its groups "
             "serve \"group\""},
    {"group", OPTION_INT, POINT(group), .minimum = -1, .maximum = 9, .fallback = "-1",
     .example = "1", .help = "take group N of \"match\"; 0 is all that matched"},
    {"column", OPTION_INT, POINT(column), .minimum = -1, .maximum = 255, .fallback = "-1",
     .example = "7", .help = "take column N; 0 is what stands before the first delimiter"},
    {"delimiter", OPTION_TEXT, POINT(delimiter), .maximum = 8, .fallback = "\",\"",
     .help = "what parts the columns; a blank stands for any number of blanks"},
    {"at", OPTION_INT, POINT(at), .minimum = -1, .maximum = LINE_SIZE_MAX, .fallback = "-1",
     .example = "4", .help = "take \"length\" bytes from byte N of the line, counted from 0"},
    {"length", OPTION_INT, POINT(length), .minimum = 0, .maximum = LINE_SIZE_MAX, .fallback = "0",
     .help = "how many bytes to take with \"at\""},
    {"type", OPTION_CHOICE, POINT(type), .choices = types, .fallback = "\"number\"",
     .help = "what the text is"},
    {"format", OPTION_CHOICE, POINT(format), .choices = formats, .fallback = "\"decimal\"",
     .help = "how a number is written"},
    {"hemisphere", OPTION_INT, POINT(hemisphere), .minimum = -1, .maximum = 255, .fallback = "-1",
     .example = "4", .help = "the column or group that says N, S, E or W"},
    {"scale", OPTION_NUMBER, POINT(scale), .fallback = "1", .example = "0.51444",
     .help = "value = number * scale + offset"},
    {"offset", OPTION_NUMBER, POINT(offset), .fallback = "0", .help = "added after scaling"},
    {"decimals", OPTION_INT, POINT(decimals), .minimum = -1, .maximum = DECIMALS_MAX,
     .fallback = "-1",
     .help = "digits after the point that are published; -1: as many as the value has"},
    {"true", OPTION_TEXTS, POINT(true_texts), .example = "[\"A\"]",
     .help = "texts that mean true; \"1\" when neither list is given"},
    {"false", OPTION_TEXTS, POINT(false_texts), .example = "[\"V\"]",
     .help = "texts that mean false"},
    {"not_available", OPTION_TEXTS, POINT(not_available), .example = "[\"---\"]",
     .help = "texts that mean: no value, as an empty field does"},
    {.key = NULL},
};

int64_t serial_interval(const struct site_device *device)
{
    int64_t shortest_ns = INT64_MAX;

    for (size_t i = 0; i < device->point_count; i++) {
        if (device->points[i].every_ns < shortest_ns)
            shortest_ns = device->points[i].every_ns;
    }
    return shortest_ns < SERIAL_INTERVAL_MIN_NS ? SERIAL_INTERVAL_MIN_NS : shortest_ns;
}

uint16_t serial_when_status(enum serial_when when)
{
    static const uint16_t statuses[SERIAL_WHEN_COUNT] = {
        [SERIAL_WHEN_BUSY] = STATUS_DEVICE_BUSY,
        [SERIAL_WHEN_OUT_OF_RANGE] = STATUS_OVERRANGE,
        [SERIAL_WHEN_NOT_AVAILABLE] = STATUS_NOT_AVAILABLE,
        [SERIAL_WHEN_FAILED] = STATUS_SENSOR,
    };

    return statuses[when];
}

void serial_framing(const struct serial_bus_options *options, struct line_framing *framing)
{
    framing->start = options->start;
    framing->end = options->end ? options->end : options->length > 0 ? "" : "\r\n";
    framing->length = (size_t)options->length;
    framing->length_max = (size_t)options->length_max;
}

void serial_checksum(const struct serial_bus_options *options, struct checksum *checksum)
{
    checksum->kind = options->checksum;
    checksum->form = options->checksum_form;
    checksum->from = (size_t)options->checksum_from;
    checksum->mark = options->checksum_mark;
}
