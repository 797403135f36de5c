#include "serial/options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/choice.h"
#include "core/error.h"
#include "core/status.h"
#include "serial/meter.h"

#define FIELD(struct_name, member) .offset = offsetof(struct struct_name, member)
#define BUS(member)                FIELD(serial_bus_options, member)
#define DEVICE(member)             FIELD(serial_device_options, member)
#define POINT(member)              FIELD(extract_options, member)

const struct option_choice serial_checksum_kinds[] = {
    {"none", CHECKSUM_NONE, "lines carry no checksum"},
    {"nmea", CHECKSUM_NMEA, "NMEA 0183: \"*\" and two hexadecimal digits"},
    {"xor", CHECKSUM_XOR, "exclusive or of the bytes"},
    {"sum8", CHECKSUM_SUM8, "sum of the bytes modulo 256"},
    {"lrc", CHECKSUM_LRC, "two's complement of that sum"},
    {"sum7", CHECKSUM_SUM7, "two's complement of the sum of the seven low bits (Toledo)"},
    {"crc16-modbus", CHECKSUM_CRC16_MODBUS, "CRC-16 as Modbus has it"},
    {"crc16-ccitt", CHECKSUM_CRC16_CCITT, "polynomial 0x1021 beginning with 0xFFFF"},
    {"crc16-xmodem", CHECKSUM_CRC16_XMODEM, "polynomial 0x1021 beginning with 0"},
    {"crc16-x25", CHECKSUM_CRC16_X25, "CRC-16 as X.25, HDLC and SML have it"},
    {"bcc", CHECKSUM_BCC,
     "IEC 62056-21: one byte behind the end, exclusive or of all behind the start"},
    {"sdi-12", CHECKSUM_SDI12, "SDI-12: three characters before the end"},
    {NULL, 0, NULL},
};

const struct option_choice serial_checksum_forms[] = {
    {"hex", CHECKSUM_HEX, "hexadecimal digits, the most significant first"},
    {"hex-low-first", CHECKSUM_HEX_LOW_FIRST, "hexadecimal digits, the low byte first"},
    {"binary", CHECKSUM_BINARY, "bytes, the most significant first; needs \"length\""},
    {"binary-low-first", CHECKSUM_BINARY_LOW_FIRST, "bytes, the low one first; needs \"length\""},
    {NULL, 0, NULL},
};

static const struct option_choice length_fields[] = {
    {"none", LINE_LENGTH_NONE, "lines do not say their length"},
    {"u8", LINE_LENGTH_U8, "one byte"},
    {"u16", LINE_LENGTH_U16, "two bytes, the most significant first"},
    {"u16-little", LINE_LENGTH_U16_LITTLE, "two bytes, the low one first"},
    {NULL, 0, NULL},
};

