/* What the journal is kept on, how much is free there, and how fast it wears. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "daemon/system.h"

#define DAY_S     86400
#define LINE_SIZE 512

/* The folder, or while there is none, the nearest above it that there is. */
static bool look(const char *path, char found[PATH_MAX], struct stat *status)
{
    snprintf(found, PATH_MAX, "%s", path);
    for (;;) {
        if (stat(found, status) == 0)
            return true;
        char *slash = strrchr(found, '/');
        if (!slash)
            return false;
        slash[slash == found] = '\0';
        if (slash == found)
            return stat(found, status) == 0;
    }
}

/* The type of the filesystem that is mounted from the device: the kernel's list of mounts. */
static void read_filesystem(dev_t device, char out[32])
{
    char line[LINE_SIZE], type[32];
    unsigned a, b;
    FILE *file = fopen("/proc/self/mountinfo", "re");

    out[0] = '\0';
    while (file && fgets(line, sizeof line, file)) {
        const char *behind = strstr(line, " - ");
        if (behind && sscanf(line, "%*d %*d %u:%u", &a, &b) == 2 && a == major(device) &&
            b == minor(device) && sscanf(behind, " - %31s", type) == 1) {
            memcpy(out, type, sizeof type);
            break;
        }
    }
    if (file)
        fclose(file);
}

/* The disk that a device is or is a part of: "mmcblk0"; "" for what is on none. */
static void read_disk(dev_t device, char disk[64], char target[PATH_MAX])
{
    char link[64];
    struct stat status;

    disk[0] = '\0';
    snprintf(link, sizeof link, "/sys/dev/block/%u:%u", major(device), minor(device));
    if (!realpath(link, target))
        return;
    char part[PATH_MAX + 16];
    snprintf(part, sizeof part, "%s/partition", target);
    if (stat(part, &status) == 0)
        *strrchr(target, '/') = '\0';
    snprintf(disk, 64, "%.63s", strrchr(target, '/') + 1);
}

static const char *medium_of(const char *disk, const char *target)
{
    char path[PATH_MAX + 32], type[32];

    if (!*disk)
        return "memory";
    if (strstr(target, "/usb"))
        return "usb";
    if (strncmp(disk, "nvme", 4) == 0)
        return "nvme";
    if (strncmp(disk, "mmcblk", 6) != 0)
        return "disk";
    snprintf(path, sizeof path, "%s/device/type", target);
    system_read_line(path, type, sizeof type);
    return strcmp(type, "SD") == 0 ? "sd card" : "emmc";
}

/* eMMC tells how much of its life is used, in steps of 10 % (JEDEC JESD84-B51, 7.4.30): the worse
 * of its two kinds of memory. -1: it does not say. */
static int life_used(const char *target)
{
    char path[PATH_MAX + 32], line[32];
    unsigned a = 0, b = 0;

    snprintf(path, sizeof path, "%s/device/life_time", target);
    system_read_line(path, line, sizeof line);
    if (sscanf(line, "%x %x", &a, &b) != 2)
        return -1;
    unsigned worse = a > b ? a : b;
    return worse ? (int)worse * 10 : -1;
}

void system_put_storage(struct text *text, const char *path, const struct journal_stats *stats,
                        int64_t running_ns)
{
    char found[PATH_MAX], filesystem[32] = "", disk[64] = "", target[PATH_MAX] = "";
    struct stat status;
    struct statvfs room = {0};
    int used = -1;
    double days = (double)running_ns / (double)NS_PER_S / DAY_S;

    if (look(path, found, &status)) {
        statvfs(found, &room);
        read_filesystem(status.st_dev, filesystem);
        read_disk(status.st_dev, disk, target);
        used = *disk ? life_used(target) : -1;
    }
    text_string(text, "{");
    system_put_pair(text, "path", path);
    text_string(text, ",");
    system_put_pair(text, "filesystem", filesystem);
    text_string(text, ",");
    system_put_pair(text, "device", disk);
    text_string(text, ",");
    system_put_pair(text, "medium", medium_of(disk, target));
    text_printf(text, ",\"size_bytes\":%" PRIu64 ",\"free_bytes\":%" PRIu64,
                (uint64_t)room.f_blocks * room.f_frsize, (uint64_t)room.f_bavail * room.f_frsize);
    if (used < 0)
        text_string(text, ",\"life_used_percent\":null");
    else
        text_printf(text, ",\"life_used_percent\":%d", used);
    text_string(text, ",\"written_bytes_day\":");
    text_f64(text, days > 0 ? (double)stats->commit_bytes / days : 0, 0);
    text_string(text, ",\"writes_day\":");
    text_f64(text, days > 0 ? (double)stats->commits / days : 0, 0);
    text_string(text, "}");
}
