/* The RS-485 line: takes bytes to where they go, sends, and turns the transceiver round. */
#ifndef SLUICE_NODE_LINE_H
#define SLUICE_NODE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/core/settings.h"

/* Where received bytes go, in the interrupt. */
typedef void line_taker(uint32_t now_us, uint8_t byte, bool damaged);

/* Opens the line, or opens it anew with another setting; not while it sends. */
void line_open(const struct settings_line *line, line_taker *taker);

/* Sends; `data` must stay as it is until line_is_sending() is false. */
void line_send(const uint8_t *data, size_t size);

/* Whether bits are still on their way. Where the hardware does not tell of the last one's end, this
 * looks for it and lets go of the line: call it often. */
bool line_is_sending(void);

#endif
