/*
 * Opening a port again and again by the name in the configuration, as adapters are unplugged and
 * come back: a plain name such as /dev/ttyUSB0 is remembered with the adapter that it was, which is
 * found again when it comes back as /dev/ttyUSB1.
 */
#ifndef SLUICE_SERIAL_PORT_PLACE_H
#define SLUICE_SERIAL_PORT_PLACE_H

#include "serial/port.h"
#include "serial/port_find.h"
#include "serial/port_rs485.h"

/* What is learnt of a port. All zero at first; needs no freeing. */
struct port_place {
    struct port_identity identity; /* of the adapter that was opened last */
    char path[PORT_PATH_MAX];      /* where it was, or was looked for */
    char why[384];                 /* after an error: what is wrong and what can be done about it */
    bool held;                     /* somebody else has it: who is in `why` */
    struct port_rs485 rs485;       /* how the transceiver of the open port is switched */
    struct port_identity told;     /* what port_place_news has told last */
};

/*
 * Finds the port that `name` means (port_find), opens it as port_open does, makes the adapter pass
 * on bytes at once where it can, sets the transceiver up as `rs485` or the board says, and learns
 * which adapter it is. Besides the errors of port_open: ERR_BUSY also when a modem program's lock
 * file says that it is in use, ERR_INVALID when several adapters are meant, ERR_UNSUPPORTED when
 * the port cannot switch its transceiver.
 */
int port_place_open(struct port_place *place, const struct port_roots *roots, const char *name,
                    const struct port_settings *settings, const struct port_rs485 *rs485, int *fd);

/*
 * What is learnt of a port, as words that outlive the gateway:
 *
 *     port=1 name=/dev/ttyUSB0 usb=0403:6001 serial=A50285BI interface=00 socket=1-1.2
 */
#define PORT_PLACE_TEXT_MAX 1024

/* Writes them when the adapter is another one than was told last, and returns the size; 0 when
 * there is nothing new, or no adapter that could be known again. */
size_t port_place_news(struct port_place *place, const char *name, char out[PORT_PLACE_TEXT_MAX]);

/* Takes them, where they are about the port of that name. False, and nothing is known, where they
 * are not. */
bool port_place_take(struct port_place *place, const char *name, const char *text, size_t size);

#endif
