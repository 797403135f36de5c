/* The UART of a LM3S6965, an ARM PL011: datasheet, chapter "Universal Asynchronous
 * Receivers/Transmitters". Without its queue, so that each byte has its own time. */
#include "node/soc/port.h"

#include "board.h"
#include "chip.h"
#include "node/soc/cortex/cortex.h"

#define DR   REG(0x4000C000)
#define FR   REG(0x4000C018)
#define IBRD REG(0x4000C024)
#define FBRD REG(0x4000C028)
#define LCRH REG(0x4000C02C)
#define CTL  REG(0x4000C030)
#define IM   REG(0x4000C038)
#define ICR  REG(0x4000C044)

#define DR_DAMAGED 0xF00u
#define FR_BUSY    0x08u
#define FR_RXFE    0x10u
#define FR_TXFF    0x20u
#define LCRH_PEN   0x02u
#define LCRH_EPS   0x04u
#define LCRH_STP2  0x08u
#define LCRH_WLEN8 0x60u
#define CTL_RUN    0x301u
#define INT_RX     0x10u
#define INT_TX     0x20u
#define INT_ALL    0x7F2u

#define UART0_IRQ 5

void port_open(const struct settings_line *line)
{
    uint32_t divisor = (soc_clock_hz() * 4 + line->baud / 2) / line->baud; /* in 1/64 of 16 bits */

    chip_pin_alternate(BOARD_LINE_TX);
    chip_pin_alternate(BOARD_LINE_RX);
    CTL = 0;
    IBRD = divisor / 64;
    FBRD = divisor % 64;
    LCRH = LCRH_WLEN8 | (line->stop_bits == 2 ? LCRH_STP2 : 0) |
           (line->parity == 'N' ? 0 : LCRH_PEN | (line->parity == 'E' ? LCRH_EPS : 0));
    IM = INT_RX;
    CTL = CTL_RUN;
    cortex_enable(UART0_IRQ);
}

bool port_take(uint8_t *byte, bool *damaged)
{
    uint32_t data;

    /* Before the queue is looked at: what comes behind the look raises it anew. */
    ICR = INT_ALL;
    if (FR & FR_RXFE)
        return false;
    data = DR;
    *byte = (uint8_t)data;
    *damaged = (data & DR_DAMAGED) != 0;
    return true;
}

bool port_has_room(void)
{
    return !(FR & FR_TXFF);
}

void port_put(uint8_t byte)
{
    DR = byte;
}

bool port_is_idle(void)
{
    return !(FR & FR_BUSY);
}

void port_watch(enum port_watch watch)
{
    IM = INT_RX | (watch == PORT_WATCH_ROOM ? INT_TX : 0);
}

void port_mask(bool off)
{
    if (off)
        cortex_disable(UART0_IRQ);
    else
        cortex_enable(UART0_IRQ);
}
