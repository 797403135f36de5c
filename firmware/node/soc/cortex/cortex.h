/* The parts of a Cortex-M that all of these chips have: Armv7-M and Armv6-M Architecture Reference
 * Manuals, chapter B3. */
#ifndef SLUICE_NODE_CORTEX_H
#define SLUICE_NODE_CORTEX_H

#include <stdbool.h>
#include <stdint.h>

#include "node/soc/soc.h"

#define SYST_CSR       REG(0xE000E010)
#define SYST_RVR       REG(0xE000E014)
#define SYST_CVR       REG(0xE000E018)
#define NVIC_ISER(irq) REG(0xE000E100 + 4 * ((irq) / 32))
#define NVIC_ICER(irq) REG(0xE000E180 + 4 * ((irq) / 32))
#define SCB_ICSR       REG(0xE000ED04)
#define SCB_VTOR       REG(0xE000ED08)
#define SCB_AIRCR      REG(0xE000ED0C)

#define ICSR_PENDSTSET 0x04000000u
#define AIRCR_RESET    0x05FA0004u /* the key, and SYSRESETREQ */

typedef void cortex_handler(void);

/*
 * The table that begins a program: the stack's top, the exceptions, then the SoC's interrupts by
 * their numbers. Each SoC has one, with CORTEX_NMI and CORTEX_TICK as its handlers of the NMI and
 * SysTick: CORTEX_VECTORS [CORTEX_IRQ(5)] = port_interrupt};
 */
#define CORTEX_IRQ(number) (16 + (number))
#define CORTEX_VECTORS                                                                             \
    __attribute__((section(".vectors"), used)) static cortex_handler *const vectors[] = {          \
        (cortex_handler *)layout_stack_top, cortex_reset, CORTEX_NMI, cortex_fault,                \
        [4] = cortex_fault, [5] = cortex_fault, [6] = cortex_fault, [15] = CORTEX_TICK,

extern uint32_t layout_stack_top[];

static inline void cortex_enable(unsigned irq)
{
    NVIC_ISER(irq) = 1u << irq % 32;
}

/* Behind it the interrupt does not come any more. */
static inline void cortex_disable(unsigned irq)
{
    NVIC_ICER(irq) = 1u << irq % 32;
    __asm volatile("dsb\n isb" ::: "memory");
}

/* Handlers that startup.c has. */
void cortex_reset(void);
void cortex_fault(void);

/* SysTick as the clock, systick.c: a handler, and what begins it. */
void cortex_tick(void);
void cortex_tick_start(uint32_t clock_hz);

#endif
