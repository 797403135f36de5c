/* Clock, time, watchdog and identity of a nRF51822: reference manual, chapters "Clock management",
 * "Timer/counter", "Watchdog timer", "Power management" and "Factory information". There is no
 * SysTick: TIMER0 counts microseconds. */
#include "chip.h"

#include "board.h"
#include "node/soc/cortex/cortex.h"
#include "node/soc/port.h"

#define CLOCK_HFCLKSTART   REG(0x40000000)
#define CLOCK_HFCLKSTARTED REG(0x40000100)
#define POWER_RESETREAS    REG(0x40000400)
#define RESETREAS_DOG      0x2u

#define TIMER_START      REG(0x40008000)
#define TIMER_CAPTURE(n) REG(0x40008040 + 4 * (n))
#define TIMER_COMPARE(n) REG(0x40008140 + 4 * (n))
#define TIMER_INTENSET   REG(0x40008304)
#define TIMER_BITMODE    REG(0x40008508)
#define TIMER_PRESCALER  REG(0x40008510)
#define TIMER_CC(n)      REG(0x40008540 + 4 * (n))
#define BITMODE_32       3
#define PRESCALER_1_MHZ  4
#define INT_COMPARE0     0x10000u
#define TICK_US          1000

#define WDT_START   REG(0x40010000)
#define WDT_CRV     REG(0x40010504)
#define WDT_CONFIG  REG(0x4001050C)
#define WDT_RR0     REG(0x40010600)
#define WDT_RUN_ALWAYS 1 /* also while the processor sleeps, not while a debugger holds it */
#define WDT_FEED    0x6E524635u
#define WDT_4_S     131072 /* at 32768 Hz */

#define FICR_DEVICEID(n) REG(0x10000060 + 4 * (n))

#define UART0_IRQ  2
#define TIMER0_IRQ 8

static void wake(void);

#define CORTEX_NMI  cortex_fault
#define CORTEX_TICK cortex_fault
CORTEX_VECTORS [CORTEX_IRQ(UART0_IRQ)] = port_interrupt, [CORTEX_IRQ(TIMER0_IRQ)] = wake,
    [CORTEX_IRQ(31)] = cortex_fault};

uint32_t soc_now_us(void)
{
    TIMER_CAPTURE(1) = 1;
    return TIMER_CC(1);
}

static void wake(void)
{
    TIMER_COMPARE(0) = 0;
    TIMER_CC(0) = soc_now_us() + TICK_US;
}

void soc_start(void)
{
    CLOCK_HFCLKSTARTED = 0;
    CLOCK_HFCLKSTART = 1;
    for (uint32_t i = 0; i < SOC_WAITS_MAX && !CLOCK_HFCLKSTARTED; i++)
        ;
    TIMER_BITMODE = BITMODE_32;
    TIMER_PRESCALER = PRESCALER_1_MHZ;
    TIMER_CC(0) = TICK_US;
    TIMER_INTENSET = INT_COMPARE0;
    TIMER_START = 1;
    cortex_enable(TIMER0_IRQ);
}

void soc_wait(void)
{
    __asm volatile("wfi");
}

uint32_t soc_clock_hz(void)
{
    return BOARD_CLOCK_HZ;
}

enum soc_cause soc_cause(void)
{
    uint32_t cause = POWER_RESETREAS;

    POWER_RESETREAS = cause; /* written to 1 they are cleared */
    return cause & RESETREAS_DOG ? SOC_CAUSE_WATCHDOG : SOC_CAUSE_OTHER;
}

uint64_t soc_serial(void)
{
    return (uint64_t)FICR_DEVICEID(1) << 32 | FICR_DEVICEID(0);
}

void soc_watchdog_start(void)
{
    WDT_CONFIG = WDT_RUN_ALWAYS;
    WDT_CRV = WDT_4_S;
    WDT_START = 1;
}

void soc_watchdog_feed(void)
{
    WDT_RR0 = WDT_FEED;
}
