/*
 * Which serial ports there are, and which of them a name in the configuration means. Adapters get
 * their /dev/ttyUSB0 by the order in which they were found; these names stay right:
 *
 *   by-id:NAME, by-path:NAME    links below /dev/serial, which udev makes
 *   usb:VID:PID:SERIAL:IF       by the adapter's own numbers, without udev; SERIAL or IF may be
 * left out
 *   board:LABEL                 as printed on the housing; the board's description says what is
 * there
 */
#ifndef SLUICE_SERIAL_PORT_FIND_H
#define SLUICE_SERIAL_PORT_FIND_H

#include <stdbool.h>
#include <stddef.h>

#include "config/board.h"

#define PORT_PATH_MAX 256

/* Where the kernel, udev and the board's description tell of ports. Tests have folders of their
 * own. */
struct port_roots {
    const char *dev, *sys, *proc, *locks; /* "/dev", "/sys", "/proc", "/run/lock" */
    const struct board_places *boards;
};

extern const struct port_roots port_roots_system;

/* What tells one adapter from another; all empty for a port that is on no USB. */
struct port_identity {
    char vendor[8], product[8]; /* hexadecimal, as in sysfs */
    char serial[64];            /* "" for adapters that have none */
    char interface[4];          /* "00"; one adapter may have several ports */
    char socket[32];            /* where it is plugged in: "1-1.2" */
};

struct port_info {
    char tty[32];             /* "ttyUSB0" */
    char path[PORT_PATH_MAX]; /* "/dev/ttyUSB0" */
    char driver[32];          /* of the kernel: "ftdi_sio" */
    char adapter[96];         /* as it calls itself: "FTDI USB-RS485 Cable"; may be "" */
    int latency_ms;           /* how long the adapter gathers bytes; -1 where it does not say */
    struct port_identity identity;
};

/* 0, or ERR_NOT_FOUND for what is no port of some hardware. */
int port_describe(const struct port_roots *roots, const char *tty, struct port_info *info);

/* Every port of some hardware, in no order. Stops when `each` returns false. */
void port_each(const struct port_roots *roots,
               bool (*each)(void *context, const struct port_info *info), void *context);

/* What to write into the configuration for it: the first of board:, by-id:, usb:, by-path: that
 * there is, else its path. `board` may be NULL. */
void port_stable_name(const struct port_roots *roots, const struct board *board,
                      const struct port_info *info, char out[PORT_PATH_MAX]);

/* The port ("ttyUSB0") that a file or link is. 0, or ERR_NOT_FOUND. */
int port_tty(const struct port_roots *roots, const char *path, char tty[32]);

/* Whether the name can be one of a port; else what is allowed is in `why`. A board:LABEL is held
 * against the board of this machine, and can be one where nobody says which board it is. */
bool port_name_valid(const struct port_roots *roots, const char *name, char *why, size_t why_size);

/*
 * The path that `name` means now. Where `known` says which adapter a plain path was, and another
 * one or none has that path, the adapter is looked for under every other. Returns 0, ERR_NOT_FOUND,
 * or ERR_INVALID when several adapters are meant.
 */
int port_find(const struct port_roots *roots, const char *name, const struct port_identity *known,
              char path[PORT_PATH_MAX]);

#endif
