/*
 * Modbus ASCII: a colon, unit, PDU and LRC as hexadecimal digits, CR LF (Modbus over serial line
 * 1.02, 2.5.2). A colon begins a frame wherever it stands, so what came before it is noise.
 */
#include "core/clock.h"
#include "core/error.h"
#include "modbus/frames.h"

#define BEFORE_DIGITS 1
#define BEHIND_DIGITS 2
#define LEAST         11             /* an exception: colon, 4 bytes as digits, CR LF */
#define PAUSE_NS      (1 * NS_PER_S) /* the same document, 2.5.2.1 */

static uint8_t lrc_of(const uint8_t *data, size_t size)
{
    unsigned sum = 0;

    for (size_t i = 0; i < size; i++)
        sum += data[i];
    return (uint8_t)(0x100 - (sum & 0xFF));
}

static uint8_t *put(uint8_t *out, uint8_t byte)
{
    static const char digits[] = "0123456789ABCDEF";

    *out++ = (uint8_t)digits[byte >> 4];
    *out++ = (uint8_t)digits[byte & 15];
    return out;
}

static size_t encode(uint8_t unit, const uint8_t *pdu, size_t size, uint8_t bytes[FRAMES_BYTES_MAX])
{
    uint8_t *out = bytes;

    *out++ = ':';
    out = put(out, unit);
    for (size_t i = 0; i < size; i++)
        out = put(out, pdu[i]);
    out = put(out, (uint8_t)(lrc_of(pdu, size) - unit));
    *out++ = '\r';
    *out++ = '\n';
    return (size_t)(out - bytes);
}

static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* What stands between colon and CR LF. */
static int decode_digits(const uint8_t *digits, size_t count, uint8_t adu[FRAMES_ADU_MAX],
                         struct frame *frame)
{
    size_t size = count / 2;

    if (count % 2 || count < LEAST - BEFORE_DIGITS - BEHIND_DIGITS || size > FRAMES_ADU_MAX)
        return ERR_CHECKSUM;
    for (size_t i = 0; i < size; i++) {
        int high = digit(digits[2 * i]), low = digit(digits[2 * i + 1]);

        if (high < 0 || low < 0)
            return ERR_CHECKSUM;
        adu[i] = (uint8_t)(high << 4 | low);
    }
    if (lrc_of(adu, size - 1) != adu[size - 1])
        return ERR_CHECKSUM;
    *frame = (struct frame){.unit = adu[0], .pdu = adu + 1, .pdu_size = size - 2};
    return 1;
}

static int decode(const uint8_t *bytes, size_t have, uint8_t adu[FRAMES_ADU_MAX],
                  struct frame *frame, size_t *wanted)
{
    size_t start = 0, length; /* of what stands behind the last colon; start 0: none has come */

    for (size_t i = 0; i < have; i++) {
        if (bytes[i] == ':')
            start = i + 1;
        if (start && bytes[i] == '\n' && bytes[i - 1] == '\r')
            return decode_digits(bytes + start, i - 1 - start, adu, frame);
    }
    if (have == FRAMES_BYTES_MAX)
        return ERR_CHECKSUM;
    length = have - start;
    if (start && length < LEAST - BEFORE_DIGITS)
        *wanted = LEAST - BEFORE_DIGITS - length;
    else if (start)
        *wanted = bytes[have - 1] == '\r' ? 1 : BEHIND_DIGITS;
    else
        *wanted = LEAST;
    return 0;
}

const struct frames_codec frames_ascii = {
    .bytes_of_one = 2,
    .bytes_around = BEFORE_DIGITS + 2 + BEHIND_DIGITS,
    .bytes_least = LEAST,
    .pause_ns = PAUSE_NS,
    .encode = encode,
    .decode = decode,
};
