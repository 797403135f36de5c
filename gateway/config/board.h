/*
 * Which board this machine is, and what is printed on its housing beside which serial port. A board
 * is a folder with a board.json (docs/board.schema.json) and a wiring.svg. An image says which one
 * it was made for by /etc/sluice/board; elsewhere the boards that are installed are compared with
 * what the machine calls itself. Any thread; nothing is kept between calls.
 */
#ifndef SLUICE_CONFIG_BOARD_H
#define SLUICE_CONFIG_BOARD_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "config/json_write.h"

#define BOARD_SIZE_MAX  (256 * 1024) /* of board.json */
#define BOARD_PORTS_MAX 16

/* Where to look. Tests have folders of their own. */
struct board_places {
    const char *variable; /* of the environment, which names the folder before all else; or NULL */
    const char *own;      /* the folder of this machine's board, or a link to it */
    const char *known;    /* a folder of boards */
    const char *compatible, *dmi; /* what the machine calls itself */
};

extern const struct board_places board_places_system;

struct board_port {
    char label[32];
    char port[256];         /* "/dev/ttyS1", "by-path:...", or "usb": the only adapter there is */
    char driver_enable[32]; /* "hardware", "kernel", "rts", "gpio:17", "none" */
    char terminals[256];    /* where the wires go */
    bool console;           /* Linux talks on it */
};

struct board {
    char folder[PATH_MAX];
    char id[33], name[65];
    size_t port_count;
    struct board_port ports[BOARD_PORTS_MAX];
};

/* 0; ERR_NOT_FOUND where nobody says which board it is; ERR_INVALID for a description that cannot
 * be read: then `folder` says which; ERR_NOMEM. */
int board_find(const struct board_places *places, struct board *board);

/* Writes the whole description as it is in the file, without comments. 0, ERR_INVALID where it
 * cannot be read or is nested too deep, ERR_NOMEM; after an error part of it may be written. */
int board_write(const struct board *board, struct json_writer *writer, const char *key);

/* The port of that label, whatever the case of its letters; NULL where there is none. */
const struct board_port *board_port(const struct board *board, const char *label);

/* The labels, for a sentence: "USB, UART1, CONSOLE". */
void board_labels(const struct board *board, char *out, size_t size);

#endif
