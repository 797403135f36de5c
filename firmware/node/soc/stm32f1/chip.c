/* Clocks and identity of a STM32F100: RM0041, chapters "Reset and clock control" and "Device
 * electronic signature". It runs at 8 MHz without the PLL: there is little to do, and less to heat
 * a sensor beside it. */
#include "chip.h"

#include "board.h"
#include "node/soc/cortex/cortex.h"
#include "node/soc/port.h"

#define RCC_CR      REG(0x40021000)
#define RCC_CFGR    REG(0x40021004)
#define RCC_APB2ENR REG(0x40021018)
#define RCC_CSR     REG(0x40021024)

#define CR_HSEON       0x00010000u
#define CR_HSERDY      0x00020000u
#define CFGR_SW_HSE    0x1u
#define CFGR_SWS_HSE   0x4u
#define APB2ENR_AFIO   0x0001u
#define APB2ENR_PORTS  0x007Cu /* A to E */
#define APB2ENR_ADC1   0x0200u
#define APB2ENR_USART1 0x4000u
#define CSR_CLEAR      0x01000000u
#define CSR_IWDG       0x20000000u

#define CORTEX_NMI  cortex_fault
#define CORTEX_TICK cortex_tick
CORTEX_VECTORS[CORTEX_IRQ(CHIP_USART_IRQ)] = port_interrupt
}
;

/* The crystal is exact enough for a UART at any temperature; without it the chip's own oscillator,
 * of the same frequency, does at most of them. */
static void start_crystal(void)
{
    RCC_CR |= CR_HSEON;
    if (!soc_await(&RCC_CR, CR_HSERDY, CR_HSERDY, SOC_LOOKS_MAX))
        return;
    RCC_CFGR = CFGR_SW_HSE;
    soc_await(&RCC_CFGR, CFGR_SWS_HSE, CFGR_SWS_HSE, SOC_LOOKS_MAX);
}

void soc_start(void)
{
    start_crystal();
    RCC_APB2ENR |= APB2ENR_AFIO | APB2ENR_PORTS | APB2ENR_ADC1 | APB2ENR_USART1;
    cortex_tick_start(soc_clock_hz());
}

uint32_t soc_clock_hz(void)
{
    return BOARD_CLOCK_HZ;
}

void chip_usart_pins(void)
{
    chip_pin_alternate(BOARD_LINE_TX);
    soc_pin_use(BOARD_LINE_RX, SOC_PIN_INPUT);
}

enum soc_cause soc_cause(void)
{
    bool watchdog = RCC_CSR & CSR_IWDG;

    RCC_CSR |= CSR_CLEAR;
    return watchdog ? SOC_CAUSE_WATCHDOG : SOC_CAUSE_OTHER;
}
