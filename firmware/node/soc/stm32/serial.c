/* The unique identity of STM32: RM0041 and RM0090, chapter "Device electronic signature". 96 bits,
 * of the place on the wafer, the wafer and the lot; folded, as lots alone do not tell chips apart.
 */
#include "board.h"
#include "node/soc/soc.h"

uint64_t soc_serial(void)
{
    uint64_t serial = 0;

    if (BOARD_SERIAL_AT != 0) {
        serial = (uint64_t)REG(BOARD_SERIAL_AT) << 32 | REG(BOARD_SERIAL_AT + 4);
        serial ^= (uint64_t)REG(BOARD_SERIAL_AT + 8) << 16;
    }
    return serial;
}
