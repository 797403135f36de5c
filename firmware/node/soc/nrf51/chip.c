/* Clock, time, watchdog and identity of a nRF51822: reference manual, chapters "Clock management",
 * "Timer/counter", "Watchdog timer", "Power management" and "Factory information". There is no
 * SysTick: TIMER0 counts microseconds, and TIMER1 wakes each millisecond. */
#include "chip.h"

#include "board.h"
#include "node/soc/cortex/cortex.h"
#include "node/soc/port.h"

#define CLOCK_HFCLKSTART   REG(0x40000000)
#define CLOCK_HFCLKSTARTED REG(0x40000100)
#define POWER_RESETREAS    REG(0x40000400)
#define RESETREAS_DOG      0x2u

#define TIMER(n, at) REG(0x40008000 + 0x1000 * (n) + (at))
#define START        0x000
#define CAPTURE1     0x044
#define COMPARE0     0x140
#define SHORTS       0x200
#define INTENSET     0x304
#define BITMODE      0x508
#define PRESCALER    0x510
#define CC0          0x540
#define CC1          0x544
#define SHORTS_CLEAR 0x1u /* at the compare it begins anew */
#define INT_COMPARE0 0x10000u
#define BITMODE_32   3
#define AT_1_MHZ     4
#define TICK_US      1000

#define WDT_START      REG(0x40010000)
#define WDT_CRV        REG(0x40010504)
#define WDT_CONFIG     REG(0x4001050C)
#define WDT_RR0        REG(0x40010600)
#define WDT_RUN_ALWAYS 1 /* also while the processor sleeps, not while a debugger holds it */
#define WDT_FEED       0x6E524635u
/* At 32768 Hz. It goes on through a restart, when the boot loader may check a signature for some 7
 * s. */
#define WDT_10_S 327680

#define FICR_DEVICEID(n) REG(0x10000060 + 4 * (n))

#define UART0_IRQ  2
#define TIMER1_IRQ 9

static void wake(void);

#define CORTEX_NMI  cortex_fault
#define CORTEX_TICK cortex_fault
CORTEX_VECTORS[CORTEX_IRQ(UART0_IRQ)] = port_interrupt, [CORTEX_IRQ(TIMER1_IRQ)] = wake,
                                                        [CORTEX_IRQ(31)] = cortex_fault
}
;

uint32_t soc_now_us(void)
{
    TIMER(0, CAPTURE1) = 1;
    return TIMER(0, CC1);
}

static void wake(void)
{
    TIMER(1, COMPARE0) = 0;
}

static void start_timers(void)
{
    TIMER(0, BITMODE) = BITMODE_32;
    TIMER(0, PRESCALER) = AT_1_MHZ;
    TIMER(0, START) = 1;
    TIMER(1, PRESCALER) = AT_1_MHZ;
    TIMER(1, CC0) = TICK_US;
    TIMER(1, SHORTS) = SHORTS_CLEAR;
    TIMER(1, INTENSET) = INT_COMPARE0;
    TIMER(1, START) = 1;
    cortex_enable(TIMER1_IRQ);
}

void soc_start(void)
{
    CLOCK_HFCLKSTARTED = 0;
    CLOCK_HFCLKSTART = 1;
    soc_await(&CLOCK_HFCLKSTARTED, 1, 1, SOC_LOOKS_MAX);
    start_timers();
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
    WDT_CRV = WDT_10_S;
    WDT_START = 1;
}

void soc_watchdog_feed(void)
{
    WDT_RR0 = WDT_FEED;
}
