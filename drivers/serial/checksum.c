#include "serial/checksum.h"

#include <stdbool.h>
#include <string.h>

#include "core/error.h"

static uint32_t crc16_reflected(const uint8_t *data, size_t size)
{
    uint32_t crc = 0xFFFF;

    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1;
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

static uint32_t sum8(const uint8_t *data, size_t size)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < size; i++)
        sum += data[i];
    return sum & 0xFF;
}

static uint32_t compute(int kind, const uint8_t *data, size_t size)
{
    uint32_t sum = 0;

    switch (kind) {
    case CHECKSUM_SUM8:
        return sum8(data, size);
    case CHECKSUM_LRC:
        return (0x100 - sum8(data, size)) & 0xFF;
    case CHECKSUM_CRC16_MODBUS:
        return crc16_reflected(data, size);
    case CHECKSUM_CRC16_CCITT:
        return crc16_forward(data, size, 0xFFFF);
    case CHECKSUM_CRC16_XMODEM:
        return crc16_forward(data, size, 0);
    default:
        for (size_t i = 0; i < size; i++)
            sum ^= data[i];
        return sum;
    }
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* Reads the checksum of `width` bytes as it stands in the line. */
static bool read_stated(int form, size_t width, const uint8_t *text, uint32_t *stated)
{
    bool hex = form == CHECKSUM_HEX || form == CHECKSUM_HEX_LOW_FIRST;
    bool low_first = form == CHECKSUM_HEX_LOW_FIRST || form == CHECKSUM_BINARY_LOW_FIRST;

    *stated = 0;
    for (size_t i = 0; i < width; i++) {
        size_t place = low_first ? width - 1 - i : i;
        int high, low;

        if (!hex) {
            *stated = *stated << 8 | text[place];
            continue;
        }
        high = hex_digit(text[2 * place]);
        low = hex_digit(text[2 * place + 1]);
        if (high < 0 || low < 0)
            return false;
        *stated = *stated << 8 | (uint32_t)high << 4 | (uint32_t)low;
    }
    return true;
}

int checksum_check(const struct checksum *checksum, const uint8_t *line, size_t size,
                   size_t *content_size)
{
    static const struct checksum nmea = {CHECKSUM_XOR, CHECKSUM_HEX, 1, "*"};
    size_t width, text_size, mark_size, content;
    uint32_t stated;

    *content_size = size;
    if (checksum->kind == CHECKSUM_NONE)
        return 0;
    if (checksum->kind == CHECKSUM_NMEA)
        checksum = &nmea;
    width = checksum->kind >= CHECKSUM_CRC16_MODBUS ? 2 : 1;
    text_size = checksum->form <= CHECKSUM_HEX_LOW_FIRST ? 2 * width : width;
    mark_size = strlen(checksum->mark);
    if (size < checksum->from + mark_size + text_size)
        return ERR_CHECKSUM;
    content = size - text_size - mark_size;
    if (memcmp(line + content, checksum->mark, mark_size) != 0 ||
        !read_stated(checksum->form, width, line + size - text_size, &stated) ||
        stated != compute(checksum->kind, line + checksum->from, content - checksum->from))
        return ERR_CHECKSUM;
    *content_size = content;
    return 0;
}
