#include "daemon/machine.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

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
