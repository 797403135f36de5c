#include "contacts.h"

#include "board.h"
#include "node/soc/soc.h"

#define BLINK_MS   40
#define QUARTER_US 3 /* of a bit on I2C, which is 80 kHz then */

static const uint16_t inputs[MAP_DISCRETES] = BOARD_INPUTS;
static const uint16_t outputs[MAP_COILS] = BOARD_OUTPUTS;
static const uint16_t low[] = BOARD_LOW;

struct analog {
    uint16_t pin;
    uint16_t full_mv; /* at the terminal, for the converter's full scale */
};

static const struct analog analogs[NODE_ANALOGS] = BOARD_ANALOGS;

static uint32_t lit_ms;
static bool lit;

static uint16_t wire(enum i2c_pin pin)
{
    return pin == I2C_CLOCK ? BOARD_I2C_CLOCK : BOARD_I2C_DATA;
}

static void set_wire(void *context, enum i2c_pin pin, bool released)
{
    (void)context;
    soc_pin_set(wire(pin), released);
}

static bool wire_is_high(void *context, enum i2c_pin pin)
{
    (void)context;
    return soc_pin_is_high(wire(pin));
}

static void pause_wire(void *context)
{
    uint32_t from_us = soc_now_us();

    (void)context;
    while (soc_now_us() - from_us < QUARTER_US)
        ;
}

const struct i2c contacts_i2c = {set_wire, wire_is_high, pause_wire, NULL};

bool contacts_open(void)
{
    bool strap;

    for (unsigned i = 0; i < MAP_DISCRETES; i++)
        soc_pin_use(inputs[i], SOC_PIN_INPUT);
    for (unsigned i = 0; i < MAP_COILS; i++)
        soc_pin_use(outputs[i], SOC_PIN_OUTPUT);
    for (unsigned i = 0; i < sizeof low / sizeof low[0]; i++)
        soc_pin_use(low[i], SOC_PIN_OUTPUT);
    for (unsigned i = 0; i < NODE_ANALOGS; i++)
        soc_analog_use(analogs[i].pin);
    soc_pin_use(BOARD_LED, SOC_PIN_OUTPUT);
    soc_pin_use(BOARD_I2C_CLOCK, SOC_PIN_OPEN_DRAIN);
    soc_pin_use(BOARD_I2C_DATA, SOC_PIN_OPEN_DRAIN);
    soc_pin_use(BOARD_RESCUE, SOC_PIN_INPUT);
    pause_wire(NULL); /* the pull-up needs a moment */
    strap = BOARD_HAS_RESCUE && !soc_pin_is_high(BOARD_RESCUE);
    return strap;
}

void contacts_read(bool closed[MAP_DISCRETES])
{
    for (unsigned i = 0; i < MAP_DISCRETES; i++)
        closed[i] = !soc_pin_is_high(inputs[i]);
}

void contacts_show(const bool on[MAP_COILS])
{
    for (unsigned i = 0; i < MAP_COILS; i++)
        soc_pin_set(outputs[i], on[i]);
}

void contacts_blink(uint32_t now_ms)
{
    lit = true;
    lit_ms = now_ms;
    soc_pin_set(BOARD_LED, true);
}

void contacts_tick(uint32_t now_ms)
{
    if (!lit || now_ms - lit_ms < BLINK_MS)
        return;
    lit = false;
    soc_pin_set(BOARD_LED, false);
}

int32_t contacts_analog(unsigned channel)
{
    int32_t part = soc_analog_read(analogs[channel].pin);

    return part < 0 ? -1 : (int32_t)((uint32_t)part * analogs[channel].full_mv >> 16);
}
