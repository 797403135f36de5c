#include "tls/drain.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROUNDS_MAX 64

void drain_end(struct drain *drain)
{
    if (drain->watch)
        loop_unwatch(drain->loop, drain->watch);
    drain->watch = NULL;
    if (drain->fd >= 0)
        close(drain->fd);
    drain->fd = -1;
}

static void discard(void *context, uint32_t events)
{
    struct drain *drain = context;
    char scratch[16384];
    ssize_t got;
    int rounds = 0;

    (void)events;
    do { /* and whoever sends without an end leaves the thread to the others */
        got = recv(drain->fd, scratch, sizeof(scratch), 0);
    } while (got > 0 && ++rounds < ROUNDS_MAX);
    if (got > 0)
        return;
    if (got == 0 || (errno != EAGAIN && errno != EINTR))
        drain_end(drain);
}

void drain_begin(struct drain *drain, int fd)
{
    drain_end(drain);
    shutdown(fd, SHUT_WR);
    drain->fd = fd;
    drain->watch = loop_watch(drain->loop, fd, EPOLLIN, discard, drain);
    if (!drain->watch)
        drain_end(drain);
}
