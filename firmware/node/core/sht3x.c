#include "node/core/sht3x.h"

uint8_t sht3x_crc(const uint8_t data[2])
{
    uint8_t crc = 0xFF;

    for (int i = 0; i < 2; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (uint8_t)(crc << 1 ^ (crc & 0x80 ? 0x31 : 0));
    }
    return crc;
}

/* `span` x word / (2^16 - 1), rounded. */
static int32_t part_of(uint32_t span, const uint8_t data[2])
{
    uint32_t word = (uint32_t)data[0] << 8 | data[1];

    return (int32_t)((span * word + 32767) / 65535);
}

bool sht3x_decode(const uint8_t answer[SHT3X_ANSWER], int32_t *centidegrees, int32_t *centipercent)
{
    if (sht3x_crc(answer) != answer[2] || sht3x_crc(answer + 3) != answer[5])
        return false;
    *centidegrees = part_of(17500, answer) - 4500;
    *centipercent = part_of(10000, answer + 3);
    return true;
}
