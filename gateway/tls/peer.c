#include "tls/peer.h"

#include <dirent.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "core/error.h"

#define DESCRIPTORS_MAX 65536 /* no more are looked through: a daemon asks for as many */

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

static bool are_ends(int fd, int candidate)
{
    struct sockaddr_in local, remote, their_local, their_remote;

    return candidate != fd && addresses(fd, &local, &remote) &&
           addresses(candidate, &their_local, &their_remote) &&
           same_address(&local, &their_remote) && same_address(&remote, &their_local);
}

static int find_in(DIR *folder, int fd)
{
    struct dirent *entry;

    while ((entry = readdir(folder)) != NULL) {
        int candidate = atoi(entry->d_name); /* "." and ".." give 0, which is no such socket */

        if (are_ends(fd, candidate))
            return candidate;
    }
    return ERR_NOT_FOUND;
}

/* Where /proc is not mounted, or takes a descriptor that is not to be had: all that there may be.
 */
static int find_in_all(int fd)
{
    struct rlimit limit = {.rlim_cur = DESCRIPTORS_MAX};

    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur > DESCRIPTORS_MAX)
        limit.rlim_cur = DESCRIPTORS_MAX;
    for (int candidate = 0; candidate < (int)limit.rlim_cur; candidate++) {
        if (are_ends(fd, candidate))
            return candidate;
    }
    return ERR_NOT_FOUND;
}

int peer_find(int fd)
{
    DIR *folder = opendir("/proc/self/fd");
    int found;

    if (!folder)
        return find_in_all(fd);
    found = find_in(folder, fd);
    closedir(folder);
    return found;
}
