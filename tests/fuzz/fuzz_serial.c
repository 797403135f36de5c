/*
 * Any bytes and silences from a serial line: the lines that come out do not depend on the pieces in
 * which the bytes arrived, keep to their framing, and give values that lie within them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/status.h"
#include "fuzz/fuzz.h"
#include "serial/checksum.h"
#include "serial/extract.h"
#include "serial/line.h"

#define SILENCE 0xF5 /* this byte of the input stands for a silence, where the framing knows one   \
                      */

static const struct {
    struct line_framing framing;
    struct checksum checksum;
} kinds[] = {
    {{.start = "$", .end = "\r\n", .length_max = 82}, {CHECKSUM_NMEA, 0, 0, ""}},
    {{.start = "", .end = "\r\n", .length_max = 40}, {CHECKSUM_NONE, 0, 0, ""}},
    {{.start = "#", .end = "", .length = 12, .length_max = 82},
     {CHECKSUM_CRC16_MODBUS, CHECKSUM_BINARY_LOW_FIRST, 1, ""}},
    {{.start = "", .end = "\n", .length_max = LINE_SIZE_MAX},
     {CHECKSUM_SUM8, CHECKSUM_HEX, 0, "*"}},
    {{.start = "\x02", .end = "\x03", .trailer = 1, .length_max = 200}, {CHECKSUM_BCC, 0, 0, ""}},
    {{.start = "\x02", .end = "\r", .trailer = 1, .length_max = 20},
     {CHECKSUM_SUM7, CHECKSUM_BINARY, 0, ""}},
    {{.start = "", .end = "\r\n", .length_max = 80}, {CHECKSUM_SDI12, 0, 0, ""}},
    {{.start = "#",
      .end = "",
      .length_field = LINE_LENGTH_U8,
      .length_at = 1,
      .length_plus = 4,
      .length_max = 64},
     {CHECKSUM_CRC16_X25, CHECKSUM_BINARY_LOW_FIRST, 0, ""}},
    {{.start = "",
      .end = ";",
      .length_field = LINE_LENGTH_U16_LITTLE,
      .length_at = 0,
      .length_plus = -3,
      .length_max = 64},
     {CHECKSUM_NONE, 0, 0, ""}},
    {{.start = "", .end = "", .by_silence = true, .length_max = 30}, {CHECKSUM_NONE, 0, 0, ""}},
    {{.start = "$", .end = "", .by_silence = true, .length_max = 30},
     {CHECKSUM_XOR, CHECKSUM_HEX, 1, ""}},
};

#define PLACE                                                                                      \
    .group = -1, .column = -1, .hemisphere = -1, .decimals_at = -1, .delimiter = ",", .scale = 1,  \
    .decimals = -1
#define COLUMN(n)                                                                                  \
    .group = -1, .column = n, .at = -1, .decimals_at = -1, .delimiter = ",", .scale = 1,           \
    .decimals = -1

static const struct extract_options options[] = {
    {COLUMN(3), .hemisphere = 4, .format = NUMBER_NMEA_DEGREES},
    {COLUMN(7), .hemisphere = -1},
    {COLUMN(1), .hemisphere = -1, .type = EXTRACT_TEXT},
    {COLUMN(2), .hemisphere = -1, .type = EXTRACT_INTEGER, .format = NUMBER_HEX, .mask = 0xF0},
    {.match = "^S [SD] +(-? *[0-9.]+)",
     .group = 1,
     .column = -1,
     .at = -1,
     .delimiter = ",",
     .hemisphere = -1,
     .decimals_at = -1,
     .scale = 0.5,
     .decimals = -1,
     .when = {[EXTRACT_WHEN_UNSTABLE] = "^S D"}},
    {PLACE, .at = -1, .key = "1.8.0", .unit_text = "kWh"},
    {PLACE, .at = -1, .key = "T", .type = EXTRACT_TEXT},
    {PLACE, .at = 3, .format = NUMBER_U8, .type = EXTRACT_BOOLEAN, .mask = 8},
    {PLACE, .at = 1, .format = NUMBER_F32, .order = NUMBER_LITTLE},
    {PLACE, .at = 2, .format = NUMBER_U64, .type = EXTRACT_INTEGER},
    {.group = -1,
     .column = -1,
     .at = 4,
     .length = 6,
     .delimiter = ",",
     .hemisphere = -1,
     .decimals_at = 1,
     .decimals_less = 2,
     .scale = 1,
     .decimals = -1,
     .negative_when = "byte 2 & 0x02",
     .when = {[EXTRACT_WHEN_OUT_OF_RANGE] = "byte 2 & 0x04",
              [EXTRACT_WHEN_FAILED] = "byte 2 & 0x10 = 0"}},
};

