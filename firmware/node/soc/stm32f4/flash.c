/* The flash of a STM32F405: RM0090, chapter "Embedded Flash memory interface". Words, which needs
 * 2.7 V and more; sectors of 16, 64 and 128 KB, up to 2 s each. */
#include "node/soc/shared/flash.h"
#include "node/soc/soc.h"

#define FLASH_KEYR REG(0x40023C04)
#define FLASH_SR   REG(0x40023C0C)
#define FLASH_CR   REG(0x40023C10)

#define KEY_1        0x45670123u
#define KEY_2        0xCDEF89ABu
#define SR_ERRORS    0xF3u /* written to 1 they are cleared */
#define SR_BSY       0x00010000u
#define CR_PG        0x00000001u
#define CR_SER       0x00000002u
#define CR_SECTOR(n) ((uint32_t)(n) << 3)
#define CR_WORDS     0x00000200u
#define CR_STRT      0x00010000u
#define CR_LOCK      0x80000000u

#define BEGINS_AT       0x08000000u
#define ERASE_LOOKS_MAX 20000000 /* some 4 s */

/* Four of 16 KB, one of 64 KB, then of 128 KB. */
static uint32_t sector_of(uint32_t at)
{
    uint32_t from = at - BEGINS_AT;

    return from < 0x10000 ? from / 0x4000 : from < 0x20000 ? 4 : 4 + from / 0x20000;
}

static void begin(uint32_t mode)
{
    FLASH_KEYR = KEY_1;
    FLASH_KEYR = KEY_2;
    FLASH_SR = SR_ERRORS;
    FLASH_CR = mode;
}

static int end(uint32_t looks_max)
{
    bool done = soc_await(&FLASH_SR, SR_BSY, 0, looks_max);

    FLASH_CR = CR_LOCK;
    return done ? 0 : NFLASH_STUCK;
}

int chip_flash_erase(uint32_t at)
{
    uint32_t mode = CR_SER | CR_WORDS | CR_SECTOR(sector_of(at));

    begin(mode);
    FLASH_CR = mode | CR_STRT;
    return end(ERASE_LOOKS_MAX);
}

int chip_flash_write(uint32_t at, const uint8_t *unit)
{
    begin(CR_PG | CR_WORDS);
    REG((uintptr_t)at) = flash_word(unit);
    return end(SOC_LOOKS_MAX);
}
