/* Pins of a STM32F405: RM0090, chapter "General-purpose I/Os". */

#include "board.h"
#include "chip.h"

#define MODER(pin)  REG(CHIP_PORT(pin) + 0x00)
#define OTYPER(pin) REG(CHIP_PORT(pin) + 0x04)
#define PUPDR(pin)  REG(CHIP_PORT(pin) + 0x0C)
#define AFR(pin)    REG(CHIP_PORT(pin) + 0x20 + 4 * (PIN_NUMBER(pin) / 8))

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

void chip_pin_analog(uint16_t pin)
{
    set_pair(&MODER(pin), pin, MODE_ANALOG);
}
