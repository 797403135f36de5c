#include "node/core/bme280.h"

static uint16_t word(const uint8_t data[2])
{
    return (uint16_t)(data[0] | data[1] << 8);
}

static int16_t number(const uint8_t data[2])
{
    return (int16_t)word(data);
}

void bme280_calibrate(struct bme280 *bme280, const uint8_t low[BME280_LOW_SIZE],
                      const uint8_t high[BME280_HIGH_SIZE])
{
    /* Table 16. The byte at 0xA0 is of no meaning, and two numbers of 12 bits share a byte. */
    *bme280 = (struct bme280){
        .t1 = word(low),
        .t2 = number(low + 2),
        .t3 = number(low + 4),
        .p1 = word(low + 6),
        .p2 = number(low + 8),
        .p3 = number(low + 10),
        .p4 = number(low + 12),
        .p5 = number(low + 14),
        .p6 = number(low + 16),
        .p7 = number(low + 18),
        .p8 = number(low + 20),
        .p9 = number(low + 22),
        .h1 = low[25],
        .h2 = number(high),
        .h3 = high[2],
        .h4 = (int16_t)((int8_t)high[3] * 16 | (high[4] & 0x0F)),
        .h5 = (int16_t)((int8_t)high[5] * 16 | high[4] >> 4),
        .h6 = (int8_t)high[6],
    };
}

/* The temperature in the unit that the other two formulas take: 1/5120 of a degree. */
static int32_t fine_temperature(const struct bme280 *c, int32_t adc)
{
    int32_t var1 = (((adc >> 3) - ((int32_t)c->t1 << 1)) * c->t2) >> 11;
    int32_t half = (adc >> 4) - (int32_t)c->t1;

    return var1 + (((half * half >> 12) * c->t3) >> 14);
}

/* Pascals; 0 where the calibration would divide by zero. Left shifts of what may be below zero are
 * multiplications here: the datasheet's are not defined in C. */
static uint32_t pressure(const struct bme280 *c, int32_t adc, int32_t fine)
{
    int32_t var1 = (fine >> 1) - 64000;
    int32_t var2 = (((var1 >> 2) * (var1 >> 2)) >> 11) * c->p6;
    uint32_t p;

    var2 = var2 + var1 * c->p5 * 2;
    var2 = (var2 >> 2) + c->p4 * 65536;
    var1 = (((c->p3 * (((var1 >> 2) * (var1 >> 2)) >> 13)) >> 3) + ((c->p2 * var1) >> 1)) >> 18;
    var1 = ((32768 + var1) * c->p1) >> 15;
    if (var1 <= 0)
        return 0;
    p = ((uint32_t)(1048576 - adc) - (uint32_t)(var2 >> 12)) * 3125;
    p = p < 0x80000000u ? (p << 1) / (uint32_t)var1 : p / (uint32_t)var1 * 2;
    var1 = (c->p9 * (int32_t)(((p >> 3) * (p >> 3)) >> 13)) >> 12;
    var2 = ((int32_t)(p >> 2) * c->p8) >> 13;
    return (uint32_t)((int32_t)p + ((var1 + var2 + c->p7) >> 4));
}

/* 1/1024 of a percent. */
static uint32_t humidity(const struct bme280 *c, int32_t adc, int32_t fine)
{
    int32_t v = fine - 76800;
    int32_t dry = (((adc << 14) - c->h4 * 1048576 - c->h5 * v) + 16384) >> 15;
    int32_t slope = (((v * c->h6) >> 10) * (((v * c->h3) >> 11) + 32768)) >> 10;

    v = dry * (((slope + 2097152) * c->h2 + 8192) >> 14);
    v = v - (((((v >> 15) * (v >> 15)) >> 7) * c->h1) >> 4);
    v = v < 0 ? 0 : v > 419430400 ? 419430400 : v;
    return (uint32_t)v >> 12;
}

bool bme280_decode(const struct bme280 *bme280, const uint8_t data[BME280_DATA_SIZE],
                   struct bme280_reading *reading)
{
    int32_t press = data[0] << 12 | data[1] << 4 | data[2] >> 4;
    int32_t temp = data[3] << 12 | data[4] << 4 | data[5] >> 4;
    int32_t hum = data[6] << 8 | data[7];
    int32_t fine = fine_temperature(bme280, temp);

    /* What was left out reads as the reset value, 5.4.7 to 5.4.9. */
    if (press == 0x80000 || temp == 0x80000 || hum == 0x8000)
        return false;
    reading->centidegrees = (fine * 5 + 128) >> 8;
    reading->pascals = (int32_t)pressure(bme280, press, fine);
    reading->centipercent = (int32_t)((humidity(bme280, hum, fine) * 100 + 512) >> 10);
    return true;
}
