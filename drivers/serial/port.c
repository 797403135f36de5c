#include "serial/port.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/major.h>
#include <linux/serial.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"

static const struct {
    int32_t baud;
    speed_t speed;
} speeds[] = {
    {300, B300},       {600, B600},       {1200, B1200},     {2400, B2400},   {4800, B4800},
    {9600, B9600},     {19200, B19200},   {38400, B38400},   {57600, B57600}, {115200, B115200},
    {230400, B230400}, {460800, B460800}, {921600, B921600},
};

static bool find_speed(int32_t baud, speed_t *speed)
{
    for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++) {
        if (speeds[i].baud == baud) {
            *speed = speeds[i].speed;
            return true;
        }
    }
    return false;
}

int port_parse_settings(const char *text, void *field, char *why, size_t why_size)
{
    struct port_settings *settings = field;
    char data, parity, stop, rest;
    speed_t speed;
    int baud;

    if (sscanf(text, "%7d %c%c%c%c", &baud, &data, &parity, &stop, &rest) != 4 ||
        (data != '7' && data != '8') || (parity != 'N' && parity != 'E' && parity != 'O') ||
        (stop != '1' && stop != '2')) {
        snprintf(why, why_size,
                 "allowed: baud, a blank, data bits (7, 8), parity (N, E, O) and stop bits (1, 2), "
                 "as \"9600 8N1\"");
        return ERR_INVALID;
    }
    if (!find_speed(baud, &speed)) {
        snprintf(why, why_size,
                 "allowed baud rates: 300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, "
                 "115200, 230400, 460800, 921600");
        return ERR_INVALID;
    }
    settings->baud = baud;
    settings->data_bits = (uint8_t)(data - '0');
    settings->parity = parity;
    settings->stop_bits = (uint8_t)(stop - '0');
    return 0;
}

static bool is_pseudo(int fd)
{
    struct stat port;

    return fstat(fd, &port) == 0 && major(port.st_rdev) >= UNIX98_PTY_SLAVE_MAJOR &&
           major(port.st_rdev) < UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT;
}

static int set_line(int fd, const struct port_settings *settings, int when)
{
    struct termios line;
    speed_t speed = B9600;
    /* A pseudo terminal has bytes of eight bits without parity, whatever is asked of it; and when
     * nothing else would change, as when it is opened again, asking is an error. */
    bool wire = !is_pseudo(fd);

    if (tcgetattr(fd, &line) < 0)
        return errno == ENOTTY ? ERR_UNSUPPORTED : error_from_errno(errno);
    cfmakeraw(&line);
    find_speed(settings->baud, &speed);
    cfsetispeed(&line, speed);
    cfsetospeed(&line, speed);
    line.c_cflag &= ~(tcflag_t)(CSIZE | CSTOPB | PARENB | PARODD | CRTSCTS | HUPCL);
    line.c_cflag |= CREAD | CLOCAL | (settings->data_bits == 7 && wire ? CS7 : CS8);
    if (settings->stop_bits == 2)
        line.c_cflag |= CSTOPB;
    if (settings->parity != 'N' && wire)
        line.c_cflag |= PARENB;
    if (settings->parity == 'O')
        line.c_cflag |= PARODD;
    /* A byte with a parity error arrives as zero, which no line's text contains. */
    line.c_iflag &= ~(tcflag_t)INPCK;
    line.c_iflag |= settings->parity != 'N' ? INPCK : 0;
    line.c_cc[VMIN] = 1;
    line.c_cc[VTIME] = 0;
    return tcsetattr(fd, when, &line) < 0 ? error_from_errno(errno) : 0;
}

static int set_up(int fd, const struct port_settings *settings)
{
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? ERR_BUSY : error_from_errno(errno);
    /* Against programs that do not look at locks. The mark lasts as long as anybody has the port
     * open: a pseudo terminal would keep it for ever when this process is killed. */
    if (!is_pseudo(fd))
        ioctl(fd, TIOCEXCL);
    /* What lies in the buffer is of unknown age. */
    return set_line(fd, settings, TCSAFLUSH);
}

int port_open(const char *path, const struct port_settings *settings, int *fd)
{
    int made = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    int error;

    if (made < 0)
        return errno == EISDIR ? ERR_UNSUPPORTED : error_from_errno(errno);
    error = set_up(made, settings);
    if (error) {
        close(made);
        return error;
    }
    *fd = made;
    return 0;
}

void port_close(int fd)
{
    if (fd < 0)
        return;
    ioctl(fd, TIOCNXCL);
    close(fd);
}

void port_low_latency(int fd)
{
    struct serial_struct settings;

    if (ioctl(fd, TIOCGSERIAL, &settings) < 0 || (settings.flags & 1 << ASYNCB_LOW_LATENCY))
        return;
    settings.flags |= 1 << ASYNCB_LOW_LATENCY;
    ioctl(fd, TIOCSSERIAL, &settings);
}

int port_set_line(int fd, const struct port_settings *settings)
{
    return set_line(fd, settings, TCSANOW);
}

int port_break(int fd, bool on)
{
    return ioctl(fd, on ? TIOCSBRK : TIOCCBRK) < 0 ? error_from_errno(errno) : 0;
}

size_t port_unsent(int fd)
{
    int count = 0;

    return ioctl(fd, TIOCOUTQ, &count) < 0 || count < 0 ? 0 : (size_t)count;
}

void port_flush_input(int fd)
{
    tcflush(fd, TCIFLUSH);
}

void port_flush_output(int fd)
{
    tcflush(fd, TCOFLUSH);
}

int64_t port_byte_ns(const struct port_settings *settings)
{
    int bits = 1 + settings->data_bits + (settings->parity != 'N') + settings->stop_bits;

    return bits * NS_PER_S / settings->baud;
}
