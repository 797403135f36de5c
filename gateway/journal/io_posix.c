/* The real filesystem behind struct io. */
#include "journal/io.h"

#include "core/error.h"
#include "core/heir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct folder {
    int fd;
    int lock_fd; /* -1 while not locked */
};

struct io_file {
    int fd;
};

static int folder_fd(const struct io *io)
{
    return ((const struct folder *)io->context)->fd;
}

static int posix_open(const struct io *io, const char *name, int create, struct io_file **file)
{
    int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT | O_EXCL : 0);
    int fd = openat(folder_fd(io), name, flags, 0600);

    /* A reader beside the daemon may have no right to write. */
    if (fd < 0 && !create && (errno == EACCES || errno == EROFS || errno == EPERM))
        fd = openat(folder_fd(io), name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return error_from_errno(errno);
    if (create)
        heir_file(fd, folder_fd(io));
    *file = malloc(sizeof(**file));
    if (!*file) {
        close(fd);
        return ERR_NOMEM;
    }
    (*file)->fd = fd;
    return 0;
}

static void posix_close(const struct io *io, struct io_file *file)
{
    (void)io;
    close(file->fd);
    free(file);
}

static int posix_write(const struct io *io, struct io_file *file, const void *data, size_t size,
                       int64_t offset)
{
    const uint8_t *at = data;
    (void)io;
    while (size > 0) {
        ssize_t done = pwrite(file->fd, at, size, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return error_from_errno(errno);
        if (done == 0)
            return ERR_IO;
        at += done;
        offset += done;
        size -= (size_t)done;
    }
    return 0;
}

static int64_t posix_read(const struct io *io, struct io_file *file, void *data, size_t size,
                          int64_t offset)
{
    uint8_t *at = data;
    size_t got = 0;
    (void)io;
    while (got < size) {
        ssize_t done = pread(file->fd, at + got, size - got, (off_t)(offset + (int64_t)got));
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return error_from_errno(errno);
        if (done == 0)
            break;
        got += (size_t)done;
    }
    return (int64_t)got;
}

/* Where the filesystem cannot do it, the sync does all of the work. */
static void posix_push(const struct io *io, struct io_file *file, size_t size, int64_t offset)
{
    (void)io;
    sync_file_range(file->fd, (off_t)offset, (off_t)size, SYNC_FILE_RANGE_WRITE);
}

static int posix_sync(const struct io *io, struct io_file *file)
{
    (void)io;
    return fdatasync(file->fd) == 0 ? 0 : error_from_errno(errno);
}

static int64_t posix_size(const struct io *io, struct io_file *file)
{
    struct stat status;
    (void)io;
    return fstat(file->fd, &status) == 0 ? (int64_t)status.st_size : error_from_errno(errno);
}

static int posix_truncate(const struct io *io, struct io_file *file, int64_t size)
{
    (void)io;
    return ftruncate(file->fd, (off_t)size) == 0 ? 0 : error_from_errno(errno);
}

static int posix_rename(const struct io *io, const char *from, const char *to)
{
    return renameat(folder_fd(io), from, folder_fd(io), to) == 0 ? 0 : error_from_errno(errno);
}

static int posix_remove(const struct io *io, const char *name)
{
    return unlinkat(folder_fd(io), name, 0) == 0 ? 0 : error_from_errno(errno);
}

static int posix_sync_dir(const struct io *io)
{
    return fsync(folder_fd(io)) == 0 ? 0 : error_from_errno(errno);
}

static int posix_list(const struct io *io,
                      void (*each)(void *context, const struct io_dir_entry *entry), void *context)
{
    int fd = openat(folder_fd(io), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        int error = error_from_errno(errno);
        if (fd >= 0)
            close(fd);
        return error;
    }
    int error = 0;
    for (;;) {
        struct io_dir_entry entry;
        struct stat status;
        errno = 0;
        const struct dirent *found = readdir(dir);
        if (!found) {
            error = errno ? error_from_errno(errno) : 0;
            break;
        }
        if (strlen(found->d_name) >= sizeof(entry.name) ||
            fstatat(fd, found->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(status.st_mode))
            continue;
        strcpy(entry.name, found->d_name);
        entry.size = (int64_t)status.st_size;
        each(context, &entry);
    }
    closedir(dir);
    return error;
}

static int64_t posix_space(const struct io *io)
{
    struct statvfs status;
    if (fstatvfs(folder_fd(io), &status) != 0)
        return error_from_errno(errno);
    return (int64_t)status.f_bavail * (int64_t)status.f_frsize;
}

static int posix_lock(const struct io *io)
{
    struct folder *folder = io->context;
    if (folder->lock_fd >= 0)
        return 0; /* held until io_posix_close */
    int fd = openat(folder->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_from_errno(errno);
    heir_file(fd, folder->fd);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int error = errno == EWOULDBLOCK ? ERR_BUSY : error_from_errno(errno);
        close(fd);
        return error;
    }
    folder->lock_fd = fd;
    return 0;
}

/* Makes the folder and those above it that are missing. */
static int make_folder(const char *path)
{
    char part[4096];
    size_t size = strlen(path);

    if (size == 0 || size >= sizeof(part))
        return ERR_INVALID;
    memcpy(part, path, size + 1);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        int error = heir_mkdir(part, 0755);
        if (error)
            return error;
        *slash = '/';
    }
    return heir_mkdir(part, 0700);
}

int io_posix_open(struct io *io, const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        int error = make_folder(path);
        if (error < 0)
            return error;
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (fd < 0)
        return error_from_errno(errno);
    struct folder *folder = malloc(sizeof(*folder));
    if (!folder) {
        close(fd);
        return ERR_NOMEM;
    }
    *folder = (struct folder){.fd = fd, .lock_fd = -1};
    *io = (struct io){
        .open = posix_open,
        .close = posix_close,
        .write = posix_write,
        .read = posix_read,
        .push = posix_push,
        .sync = posix_sync,
        .size = posix_size,
        .truncate = posix_truncate,
        .rename = posix_rename,
        .remove = posix_remove,
        .sync_dir = posix_sync_dir,
        .list = posix_list,
        .space = posix_space,
        .lock = posix_lock,
        .context = folder,
    };
    return 0;
}

void io_posix_close(struct io *io)
{
    struct folder *folder = io->context;
    if (!folder)
        return;
    if (folder->lock_fd >= 0)
        close(folder->lock_fd);
    close(folder->fd);
    free(folder);
    io->context = NULL;
}