/* The rows of struct serial_frame_options, for the bus and for a device. */
#define FRAME(name, member) FIELD(name, frame.member)
#define FRAME_ROWS(name, longest, no_checksum)                                                     \
    {"start",                                                                                      \
     OPTION_PARSED,                                                                                \
     FRAME(name, start),                                                                           \
     .parse = serial_parse_mark,                                                                   \
     .example = "\"$\"",                                                                           \
     .help = "what each line begins with; it stays part of the line"},                             \
        {"end",                                                                                    \
         OPTION_PARSED,                                                                            \
         FRAME(name, end),                                                                         \
         .parse = serial_parse_mark,                                                               \
         .example = "\"\\r\\n\"",                                                                  \
         .help = "what each line ends with: \"\\r\\n\" unless said otherwise, or nothing with "    \
                 "\"length\", \"length_field\" or \"silence\""},                                   \
        {"length",                                                                                 \
         OPTION_INT,                                                                               \
         FRAME(name, length),                                                                      \
         .minimum = 0,                                                                             \
         .maximum = LINE_SIZE_MAX,                                                                 \
         .fallback = "0",                                                                          \
         .example = "17",                                                                          \
         .help = "bytes of a line of fixed length, start and end included; 0: lines end with "     \
                 "\"end\""},                                                                       \
        {"length_field",                                                                           \
         OPTION_CHOICE,                                                                            \
         FRAME(name, length_field),                                                                \
         .choices = length_fields,                                                                 \
         .fallback = "\"none\"",                                                                   \
         .example = "\"u8\"",                                                                      \
         .help = "the line itself says how long it is, in this form"},                             \
        {"length_at",                                                                              \
         OPTION_INT,                                                                               \
         FRAME(name, length_at),                                                                   \
         .minimum = 0,                                                                             \
         .maximum = 64,                                                                            \
         .fallback = "0",                                                                          \
         .example = "2",                                                                           \
         .help = "where \"length_field\" stands: bytes from the begin of the line"},               \
        {"length_plus",                                                                            \
         OPTION_INT,                                                                               \
         FRAME(name, length_plus),                                                                 \
         .minimum = -64,                                                                           \
         .maximum = 64,                                                                            \
         .fallback = "0",                                                                          \
         .example = "5",                                                                           \
         .help =                                                                                   \
             "what is added to \"length_field\" to get the bytes of the whole line, start, end "   \
             "and checksum included"},                                                             \
        {"silence",                                                                                \
         OPTION_DURATION,                                                                          \
         FRAME(name, silence_ns),                                                                  \
         .minimum = 0,                                                                             \
         .maximum = 10e9,                                                                          \
         .fallback = "\"0ms\"",                                                                    \
         .example = "\"50ms\"",                                                                    \
         .help =                                                                                   \
             "nothing for so long ends a line, or ends one that was cut; 0: only its end does. "   \
             "USB adapters deliver in pieces of up to 16 ms: take more"},                          \
        {"max_length",                                                                             \
         OPTION_INT,                                                                               \
         FRAME(name, length_max),                                                                  \
         .minimum = 0,                                                                             \
         .maximum = LINE_SIZE_MAX,                                                                 \
         .fallback = longest,                                                                      \
         .help = "longer lines are noise"},                                                        \
        {"checksum",                                                                               \
         OPTION_CHOICE,                                                                            \
         FRAME(name, checksum),                                                                    \
         .choices = serial_checksum_kinds,                                                         \
         .fallback = no_checksum,                                                                  \
         .example = "\"nmea\"",                                                                    \
         .help = "a line whose checksum is wrong is counted and dropped"},                         \
        {"checksum_form",                                                                          \
         OPTION_CHOICE,                                                                            \
         FRAME(name, checksum_form),                                                               \
         .choices = serial_checksum_forms,                                                         \
         .fallback = "\"hex\"",                                                                    \
         .help = "how the checksum is written"},                                                   \
        {"checksum_from",                                                                          \
         OPTION_INT,                                                                               \
         FRAME(name, checksum_from),                                                               \
         .minimum = 0,                                                                             \
         .maximum = 255,                                                                           \
         .fallback = "0",                                                                          \
         .help = "the first byte of the line that the checksum covers, counted from 0"},           \
        {"checksum_mark",                                                                          \
         OPTION_PARSED,                                                                            \
         FRAME(name, checksum_mark),                                                               \
         .parse = serial_parse_mark,                                                               \
         .example = "\"*\"",                                                                       \
         .help = "what stands before the checksum and is not covered by it"},                      \
    {                                                                                              \
        "checksum_after_end", OPTION_BOOL, FRAME(name, checksum_after_end),                        \
            .fallback = "false", .help = "the checksum stands behind \"end\" and covers it"        \
    }

const struct option serial_bus_rows[] = {
    {"port", OPTION_TEXT, BUS(port), .required = true, .exclusive = true,
     .example = "\"by-id:usb-FTDI_A50285BI-if00-port0\"",
     .help = "the serial port as \"sluice ports\" names it: board:LABEL, by-id:NAME, "
             "by-path:NAME, usb:VID:PID:SERIAL, or a device file"},
    {"line", OPTION_PARSED, BUS(line), .parse = port_parse_settings, .fallback = "\"9600 8N1\"",
     .pattern = "^[0-9]+ [78][NEO][12]$", .example = "\"4800 8N1\"",
     .help = "baud, data bits, parity, stop bits"},
    FRAME_ROWS(serial_bus_options, "256", "\"none\""),
    PORT_RS485_ROWS(offsetof(struct serial_bus_options, rs485)),
    {"echo", OPTION_BOOL, BUS(echo), .fallback = "false",
     .help = "whether the adapter returns what is sent (two-wire RS-485)"},
    {.key = NULL},
};

static const struct option_choice notations[] = {
    {"text", SERIAL_TEXT, "lines and frames as the other keys say"},
    {"sml", SERIAL_SML, "files of a smart meter in SML; values are found by \"key\""},
    {NULL, 0, NULL},
};

