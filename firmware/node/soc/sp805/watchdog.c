/* The watchdog of Arm's system designs: SP805 (DDI0270), in a LM3S6965 (its datasheet's chapter
 * "Watchdog Timer") as in the Cortex-M System Design Kit (DDI0479, chapter "Basic peripherals"). It
 * ends twice before it resets: the first end is an interrupt. */
#include "board.h"
#include "chip.h"

#define LOAD    REG(CHIP_WATCHDOG_AT + 0x000)
#define CONTROL REG(CHIP_WATCHDOG_AT + 0x008)
#define INTCLR  REG(CHIP_WATCHDOG_AT + 0x00C)
#define LOCK    REG(CHIP_WATCHDOG_AT + 0xC00)

#define CONTROL_RUN 3u /* with its interrupt, without which it does not count, and the reset */
#define UNLOCK      0x1ACCE551u
#define HALF_S      2

void soc_watchdog_start(void)
{
    CHIP_WATCHDOG_CLOCK();
    LOCK = UNLOCK;
    LOAD = HALF_S * BOARD_CLOCK_HZ;
    CONTROL = CONTROL_RUN;
    LOCK = 0;
}

void soc_watchdog_feed(void)
{
    CHIP_WATCHDOG_CLOCK();
    LOCK = UNLOCK;
    INTCLR = 1; /* loads it anew */
    LOCK = 0;
}
