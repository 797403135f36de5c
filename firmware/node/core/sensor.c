#include "node/core/sensor.h"

#include "node/core/sht3x.h"

static int ask(const struct i2c *i2c, uint8_t address, uint8_t at, uint8_t *data, size_t size)
{
    return i2c_read(i2c, address, &at, 1, data, size);
}

static bool find_bme280(struct sensor *sensor, const struct i2c *i2c, uint8_t address)
{
    uint8_t id = 0, low[BME280_LOW_SIZE], high[BME280_HIGH_SIZE];

    if (ask(i2c, address, BME280_AT_ID, &id, 1) != 0 || id != BME280_ID ||
        ask(i2c, address, BME280_AT_LOW, low, sizeof low) != 0 ||
        ask(i2c, address, BME280_AT_HIGH, high, sizeof high) != 0)
        return false;
    bme280_calibrate(&sensor->bme280, low, high);
    return true;
}

static int begin(const struct sensor *sensor, const struct i2c *i2c)
{
    static const uint8_t sht3x[] = SHT3X_MEASURE, humidity[] = BME280_HUMIDITY,
                         measure[] = BME280_MEASURE;
    int error;

    if (sensor->kind == SENSOR_SHT3X)
        return i2c_write(i2c, sensor->address, sht3x, sizeof sht3x);
    error = i2c_write(i2c, sensor->address, humidity, sizeof humidity);
    return error ? error : i2c_write(i2c, sensor->address, measure, sizeof measure);
}

/* Each kind has two addresses. A SHT3x is one that takes its command; both are asked anew each
 * time, as sensors are plugged in while the node runs. */
static void find(struct sensor *sensor, const struct i2c *i2c)
{
    sensor->kind = SENSOR_NONE;
    if (i2c_recover(i2c) != 0)
        return;
    for (uint8_t i = 0; i < 2; i++) {
        sensor->address = SHT3X_ADDRESS + i;
        sensor->kind = SENSOR_SHT3X;
        if (begin(sensor, i2c) == 0)
            return;
        sensor->address = BME280_ADDRESS + i;
        sensor->kind = SENSOR_BME280;
        if (find_bme280(sensor, i2c, sensor->address))
            return;
    }
    sensor->kind = SENSOR_NONE;
}

static bool read_sht3x(struct sensor *sensor, const struct i2c *i2c)
{
    uint8_t answer[SHT3X_ANSWER];

    sensor->pascals = 0;
    return i2c_read(i2c, sensor->address, NULL, 0, answer, sizeof answer) == 0 &&
           sht3x_decode(answer, &sensor->centidegrees, &sensor->centipercent);
}

static bool read_bme280(struct sensor *sensor, const struct i2c *i2c)
{
    uint8_t data[BME280_DATA_SIZE];
    struct bme280_reading reading;

    if (ask(i2c, sensor->address, BME280_AT_DATA, data, sizeof data) != 0 ||
        !bme280_decode(&sensor->bme280, data, &reading))
        return false;
    sensor->centidegrees = reading.centidegrees;
    sensor->centipercent = reading.centipercent;
    sensor->pascals = reading.pascals;
    return true;
}

static bool take(struct sensor *sensor, const struct i2c *i2c)
{
    return sensor->kind == SENSOR_SHT3X ? read_sht3x(sensor, i2c) : read_bme280(sensor, i2c);
}

static uint32_t takes_ms(const struct sensor *sensor)
{
    return sensor->kind == SENSOR_SHT3X ? SHT3X_TAKES_MS : BME280_TAKES_MS;
}

/* A failure of one that was there; it is forgotten after some. */
static enum sensor_news fail(struct sensor *sensor)
{
    sensor->errors++;
    if (++sensor->failures < SENSOR_FAILURES_MAX)
        return SENSOR_NOTHING;
    sensor->failures = 0;
    sensor->kind = SENSOR_NONE;
    return SENSOR_LOST;
}

enum sensor_news sensor_poll(struct sensor *sensor, const struct i2c *i2c, uint32_t interval_ms,
                             uint32_t now_ms)
{
    bool known = sensor->kind != SENSOR_NONE;

    if ((int32_t)(now_ms - sensor->next_ms) < 0)
        return SENSOR_NOTHING;
    if (sensor->measuring) {
        sensor->measuring = false;
        sensor->next_ms += interval_ms - takes_ms(sensor);
        if (!take(sensor, i2c))
            return fail(sensor);
        sensor->failures = 0;
        return SENSOR_READING;
    }
    if (!known)
        find(sensor, i2c);
    if (sensor->kind == SENSOR_NONE) {
        sensor->next_ms = now_ms + interval_ms;
        return SENSOR_LOST;
    }
    if (begin(sensor, i2c) != 0) {
        sensor->next_ms = now_ms + interval_ms;
        return fail(sensor);
    }
    sensor->measuring = true;
    sensor->next_ms = now_ms + takes_ms(sensor);
    return SENSOR_NOTHING;
}
