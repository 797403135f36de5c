#include "serial/checksum.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "core/error.h"

static uint32_t crc16_reflected(const uint8_t *data, size_t size, uint32_t polynomial, uint32_t crc)
{
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
    }
    return crc;
}

static uint32_t crc16_forward(const uint8_t *data, size_t size, uint32_t crc)
{
    for (size_t i = 0; i < size; i++) {
        crc ^= (uint32_t)data[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1) & 0xFFFF;
    }
    return crc;
}

static uint32_t sum(const uint8_t *data, size_t size, uint8_t mask)
{
    uint32_t total = 0;

    for (size_t i = 0; i < size; i++)
        total += data[i] & mask;
    return total;
}

static uint32_t exclusive_or(const uint8_t *data, size_t size)
{
    uint32_t result = 0;

    for (size_t i = 0; i < size; i++)
        result ^= data[i];
    return result;
}

static uint32_t compute(int kind, const uint8_t *data, size_t size)
{
    switch (kind) {
    case CHECKSUM_SUM8:
        return sum(data, size, 0xFF) & 0xFF;
    case CHECKSUM_LRC:
        return (0x100 - (sum(data, size, 0xFF) & 0xFF)) & 0xFF;
    case CHECKSUM_SUM7:
        return (0x80 - (sum(data, size, 0x7F) & 0x7F)) & 0x7F;
    case CHECKSUM_CRC16_MODBUS:
        return crc16_reflected(data, size, 0xA001, 0xFFFF);
    case CHECKSUM_CRC16_CCITT:
        return crc16_forward(data, size, 0xFFFF);
    case CHECKSUM_CRC16_XMODEM:
        return crc16_forward(data, size, 0);
    case CHECKSUM_CRC16_X25:
        return crc16_reflected(data, size, 0x8408, 0xFFFF) ^ 0xFFFF;
    case CHECKSUM_SDI12:
        return crc16_reflected(data, size, 0xA001, 0);
    default:
        return exclusive_or(data, size);
    }
}

static bool is_none(const struct checksum *checksum)
{
    return checksum->kind == CHECKSUM_NONE || checksum->kind == CHECKSUM_UNSAID;
}

/* What a kind that says everything itself means; other kinds are what they are. */
static const struct checksum *resolve(const struct checksum *checksum)
{
    static const struct checksum nmea = {CHECKSUM_XOR, CHECKSUM_HEX, 1, "*"};
    static const struct checksum bcc = {CHECKSUM_XOR, CHECKSUM_BINARY, 1, ""};
    static const struct checksum sdi12 = {CHECKSUM_SDI12, CHECKSUM_HEX, 0, ""};

    switch (checksum->kind) {
    case CHECKSUM_NMEA:
        return &nmea;
    case CHECKSUM_BCC:
        return &bcc;
    case CHECKSUM_SDI12:
        return &sdi12;
    default:
        return checksum;
    }
}

static bool is_hex(int form)
{
    return form == CHECKSUM_HEX || form == CHECKSUM_HEX_LOW_FIRST;
}

static size_t width_of(int kind)
{
    return kind >= CHECKSUM_CRC16_MODBUS && kind <= CHECKSUM_CRC16_X25 ? 2 : 1;
}

size_t checksum_text_size(const struct checksum *checksum)
{
    if (is_none(checksum))
        return 0;
    checksum = resolve(checksum);
    if (checksum->kind == CHECKSUM_SDI12)
        return 3;
    return width_of(checksum->kind) * (is_hex(checksum->form) ? 2 : 1);
}

size_t checksum_write(const struct checksum *checksum, const uint8_t *line, size_t size,
                      uint8_t out[CHECKSUM_TEXT_MAX])
{
    static const char digits[] = "0123456789ABCDEF";
    size_t text_size = checksum_text_size(checksum), width;
    uint32_t value;

    if (text_size == 0)
        return 0;
    checksum = resolve(checksum);
    value = size > checksum->from
                ? compute(checksum->kind, line + checksum->from, size - checksum->from)
                : compute(checksum->kind, line, 0);
    if (checksum->kind == CHECKSUM_SDI12) {
        for (size_t i = 0; i < 3; i++)
            out[i] = (uint8_t)(0x40 | (value >> (12 - 6 * i) & 0x3F));
        return text_size;
    }
    width = width_of(checksum->kind);
    for (size_t i = 0; i < width; i++) {
        bool low_first =
            checksum->form == CHECKSUM_HEX_LOW_FIRST || checksum->form == CHECKSUM_BINARY_LOW_FIRST;
        uint8_t byte = (uint8_t)(value >> 8 * (low_first ? i : width - 1 - i));

        if (is_hex(checksum->form)) {
            out[2 * i] = (uint8_t)digits[byte >> 4];
            out[2 * i + 1] = (uint8_t)digits[byte & 15];
        } else {
            out[i] = byte;
        }
    }
    return text_size;
}

/* Hexadecimal digits may come in either case. */
static bool is_same(const struct checksum *checksum, const uint8_t *stated, const uint8_t *computed,
                    size_t size)
{
    if (checksum->kind != CHECKSUM_SDI12 && is_hex(checksum->form))
        return strncasecmp((const char *)stated, (const char *)computed, size) == 0;
    return memcmp(stated, computed, size) == 0;
}

int checksum_check(const struct checksum *checksum, const uint8_t *line, size_t size,
                   size_t *content_size)
{
    uint8_t computed[CHECKSUM_TEXT_MAX];
    size_t text_size, mark_size, content;

    *content_size = size;
    if (is_none(checksum))
        return 0;
    checksum = resolve(checksum);
    text_size = checksum_text_size(checksum);
    mark_size = strlen(checksum->mark);
    if (size < checksum->from + mark_size + text_size)
        return ERR_CHECKSUM;
    content = size - text_size - mark_size;
    checksum_write(checksum, line, content, computed);
    if (memcmp(line + content, checksum->mark, mark_size) != 0 ||
        !is_same(checksum, line + size - text_size, computed, text_size))
        return ERR_CHECKSUM;
    *content_size = content;
    return 0;
}
