/* The flash of a nRF51822: reference manual, chapter "Non-Volatile Memory Controller". Words; pages of
 * 1 KB, 21 ms each, in which the processor stands still. */
#include "node/soc/shared/flash.h"
#include "node/soc/soc.h"

#define NVMC_READY     REG(0x4001E400)
#define NVMC_CONFIG    REG(0x4001E504)
#define NVMC_ERASEPAGE REG(0x4001E508)

#define CONFIG_READ  0
#define CONFIG_WRITE 1
#define CONFIG_ERASE 2

static int settle(void)
{
    for (uint32_t i = 0; i < SOC_WAITS_MAX; i++) {
        if (NVMC_READY & 1)
            return 0;
    }
    return NFLASH_STUCK;
}

int chip_flash_erase(uint32_t at)
{
    int error;

    NVMC_CONFIG = CONFIG_ERASE;
    NVMC_ERASEPAGE = at;
    error = settle();
    NVMC_CONFIG = CONFIG_READ;
    return error;
}

int chip_flash_write(uint32_t at, const uint8_t *unit)
{
    int error;

    NVMC_CONFIG = CONFIG_WRITE;
    REG((uintptr_t)at) = unit[0] | (uint32_t)unit[1] << 8 | (uint32_t)unit[2] << 16 | (uint32_t)unit[3] << 24;
    error = settle();
    NVMC_CONFIG = CONFIG_READ;
    return error;
}
