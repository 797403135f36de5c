/* The flash of a nRF51822: reference manual, chapter "Non-Volatile Memory Controller". Words; pages
 * of 1 KB, 21 ms each, in which the processor stands still. */
#include "node/soc/shared/flash.h"
#include "node/soc/soc.h"

#define NVMC_READY     REG(0x4001E400)
#define NVMC_CONFIG    REG(0x4001E504)
#define NVMC_ERASEPAGE REG(0x4001E508)

#define CONFIG_READ  0
#define CONFIG_WRITE 1
#define CONFIG_ERASE 2

/* Back to reading, in which nothing can be written by mistake. */
static int end(void)
{
    bool done = soc_await(&NVMC_READY, 1, 1, SOC_LOOKS_MAX);

    NVMC_CONFIG = CONFIG_READ;
    return done ? 0 : NFLASH_STUCK;
}

int chip_flash_erase(uint32_t at)
{
    NVMC_CONFIG = CONFIG_ERASE;
    NVMC_ERASEPAGE = at;
    return end();
}

int chip_flash_write(uint32_t at, const uint8_t *unit)
{
    NVMC_CONFIG = CONFIG_WRITE;
    REG((uintptr_t)at) = flash_word(unit);
    return end();
}
