/* What the pins of all STM32 have in common: a register that reads them, and one that sets and
 * resets single ones, in its lower and its upper half. */
#include "board.h"
#include "chip.h"

void soc_pin_set(uint16_t pin, bool high)
{
    if (pin != BOARD_NO_PIN)
        CHIP_BSRR(pin) = 1u << (PIN_NUMBER(pin) + (high ? 0 : 16));
}

bool soc_pin_is_high(uint16_t pin)
{
    return pin == BOARD_NO_PIN || CHIP_IDR(pin) >> PIN_NUMBER(pin) & 1;
}
