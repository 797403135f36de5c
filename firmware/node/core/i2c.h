/*
 * A master of I2C on two pins, NXP UM10204: slow, the same on every SoC, and with an end to every
 * wait. Pins are released (and pulled up by the board) or held low, never driven high.
 */
#ifndef SLUICE_NODE_I2C_H
#define SLUICE_NODE_I2C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum i2c_pin { I2C_CLOCK, I2C_DATA };

struct i2c {
    void (*set)(void *context, enum i2c_pin pin, bool released);
    bool (*is_high)(void *context, enum i2c_pin pin);
    void (*pause)(void *context); /* a quarter of a bit: 2.5 us or more */
    void *context;
};

enum i2c_error {
    I2C_SILENT = -1, /* nobody acknowledges */
    I2C_STUCK = -2,  /* a line is held low: by a device in the middle of something, or a short */
};

#define I2C_STRETCH_MAX 400 /* pauses for which a device may hold the clock: about 1 ms */

/* Each is one transfer to the 7-bit address, from start to stop. 0, or an enum i2c_error. Read:
 * `write_size` bytes are written first (0: none), then a repeated start. */
int i2c_write(const struct i2c *i2c, uint8_t address, const uint8_t *data, size_t size);
int i2c_read(const struct i2c *i2c, uint8_t address, const uint8_t *write, size_t write_size,
             uint8_t *data, size_t size);

/* Clocks out what a device was in the middle of when the node restarted, 3.1.16. 0 or I2C_STUCK. */
int i2c_recover(const struct i2c *i2c);

#endif
