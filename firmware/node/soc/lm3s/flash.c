/* The flash of a LM3S6965: datasheet, chapter "Internal Memory". Words; pages of 1 KB, 20 ms each. */
#include "board.h"
#include "node/soc/shared/flash.h"
#include "node/soc/soc.h"

#define FMA    REG(0x400FD000)
#define FMD    REG(0x400FD004)
#define FMC    REG(0x400FD008)
#define USECRL REG(0x400FE140)

#define FMC_KEY   0xA4420000u
#define FMC_WRITE 1u
#define FMC_ERASE 2u

static int run(uint32_t command)
{
    USECRL = BOARD_CLOCK_HZ / 1000000 - 1;
    FMC = FMC_KEY | command;
    for (uint32_t i = 0; i < SOC_WAITS_MAX; i++) {
        if (!(FMC & command))
            return 0;
    }
    return NFLASH_STUCK;
}

int chip_flash_erase(uint32_t at)
{
    FMA = at;
    return run(FMC_ERASE);
}

int chip_flash_write(uint32_t at, const uint8_t *unit)
{
    FMA = at;
    FMD = unit[0] | (uint32_t)unit[1] << 8 | (uint32_t)unit[2] << 16 | (uint32_t)unit[3] << 24;
    return run(FMC_WRITE);
}
