/* The two checksums of a node, a nibble a step: small tables, and quick enough between two bytes.
 */
#ifndef SLUICE_NODE_CRC_H
#define SLUICE_NODE_CRC_H

#include <stddef.h>
#include <stdint.h>

#define CRC16_START 0xFFFFu

/*
 * CRC-16 of Modbus RTU (Modbus over serial line 1.02, 6.2.2), one byte further. Begins with
 * CRC16_START; over a frame with its own checksum, low byte first, it ends at 0.
 */
uint16_t crc16_byte(uint16_t crc, uint8_t byte);
uint16_t crc16(const uint8_t *data, size_t size);

/* CRC-32 of IEEE 802.3 (reflected, 0xEDB88320); `crc` is 0 to begin. */
uint32_t crc32(uint32_t crc, const void *data, size_t size);

#endif
