/* The USART of the older STM32: reference manuals RM0041 (STM32F100) and RM0090 (STM32F405),
 * chapter "Universal synchronous asynchronous receiver transmitter", registers SR to CR2. */
#include "node/soc/port.h"

#include "chip.h"
#include "node/soc/cortex/cortex.h"

#define SR  REG(CHIP_USART_AT + 0x00)
#define DR  REG(CHIP_USART_AT + 0x04)
#define BRR REG(CHIP_USART_AT + 0x08)
#define CR1 REG(CHIP_USART_AT + 0x0C)
#define CR2 REG(CHIP_USART_AT + 0x10)

/* Cleared by reading SR, then DR. Noise alone is not damage: the majority of three samples holds.
 */
#define SR_PE   0x01u
#define SR_FE   0x02u
#define SR_ORE  0x08u
#define SR_RXNE 0x20u
#define SR_TC   0x40u
#define SR_TXE  0x80u

#define CR1_RE     0x0004u
#define CR1_TE     0x0008u
#define CR1_RXNEIE 0x0020u
#define CR1_TCIE   0x0040u
#define CR1_TXEIE  0x0080u
#define CR1_PS     0x0200u /* odd */
#define CR1_PCE    0x0400u
#define CR1_M      0x1000u /* nine bits, the parity is one of them */
#define CR1_UE     0x2000u
#define CR2_STOP_2 0x2000u

void port_open(const struct settings_line *line)
{
    uint32_t parity =
        line->parity == 'N' ? 0 : CR1_M | CR1_PCE | (line->parity == 'O' ? CR1_PS : 0);

    chip_usart_pins();
    CR1 = 0;
    CR2 = line->stop_bits == 2 ? CR2_STOP_2 : 0;
    BRR = (soc_clock_hz() + line->baud / 2) / line->baud;
    CR1 = CR1_UE | CR1_TE | CR1_RE | CR1_RXNEIE | parity;
    cortex_enable(CHIP_USART_IRQ);
}

bool port_take(uint8_t *byte, bool *damaged)
{
    uint32_t status = SR;

    if (!(status & (SR_RXNE | SR_ORE)))
        return false;
    *byte = (uint8_t)DR;
    *damaged = (status & (SR_PE | SR_FE | SR_ORE)) != 0;
    return true;
}

bool port_has_room(void)
{
    return SR & SR_TXE;
}

void port_put(uint8_t byte)
{
    DR = byte;
}

bool port_is_idle(void)
{
    return SR & SR_TC;
}

void port_watch(enum port_watch watch)
{
    CR1 = (CR1 & ~(CR1_TXEIE | CR1_TCIE)) | (watch == PORT_WATCH_ROOM  ? CR1_TXEIE
                                             : watch == PORT_WATCH_END ? CR1_TCIE
                                                                       : 0);
}

void port_mask(bool off)
{
    if (off)
        cortex_disable(CHIP_USART_IRQ);
    else
        cortex_enable(CHIP_USART_IRQ);
}
