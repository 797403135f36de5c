/* Pins of a STM32F405: RM0090, chapter "General-purpose I/Os". */
#include "node/soc/stm32/pins.h"

#include "board.h"
#include "chip.h"

#define PORT(pin)   (0x40020000u + 0x400u * PIN_PORT(pin))
#define MODER(pin)  REG(PORT(pin) + 0x00)
#define OTYPER(pin) REG(PORT(pin) + 0x04)
#define PUPDR(pin)  REG(PORT(pin) + 0x0C)
#define IDR(pin)    REG(PORT(pin) + 0x10)
#define BSRR(pin)   REG(PORT(pin) + 0x18)
#define AFR(pin)    REG(PORT(pin) + 0x20 + 4 * (PIN_NUMBER(pin) / 8))

#define MODE_INPUT     0u
#define MODE_OUTPUT    1u
#define MODE_ALTERNATE 2u
#define MODE_ANALOG    3u
#define PULL_UP        1u
#define USART6_IS      8u

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

void chip_pin_analog(uint16_t pin)
{
    set_pair(&MODER(pin), pin, MODE_ANALOG);
}
