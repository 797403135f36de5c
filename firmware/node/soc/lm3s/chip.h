/* Choices for a LM3S6965: datasheet DS-LM3S6965. */
#ifndef SLUICE_NODE_CHIP_H
#define SLUICE_NODE_CHIP_H

#include "node/soc/soc.h"

#define CHIP_WATCHDOG_AT      0x40000000
#define CHIP_WATCHDOG_CLOCK() chip_watchdog_clock()
#define SOC_FLASH_UNIT        4
#define SOC_FLASH_CLEARS      1
#define SOC_FLASH_REPLY_MS    100  /* an erase of one page, or 240 bytes written, at the longest */
#define CHIP_FORMATS          0x0F /* 8N1, 8E1, 8O1, 8N2 */

/* The watchdog has a clock from here on: without it, touching its registers is a fault. */
void chip_watchdog_clock(void);

/* Makes a pin one of the UART. */
void chip_pin_alternate(uint16_t pin);

#endif
