/* Pins and LEDs of the AN385: DDI0479, chapter "Basic peripherals", GPIO; DAI0385, chapter "FPGA
 * system control and I/O". It has no converter. */
#include "board.h"
#include "chip.h"

#define PORT(pin)     (0x40010000u + 0x1000u * ((pin) >> 8))
#define IN(pin)       REG(PORT(pin) + 0x00)
#define OUT(pin)      REG(PORT(pin) + 0x04)
#define OUTENSET(pin) REG(PORT(pin) + 0x10)
#define OUTENCLR(pin) REG(PORT(pin) + 0x14)
#define MASK(pin)     (1u << ((pin)&0xFu))

#define FPGAIO_LED REG(0x40028000)

static uint32_t open_drain[4]; /* of each port: pins that are let go of, and never driven high */

void soc_pin_use(uint16_t pin, enum soc_pin_use use)
{
    if (pin == BOARD_NO_PIN || pin >> 8 == BOARD_LED_PORT)
        return;
    if (use == SOC_PIN_OPEN_DRAIN)
        open_drain[pin >> 8 & 3] |= MASK(pin);
    soc_pin_set(pin, use != SOC_PIN_OUTPUT);
    if (use == SOC_PIN_OUTPUT)
        OUTENSET(pin) = MASK(pin);
    else
        OUTENCLR(pin) = MASK(pin);
}

void soc_pin_set(uint16_t pin, bool high)
{
    if (pin == BOARD_NO_PIN)
        return;
    if (pin >> 8 == BOARD_LED_PORT) {
        FPGAIO_LED = (FPGAIO_LED & ~MASK(pin)) | (high ? MASK(pin) : 0);
        return;
    }
    if (high && open_drain[pin >> 8 & 3] & MASK(pin)) {
        OUTENCLR(pin) = MASK(pin);
        return;
    }
    OUT(pin) = (OUT(pin) & ~MASK(pin)) | (high ? MASK(pin) : 0);
    if (open_drain[pin >> 8 & 3] & MASK(pin))
        OUTENSET(pin) = MASK(pin);
}

bool soc_pin_is_high(uint16_t pin)
{
    return pin == BOARD_NO_PIN || IN(pin) & MASK(pin);
}

void soc_analog_use(uint16_t pin)
{
    (void)pin;
}

int32_t soc_analog_read(uint16_t pin)
{
    (void)pin;
    return -1;
}
