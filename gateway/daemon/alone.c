#include "daemon/alone.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"

int alone_begin(const char *state_path, int *fd)
{
    *fd = open(state_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0 || flock(*fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    int error = errno;
    close(*fd);
    *fd = -1;
    if (error == EWOULDBLOCK)
        return ERR_BUSY;
    log_debug("daemon", "%s cannot be locked: %s", state_path, strerror(error));
    return 0;
}
