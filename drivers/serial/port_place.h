/*
 * Opening a port again and again by the name in the configuration, as adapters are unplugged and
 * come back: a plain name such as /dev/ttyUSB0 is remembered with the adapter that it was, which is
 * found again when it comes back as /dev/ttyUSB1.
 */
#ifndef SLUICE_SERIAL_PORT_PLACE_H
#define SLUICE_SERIAL_PORT_PLACE_H

#include "serial/port.h"
#include "serial/port_find.h"

/* What is learnt of a port. All zero at first; needs no freeing. */
struct port_place {
    struct port_identity identity; /* of the adapter that was opened last */
    char path[PORT_PATH_MAX];      /* where it was, or was looked for */
    char why[384];                 /* after an error: what is wrong and what can be done about it */
    bool held;                     /* somebody else has it: who is in `why` */
};

/*
 * Finds the port that `name` means (port_find), opens it as port_open does, makes the adapter pass
 * on bytes at once where it can, and learns which adapter it is. Besides the errors of port_open:
 * ERR_BUSY also when a modem program's lock file says that it is in use, ERR_INVALID when several
 * adapters are meant.
 */
int port_place_open(struct port_place *place, const struct port_roots *roots, const char *name,
                    const struct port_settings *settings, int *fd);

#endif
