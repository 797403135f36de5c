/* What a chip's flash does for shared/flash.c. Each unlocks, works and locks again. */
#ifndef SLUICE_NODE_CHIP_FLASH_H
#define SLUICE_NODE_CHIP_FLASH_H

#include <stdint.h>

/* Erases the page at `at`, which is the beginning of one. 0 or NFLASH_STUCK. */
int chip_flash_erase(uint32_t at);

/* Writes the unit of SOC_FLASH_UNIT bytes at `at`. 0 or NFLASH_STUCK. */
int chip_flash_write(uint32_t at, const uint8_t *unit);

static inline uint32_t flash_word(const uint8_t bytes[4])
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

#endif
