#include "node/core/crc.h"

uint16_t crc16_byte(uint16_t crc, uint8_t byte)
{
    static const uint16_t steps[16] = {0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00,
                                       0x2800, 0xE401, 0xA001, 0x6C00, 0x7800, 0xB401,
                                       0x5000, 0x9C01, 0x8801, 0x4400};

    crc = (uint16_t)(crc >> 4 ^ steps[(crc ^ byte) & 15]);
    return (uint16_t)(crc >> 4 ^ steps[(crc ^ byte >> 4) & 15]);
}

uint16_t crc16(const uint8_t *data, size_t size)
{
    uint16_t crc = CRC16_START;

    for (size_t i = 0; i < size; i++)
        crc = crc16_byte(crc, data[i]);
    return crc;
}

uint32_t crc32(uint32_t crc, const void *data, size_t size)
{
    static const uint32_t steps[16] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC,
                                       0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
                                       0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
                                       0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
    const uint8_t *bytes = data;

    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ steps[crc & 15];
        crc = crc >> 4 ^ steps[crc & 15];
    }
    return ~crc;
}
