/* Pins and the converter of a LM3S6965: datasheet, chapters "General-Purpose Input/Outputs" and
 * "Analog-to-Digital Converter". */
#include "board.h"
#include "chip.h"

#define PIN_MASK(pin) (1u << ((pin)&7u))
/* A to D, then E to H. */
#define PORT(pin)                                                                                  \
    ((pin) >> 8 < 4 ? 0x40004000u + 0x1000u * ((pin) >> 8)                                         \
                    : 0x40024000u + 0x1000u * (((pin) >> 8) - 4u))
/* The address says which bits are meant: no other pin is touched. */
#define DATA(pin)  REG(PORT(pin) + 4 * PIN_MASK(pin))
#define DIR(pin)   REG(PORT(pin) + 0x400)
#define AFSEL(pin) REG(PORT(pin) + 0x420)
#define ODR(pin)   REG(PORT(pin) + 0x50C)
#define PUR(pin)   REG(PORT(pin) + 0x510)
#define DEN(pin)   REG(PORT(pin) + 0x51C)

/* The fourth sequencer, which takes one sample when it is told to. */
#define ADCACTSS   REG(0x40038000)
#define ADCRIS     REG(0x40038004)
#define ADCISC     REG(0x4003800C)
#define ADCPSSI    REG(0x40038028)
#define ADCSSMUX3  REG(0x400380A0)
#define ADCSSCTL3  REG(0x400380A4)
#define ADCSSFIFO3 REG(0x400380A8)

#define CONVERT_LOOKS 2000
#define SEQUENCER     0x8u
#define CTL_SINGLE    0x6u /* tell when it is done; it is the last */

void chip_pin_alternate(uint16_t pin)
{
    AFSEL(pin) |= PIN_MASK(pin);
    DEN(pin) |= PIN_MASK(pin);
}

void soc_pin_use(uint16_t pin, enum soc_pin_use use)
{
    uint32_t mask = PIN_MASK(pin);

    if (pin == BOARD_NO_PIN)
        return;
    PUR(pin) = (PUR(pin) & ~mask) | (use == SOC_PIN_INPUT ? mask : 0);
    ODR(pin) = (ODR(pin) & ~mask) | (use == SOC_PIN_OPEN_DRAIN ? mask : 0);
    DIR(pin) = (DIR(pin) & ~mask) | (use == SOC_PIN_INPUT ? 0 : mask);
    soc_pin_set(pin, use == SOC_PIN_OPEN_DRAIN);
    DEN(pin) |= mask;
}

void soc_pin_set(uint16_t pin, bool high)
{
    if (pin != BOARD_NO_PIN)
        DATA(pin) = high ? 0xFF : 0;
}

bool soc_pin_is_high(uint16_t pin)
{
    return pin == BOARD_NO_PIN || DATA(pin) != 0;
}

void soc_analog_use(uint16_t pin)
{
    if (pin == BOARD_NO_PIN)
        return;
    ADCSSCTL3 = CTL_SINGLE;
    ADCACTSS = SEQUENCER;
}

/* board.h has the converter's own inputs, ADC0 to ADC3, as pins of a port of their own. */
int32_t soc_analog_read(uint16_t pin)
{
    if (pin == BOARD_NO_PIN)
        return -1;
    ADCSSMUX3 = pin & 0xFFu;
    ADCISC = SEQUENCER;
    ADCPSSI = SEQUENCER;
    if (!soc_await(&ADCRIS, SEQUENCER, SEQUENCER, CONVERT_LOOKS))
        return -1;
    return (int32_t)((ADCSSFIFO3 & 0x3FFu) << 6);
}
