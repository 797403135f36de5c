#include "daemon/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/rtc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"

static void read_line(const char *path, char out[40])
{
    FILE *file = fopen(path, "re");

    out[0] = '\0';
    if (!file)
        return;
    if (!fgets(out, 40, file))
        out[0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    fclose(file);
}

void machine_boot_id(char out[40])
{
    read_line("/proc/sys/kernel/random/boot_id", out);
}

void machine_id(char out[40])
{
    read_line("/etc/machine-id", out);
}

bool machine_medium_is_plain(const char *path)
{
    char link[64], target[PATH_MAX];
    struct stat status;

    if (stat(path, &status))
        return false;
    snprintf(link, sizeof link, "/sys/dev/block/%u:%u", major(status.st_dev), minor(status.st_dev));
    if (!realpath(link, target))
        return false;
    return strstr(target, "/mmcblk") != NULL || strstr(target, "/usb") != NULL;
}

/* The clock that runs on without power, where there is one: the kernel writes it by itself only
 * while a time server is followed. */
static void set_hardware_clock(time_t seconds)
{
    int fd = open("/dev/rtc0", O_RDONLY | O_CLOEXEC);
    struct tm now;

    if (fd < 0)
        return;
    if (gmtime_r(&seconds, &now)) {
        struct rtc_time set = {.tm_sec = now.tm_sec,
                               .tm_min = now.tm_min,
                               .tm_hour = now.tm_hour,
                               .tm_mday = now.tm_mday,
                               .tm_mon = now.tm_mon,
                               .tm_year = now.tm_year};

        if (ioctl(fd, RTC_SET_TIME, &set))
            log_debug("daemon", "/dev/rtc0 is not set: %s", strerror(errno));
    }
    close(fd);
}

int machine_set_clock(int64_t wall_ns)
{
    struct timespec time = {.tv_sec = (time_t)(wall_ns / NS_PER_S),
                            .tv_nsec = (long)(wall_ns % NS_PER_S)};

    if (clock_settime(CLOCK_REALTIME, &time))
        return error_from_errno(errno);
    set_hardware_clock(time.tv_sec);
    return 0;
}

int machine_clock_is_followed(void)
{
    struct timex state = {.modes = 0};

    if (adjtimex(&state) < 0)
        return error_from_errno(errno);
    return state.status & STA_UNSYNC ? ERR_REFUSED : 0;
}
