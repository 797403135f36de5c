/* Pins and the converter of a nRF51822: reference manual, chapters "General-purpose input/output"
 * and "Analog to digital converter". The UART's pins are chosen in its own registers. */
#include "board.h"
#include "chip.h"

#define OUTSET     REG(0x50000508)
#define OUTCLR     REG(0x5000050C)
#define IN         REG(0x50000510)
#define PIN_CNF(n) REG(0x50000700 + 4 * (n))

#define CNF_INPUT      0x0Cu /* pulled up */
#define CNF_OUTPUT     0x03u
#define CNF_OPEN_DRAIN 0x601u /* drives low alone, and can be read */
#define CNF_UNUSED     0x02u  /* no input buffer: for the converter */

#define ADC_START  REG(0x40007000)
#define ADC_END    REG(0x40007100)
#define ADC_ENABLE REG(0x40007500)
#define ADC_CONFIG REG(0x40007504)
#define ADC_RESULT REG(0x40007508)

#define CONFIG_THIRDS   0x0Au /* ten bits, of a third of the pin; against 1.2 V: 3.6 V full scale */
#define CONVERT_LOOKS   2000
#define CONFIG_INPUT(n) (1u << (8 + (n)))

void soc_pin_use(uint16_t pin, enum soc_pin_use use)
{
    if (pin == BOARD_NO_PIN)
        return;
    soc_pin_set(pin, use != SOC_PIN_OUTPUT);
    PIN_CNF(pin) = use == SOC_PIN_INPUT    ? CNF_INPUT
                   : use == SOC_PIN_OUTPUT ? CNF_OUTPUT
                                           : CNF_OPEN_DRAIN;
}

void soc_pin_set(uint16_t pin, bool high)
{
    if (pin == BOARD_NO_PIN)
        return;
    if (high)
        OUTSET = 1u << pin;
    else
        OUTCLR = 1u << pin;
}

bool soc_pin_is_high(uint16_t pin)
{
    return pin == BOARD_NO_PIN || IN >> pin & 1;
}

void soc_analog_use(uint16_t pin)
{
    if (pin != BOARD_NO_PIN)
        PIN_CNF(pin) = CNF_UNUSED;
}

/* P0.26 and P0.27 are its inputs 0 and 1, P0.01 to P0.06 the inputs 2 to 7. */
static unsigned input_of(uint16_t pin)
{
    return pin >= 26 ? pin - 26u : pin + 1u;
}

int32_t soc_analog_read(uint16_t pin)
{
    int32_t value = -1;

    if (pin == BOARD_NO_PIN)
        return -1;
    ADC_ENABLE = 1;
    ADC_CONFIG = CONFIG_THIRDS | CONFIG_INPUT(input_of(pin));
    ADC_END = 0;
    ADC_START = 1;
    if (soc_await(&ADC_END, 1, 1, CONVERT_LOOKS))
        value = (int32_t)((ADC_RESULT & 0x3FFu) << 6);
    ADC_ENABLE = 0;
    return value;
}
