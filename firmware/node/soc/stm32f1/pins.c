/* Pins of a STM32F100: RM0041, chapter "General-purpose and alternate-function I/Os". */
#include "board.h"
#include "chip.h"

#define CR(pin) REG(CHIP_PORT(pin) + 4 * (PIN_NUMBER(pin) / 8))

#define MODE_ANALOG     0x0u
#define MODE_INPUT_PULL 0x8u
#define MODE_OUTPUT     0x2u /* 2 MHz, push-pull */
#define MODE_OPEN_DRAIN 0x6u
#define MODE_ALTERNATE  0xAu

static void set_mode(uint16_t pin, uint32_t mode)
{
    unsigned shift = 4 * (PIN_NUMBER(pin) % 8);

    CR(pin) = (CR(pin) & ~(0xFu << shift)) | mode << shift;
}

void chip_pin_alternate(uint16_t pin)
{
    set_mode(pin, MODE_ALTERNATE);
}

void soc_pin_use(uint16_t pin, enum soc_pin_use use)
{
    if (pin == BOARD_NO_PIN)
        return;
    soc_pin_set(pin, use != SOC_PIN_OUTPUT); /* of an input this is the pull-up */
    set_mode(pin, use == SOC_PIN_INPUT    ? MODE_INPUT_PULL
                  : use == SOC_PIN_OUTPUT ? MODE_OUTPUT
                                          : MODE_OPEN_DRAIN);
}

void chip_pin_analog(uint16_t pin)
{
    set_mode(pin, MODE_ANALOG);
}
