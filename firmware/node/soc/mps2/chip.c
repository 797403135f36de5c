/* Clock and watchdog of the AN385: DAI0385, and DDI0479, chapter "Basic peripherals". The clock is
 * there when the processor starts. */
#include "chip.h"

#include "board.h"
#include "node/soc/cortex/cortex.h"
#include "node/soc/port.h"

#define WDOGLOAD    REG(0x40008000)
#define WDOGCONTROL REG(0x40008008)
#define WDOGINTCLR  REG(0x4000800C)
#define WDOGLOCK    REG(0x40008C00)

#define CONTROL_RUN 3u /* with its interrupt, and a reset when that was not cleared by the next end */
#define UNLOCK      0x1ACCE551u
#define HALF_S      2 /* it ends twice before it resets */

#define UART0_RX_IRQ 0
#define UART0_TX_IRQ 1

/* The watchdog's first end comes as an NMI: nothing is to be done but to let it reset the chip. */
static void await_watchdog(void)
{
    for (;;)
        ;
}

#define CORTEX_NMI  await_watchdog
#define CORTEX_TICK cortex_tick
CORTEX_VECTORS [CORTEX_IRQ(UART0_RX_IRQ)] = port_interrupt,
    [CORTEX_IRQ(UART0_TX_IRQ)] = port_interrupt};

void soc_start(void)
{
    cortex_tick_start(soc_clock_hz());
}

uint32_t soc_clock_hz(void)
{
    return BOARD_CLOCK_HZ;
}

enum soc_cause soc_cause(void)
{
    return SOC_CAUSE_UNKNOWN;
}

uint64_t soc_serial(void)
{
    return 0;
}

void soc_watchdog_start(void)
{
    WDOGLOCK = UNLOCK;
    WDOGLOAD = HALF_S * BOARD_CLOCK_HZ;
    WDOGCONTROL = CONTROL_RUN;
    WDOGLOCK = 0;
}

void soc_watchdog_feed(void)
{
    WDOGLOCK = UNLOCK;
    WDOGINTCLR = 1; /* loads it anew */
    WDOGLOCK = 0;
}
