#include "core/heir.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"

static int open_folder_of(const char *path)
{
    char copy[PATH_MAX];

    snprintf(copy, sizeof copy, "%s", path);
    return open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void heir_file(int fd, int folder_fd)
{
    struct stat folder;

    if (geteuid() == 0 && fstat(folder_fd, &folder) == 0 && folder.st_uid != 0 &&
        fchown(fd, folder.st_uid, folder.st_gid) != 0)
        return; /* it is root's then */
}

void heir_path(int fd, const char *path)
{
    int folder = geteuid() == 0 ? open_folder_of(path) : -1;

    if (folder < 0)
        return;
    heir_file(fd, folder);
    close(folder);
}

int heir_mkdir(const char *path, mode_t mode)
{
    if (mkdir(path, mode))
        return errno == EEXIST ? 0 : error_from_errno(errno);
    int made = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (made < 0)
        return error_from_errno(errno);
    heir_path(made, path);
    close(made);
    return 0;
}
