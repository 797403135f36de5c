/* Sensirion SHT3x: temperature and humidity. Chapters are those of the datasheet of SHT3x-DIS,
 * version 7, December 2022. Pure: what to send, and what an answer means. */
#ifndef SLUICE_NODE_SHT3X_H
#define SLUICE_NODE_SHT3X_H

#include <stdbool.h>
#include <stdint.h>

#define SHT3X_ADDRESS  0x44 /* ADDR low; high: the next one, 3.4 */
#define SHT3X_ANSWER   6
#define SHT3X_TAKES_MS 16 /* at high repeatability 15.5 ms at most, table 4 */

/* One measurement of high repeatability, without holding the clock: table 9. */
#define SHT3X_MEASURE                                                                              \
    {                                                                                              \
        0x24, 0x00                                                                                 \
    }

/* CRC-8 of two bytes, 4.12. */
uint8_t sht3x_crc(const uint8_t data[2]);

/* Hundredths of a degree Celsius and of a percent of humidity, 4.13; false when a checksum is
 * wrong. */
bool sht3x_decode(const uint8_t answer[SHT3X_ANSWER], int32_t *centidegrees, int32_t *centipercent);

#endif
