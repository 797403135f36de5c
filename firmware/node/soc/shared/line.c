#include "node/soc/shared/line.h"

#include "board.h"
#include "node/soc/port.h"
#include "node/soc/soc.h"

struct line {
    line_taker *taker;
    const uint8_t *data;
    size_t size, at;
    volatile bool sending;
};

static struct line line;

/* Puts what there is room for, and lets go of the line behind the last bit, where it is ours to let
 * go. */
static void step(void)
{
    if (!line.sending)
        return;
    while (line.at < line.size && port_has_room())
        port_put(line.data[line.at++]);
    if (line.at < line.size) {
        port_watch(PORT_WATCH_ROOM);
        return;
    }
    port_watch(PORT_WATCH_END);
    if (BOARD_LINE_DRIVE != BOARD_NO_PIN && !port_is_idle())
        return;
    port_watch(PORT_WATCH_NOTHING);
    soc_pin_set(BOARD_LINE_DRIVE, false);
    line.sending = false;
}

void port_interrupt(void)
{
    uint8_t byte;
    bool damaged;

    step();
    /* What comes while it sends is its own echo, where the receiver is always on. */
    while (port_take(&byte, &damaged)) {
        if (!line.sending)
            line.taker(soc_now_us(), byte, damaged);
    }
}

void line_open(const struct settings_line *settings, line_taker *taker)
{
    line.taker = taker;
    soc_pin_use(BOARD_LINE_DRIVE, SOC_PIN_OUTPUT);
    port_open(settings);
}

void line_send(const uint8_t *data, size_t size)
{
    port_mask(true);
    line.data = data;
    line.size = size;
    line.at = 0;
    line.sending = true;
    soc_pin_set(BOARD_LINE_DRIVE, true);
    step();
    port_mask(false);
}

bool line_is_sending(void)
{
    port_mask(true);
    step();
    port_mask(false);
    return line.sending;
}
