#include "daemon/machine.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"

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

int machine_set_clock(int64_t wall_ns)
{
    struct timespec time = {.tv_sec = (time_t)(wall_ns / NS_PER_S),
                            .tv_nsec = (long)(wall_ns % NS_PER_S)};

    return clock_settime(CLOCK_REALTIME, &time) ? error_from_errno(errno) : 0;
}
