/* The ports of this machine's board, by the label on the housing (config/board.h). */
#ifndef SLUICE_SERIAL_PORT_BOARD_H
#define SLUICE_SERIAL_PORT_BOARD_H

#include "serial/port_find.h"
#include "serial/port_rs485.h"

/* For sentences about why a label means nothing. */
#define PORT_BOARD_WHY_MAX 384

/* The LABEL of a name board:LABEL, which is a part of it; NULL of other names. */
const char *port_board_label(const char *name);

/*
 * What the label means on this machine. 0; ERR_NOT_FOUND where nobody says which board it is, or
 * where it has no such port; ERR_INVALID where its description cannot be read; ERR_NOMEM. After an
 * error `why` says what to do.
 */
int port_board_find(const struct port_roots *roots, const char *label, struct board_port *port,
                    char why[PORT_BOARD_WHY_MAX]);

/* The port of the board whose description names this path; NULL where `board` is NULL or has none.
 * Its one "usb" is none: any adapter may be in it. */
const struct board_port *port_board_of(const struct port_roots *roots, const struct board *board,
                                       const struct port_info *info);

/*
 * How the transceiver of the port `name` is switched: as `wanted` says, and where that leaves it to
 * the board, as its description says. Ports that no board describes switch by themselves.
 */
struct port_rs485 port_board_rs485(const struct port_roots *roots, const char *name,
                                   const struct port_rs485 *wanted);

/* What to do where the port cannot switch as the board's description says; `why` is a sentence for
 * any port where the name is no label. */
void port_board_advice(const struct port_roots *roots, const char *name,
                       char why[PORT_BOARD_WHY_MAX]);

#endif
