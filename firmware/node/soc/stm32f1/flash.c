/* The flash of a STM32F100: programming manual PM0063. Half words; pages of 1 KB, 20 to 40 ms each.
 */
#include "node/soc/shared/flash.h"
#include "node/soc/soc.h"

#define FLASH_KEYR REG(0x40022004)
#define FLASH_SR   REG(0x4002200C)
#define FLASH_CR   REG(0x40022010)
#define FLASH_AR   REG(0x40022014)

#define KEY_1   0x45670123u
#define KEY_2   0xCDEF89ABu
#define SR_BSY  0x01u
#define SR_DONE 0x34u /* written to 1 they are cleared: end, protection error, not blank */
#define CR_PG   0x01u
#define CR_PER  0x02u
#define CR_STRT 0x40u
#define CR_LOCK 0x80u

static void begin(uint32_t mode)
{
    FLASH_KEYR = KEY_1;
    FLASH_KEYR = KEY_2;
    FLASH_SR = SR_DONE;
    FLASH_CR = mode;
}

static int end(void)
{
    bool done = soc_await(&FLASH_SR, SR_BSY, 0, SOC_LOOKS_MAX);

    FLASH_CR = CR_LOCK;
    return done ? 0 : NFLASH_STUCK;
}

int chip_flash_erase(uint32_t at)
{
    begin(CR_PER);
    FLASH_AR = at;
    FLASH_CR = CR_PER | CR_STRT;
    return end();
}

int chip_flash_write(uint32_t at, const uint8_t *unit)
{
    begin(CR_PG);
    *(volatile uint16_t *)(uintptr_t)at = (uint16_t)(unit[0] | unit[1] << 8);
    return end();
}
