/* The AN385 has no flash: what is stored lies in the memory that the program runs from, and is gone
 * with the power. A restart does not touch it. */
#include <string.h>

#include "chip.h"
#include "node/soc/shared/flash.h"

#define PAGE 1024

int chip_flash_erase(uint32_t at)
{
    memset((void *)(uintptr_t)at, 0xFF, PAGE);
    return 0;
}

int chip_flash_write(uint32_t at, const uint8_t *unit)
{
    memcpy((void *)(uintptr_t)at, unit, SOC_FLASH_UNIT);
    return 0;
}
