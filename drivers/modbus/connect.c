#include "modbus/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/error.h"
#include "core/knock.h"
#include "core/resolve.h"

/* The host waits for descriptors to be readable only; an epoll set is readable when its socket is
 * writable. */
static int wait_writable(struct driver_host *host, int fd, int64_t until_mono_ns)
{
    struct epoll_event event = {.events = EPOLLOUT};
    int set = epoll_create1(EPOLL_CLOEXEC);
    int result;

    if (set < 0)
        return error_from_errno(errno);
    if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) < 0)
        result = error_from_errno(errno);
    else
        result = host_wait(host, set, until_mono_ns);
    close(set);
    return result;
}

static int finish(struct driver_host *host, int fd, int64_t until_mono_ns)
{
    int failure = 0, ready = wait_writable(host, fd, until_mono_ns);
    socklen_t size = sizeof failure;

    if (ready <= 0)
        return ready < 0 ? ready : ERR_TIMEOUT;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) < 0)
        failure = errno;
    return failure ? error_from_errno(failure) : 0;
}

static int connect_one(const struct addrinfo *info, struct driver_host *host, int64_t until_mono_ns)
{
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int one = 1, error = 0;

    if (fd < 0)
        return error_from_errno(errno);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, info->ai_addr, info->ai_addrlen) < 0)
        error = errno == EINPROGRESS ? finish(host, fd, until_mono_ns) : error_from_errno(errno);
    if (!error && fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) < 0)
        error = error_from_errno(errno);
    if (error) {
        close(fd);
        return error;
    }
    return fd;
}

/* The look-up has no time-out but the resolver's own (glibc: 5 s, twice, for each name server):
 * so a bus has never more than one under way. */
static int look_up(const struct modbus_host *address, struct driver_host *host,
                   struct addrinfo **found)
{
    struct resolve *resolve;
    int result = resolve_start(&resolve, address->name, address->port);

    if (result)
        return result;
    result = host_wait(host, resolve_fd(resolve), INT64_MAX);
    if (result > 0)
        return resolve_take(resolve, found);
    resolve_abandon(resolve);
    return result < 0 ? result : ERR_NAME;
}

int connect_tcp(const struct modbus_host *address, int64_t timeout_ns, struct driver_host *host)
{
    struct addrinfo *found = NULL;
    int result = look_up(address, host, &found);
    int64_t until = clock_mono(host->clock) + timeout_ns;

    if (result)
        return result;
    result = ERR_NAME;
    for (const struct addrinfo *info = found; info; info = info->ai_next) {
        int64_t now = clock_mono(host->clock);

        result = connect_one(info, host, now + knock_share_ns(info, now, until));
        if (result >= 0 || result == ERR_CLOSED)
            break;
    }
    freeaddrinfo(found);
    return result;
}

void connect_explain(const struct modbus_host *address, int error, char *why, size_t why_size)
{
    snprintf(why, why_size, "host %.128s port %u: %s", address->name, address->port,
             error == ERR_REFUSED   ? "connection refused: is Modbus TCP switched on there?"
             : error == ERR_TIMEOUT ? "no answer: check address, cable and firewall"
                                    : error_text(error));
}
