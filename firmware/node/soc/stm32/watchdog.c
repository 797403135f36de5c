/* The independent watchdog of STM32: RM0041 and RM0090, chapter "Independent watchdog". Its own
 * oscillator runs at 17 to 60 kHz. */
#include "node/soc/soc.h"

#define IWDG_KR  REG(0x40003000)
#define IWDG_PR  REG(0x40003004)
#define IWDG_RLR REG(0x40003008)
#define IWDG_SR  REG(0x4000300C)

#define BY_64     4
#define RELOAD    2500 /* 2.7 s at 60 kHz, 4 s at 40 kHz, 9.4 s at 17 kHz */
#define KEY_START 0xCCCC
#define KEY_WRITE 0x5555
#define KEY_FEED  0xAAAA

void soc_watchdog_start(void)
{
    IWDG_KR = KEY_START;
    IWDG_KR = KEY_WRITE;
    IWDG_PR = BY_64;
    IWDG_RLR = RELOAD;
    soc_await(&IWDG_SR, UINT32_MAX, 0, SOC_LOOKS_MAX);
    soc_watchdog_feed();
}

void soc_watchdog_feed(void)
{
    IWDG_KR = KEY_FEED;
}
