#include "pty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <termios.h>
#include <unistd.h>

#define UNSET B50 /* the rate of a line that nobody has set */

static int link_place(const struct pty *pty)
{
    char temporary[4096];

    if (!pty->link)
        return 0;
    if (snprintf(temporary, sizeof temporary, "%s.new", pty->link) >= (int)sizeof temporary)
        return -ENAMETOOLONG;
    /* By rename, so that a gateway looking for the link never finds a half-made one. */
    unlink(temporary);
    if (symlink(pty->name, temporary) < 0 || rename(temporary, pty->link) < 0)
        return -errno;
    return 0;
}

/* The kernel does not keep parity on a pty, and a tcsetattr that changes nothing but parity is
 * answered with EINVAL. For masters that do not know, each opener is met by a rate that it will
 * want to change. */
static int settings_reset(const struct pty *pty)
{
    struct termios raw;

    if (tcgetattr(pty->held_fd, &raw) < 0)
        return -1;
    cfmakeraw(&raw);
    cfsetspeed(&raw, UNSET);
    return tcsetattr(pty->held_fd, TCSANOW, &raw);
}

int pty_plug(struct pty *pty)
{
    int result;

    pty->held_fd = -1;
    pty->watch_fd = -1;
    pty->open_count = 0;
    pty->line_fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (pty->line_fd < 0)
        return -errno;
    if (grantpt(pty->line_fd) < 0 || unlockpt(pty->line_fd) < 0 ||
        ptsname_r(pty->line_fd, pty->name, sizeof pty->name) != 0)
        goto fail;
    pty->held_fd = open(pty->name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (pty->held_fd < 0 || settings_reset(pty) < 0)
        goto fail;
    pty->watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (inotify_add_watch(pty->watch_fd, pty->name, IN_OPEN | IN_CLOSE) < 0)
        goto fail;
    result = link_place(pty);
    if (result < 0)
        pty_unplug(pty);
    return result;

fail:
    result = errno ? -errno : -EIO;
    pty_unplug(pty);
    return result;
}

void pty_unplug(struct pty *pty)
{
    char target[sizeof pty->name];

    /* Another simulator may have taken the link over since: only our own is removed. */
    if (pty->link && pty->line_fd >= 0) {
        ssize_t n = readlink(pty->link, target, sizeof target - 1);

        if (n >= 0 && (target[n] = '\0', strcmp(target, pty->name) == 0))
            unlink(pty->link);
    }
    if (pty->line_fd >= 0)
        close(pty->line_fd);
    if (pty->held_fd >= 0)
        close(pty->held_fd);
    if (pty->watch_fd >= 0)
        close(pty->watch_fd);
    pty->watch_fd = -1;
    pty->line_fd = -1;
    pty->held_fd = -1;
}

void pty_notice(struct pty *pty)
{
    _Alignas(struct inotify_event) char buffer[4096];
    ssize_t n = read(pty->watch_fd, buffer, sizeof buffer);
    size_t at = 0;

    while (n > 0 && at < (size_t)n) {
        struct inotify_event event;

        memcpy(&event, buffer + at, sizeof event);
        at += sizeof event + event.len;
        if ((event.mask & IN_OPEN) && pty->open_count++ == 0)
            tcflush(pty->held_fd, TCIFLUSH);
        if ((event.mask & IN_CLOSE) && pty->open_count > 0 && --pty->open_count == 0)
            settings_reset(pty);
    }
}

int pty_baud(const struct pty *pty)
{
    static const struct {
        speed_t speed;
        int baud;
    } rates[] = {{B1200, 1200},     {B2400, 2400},     {B4800, 4800},    {B9600, 9600},
                 {B19200, 19200},   {B38400, 38400},   {B57600, 57600},  {B115200, 115200},
                 {B230400, 230400}, {B460800, 460800}, {B921600, 921600}};
    struct termios now;

    if (pty->held_fd < 0 || tcgetattr(pty->held_fd, &now) < 0)
        return 0;
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        if (rates[i].speed == cfgetospeed(&now))
            return rates[i].baud;
    }
    return 0;
}

bool pty_is_heard(const struct pty *pty)
{
    struct termios now;

    return pty->open_count > 0 && tcgetattr(pty->held_fd, &now) == 0 && cfgetospeed(&now) != UNSET;
}
