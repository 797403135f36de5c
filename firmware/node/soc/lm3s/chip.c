/* Clocks of a LM3S6965: datasheet, chapter "System Control". */
#include "chip.h"

#include "board.h"
#include "node/soc/cortex/cortex.h"
#include "node/soc/port.h"

#define RIS   REG(0x400FE050)
#define RESC  REG(0x400FE05C)
#define RCC   REG(0x400FE060)
#define RCGC0 REG(0x400FE100)
#define RCGC1 REG(0x400FE104)
#define RCGC2 REG(0x400FE108)

#define RIS_PLL       0x00000040u
#define RESC_WATCHDOG 0x00000008u
#define RCC_BYPASS    0x00000800u
#define RCC_START     0x07802B80u /* main oscillator, crystal of 8 MHz, still without the PLL */
#define RCC_PLL       0x04C00380u /* 200 MHz by ten: 20 MHz */
#define RCGC0_WDT     0x00000008u
#define RCGC0_ADC     0x00010000u
#define RCGC1_UART0   0x00000001u
#define RCGC2_PORTS   0x0000007Fu /* A to G */

#define UART0_IRQ 5

#define CORTEX_NMI  cortex_fault
#define CORTEX_TICK cortex_tick
CORTEX_VECTORS[CORTEX_IRQ(UART0_IRQ)] = port_interrupt
}
;

/* The chip begins at an oscillator that is 30 % off: no UART can live with that. */
static void start_pll(void)
{
    RCC = RCC_START;
    for (uint32_t i = 0; i < 20000; i++) /* the crystal takes up to 20 ms */
        (void)RIS;
    RCC = RCC_PLL | RCC_BYPASS;
    soc_await(&RIS, RIS_PLL, RIS_PLL, SOC_LOOKS_MAX);
    RCC = RCC_PLL;
}

void chip_watchdog_clock(void)
{
    RCGC0 |= RCGC0_WDT;
    (void)RCGC0; /* three cycles until it answers */
    (void)RCGC0;
}

void soc_start(void)
{
    start_pll();
    RCGC0 |= RCGC0_ADC;
    RCGC1 |= RCGC1_UART0;
    RCGC2 |= RCGC2_PORTS;
    (void)RCGC2; /* three cycles until they answer */
    (void)RCGC2;
    cortex_tick_start(soc_clock_hz());
}

uint32_t soc_clock_hz(void)
{
    return BOARD_CLOCK_HZ;
}

enum soc_cause soc_cause(void)
{
    uint32_t cause = RESC;

    RESC = 0;
    if (cause & RESC_WATCHDOG)
        return SOC_CAUSE_WATCHDOG;
    return cause ? SOC_CAUSE_OTHER : SOC_CAUSE_UNKNOWN;
}

uint64_t soc_serial(void)
{
    return 0;
}
