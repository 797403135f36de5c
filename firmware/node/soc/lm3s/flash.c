/* The flash of a LM3S6965: datasheet, chapter "Internal Memory". Words; pages of 1 KB, 20 ms each.
 */
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
    return soc_await(&FMC, command, 0, SOC_LOOKS_MAX) ? 0 : NFLASH_STUCK;
}

int chip_flash_erase(uint32_t at)
{
    FMA = at;
    return run(FMC_ERASE);
}

int chip_flash_write(uint32_t at, const uint8_t *unit)
{
    FMA = at;
    FMD = flash_word(unit);
    return run(FMC_WRITE);
}
