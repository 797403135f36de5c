#include "tls/peer.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "core/error.h"

static bool same_address(const struct sockaddr_in *a, const struct sockaddr_in *b)
{
    return a->sin_family == AF_INET && b->sin_family == AF_INET && a->sin_port == b->sin_port &&
           a->sin_addr.s_addr == b->sin_addr.s_addr;
}

static bool addresses(int fd, struct sockaddr_in *local, struct sockaddr_in *remote)
{
    socklen_t size = sizeof(*local);

    if (getsockname(fd, (struct sockaddr *)local, &size) != 0 || size != sizeof(*local))
        return false;
    size = sizeof(*remote);
    return getpeername(fd, (struct sockaddr *)remote, &size) == 0 && size == sizeof(*remote);
}

int peer_find(int fd)
{
    struct sockaddr_in local, remote, their_local, their_remote;
    struct dirent *entry;
    int found = ERR_NOT_FOUND;
    DIR *folder;

    if (!addresses(fd, &local, &remote))
        return ERR_NOT_FOUND;
    folder = opendir("/proc/self/fd");
    if (!folder)
        return error_from_errno(errno);
    while (found < 0 && (entry = readdir(folder)) != NULL) {
        int candidate = atoi(entry->d_name); /* "." and ".." give 0, which is no such socket */

        if (candidate != fd && addresses(candidate, &their_local, &their_remote) &&
            same_address(&local, &their_remote) && same_address(&remote, &their_local))
            found = candidate;
    }
    closedir(folder);
    return found;
}
