/* The UART of a nRF51822: reference manual, chapter "Universal asynchronous receiver/transmitter".
 */
#include "node/soc/port.h"

#include "board.h"
#include "chip.h"
#include "node/soc/cortex/cortex.h"

#define STARTRX  REG(0x40002000)
#define STOPRX   REG(0x40002004)
#define STARTTX  REG(0x40002008)
#define STOPTX   REG(0x4000200C)
#define RXDRDY   REG(0x40002108)
#define TXDRDY   REG(0x4000211C)
#define INTENSET REG(0x40002304)
#define INTENCLR REG(0x40002308)
#define ERRORSRC REG(0x40002480)
#define ENABLE   REG(0x40002500)
#define PSELTXD  REG(0x4000250C)
#define PSELRXD  REG(0x40002514)
#define RXD      REG(0x40002518)
#define TXD      REG(0x4000251C)
#define BAUDRATE REG(0x40002524)
#define CONFIG   REG(0x4000256C)

#define ENABLED     4u
#define INT_RXDRDY  0x04u
#define INT_TXDRDY  0x80u
#define CONFIG_EVEN 0x0Eu
#define ERROR_ALL   0x0Fu

#define UART0_IRQ 2

static volatile bool sending; /* a byte was put, and TXDRDY will tell of its end */

/* baud x 2^32 / 16 MHz, of which the upper twenty bits count: as the manual's table has it. */
static uint32_t rate_of(uint32_t baud)
{
    return (baud * 268u + baud * 435u / 1000u + 0x800u) & 0xFFFFF000u;
}

void port_open(const struct settings_line *line)
{
    STOPRX = 1;
    STOPTX = 1;
    ENABLE = 0;
    soc_pin_use(BOARD_LINE_TX, SOC_PIN_OUTPUT);
    soc_pin_set(BOARD_LINE_TX, true);
    soc_pin_use(BOARD_LINE_RX, SOC_PIN_INPUT);
    PSELTXD = BOARD_LINE_TX;
    PSELRXD = BOARD_LINE_RX;
    BAUDRATE = rate_of(line->baud);
    CONFIG = line->parity == 'E' ? CONFIG_EVEN : 0;
    ENABLE = ENABLED;
    sending = false;
    RXDRDY = 0;
    TXDRDY = 0;
    STARTRX = 1;
    STARTTX = 1;
    INTENSET = INT_RXDRDY;
    cortex_enable(UART0_IRQ);
}

bool port_take(uint8_t *byte, bool *damaged)
{
    uint32_t error;

    if (!RXDRDY)
        return false;
    RXDRDY = 0; /* before RXD is read: then the next byte may raise it */
    error = ERRORSRC;
    ERRORSRC = error; /* written to 1 they are cleared */
    *byte = (uint8_t)RXD;
    *damaged = (error & ERROR_ALL) != 0;
    return true;
}

bool port_has_room(void)
{
    if (TXDRDY) {
        TXDRDY = 0;
        sending = false;
    }
    return !sending;
}

void port_put(uint8_t byte)
{
    sending = true;
    TXD = byte;
}

bool port_is_idle(void)
{
    return port_has_room();
}

void port_watch(enum port_watch watch)
{
    if (watch == PORT_WATCH_NOTHING)
        INTENCLR = INT_TXDRDY;
    else
        INTENSET = INT_TXDRDY;
}

void port_mask(bool off)
{
    if (off)
        cortex_disable(UART0_IRQ);
    else
        cortex_enable(UART0_IRQ);
}
