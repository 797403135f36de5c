/*
 * The climate sensor on I2C, whichever it is: looked for, measured, and looked for again when it
 * does not answer. No call takes longer than a transfer of some ten bytes. Times are milliseconds
 * of a 32-bit counter that may wrap.
 */
#ifndef SLUICE_NODE_SENSOR_H
#define SLUICE_NODE_SENSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "node/core/bme280.h"
#include "node/core/i2c.h"

#define SENSOR_FAILURES_MAX 3 /* in a row, then it is looked for anew */

enum sensor_kind { SENSOR_NONE, SENSOR_SHT3X, SENSOR_BME280 };

struct sensor {
    uint8_t kind; /* enum sensor_kind */
    uint8_t address;
    uint8_t failures;
    bool measuring;
    uint32_t next_ms; /* when to do what comes next */
    uint32_t errors;  /* of sensors that were there, since the start */
    struct bme280 bme280;
    /* The last reading. */
    int32_t centidegrees, centipercent;
    int32_t pascals; /* 0: this kind does not tell */
};

enum sensor_news {
    SENSOR_NOTHING,
    SENSOR_READING, /* there is a new reading */
    SENSOR_LOST,    /* there is no sensor, or not any more */
};

/* Does what is due; measures every `interval_ms`. */
enum sensor_news sensor_poll(struct sensor *sensor, const struct i2c *i2c, uint32_t interval_ms,
                             uint32_t now_ms);

#endif
