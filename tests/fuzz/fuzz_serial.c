/*
 * Any bytes from a serial line: the lines that come out do not depend on the pieces in which the
 * bytes arrived, keep to their framing, and give values that lie within them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/status.h"
#include "fuzz/fuzz.h"
#include "serial/checksum.h"
#include "serial/extract.h"
#include "serial/line.h"

static const struct {
    struct line_framing framing;
    struct checksum checksum;
} kinds[] = {
    {{"$", "\r\n", 0, 82}, {CHECKSUM_NMEA, 0, 0, ""}},
    {{"", "\r\n", 0, 40}, {CHECKSUM_NONE, 0, 0, ""}},
    {{"#", "", 12, 82}, {CHECKSUM_CRC16_MODBUS, CHECKSUM_BINARY_LOW_FIRST, 1, ""}},
    {{"", "\n", 0, LINE_SIZE_MAX}, {CHECKSUM_SUM8, CHECKSUM_HEX, 0, "*"}},
};

#define COLUMN(n) .group = -1, .column = n, .at = -1, .delimiter = ",", .scale = 1, .decimals = -1

static const struct extract_options options[] = {
    {COLUMN(3), .hemisphere = 4, .format = EXTRACT_NMEA_DEGREES},
    {COLUMN(7), .hemisphere = -1},
    {COLUMN(1), .hemisphere = -1, .type = EXTRACT_TEXT},
    {COLUMN(2), .hemisphere = -1, .type = EXTRACT_INTEGER, .format = EXTRACT_HEX},
    {.match = "^S [SD] +(-? *[0-9.]+)",
     .group = 1,
     .column = -1,
     .at = -1,
     .delimiter = ",",
     .hemisphere = -1,
     .scale = 0.5,
     .decimals = -1},
};

static struct extract *extracts[sizeof(options) / sizeof(options[0])];

static void open_extracts(void)
{
    char why[100];

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]) && !extracts[i]; i++) {
        if (extract_open(&extracts[i], &options[i], why, sizeof(why)) != 0)
            abort();
    }
}

static void take_values(const struct line *line, size_t size)
{
    char text[LINE_SIZE_MAX + 1];

    if (memchr(line->data, 0, size))
        return;
    memcpy(text, line->data, size);
    text[size] = 0;
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        uint16_t status = STATUS_BAD;
        struct value value;

        if (extract_value(extracts[i], text, size, &value, &status) == 0 || status != STATUS_GOOD)
            continue;
        if (value.type != extract_value_type(&options[i]))
            abort();
        if (value.type == VALUE_TEXT && ((const char *)value.data < text ||
                                         (const char *)value.data + value.size > text + size))
            abort();
    }
}

/* Feeds all in pieces; returns a sum over the lines that came out whole. */
static uint64_t feed(size_t kind, const uint8_t *data, size_t size, size_t piece)
{
    static struct line_framer framer;
    const struct line_framing *framing = &kinds[kind].framing;
    uint64_t sum = 14695981039346656037u;

    line_init(&framer, framing);
    for (size_t at = 0; at < size;) {
        size_t taken = line_feed(&framer, data + at, size - at < piece ? size - at : piece);
        struct line line;

        if (taken == 0)
            abort();
        at += taken;
        while (line_next(&framer, &line)) {
            size_t content;

            if (line.size == 0 || line.size > LINE_SIZE_MAX ||
                memcmp(line.data, framing->start, strlen(framing->start)) != 0)
                abort();
            if (checksum_check(&kinds[kind].checksum, line.data, line.size, &content) != 0) {
                line_reject(&framer);
                continue;
            }
            for (size_t i = 0; i < content; i++)
                sum = (sum ^ line.data[i]) * 1099511628211u;
            sum = (sum ^ 0x100) * 1099511628211u;
            take_values(&line, content);
            line_accept(&framer);
        }
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