static struct extract *extracts[sizeof(options) / sizeof(options[0])];

static void open_extracts(void)
{
    char why[100];

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]) && !extracts[i]; i++) {
        if (extract_open(&extracts[i], &options[i], NULL, why, sizeof(why)) != 0)
            abort();
    }
}

static void take_values(const struct line *line, size_t size)
{
    char text[LINE_SIZE_MAX + 64];

    memcpy(text, line->data, size);
    text[size] = 0;
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        uint16_t status = STATUS_BAD;
        struct value value;

        if (extract_value(extracts[i], text, size, &value, &status) == 0 ||
            (status != STATUS_GOOD && status != STATUS_UNSTABLE))
            continue;
        if (value.type != extract_value_type(&options[i]))
            abort();
        if (value.type == VALUE_TEXT && ((const char *)value.data < text ||
                                         (const char *)value.data + value.size > text + size))
            abort();
    }
}

static uint64_t add_byte(uint64_t sum, unsigned byte)
{
    return (sum ^ byte) * 1099511628211u;
}

/* Takes the lines that are whole; adds what is in them to the sum. */
static uint64_t drain(size_t kind, struct line_framer *framer, uint64_t sum)
{
    const struct line_framing *framing = &kinds[kind].framing;
    struct line line;

    while (line_next(framer, &line)) {
        size_t content;

        if (line.size == 0 || line.size > LINE_SIZE_MAX + 64 || line.content_size > line.size ||
            memcmp(line.data, framing->start, strlen(framing->start)) != 0)
            abort();
        if (checksum_check(&kinds[kind].checksum, line.data, line.size, &content) != 0) {
            line_reject(framer);
            continue;
        }
        if (content > line.content_size)
            content = line.content_size;
        for (size_t i = 0; i < content; i++)
            sum = add_byte(sum, line.data[i]);
        sum = add_byte(sum, 0x100);
        take_values(&line, content);
        line_accept(framer);
    }
    return sum;
}

/* Feeds all in pieces; returns a sum over the lines that came out whole. */
static uint64_t feed(size_t kind, const uint8_t *data, size_t size, size_t piece)
{
    static struct line_framer framer;
    uint64_t sum = 14695981039346656037u;

    line_init(&framer, &kinds[kind].framing);
    for (size_t at = 0; at < size;) {
        const uint8_t *silence = memchr(data + at, SILENCE, size - at);
        size_t left = silence ? (size_t)(silence - data) - at : size - at;
        size_t taken = line_feed(&framer, data + at, left < piece ? left : piece);

        if (taken == 0 && left > 0)
            abort();
        at += taken;
        sum = drain(kind, &framer, sum);
        if (taken < left || !silence)
            continue;
        at++;
        line_silence(&framer);
        sum = drain(kind, &framer, sum);
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t kind, piece;

    open_extracts();
    if (size < 2)
        return 0;
    kind = data[0] % (sizeof(kinds) / sizeof(kinds[0]));
    piece = 1 + data[1];
    if (feed(kind, data + 2, size - 2, piece) != feed(kind, data + 2, size - 2, 4096))
        abort();
    return 0;
}

size_t fuzz_seed(uint64_t random, uint8_t *out, size_t room)
{
    static const char *const good[] = {
        "$GPGLL,4916.45,N,12311.12,W,225444,A*31\r\n",
        "$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A\r\n",
        "S S      100.25 g\r\n",
        "S -\r\n",
        "#123456789\x37\x4B",
        "123456789*DD\n",
        "\x02"
        "1.8.0(000123.4*kWh)\r\n!\r\n\x03\x7E",
        "\x02\x2C\x30\x20  1234     0\r\x1B",
        "0+3.14OqZ\r\n",
        "#\x05"
        "abcde",
        "\x0A\x7f"
        "abcd;",
        "T=21.5,RH=40\xF5",
        "$ab03\xF5",
    };
    uint64_t lines = random % 8;
    size_t size = 2;

    if (room < 2)
        return 0;
    out[0] = (uint8_t)(random >> 8);
    out[1] = (uint8_t)(random >> 16);
    for (uint64_t i = 0; i < lines; i++) {
        const char *line = good[fuzz_next(&random) % (sizeof(good) / sizeof(good[0]))];
        size_t line_size = strlen(line);

        if (line_size > room - size)
            break;
        memcpy(out + size, line, line_size);
        size += line_size;
    }
    return size;
}
