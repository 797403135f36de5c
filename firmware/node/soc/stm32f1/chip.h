/* Where things are in a STM32F100: datasheet DS6517, memory map, and RM0041. */
#ifndef SLUICE_NODE_CHIP_H
#define SLUICE_NODE_CHIP_H

#include "node/soc/soc.h"
#include "node/soc/stm32/pins.h"

/* The port of a pin, and its registers IDR and BSRR. */
#define CHIP_PORT(pin) (0x40010800u + 0x400u * PIN_PORT(pin))
#define CHIP_IDR(pin)  REG(CHIP_PORT(pin) + 0x08)
#define CHIP_BSRR(pin) REG(CHIP_PORT(pin) + 0x10)

#define CHIP_USART_AT      0x40013800 /* USART1: on APB2, which runs at the full clock */
#define CHIP_USART_IRQ     37
#define CHIP_ADC_AT        0x40012400
#define CHIP_ADC_START     0x00400000u /* of the conversion, in CR2 */
#define CHIP_ADC_TRIGGER   0x001E0000u /* external: by software */
#define CHIP_ADC_CAL       0x00000004u /* calibrates itself */
#define SOC_FLASH_UNIT     2
#define SOC_FLASH_CLEARS   0
#define SOC_FLASH_REPLY_MS 100  /* an erase of one page, or 240 bytes written, at the longest */
#define CHIP_FORMATS       0x0F /* 8N1, 8E1, 8O1, 8N2 */

void chip_usart_pins(void);
void chip_pin_analog(uint16_t pin);

/* Makes a pin an output of the USART, or an input of it (pulled up by what is connected). */
void chip_pin_alternate(uint16_t pin);

#endif
