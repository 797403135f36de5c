#include "daemon/service.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"

#define LISTEN_FIRST 3 /* sd_listen_fds(3): where the manager's sockets begin */
#define LISTEN_MAX   16

int service_tell(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = path ? strlen(path) : 0;

    if (size == 0)
        return 0;
    if (size >= sizeof address.sun_path)
        return ERR_TOO_LARGE;
    memcpy(address.sun_path, path, size);
    if (*path == '@') /* a name that is no file's: it begins with a zero */
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_from_errno(errno);
    ssize_t sent = sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size));
    int error = sent < 0 ? error_from_errno(errno) : 0;
    close(fd);
    return error;
}

/* A decimal number of the environment; -1 where there is none. */
static int64_t number_of(const char *name)
{
    const char *text = getenv(name);
    char *end;

    if (!text || *text == '\0')
        return -1;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    return errno || *end || number < 0 ? -1 : number;
}

/* The variables are inherited: each names the process that they are for. */
static bool is_for_us(const char *name)
{
    return number_of(name) == (int64_t)getpid();
}

int64_t service_watchdog_ns(void)
{
    int64_t us = number_of("WATCHDOG_USEC");
    bool ours = !getenv("WATCHDOG_PID") || is_for_us("WATCHDOG_PID");

    return ours && us > 0 && us < INT64_MAX / NS_PER_US ? us * NS_PER_US : 0;
}

/* Whether fd listens to TCP on that port, at "::" or "0.0.0.0". */
static bool listens(int fd, uint16_t port)
{
    struct sockaddr_storage address = {0};
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)&address;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)&address;
    socklen_t size = sizeof address, size_of_int = sizeof(int);
    int listening = 0;

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size_of_int) || !listening ||
        getsockname(fd, (struct sockaddr *)&address, &size))
        return false;
    if (address.ss_family == AF_INET)
        return four->sin_port == htons(port) && four->sin_addr.s_addr == htonl(INADDR_ANY);
    return address.ss_family == AF_INET6 && six->sin6_port == htons(port) &&
           IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr);
}

int service_listener(uint16_t port)
{
    int64_t count = is_for_us("LISTEN_PID") ? number_of("LISTEN_FDS") : 0;

    for (int fd = LISTEN_FIRST; fd < LISTEN_FIRST + count && count <= LISTEN_MAX; fd++) {
        if (!listens(fd, port))
            continue;
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, LISTEN_FIRST + LISTEN_MAX);
        /* The manager's socket may block; and what this process starts is not to have it. */
        if (copy >= 0 && (fcntl(copy, F_SETFL, O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC))) {
            close(copy);
            copy = -1;
        }
        return copy;
    }
    return -1;
}
