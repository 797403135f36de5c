/* What a SoC's UART does for shared/line.c, which is the same for all. */
#ifndef SLUICE_NODE_PORT_H
#define SLUICE_NODE_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "node/core/settings.h"

#define PORT_BAUD_MAX 115200

/* Begins anew with that setting, with the interrupt for received bytes on. */
void port_open(const struct settings_line *line);

/* The next received byte; false: there is none. `damaged`: parity, stop bit or overrun. */
bool port_take(uint8_t *byte, bool *damaged);

bool port_has_room(void);
void port_put(uint8_t byte);
bool port_is_idle(void); /* the last bit of all that was put is out */

/* What else the interrupt is to come for: room for the next byte, or the last bit's end where the
 * hardware tells of it. */
enum port_watch { PORT_WATCH_NOTHING, PORT_WATCH_ROOM, PORT_WATCH_END };
void port_watch(enum port_watch watch);

/* Keeps the interrupts of the UART off, or lets them come. */
void port_mask(bool off);

/* Called by the UART's interrupts, in shared/line.c. */
void port_interrupt(void);

#endif
