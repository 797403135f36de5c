#include "daemon/update_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/error.h"
#include "core/heir.h"

#define LOOK_EACH (INT64_C(1) << 20)

static void find_path(const char *folder, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%.*s/update/bundle.raucb", PATH_MAX - 32, folder);
}

/* INT64_MAX where it cannot be told: then the writing tells. */
static int64_t free_bytes(const char *folder)
{
    struct statvfs room;

    if (statvfs(folder, &room))
        return INT64_MAX;
    return (int64_t)room.f_bavail * (int64_t)room.f_frsize;
}

int update_store_fits(const char *folder, int64_t size)
{
    if (size > UPDATE_BYTES_MAX)
        return ERR_TOO_LARGE;
    return free_bytes(folder) < (size > 0 ? size : 0) + UPDATE_BYTES_RESERVE ? ERR_NO_SPACE : 0;
}

int update_store_open(struct update_store *store, const char *folder)
{
    char own[PATH_MAX];

    *store = (struct update_store){.fd = -1};
    find_path(folder, store->path);
    snprintf(own, sizeof own, "%.*s/update", PATH_MAX - 32, folder);
    int error = heir_mkdir(own, 0700);
    if (error)
        return error;
    unlink(store->path);
    store->fd = open(store->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return store->fd < 0 ? error_from_errno(errno) : 0;
}

int update_store_write(struct update_store *store, const char *data, size_t size)
{
    if ((int64_t)size > UPDATE_BYTES_MAX - store->size)
        return ERR_TOO_LARGE;
    while (size) {
        if (store->size >= store->looked_at + LOOK_EACH) {
            if (free_bytes(store->path) < UPDATE_BYTES_RESERVE)
                return ERR_NO_SPACE;
            store->looked_at = store->size;
        }
        ssize_t written = write(store->fd, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return error_from_errno(errno);
        data += written;
        size -= (size_t)written;
        store->size += written;
    }
    return 0;
}

int update_store_finish(struct update_store *store)
{
    int error = fsync(store->fd) ? error_from_errno(errno) : 0;

    close(store->fd);
    store->fd = -1;
    return error;
}

void update_store_clear(const char *folder)
{
    char path[PATH_MAX];

    find_path(folder, path);
    unlink(path);
}