const struct option serial_device_rows[] = {
    {"line", OPTION_PARSED, DEVICE(line), .parse = port_parse_settings,
     .pattern = "^[0-9]+ [78][NEO][12]$", .example = "\"1200 7E1\"",
     .help = "the settings of the line for this device, where they are not those of its bus"},
    {"notation", OPTION_CHOICE, DEVICE(notation), .choices = notations, .fallback = "\"text\"",
     .help = "what its lines are, where they are not what the other keys say"},
    FRAME_ROWS(serial_device_options, "0", NULL),
    {"address", OPTION_TEXT, DEVICE(address), .maximum = 32, .example = "\"0\"",
     .help = "what {address} stands for in requests and patterns: letters and digits"},
    {"request", OPTION_TEXT, DEVICE(request), .maximum = 256, .example = "\"SI\\r\\n\"",
     .help = "what to send to get a reply, its end included; without it (and without "
             "\"exchange\") the device speaks by itself"},
    {"exchange", OPTION_TEXTS, DEVICE(exchange),
     .example = "[\"break 12ms\", \"pause 9ms\", \"send {address}R0!\"]",
     .help = "in place of \"request\": steps, one after the other, that lead to the reply"},
    {"retries", OPTION_INT, DEVICE(retries), .minimum = 0, .maximum = 5, .fallback = "0",
     .help = "how often it is asked once more before a reply counts as missed; a device that is "
             "down is asked once"},
    {"longest_wait", OPTION_DURATION, DEVICE(longest_wait_ns), .minimum = 0, .maximum = 999e9,
     .fallback = "\"30s\"",
     .help = "the most that is waited in one step, whatever time the device says that it needs"},
    {"match", OPTION_TEXT, DEVICE(match), .example = "\"^\\\\$G[NP]\"",
     .help = "pattern of the lines that are this device's: a POSIX extended regular expression, or "
             "a condition on a byte"},
    {"when_busy", OPTION_TEXT, DEVICE(when[SERIAL_WHEN_BUSY]), .example = "\"^S I$\"",
     .help = "pattern of the lines that say: busy, no value now"},
    {"when_out_of_range", OPTION_TEXT, DEVICE(when[SERIAL_WHEN_OUT_OF_RANGE]),
     .example = "\"^S [+-]$\"", .help = "pattern of the lines that say: over or under the range"},
    {"when_not_available", OPTION_TEXT, DEVICE(when[SERIAL_WHEN_NOT_AVAILABLE]),
     .help = "pattern of the lines that say: there is no value"},
    {"when_failed", OPTION_TEXT, DEVICE(when[SERIAL_WHEN_FAILED]), .example = "\"^E[STL]$\"",
     .help = "pattern of the lines that say: the sensor failed"},
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

static const struct option_alias type_aliases[] = {
    {"float", "number"},
    {"double", "number"},
    {"real", "number"},
    {"decimal", "number"},
    {"f32", "number"},
    {"f64", "number"},
    {"int", "integer"},
    {"long", "integer"},
    {"counter", "integer"},
    {"bool", "boolean"},
    {"string", "text"},
    {"str", "text"},
    {0},
};

static const struct option_choice formats[] = {
    {"decimal", NUMBER_DECIMAL, "-12.5, + 3, 1e-3"},
    {"decimal-comma", NUMBER_DECIMAL_COMMA, "-12,5"},
    {"hex", NUMBER_HEX, "hexadecimal digits without sign"},
    {"nmea-degrees", NUMBER_NMEA_DEGREES, "dddmm.mmmm to degrees; needs \"hemisphere\""},
    {"nmea-time", NUMBER_NMEA_TIME, "hhmmss.ss to seconds since 1970; needs \"date\""},
    {"u8", NUMBER_U8, "one byte"},
    {"i8", NUMBER_I8, "one byte with sign"},
    {"u16", NUMBER_U16, "two bytes"},
    {"i16", NUMBER_I16, "two bytes with sign"},
    {"u32", NUMBER_U32, "four bytes"},
    {"i32", NUMBER_I32, "four bytes with sign"},
    {"u64", NUMBER_U64, "eight bytes"},
    {"i64", NUMBER_I64, "eight bytes with sign"},
    {"f32", NUMBER_F32, "four bytes, IEEE 754"},
    {"f64", NUMBER_F64, "eight bytes, IEEE 754"},
    {NULL, 0, NULL},
};

static const struct option_choice orders[] = {
    {"big", NUMBER_BIG, "the most significant byte first"},
    {"little", NUMBER_LITTLE, "the low byte first"},
    {NULL, 0, NULL},
};

const struct option serial_point_rows[] = {
    {"match", OPTION_TEXT, POINT(match), .example = "\"^\\\\$..RMC,\"",
     .help = "pattern of the lines that carry the point; the groups of a regular expression serve "
             "\"group\""},
    {"group", OPTION_INT, POINT(group), .minimum = -1, .maximum = 9, .fallback = "-1",
     .example = "1", .help = "take group N of \"match\"; 0 is all that matched"},
    {"column", OPTION_INT, POINT(column), .minimum = -1, .maximum = 255, .fallback = "-1",
     .example = "7", .help = "take column N; 0 is what stands before the first delimiter"},
    {"delimiter", OPTION_TEXT, POINT(delimiter), .maximum = 8, .fallback = "\",\"",
     .help = "what parts the columns; a blank stands for any number of blanks"},
    {"at", OPTION_INT, POINT(at), .minimum = -1, .maximum = LINE_SIZE_MAX, .fallback = "-1",
     .example = "4", .help = "take \"length\" bytes from byte N of the line, counted from 0"},
    {"length", OPTION_INT, POINT(length), .minimum = 0, .maximum = LINE_SIZE_MAX, .fallback = "0",
     .help = "how many bytes to take with \"at\"; formats of bytes have their own"},
    {"key", OPTION_TEXT, POINT(key), .maximum = 64, .example = "\"1.8.0\"",
     .help = "take what stands behind this name: \"name=value\", \"name: value\" or "
             "\"name(value*unit)\""},
    {"unit_text", OPTION_TEXT, POINT(unit_text), .maximum = 16, .example = "\"kWh\"",
     .help = "with \"key\": the unit that must stand behind the \"*\"; with another the value is "
             "bad"},
    {"reply", OPTION_INT, POINT(reply), .minimum = 0, .maximum = 9, .fallback = "0", .example = "2",
     .help = "which reply of an \"exchange\" carries the point, from 1; 0: any of them"},
    {"optional", OPTION_BOOL, POINT(optional), .fallback = "false",
     .help = "a reply is whole without this point"},
    {"type", OPTION_CHOICE, POINT(type), .choices = types, .aliases = type_aliases,
     .fallback = "\"number\"", .help = "what the text is"},
    {"format", OPTION_CHOICE, POINT(format), .choices = formats, .aliases = choice_number_types,
     .fallback = "\"decimal\"", .help = "how a number is written"},
    {"order", OPTION_CHOICE, POINT(order), .choices = orders, .fallback = "\"big\"",
     .help = "with a format of bytes: which comes first"},
    {"mask", OPTION_INT, POINT(mask), .minimum = 0, .maximum = 4294967295.0, .fallback = "0",
     .example = "8",
     .help = "with integers of bytes or \"hex\": these bits alone, moved down; 0: all"},
    {"hemisphere", OPTION_INT, POINT(hemisphere), .minimum = -1, .maximum = 255, .fallback = "-1",
     .example = "4", .help = "the column or group that says N, S, E or W"},
    {"date", OPTION_INT, POINT(date), .minimum = -1, .maximum = 255, .fallback = "-1",
     .example = "9", .help = "the column or group of the date that belongs to the time, as ddmmyy"},
    {"negative_when", OPTION_TEXT, POINT(negative_when), .example = "\"byte 2 & 0x02\"",
     .help = "pattern of the lines in which the number is negative"},
    {"decimals_at", OPTION_INT, POINT(decimals_at), .minimum = -1, .maximum = LINE_SIZE_MAX,
     .fallback = "-1", .example = "1",
     .help = "the byte of the line whose three low bits say how many decimals the number has"},
    {"decimals_less", OPTION_INT, POINT(decimals_less), .minimum = 0, .maximum = 7, .fallback = "0",
     .example = "2", .help = "that many decimals less than these bits say"},
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
    {"when_unstable", OPTION_TEXT, POINT(when[EXTRACT_WHEN_UNSTABLE]), .example = "\"^S D\"",
     .help = "pattern of the lines in which the value has not settled: its quality is uncertain"},
    {"when_not_available", OPTION_TEXT, POINT(when[EXTRACT_WHEN_NOT_AVAILABLE]),
     .example = "\"^([^,]*,){6}0,\"",
     .help = "pattern of the lines in which this value is none: its quality is bad"},
    {"when_out_of_range", OPTION_TEXT, POINT(when[EXTRACT_WHEN_OUT_OF_RANGE]),
     .example = "\"byte 2 & 0x04\"",
     .help = "pattern of the lines in which it is out of range: its quality is bad"},
    {"when_failed", OPTION_TEXT, POINT(when[EXTRACT_WHEN_FAILED]),
     .help = "pattern of the lines in which the sensor failed: its quality is bad"},
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

/* The byte that an escape stands for, or -1; *text goes behind it. */
static int take_escape(const char **text)
{
    static const char names[] = "rnt\\", bytes[] = "\r\n\t\\";
    const char *at = *text, *name = at[1] ? strchr(names, at[1]) : NULL;
    char digits[3] = {0};

    if (name) {
        *text = at + 2;
        return bytes[name - names];
    }
    if (at[1] != 'x' || !isxdigit((unsigned char)at[2]) || !isxdigit((unsigned char)at[3]))
        return -1;
    digits[0] = at[2];
    digits[1] = at[3];
    *text = at + 4;
    return (int)strtoul(digits, NULL, 16);
}

int serial_parse_byte(const char **text)
{
    if (**text == '\\')
        return take_escape(text);
    return (uint8_t) * (*text)++;
}

int serial_parse_mark(const char *text, void *field, char *why, size_t why_size)
{
    struct serial_mark *mark = field;
    size_t used = 0;

    while (*text) {
        int byte = serial_parse_byte(&text);

        if (byte < 0) {
            snprintf(
                why, why_size,
                "a backslash begins \\r, \\n, \\t, \\\\ or \\xHH, written with two backslashes");
            return ERR_INVALID;
        }
        if (byte == 0 || used == SERIAL_MARK_MAX) {
            snprintf(why, why_size, "allowed: at most %d bytes, none of them zero",
                     SERIAL_MARK_MAX);
            return ERR_INVALID;
        }
        mark->text[used++] = (char)byte;
    }
    mark->text[used] = 0;
    mark->given = true;
    return 0;
}

static bool frames(const struct serial_frame_options *frame)
{
    return frame->start.given || frame->end.given || frame->length > 0 ||
           frame->length_field != LINE_LENGTH_NONE || frame->silence_ns > 0;
}

bool serial_frames_itself(const struct serial_device_options *device)
{
    return frames(&device->frame) || device->frame.checksum != CHECKSUM_UNSAID ||
           device->notation != SERIAL_TEXT;
}

static const struct serial_frame_options *framing_of(const struct serial_bus_options *bus,
                                                     const struct serial_device_options *device)
{
    return frames(&device->frame) ? &device->frame : &bus->frame;
}

const struct port_settings *serial_line(const struct serial_bus_options *bus,
                                        const struct serial_device_options *device)
{
    return device->line.baud ? &device->line : &bus->line;
}

int64_t serial_silence_ns(const struct serial_bus_options *bus,
                          const struct serial_device_options *device)
{
    return framing_of(bus, device)->silence_ns;
}

/* How many bytes of the line stand behind its end mark. */
static size_t trailer(const struct serial_bus_options *bus,
                      const struct serial_device_options *device)
{
    const struct serial_frame_options *frame =
        device->frame.checksum != CHECKSUM_UNSAID ? &device->frame : &bus->frame;
    struct checksum checksum;

    serial_checksum(bus, device, &checksum);
    return frame->checksum_after_end || checksum.kind == CHECKSUM_BCC
               ? checksum_text_size(&checksum)
               : 0;
}

void serial_framing(const struct serial_bus_options *bus,
                    const struct serial_device_options *device, struct line_framing *framing)
{
    const struct serial_frame_options *frame = framing_of(bus, device);
    bool counted = frame->length > 0 || frame->length_field != LINE_LENGTH_NONE;
    bool has_end = frame->end.given && frame->end.text[0];

    if (device->notation == SERIAL_SML) {
        *framing = (struct line_framing){.start = METER_START,
                                         .end = METER_END,
                                         .trailer = METER_TRAILER_SIZE,
                                         .length_max = METER_FILE_SIZE_MAX};
        return;
    }
    *framing = (struct line_framing){
        .start = frame->start.text,
        .end = frame->end.given                   ? frame->end.text
               : counted || frame->silence_ns > 0 ? ""
                                                  : "\r\n",
        .trailer = trailer(bus, device),
        .length = (size_t)frame->length,
        .length_field = frame->length_field,
        .length_at = (size_t)frame->length_at,
        .length_plus = frame->length_plus,
        .by_silence = frame->silence_ns > 0 && !counted && !has_end,
        .length_max = (size_t)(device->frame.length_max > 0 ? device->frame.length_max
                                                            : bus->frame.length_max),
    };
}

void serial_checksum(const struct serial_bus_options *bus,
                     const struct serial_device_options *device, struct checksum *checksum)
{
    const struct serial_frame_options *frame =
        device->frame.checksum != CHECKSUM_UNSAID ? &device->frame : &bus->frame;

    if (device->notation == SERIAL_SML) {
        *checksum = (struct checksum){CHECKSUM_CRC16_X25, CHECKSUM_BINARY_LOW_FIRST, 0, ""};
        return;
    }
    checksum->kind = frame->checksum;
    checksum->form = frame->checksum_form;
    checksum->from = (size_t)frame->checksum_from;
    checksum->mark = frame->checksum_mark.text;
}
