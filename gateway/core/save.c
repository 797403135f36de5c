#include "core/save.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/heir.h"

static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return error_from_errno(errno);
        data += written;
        size -= (size_t)written;
    }
    return 0;
}

/* Only root may give a file away; whoever is not keeps it as his own. */
static bool give_to(int fd, const struct stat *owner)
{
    return !owner || fchown(fd, owner->st_uid, owner->st_gid) == 0 || geteuid() != 0;
}

/* What is at `path` to be written, empty, for nobody else meanwhile. Whoever had it before has
 * given it its name, or removed it: then there is another one by now. */
static int open_alone(const char *path, mode_t mode, int *opened)
{
    struct stat held, named;

    for (;;) {
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode);

        if (fd < 0)
            return error_from_errno(errno);
        while (flock(fd, LOCK_EX) != 0 && errno == EINTR)
            continue;
        if (fstat(fd, &held) == 0 && lstat(path, &named) == 0 && held.st_ino == named.st_ino &&
            held.st_dev == named.st_dev) {
            *opened = fd;
            return ftruncate(fd, 0) == 0 ? 0 : error_from_errno(errno);
        }
        close(fd);
    }
}

static int write_durably(int fd, const char *path, const void *data, size_t size, mode_t mode,
                         const struct stat *owner)
{
    if (!owner)
        heir_path(fd, path);
    /* Before the first byte: one that was left by a cut may have had other rights. */
    int error = give_to(fd, owner) && fchmod(fd, mode) == 0 ? write_all(fd, data, size)
                                                            : error_from_errno(errno);
    return error || fsync(fd) == 0 ? error : error_from_errno(errno);
}

/* A name is durable when its folder is. */
static int sync_folder_of(const char *path)
{
    char copy[PATH_MAX];

    snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_from_errno(errno);
    int error = fsync(fd) ? error_from_errno(errno) : 0;
    close(fd);
    return error;
}

/* `owner` NULL: whoever runs this, or the heir (core/heir.h). */
static int save_as(const char *path, const void *data, size_t size, mode_t mode,
                   const struct stat *owner)
{
    char fresh[PATH_MAX];
    int fd = -1;

    if ((size_t)snprintf(fresh, sizeof fresh, "%s.new", path) >= sizeof fresh)
        return ERR_TOO_LARGE;
    int error = open_alone(fresh, mode, &fd);
    if (fd < 0)
        return error;
    if (!error)
        error = write_durably(fd, fresh, data, size, mode, owner);
    if (!error && rename(fresh, path))
        error = error_from_errno(errno);
    if (error)
        unlink(fresh);
    close(fd);
    return error ? error : sync_folder_of(path);
}

int save_file(const char *path, const void *data, size_t size, mode_t mode)
{
    return save_as(path, data, size, mode, NULL);
}

/* Where a link leads to, and what is there. 0; ERR_NOT_FOUND: nothing yet; ERR_DENIED, ... */
static int find_own(const char *path, char target[PATH_MAX], struct stat *before)
{
    if (!realpath(path, target) && (size_t)snprintf(target, PATH_MAX, "%s", path) >= PATH_MAX)
        return ERR_TOO_LARGE;
    if (stat(target, before) || access(target, W_OK))
        return error_from_errno(errno);
    return 0;
}

int save_over(const char *path, const void *data, size_t size, mode_t mode)
{
    char target[PATH_MAX];
    struct stat before;
    int error = find_own(path, target, &before);

    if (error == ERR_NOT_FOUND)
        return save_as(target, data, size, mode, NULL);
    return error ? error : save_as(target, data, size, before.st_mode & 07777, &before);
}

/* Its owner and rights are put right first: both are there, whenever the power goes. */
static int make_like(const char *from, const struct stat *before)
{
    int fd = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return error_from_errno(errno);
    int error = give_to(fd, before) && fchmod(fd, before->st_mode & 07777) == 0
                    ? 0
                    : error_from_errno(errno);
    close(fd);
    return error;
}

int save_move(const char *from, const char *path)
{
    char target[PATH_MAX];
    struct stat before;
    int error = find_own(path, target, &before);

    if (!error)
        error = make_like(from, &before);
    if (error && error != ERR_NOT_FOUND)
        return error;
    return rename(from, target) ? error_from_errno(errno) : sync_folder_of(target);
}

int save_remove(const char *path)
{
    if (unlink(path) && errno != ENOENT)
        return error_from_errno(errno);
    return sync_folder_of(path);
}

/* The file's bytes, or one more than are allowed. */
static int read_all(int fd, char *data, size_t room, size_t *size)
{
    *size = 0;
    while (*size < room) {
        ssize_t got = read(fd, data + *size, room - *size);

        if (got == 0)
            return 0;
        if (got < 0 && errno != EINTR)
            return error_from_errno(errno);
        *size += got > 0 ? (size_t)got : 0;
    }
    return ERR_TOO_LARGE;
}

int save_read(const char *path, size_t size_max, char **data, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    *data = NULL;
    if (fd < 0)
        return error_from_errno(errno);
    char *text = malloc(size_max + 1);
    int error = text ? read_all(fd, text, size_max + 1, size) : ERR_NOMEM;
    close(fd);
    if (error) {
        free(text);
        return error;
    }
    text[*size] = '\0';
    char *fitting = realloc(text, *size + 1);
    *data = fitting ? fitting : text;
    return 0;
}
