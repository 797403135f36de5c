#include "serial/port_board.h"

#include <stdio.h>
#include <string.h>

#include "core/error.h"

#define GPIO "gpio:"

const char *port_board_label(const char *name)
{
    return strncmp(name, "board:", 6) == 0 ? name + 6 : NULL;
}

static void explain(int error, const struct board *board, const char *label,
                    char why[PORT_BOARD_WHY_MAX])
{
    char labels[160];

    if (error == ERR_NOT_FOUND) {
        snprintf(why, PORT_BOARD_WHY_MAX,
                 "nobody says which board this machine is: let /etc/sluice/board lead to its "
                 "description, or give a name that \"sluice ports\" prints");
    } else if (error) {
        snprintf(why, PORT_BOARD_WHY_MAX,
                 "the description of the board in %.160s cannot be read (%s): install it anew",
                 board->folder, error_text(error));
    } else {
        board_labels(board, labels, sizeof labels);
        snprintf(why, PORT_BOARD_WHY_MAX, "%.64s has no port that is labelled %.40s; it has %.150s",
                 board->name, label, labels[0] ? labels : "none");
    }
}

int port_board_find(const struct port_roots *roots, const char *label, struct board_port *port,
                    char why[PORT_BOARD_WHY_MAX])
{
    struct board board;
    int error = board_find(roots->boards, &board);
    const struct board_port *found = error ? NULL : board_port(&board, label);

    if (found) {
        *port = *found;
        return 0;
    }
    explain(error, &board, label, why);
    return error ? error : ERR_NOT_FOUND;
}

const struct board_port *port_board_of(const struct port_roots *roots, const struct board *board,
                                       const struct port_info *info)
{
    static const struct port_identity unknown;

    for (size_t i = 0; board && i < board->port_count; i++) {
        const struct board_port *port = &board->ports[i];
        char path[PORT_PATH_MAX], tty[32];

        if (strcmp(port->port, "usb") != 0 && port_find(roots, port->port, &unknown, path) == 0 &&
            port_tty(roots, path, tty) == 0 && strcmp(tty, info->tty) == 0)
            return port;
    }
    return NULL;
}

static int mode_of(const struct board_port *port)
{
    if (strcmp(port->driver_enable, "kernel") == 0 ||
        strncmp(port->driver_enable, GPIO, strlen(GPIO)) == 0)
        return PORT_RS485_KERNEL;
    return strcmp(port->driver_enable, "rts") == 0 ? PORT_RS485_RTS : PORT_RS485_NONE;
}

struct port_rs485 port_board_rs485(const struct port_roots *roots, const char *name,
                                   const struct port_rs485 *wanted)
{
    struct port_rs485 rs485 = *wanted;
    const char *label = port_board_label(name);
    char why[PORT_BOARD_WHY_MAX];
    struct board_port port;

    if (rs485.mode != PORT_RS485_BOARD)
        return rs485;
    rs485.mode =
        label && port_board_find(roots, label, &port, why) == 0 ? mode_of(&port) : PORT_RS485_NONE;
    return rs485;
}

void port_board_advice(const struct port_roots *roots, const char *name,
                       char why[PORT_BOARD_WHY_MAX])
{
    const char *label = port_board_label(name);
    struct board_port port;

    if (!label || port_board_find(roots, label, &port, why) != 0)
        snprintf(why, PORT_BOARD_WHY_MAX, PORT_RS485_ADVICE);
    else if (strncmp(port.driver_enable, GPIO, strlen(GPIO)) == 0)
        snprintf(
            why, PORT_BOARD_WHY_MAX,
            "pin %.24s of this board switches its transceiver, and the kernel does not know it: "
            "name that pin as rts-gpios of the port in the device tree, or take a transceiver "
            "that switches by itself and set \"rs485\" to \"none\"",
            port.driver_enable + strlen(GPIO));
    else
        snprintf(why, PORT_BOARD_WHY_MAX, PORT_RS485_ADVICE);
}
