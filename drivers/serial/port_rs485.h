/*
 * Switching a half-duplex transceiver between sending and receiving, where it does not do that by
 * itself: by the kernel's driver of the port (linux/serial.h, TIOCSRS485), or by the RTS line from
 * here, which is later by what the scheduler takes.
 */
#ifndef SLUICE_SERIAL_PORT_RS485_H
#define SLUICE_SERIAL_PORT_RS485_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/option.h"
#include "serial/port.h"

enum port_rs485_mode { PORT_RS485_NONE, PORT_RS485_KERNEL, PORT_RS485_RTS, PORT_RS485_BOARD };
enum port_rs485_level { PORT_RTS_HIGH, PORT_RTS_LOW };

struct port_rs485 {
    int mode;  /* enum port_rs485_mode */
    int level; /* enum port_rs485_level: of RTS while sending */
    int64_t before_ns,
        after_ns; /* how long it is switched to sending before the first bit and after
                     the last; the kernel takes whole milliseconds, rounded up */
};

extern const struct option_choice port_rs485_modes[], port_rs485_levels[];

/* The rows of a bus's option table whose struct has a struct port_rs485 at `offset`. */
#define PORT_RS485_ROWS(at)                                                                        \
    {.key = "rs485",                                                                               \
     .type = OPTION_CHOICE,                                                                        \
     .offset = (at) + offsetof(struct port_rs485, mode),                                           \
     .choices = port_rs485_modes,                                                                  \
     .fallback = "\"board\"",                                                                      \
     .help = "who switches the transceiver between sending and receiving"},                        \
        {.key = "rs485_level",                                                                     \
         .type = OPTION_CHOICE,                                                                    \
         .offset = (at) + offsetof(struct port_rs485, level),                                      \
         .choices = port_rs485_levels,                                                             \
         .fallback = "\"high\"",                                                                   \
         .help = "the level of RTS while sending"},                                                \
        {.key = "rs485_before",                                                                    \
         .type = OPTION_DURATION,                                                                  \
         .offset = (at) + offsetof(struct port_rs485, before_ns),                                  \
         .maximum = 100e6,                                                                         \
         .fallback = "\"0ms\"",                                                                    \
         .example = "\"1ms\"",                                                                     \
         .help = "how long before the first bit the transceiver is switched to sending; with "     \
                 "\"kernel\" in whole milliseconds"},                                              \
    {                                                                                              \
        .key = "rs485_after", .type = OPTION_DURATION,                                             \
        .offset = (at) + offsetof(struct port_rs485, after_ns), .maximum = 100e6,                  \
        .fallback = "\"0ms\"", .example = "\"1ms\"",                                               \
        .help = "how long after the last bit it is switched back; with \"kernel\" in whole "       \
                "milliseconds"                                                                     \
    }

/* For who has to choose another. */
#define PORT_RS485_ADVICE                                                                          \
    "it cannot switch RS-485 as \"rs485\" asks; set that to \"none\" if the transceiver switches " \
    "by itself"

/*
 * Sets an open port up for it; with "rts" the transceiver receives from now on. What is left to the
 * board must be known by now (port_board_rs485). 0, or ERR_UNSUPPORTED where the port cannot do
 * that.
 */
int port_rs485_set(int fd, const struct port_rs485 *rs485);

/*
 * Writes all bytes; with "rts" switched to sending meanwhile, and back when the last bit has left:
 * it then returns that late. Returns `size`, fewer when the port took no more, or -1 with errno.
 */
ssize_t port_rs485_write(int fd, const struct port_rs485 *rs485,
                         const struct port_settings *settings, const void *bytes, size_t size);

/*
 * When the last of `size` bytes has left that were written from `began_ns` on, where the port says
 * at `drained_ns` that all have. Some USB adapters say so when they have got them, so the time that
 * they take on the wire counts, too.
 */
int64_t port_rs485_sent_ns(const struct port_settings *settings, size_t size, int64_t began_ns,
                           int64_t drained_ns);

/* Whether the kernel's driver of the port switches a transceiver. Opens the port. */
bool port_rs485_by_kernel(const char *path);

#endif
