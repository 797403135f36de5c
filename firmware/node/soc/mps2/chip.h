/* Choices for the AN385 image of an Arm MPS2: application note DAI0385, and the Cortex-M System
 * Design Kit's manual DDI0479. */
#ifndef SLUICE_NODE_CHIP_H
#define SLUICE_NODE_CHIP_H

#include "node/soc/soc.h"

#define CHIP_WATCHDOG_AT 0x40008000
#define CHIP_WATCHDOG_CLOCK()
#define SOC_FLASH_UNIT     4
#define SOC_FLASH_CLEARS   1
#define SOC_FLASH_REPLY_MS 50   /* an erase of one page, or 240 bytes written, at the longest */
#define CHIP_FORMATS       0x01 /* its UART knows 8N1 alone */

#endif
