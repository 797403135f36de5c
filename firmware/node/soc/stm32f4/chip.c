/* Clocks of a STM32F405: RM0090, chapter "Reset and clock control". It runs at its crystal without
 * the PLL: there is little to do, and less to heat a sensor beside it. */
#include "chip.h"

#include "board.h"
#include "node/soc/cortex/cortex.h"
#include "node/soc/port.h"

#define RCC_CR      REG(0x40023800)
#define RCC_CFGR    REG(0x40023808)
#define RCC_AHB1ENR REG(0x40023830)
#define RCC_APB2ENR REG(0x40023844)
#define RCC_CSR     REG(0x40023874)

#define CR_HSEON       0x00010000u
#define CR_HSERDY      0x00020000u
#define CFGR_SW_HSE    0x1u
#define CFGR_SWS_HSE   0x4u
#define AHB1ENR_PORTS  0x001Fu /* A to E */
#define APB2ENR_USART6 0x0020u
#define APB2ENR_ADC1   0x0100u
#define CSR_CLEAR      0x01000000u
#define CSR_IWDG       0x20000000u
#define HSI_HZ         16000000u

#define CORTEX_NMI  cortex_fault
#define CORTEX_TICK cortex_tick
CORTEX_VECTORS[CORTEX_IRQ(CHIP_USART_IRQ)] = port_interrupt
}
;

static uint32_t clock_hz;

/* The crystal is exact enough for a UART at any temperature; without it the chip's own oscillator
 * does at most of them. Up to 30 MHz the flash needs no wait states. */
static uint32_t start_crystal(void)
{
    RCC_CR |= CR_HSEON;
    if (!soc_await(&RCC_CR, CR_HSERDY, CR_HSERDY, SOC_LOOKS_MAX))
        return HSI_HZ;
    RCC_CFGR = CFGR_SW_HSE;
    soc_await(&RCC_CFGR, CFGR_SWS_HSE, CFGR_SWS_HSE, SOC_LOOKS_MAX);
    return BOARD_CLOCK_HZ;
}

void soc_start(void)
{
    uint32_t found_hz = start_crystal();

    clock_hz = BOARD_CLOCK_FIXED ? BOARD_CLOCK_HZ : found_hz;
    RCC_AHB1ENR |= AHB1ENR_PORTS;
    RCC_APB2ENR |= APB2ENR_USART6 | APB2ENR_ADC1;
    cortex_tick_start(clock_hz);
}

uint32_t soc_clock_hz(void)
{
    return clock_hz;
}

void chip_usart_pins(void)
{
    chip_pin_alternate(BOARD_LINE_TX);
    chip_pin_alternate(BOARD_LINE_RX);
}

enum soc_cause soc_cause(void)
{
    bool watchdog = RCC_CSR & CSR_IWDG;

    RCC_CSR |= CSR_CLEAR;
    return watchdog ? SOC_CAUSE_WATCHDOG : SOC_CAUSE_OTHER;
}
