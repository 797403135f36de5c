#include "serial/port_rs485.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/serial.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"

const struct option_choice port_rs485_modes[] = {
    {"board", PORT_RS485_BOARD,
     "as the board's description says of a port that is named board:LABEL; of others as none"},
    {"none", PORT_RS485_NONE, "the transceiver switches by itself, as in USB adapters"},
    {"kernel", PORT_RS485_KERNEL, "the port's driver switches it (TIOCSRS485)"},
    {"rts", PORT_RS485_RTS,
     "the gateway switches it by RTS, for ports whose driver cannot: late by what the scheduler "
     "takes"},
    {NULL, 0, NULL},
};

const struct option_choice port_rs485_levels[] = {
    {"high", PORT_RTS_HIGH, "RTS is set while sending"},
    {"low", PORT_RTS_LOW, "RTS is cleared while sending"},
    {NULL, 0, NULL},
};

static uint32_t whole_ms(int64_t ns)
{
    return (uint32_t)((ns + NS_PER_MS - 1) / NS_PER_MS);
}

static int set_by_kernel(int fd, const struct port_rs485 *rs485)
{
    struct serial_rs485 mode;

    if (ioctl(fd, TIOCGRS485, &mode) < 0)
        return ERR_UNSUPPORTED;
    mode.flags &= ~(uint32_t)(SER_RS485_RTS_ON_SEND | SER_RS485_RTS_AFTER_SEND);
    mode.flags |= SER_RS485_ENABLED;
    mode.flags |= rs485->level == PORT_RTS_HIGH ? SER_RS485_RTS_ON_SEND : SER_RS485_RTS_AFTER_SEND;
    mode.delay_rts_before_send = whole_ms(rs485->before_ns);
    mode.delay_rts_after_send = whole_ms(rs485->after_ns);
    return ioctl(fd, TIOCSRS485, &mode) < 0 ? ERR_UNSUPPORTED : 0;
}

static int set_rts(int fd, const struct port_rs485 *rs485, bool sending)
{
    int lines = TIOCM_RTS;
    bool high = sending == (rs485->level == PORT_RTS_HIGH);

    return ioctl(fd, high ? TIOCMBIS : TIOCMBIC, &lines);
}

int port_rs485_set(int fd, const struct port_rs485 *rs485)
{
    switch (rs485->mode) {
    case PORT_RS485_KERNEL:
        return set_by_kernel(fd, rs485);
    case PORT_RS485_RTS:
        return set_rts(fd, rs485, false) < 0 ? ERR_UNSUPPORTED : 0;
    default:
        return 0;
    }
}

/* Bytes are on the wire meanwhile: this is no wait that a stop could cut short. */
static void sleep_until(int64_t mono_ns)
{
    struct timespec time = {.tv_sec = (time_t)(mono_ns / NS_PER_S),
                            .tv_nsec = (long)(mono_ns % NS_PER_S)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
        ;
}

int64_t port_rs485_sent_ns(const struct port_settings *settings, size_t size, int64_t began_ns,
                           int64_t drained_ns)
{
    int64_t wire_ns = began_ns + (int64_t)size * port_byte_ns(settings);

    return drained_ns > wire_ns ? drained_ns : wire_ns;
}

ssize_t port_rs485_write(int fd, const struct port_rs485 *rs485,
                         const struct port_settings *settings, const void *bytes, size_t size)
{
    int64_t began_ns, sent_ns;
    ssize_t sent;

    if (rs485->mode != PORT_RS485_RTS)
        return write(fd, bytes, size);
    if (set_rts(fd, rs485, true) < 0)
        return -1;
    if (rs485->before_ns > 0)
        sleep_until(clock_mono(&clock_system) + rs485->before_ns);
    began_ns = clock_mono(&clock_system);
    sent = write(fd, bytes, size);
    if (sent > 0) {
        while (tcdrain(fd) < 0 && errno == EINTR)
            ;
        sent_ns = port_rs485_sent_ns(settings, (size_t)sent, began_ns, clock_mono(&clock_system));
        sleep_until(sent_ns + rs485->after_ns);
    }
    if (set_rts(fd, rs485, false) < 0)
        return -1;
    return sent;
}

bool port_rs485_by_kernel(const char *path)
{
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    struct serial_rs485 mode;
    /* Any port tells its settings; only one that switches takes them, here unchanged. */
    bool can = fd >= 0 && ioctl(fd, TIOCGRS485, &mode) == 0 && ioctl(fd, TIOCSRS485, &mode) == 0;

    if (fd >= 0)
        close(fd);
    return can;
}
