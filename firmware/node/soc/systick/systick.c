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
    static uint32_t latest_us;
    uint32_t ms, left, pending, now_us;

    /* The tick may fall between the reads; or wait, where this is called in an interrupt. */
    do {
        ms = ticks_ms;
        left = SYST_CVR;
        pending = SCB_ICSR & ICSR_PENDSTSET;
    } while (ms != ticks_ms || left < SYST_CVR);
    if (pending)
        ms++;
    now_us = ms * 1000 + (SYST_RVR - left) / cycles_us;
    /* An interrupt that is held up longer than a tick loses one, as in an emulator that does not
     * get its turn: then time stands still for a while rather than go back. */
    if ((int32_t)(now_us - latest_us) < 0)
        return latest_us;
    latest_us = now_us;
    return now_us;
}

void soc_wait(void)
{
    __asm volatile("wfi");
}
