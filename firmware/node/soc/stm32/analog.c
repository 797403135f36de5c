/* The converter of STM32: RM0041 and RM0090, chapter "Analog-to-digital converter". */
#include "board.h"
#include "chip.h"

#define SR    REG(CHIP_ADC_AT + 0x00)
#define CR2   REG(CHIP_ADC_AT + 0x08)
#define SMPR1 REG(CHIP_ADC_AT + 0x0C)
#define SMPR2 REG(CHIP_ADC_AT + 0x10)
#define SQR3  REG(CHIP_ADC_AT + 0x34)
#define DR    REG(CHIP_ADC_AT + 0x4C)

#define SR_EOC         0x2u
#define CR2_ADON       0x1u
#define SAMPLE_LONGEST 0x3FFFFFFFu /* on each channel: sources may be weak */

#define STAND_UP_LOOKS 100 /* it takes some microseconds */
#define CONVERT_LOOKS  2000

void soc_analog_use(uint16_t pin)
{
    if (pin == BOARD_NO_PIN)
        return;
    chip_pin_analog(pin);
    SMPR1 = SAMPLE_LONGEST;
    SMPR2 = SAMPLE_LONGEST;
    CR2 = CR2_ADON | CHIP_ADC_TRIGGER;
    for (uint32_t i = 0; i < STAND_UP_LOOKS; i++)
        (void)SR;
    CR2 |= CHIP_ADC_CAL;
    soc_await(&CR2, CHIP_ADC_CAL, 0, SOC_LOOKS_MAX);
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
    SQR3 = channel_of(pin);
    CR2 |= CHIP_ADC_START;
    return soc_await(&SR, SR_EOC, SR_EOC, CONVERT_LOOKS) ? (int32_t)(DR << 4) : -1;
}
