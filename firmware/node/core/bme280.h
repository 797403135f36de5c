/* Bosch BME280: temperature, humidity and air pressure. Chapters are those of the datasheet
 * BST-BME280-DS001, revision 1.23. Pure: what to send, and what an answer means. */
#ifndef SLUICE_NODE_BME280_H
#define SLUICE_NODE_BME280_H

#include <stdbool.h>
#include <stdint.h>

#define BME280_ADDRESS  0x76 /* SDO low; high: the next one, 6.2 */
#define BME280_AT_ID    0xD0
#define BME280_ID       0x60
#define BME280_TAKES_MS 10 /* all three once, 9.1: 9.3 ms at most */

/* Where the calibration lies, in two pieces, 4.2.2. */
#define BME280_AT_LOW    0x88
#define BME280_LOW_SIZE  26
#define BME280_AT_HIGH   0xE1
#define BME280_HIGH_SIZE 7

/* Register and value, each: humidity once, temperature and pressure once, and go, 5.4.3, 5.4.5. */
#define BME280_HUMIDITY                                                                            \
    {                                                                                              \
        0xF2, 0x01                                                                                 \
    }
#define BME280_MEASURE                                                                             \
    {                                                                                              \
        0xF4, 0x25                                                                                 \
    }

#define BME280_AT_DATA   0xF7
#define BME280_DATA_SIZE 8

struct bme280 {
    uint16_t t1, p1;
    int16_t t2, t3, p2, p3, p4, p5, p6, p7, p8, p9, h2, h4, h5;
    uint8_t h1, h3;
    int8_t h6;
};

struct bme280_reading {
    int32_t centidegrees;
    int32_t centipercent;
    int32_t pascals;
};

void bme280_calibrate(struct bme280 *bme280, const uint8_t low[BME280_LOW_SIZE],
                      const uint8_t high[BME280_HIGH_SIZE]);

/* The formulas for 32 bits, 4.2.3 and 8.2. False where the device has not measured. */
bool bme280_decode(const struct bme280 *bme280, const uint8_t data[BME280_DATA_SIZE],
                   struct bme280_reading *reading);

#endif
