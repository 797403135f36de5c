/* Where things are in a STM32F405: datasheet DS8626, memory map, and RM0090. */
#ifndef SLUICE_NODE_CHIP_H
#define SLUICE_NODE_CHIP_H

#include "node/soc/soc.h"
#include "node/soc/stm32/pins.h"

/* The port of a pin, and its registers IDR and BSRR. */
#define CHIP_PORT(pin) (0x40020000u + 0x400u * PIN_PORT(pin))
#define CHIP_IDR(pin)  REG(CHIP_PORT(pin) + 0x10)
#define CHIP_BSRR(pin) REG(CHIP_PORT(pin) + 0x18)

#define CHIP_USART_AT      0x40011400 /* USART6: on APB2, which runs at the full clock */
#define CHIP_USART_IRQ     71
#define CHIP_ADC_AT        0x40012000
#define CHIP_ADC_START     0x40000000u /* of the conversion, in CR2 */
#define CHIP_ADC_TRIGGER   0u
#define CHIP_ADC_CAL       0u
#define SOC_FLASH_UNIT     4
#define SOC_FLASH_CLEARS   1
#define SOC_FLASH_REPLY_MS 2500 /* an erase of one page, or 240 bytes written, at the longest */
#define CHIP_FORMATS       0x0F /* 8N1, 8E1, 8O1, 8N2 */

void chip_usart_pins(void);
void chip_pin_analog(uint16_t pin);

/* Makes a pin one of USART6: alternate function 8. */
void chip_pin_alternate(uint16_t pin);

#endif
