#include "node/core/i2c.h"

#define RECOVERY_CLOCKS 9

static void set(const struct i2c *i2c, enum i2c_pin pin, bool released)
{
    i2c->set(i2c->context, pin, released);
    i2c->pause(i2c->context);
}

/* Lets the clock rise, and waits for a device that holds it. */
static int raise_clock(const struct i2c *i2c)
{
    set(i2c, I2C_CLOCK, true);
    for (int i = 0; i < I2C_STRETCH_MAX; i++) {
        if (i2c->is_high(i2c->context, I2C_CLOCK))
            return 0;
        i2c->pause(i2c->context);
    }
    return I2C_STUCK;
}

/* The clock is low before and behind; `high` is told what was on the line. */
static int bit(const struct i2c *i2c, bool released, bool *high)
{
    int error;

    set(i2c, I2C_DATA, released);
    error = raise_clock(i2c);
    i2c->pause(i2c->context);
    *high = i2c->is_high(i2c->context, I2C_DATA);
    set(i2c, I2C_CLOCK, false);
    return error;
}

static int start(const struct i2c *i2c)
{
    int error;

    set(i2c, I2C_DATA, true);
    error = raise_clock(i2c);
    if (!error && !i2c->is_high(i2c->context, I2C_DATA))
        error = I2C_STUCK;
    set(i2c, I2C_DATA, false);
    set(i2c, I2C_CLOCK, false);
    return error;
}

static void stop(const struct i2c *i2c)
{
    set(i2c, I2C_DATA, false);
    raise_clock(i2c);
    set(i2c, I2C_DATA, true);
}

static int put(const struct i2c *i2c, uint8_t byte)
{
    bool high = true;

    for (int i = 7; i >= 0; i--) {
        int error = bit(i2c, byte >> i & 1, &high);

        if (error)
            return error;
    }
    if (bit(i2c, true, &high) != 0)
        return I2C_STUCK;
    return high ? I2C_SILENT : 0;
}

static int get(const struct i2c *i2c, bool last, uint8_t *byte)
{
    bool high;

    *byte = 0;
    for (int i = 0; i < 8; i++) {
        int error = bit(i2c, true, &high);

        if (error)
            return error;
        *byte = (uint8_t)(*byte << 1 | high);
    }
    return bit(i2c, last, &high); /* acknowledged, but for the last one */
}

static int begin(const struct i2c *i2c, uint8_t address, bool read)
{
    int error = start(i2c);

    return error ? error : put(i2c, (uint8_t)(address << 1 | read));
}

static int put_all(const struct i2c *i2c, uint8_t address, const uint8_t *data, size_t size)
{
    int error = begin(i2c, address, false);

    for (size_t i = 0; i < size && !error; i++)
        error = put(i2c, data[i]);
    return error;
}

int i2c_write(const struct i2c *i2c, uint8_t address, const uint8_t *data, size_t size)
{
    int error = put_all(i2c, address, data, size);

    stop(i2c);
    return error;
}

int i2c_read(const struct i2c *i2c, uint8_t address, const uint8_t *write, size_t write_size,
             uint8_t *data, size_t size)
{
    int error = write_size ? put_all(i2c, address, write, write_size) : 0;

    if (!error)
        error = begin(i2c, address, true);
    for (size_t i = 0; i < size && !error; i++)
        error = get(i2c, i + 1 == size, &data[i]);
    stop(i2c);
    return error;
}

int i2c_recover(const struct i2c *i2c)
{
    set(i2c, I2C_DATA, true);
    for (int i = 0; i < RECOVERY_CLOCKS && !i2c->is_high(i2c->context, I2C_DATA); i++) {
        set(i2c, I2C_CLOCK, false);
        if (raise_clock(i2c) != 0)
            return I2C_STUCK;
    }
    stop(i2c);
    return i2c->is_high(i2c->context, I2C_DATA) ? 0 : I2C_STUCK;
}
