#include "daemon/room.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "config/config.h"
#include "daemon/gateway.h"
#include "journal/journal.h"

#define MIB        (1024.0 * 1024.0)
#define KEEP_LEAST 1   /* MiB: what journal.keep may be at least */
#define SHARE      0.9 /* of the room that is advised to be used */

/* The folder or, as far as there is none yet, the nearest above it. */
static bool nearest(const char *path, char found[PATH_MAX])
{
    struct stat status;

    if (snprintf(found, PATH_MAX, "%s", path) >= PATH_MAX)
        return false;
    while (stat(found, &status) != 0 && errno == ENOENT) {
        char *slash = strrchr(found, '/');

        if (!slash || slash == found) {
            strcpy(found, slash ? "/" : ".");
            return true;
        }
        *slash = '\0';
    }
    return true;
}

bool room_look(const char *path, struct room *room)
{
    char folder[PATH_MAX];
    struct statvfs filesystem;
    struct dirent *entry;
    DIR *dir;

    if (!nearest(path, folder) || statvfs(folder, &filesystem) != 0)
        return false;
    *room =
        (struct room){.free_bytes = (int64_t)filesystem.f_bavail * (int64_t)filesystem.f_frsize};
    if (strcmp(folder, path) != 0)
        return true;
    dir = opendir(folder);
    if (!dir)
        return false;
    while ((entry = readdir(dir)) != NULL) {
        struct stat status;

        if (strncmp(entry->d_name, "segment-", strlen("segment-")) == 0 &&
            fstatat(dirfd(dir), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0)
            room->held_bytes += status.st_size;
    }
    closedir(dir);
    return true;
}

bool room_lacks(const struct config_journal *journal, const char *path, const struct room *room,
                char words[ROOM_WORDS_SIZE])
{
    double most = (double)(room->free_bytes + room->held_bytes) / MIB;
    char advice[160];

    if (room->free_bytes + room->held_bytes >= journal->keep_bytes)
        return false;
    if (SHARE * most >= KEEP_LEAST)
        snprintf(advice, sizeof advice, "set journal.keep to \"%.0fMiB\", or make room there",
                 SHARE * most - 0.5);
    else
        snprintf(advice, sizeof advice, "make room there, or name another folder in journal.path");
    snprintf(
        words, ROOM_WORDS_SIZE,
        "journal.keep allows %.1f MiB, but the filesystem of %s has only %.1f MiB for the "
        "journal (%.1f MiB free, %.1f MiB in use by it). When that is full, %s. What to do: %s",
        (double)journal->keep_bytes / MIB, path, most, (double)room->free_bytes / MIB,
        (double)room->held_bytes / MIB,
        journal->when_full == JOURNAL_REFUSE_NEWEST
            ? "what comes is refused until the oldest is acknowledged"
            : "the oldest events make room, acknowledged or not",
        advice);
    return true;
}

const char *room_path(const struct config_journal *journal)
{
    return journal->path && *journal->path ? journal->path : GATEWAY_JOURNAL_PATH;
}
