/* Choices for a nRF51822: nRF51 Series Reference Manual, version 3.0. */
#ifndef SLUICE_NODE_CHIP_H
#define SLUICE_NODE_CHIP_H

#include "node/soc/soc.h"

#define SOC_FLASH_UNIT     4
#define SOC_FLASH_CLEARS   1    /* a word may be written twice between two erases */
#define SOC_FLASH_REPLY_MS 100  /* an erase of one page, or 240 bytes written, at the longest */
#define CHIP_FORMATS       0x03 /* 8N1 and 8E1: there is no odd parity, and no second stop bit */

#endif
