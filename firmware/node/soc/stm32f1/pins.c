/* Pins and the converter of a STM32F100: RM0041, chapters "General-purpose and alternate-function
 * I/Os" and "Analog-to-digital converter". */
#include "board.h"
#include "chip.h"
#include "node/soc/stm32/pins.h"

#define PORT(pin)  (0x40010800u + 0x400u * PIN_PORT(pin))
#define CR(pin)    REG(PORT(pin) + 4 * (PIN_NUMBER(pin) / 8))
#define IDR(pin)   REG(PORT(pin) + 0x08)
#define BSRR(pin)  REG(PORT(pin) + 0x10)

#define MODE_ANALOG     0x0u
#define MODE_INPUT_PULL 0x8u
#define MODE_OUTPUT     0x2u /* 2 MHz, push-pull */
#define MODE_OPEN_DRAIN 0x6u
#define MODE_ALTERNATE  0xAu

#define ADC_SR   REG(0x40012400)
#define ADC_CR2  REG(0x40012408)
#define ADC_SMPR(n) REG(0x40012410 - 4 * (n)) /* 0: channels 0 to 9, 1: the others */
#define ADC_SQR3 REG(0x40012434)
#define ADC_DR   REG(0x4001244C)

#define SR_EOC         0x2u
#define CR2_ADON       0x00000001u
#define CR2_CAL        0x00000004u
#define CR2_SOFTWARE   0x001E0000u /* external trigger: SWSTART */
#define CR2_SWSTART    0x00400000u
#define SAMPLE_LONGEST 0x3FFFFFFFu /* 239.5 cycles on each: sources may be weak */

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

void soc_pin_set(uint16_t pin, bool high)
{
    if (pin != BOARD_NO_PIN)
        BSRR(pin) = 1u << (PIN_NUMBER(pin) + (high ? 0 : 16));
}

bool soc_pin_is_high(uint16_t pin)
{
    return pin == BOARD_NO_PIN || IDR(pin) >> PIN_NUMBER(pin) & 1;
}

void soc_analog_use(uint16_t pin)
{
    if (pin == BOARD_NO_PIN)
        return;
    set_mode(pin, MODE_ANALOG);
    ADC_SMPR(0) = SAMPLE_LONGEST;
    ADC_SMPR(1) = SAMPLE_LONGEST;
    ADC_CR2 = CR2_ADON | CR2_SOFTWARE;
    for (uint32_t i = 0; i < 100; i++) /* it takes a microsecond to stand up */
        (void)ADC_SR;
    ADC_CR2 |= CR2_CAL;
    for (uint32_t i = 0; i < SOC_WAITS_MAX && ADC_CR2 & CR2_CAL; i++)
        ;
}

/* PA0 to PA7, PB0 and PB1, PC0 to PC5. */
static unsigned channel_of(uint16_t pin)
{
    return (PIN_PORT(pin) == 0 ? 0u : PIN_PORT(pin) == 1 ? 8u : 10u) + PIN_NUMBER(pin);
}

int32_t soc_analog_read(uint16_t pin)
{
    if (pin == BOARD_NO_PIN)
        return -1;
    ADC_SQR3 = channel_of(pin);
    ADC_CR2 |= CR2_SWSTART;
    for (uint32_t i = 0; i < 2000; i++) {
        if (ADC_SR & SR_EOC)
            return (int32_t)(ADC_DR << 4);
    }
    return -1;
}
