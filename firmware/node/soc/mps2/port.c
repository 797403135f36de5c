/* The UART of the AN385: DDI0479, chapter "Basic peripherals", APB UART. */
#include "node/soc/port.h"

#include "chip.h"
#include "node/soc/cortex/cortex.h"

#define DATA    REG(0x40004000)
#define STATE   REG(0x40004004)
#define CTRL    REG(0x40004008)
#define INTCLR  REG(0x4000400C)
#define BAUDDIV REG(0x40004010)

#define STATE_TX_FULL    0x1u
#define STATE_RX_FULL    0x2u
#define STATE_RX_OVERRUN 0x8u
#define CTRL_RUN         0x0Bu /* both ways, with the interrupt for received bytes */
#define CTRL_TX_IRQ      0x04u
#define INT_TX           0x1u
#define INT_RX           0x2u

#define UART0_RX_IRQ 0
#define UART0_TX_IRQ 1

static uint32_t char_us, put_us;

void port_open(const struct settings_line *line)
{
    char_us = 10 * 1000000u / line->baud + 1;
    CTRL = 0;
    BAUDDIV = (soc_clock_hz() + line->baud / 2) / line->baud;
    CTRL = CTRL_RUN;
    port_mask(false);
}

bool port_take(uint8_t *byte, bool *damaged)
{
    uint32_t state = STATE;

    INTCLR = INT_TX | INT_RX;
    if (!(state & STATE_RX_FULL))
        return false;
    *damaged = (state & STATE_RX_OVERRUN) != 0;
    if (*damaged)
        STATE = STATE_RX_OVERRUN;
    *byte = (uint8_t)DATA;
    return true;
}

bool port_has_room(void)
{
    return !(STATE & STATE_TX_FULL);
}

void port_put(uint8_t byte)
{
    DATA = byte;
    put_us = soc_now_us();
}

/* When the buffer is empty its last byte has just begun, and nothing tells of its end. */
bool port_is_idle(void)
{
    return port_has_room() && soc_now_us() - put_us >= 2 * char_us;
}

void port_watch(enum port_watch watch)
{
    CTRL = CTRL_RUN | (watch == PORT_WATCH_ROOM ? CTRL_TX_IRQ : 0);
}

void port_mask(bool off)
{
    if (off) {
        cortex_disable(UART0_RX_IRQ);
        cortex_disable(UART0_TX_IRQ);
    } else {
        cortex_enable(UART0_RX_IRQ);
        cortex_enable(UART0_TX_IRQ);
    }
}
