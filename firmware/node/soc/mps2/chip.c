/* The AN385, DAI0385: its clock is there when the processor starts. */
#include "chip.h"

#include "board.h"
#include "node/soc/cortex/cortex.h"
#include "node/soc/port.h"

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
CORTEX_VECTORS[CORTEX_IRQ(UART0_RX_IRQ)] = port_interrupt,
    [CORTEX_IRQ(UART0_TX_IRQ)] = port_interrupt
}
;

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
