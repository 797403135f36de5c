/* Pins and the converter of a STM32F405: RM0090, chapters "General-purpose I/Os" and
 * "Analog-to-digital converter". */
#include "node/soc/stm32/pins.h"

#include "board.h"
#include "chip.h"

#define PORT(pin)    (0x40020000u + 0x400u * PIN_PORT(pin))
#define MODER(pin)   REG(PORT(pin) + 0x00)
#define OTYPER(pin)  REG(PORT(pin) + 0x04)
#define PUPDR(pin)   REG(PORT(pin) + 0x0C)
#define IDR(pin)     REG(PORT(pin) + 0x10)
#define BSRR(pin)    REG(PORT(pin) + 0x18)
#define AFR(pin)     REG(PORT(pin) + 0x20 + 4 * (PIN_NUMBER(pin) / 8))

#define MODE_INPUT     0u
#define MODE_OUTPUT    1u
#define MODE_ALTERNATE 2u
#define MODE_ANALOG    3u
#define PULL_UP        1u
#define USART6_IS      8u

#define ADC_SR      REG(0x40012000)
#define ADC_CR2     REG(0x40012008)
#define ADC_SMPR(n) REG(0x40012010 - 4 * (n)) /* 0: channels 0 to 9, 1: the others */
#define ADC_SQR3    REG(0x40012034)
#define ADC_DR      REG(0x4001204C)

#define SR_EOC         0x2u
#define CR2_ADON       0x00000001u
#define CR2_SWSTART    0x40000000u
#define SAMPLE_LONGEST 0x3FFFFFFFu /* 480 cycles on each: sources may be weak */

static void set_pair(volatile uint32_t *where, uint16_t pin, uint32_t value)
{
    unsigned shift = 2 * PIN_NUMBER(pin);

    *where = (*where & ~(3u << shift)) | value << shift;
}

void chip_pin_alternate(uint16_t pin)
{
    unsigned shift = 4 * (PIN_NUMBER(pin) % 8);

    AFR(pin) = (AFR(pin) & ~(0xFu << shift)) | USART6_IS << shift;
    set_pair(&PUPDR(pin), pin, PULL_UP);
    set_pair(&MODER(pin), pin, MODE_ALTERNATE);
}

void soc_pin_use(uint16_t pin, enum soc_pin_use use)
{
    if (pin == BOARD_NO_PIN)
        return;
    soc_pin_set(pin, use != SOC_PIN_OUTPUT);
    if (use == SOC_PIN_OPEN_DRAIN)
        OTYPER(pin) |= 1u << PIN_NUMBER(pin);
    set_pair(&PUPDR(pin), pin, use == SOC_PIN_INPUT ? PULL_UP : 0);
    set_pair(&MODER(pin), pin, use == SOC_PIN_INPUT ? MODE_INPUT : MODE_OUTPUT);
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
    set_pair(&MODER(pin), pin, MODE_ANALOG);
    ADC_SMPR(0) = SAMPLE_LONGEST;
    ADC_SMPR(1) = SAMPLE_LONGEST;
    ADC_CR2 = CR2_ADON;
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
