/* The time by SysTick, a tick each millisecond. */
#include "node/soc/cortex/cortex.h"

#define CSR_RUN 7 /* of the processor's clock, with its interrupt */

static volatile uint32_t ticks_ms;
static uint32_t cycles_us;

void cortex_tick(void)
{
    ticks_ms++;
}

void cortex_tick_start(uint32_t clock_hz)
{
    cycles_us = clock_hz / 1000000;
    SYST_RVR = clock_hz / 1000 - 1;
    SYST_CVR = 0;
    SYST_CSR = CSR_RUN;
}

uint32_t soc_now_us(void)
{
    uint32_t ms, left, pending;

    /* The tick may fall between the reads; or wait, where this is called in an interrupt. */
    do {
        ms = ticks_ms;
        left = SYST_CVR;
        pending = SCB_ICSR & ICSR_PENDSTSET;
    } while (ms != ticks_ms || left < SYST_CVR);
    if (pending)
        ms++;
    return ms * 1000 + (SYST_RVR - left) / cycles_us;
}

void soc_wait(void)
{
    __asm volatile("wfi");
}
