#include "core/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/error.h"

/* A resolver needs more than 64 KiB, sanitizers more than that. */
#define STACK_BYTES (256 * 1024)

/* Shared by the thread and whoever waits for it: the last one to let go frees it. */
struct resolve {
    _Atomic int holders;
    int fd;
    int error;
    struct addrinfo *addresses;
    char service[8];
    char host[];
};

static void release(struct resolve *resolve)
{
    if (atomic_fetch_sub(&resolve->holders, 1) > 1)
        return;
    if (resolve->addresses)
        freeaddrinfo(resolve->addresses);
    close(resolve->fd);
    free(resolve);
}

static void look_up(struct resolve *resolve, int flags)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | flags};
    int rc = getaddrinfo(resolve->host, resolve->service, &hints, &resolve->addresses);

    if (rc != 0)
        resolve->addresses = NULL;
    resolve->error = rc == 0 ? 0 : rc == EAI_MEMORY ? ERR_NOMEM : ERR_NAME;
}

static void show(const struct resolve *resolve)
{
    uint64_t one = 1;
    ssize_t written = write(resolve->fd, &one, sizeof(one));

    (void)written; /* it can only fail when it is readable already */
}

static void *work(void *context)
{
    struct resolve *resolve = context;

    look_up(resolve, 0);
    show(resolve);
    release(resolve);
    return NULL;
}

static int start_thread(struct resolve *resolve)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_t thread;
    int rc;

    sigfillset(&all); /* signals belong to the main thread */
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&thread, &attributes, work, resolve);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return rc == 0 ? 0 : ERR_NOMEM;
}

bool resolve_is_numeric(const char *host)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found = NULL;

    if (getaddrinfo(host, NULL, &hints, &found) != 0)
        return false;
    freeaddrinfo(found);
    return true;
}

int resolve_start(struct resolve **out, const char *host, uint16_t port)
{
    size_t size = strlen(host) + 1;
    struct resolve *resolve = calloc(1, sizeof(*resolve) + size);
    int error;

    if (!resolve)
        return ERR_NOMEM;
    memcpy(resolve->host, host, size);
    snprintf(resolve->service, sizeof(resolve->service), "%u", (unsigned)port);
    atomic_store(&resolve->holders, 1);
    resolve->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (resolve->fd < 0) {
        error = error_from_errno(errno);
        free(resolve);
        return error;
    }
    look_up(resolve, AI_NUMERICHOST);
    if (resolve->error == 0) {
        show(resolve);
    } else {
        atomic_store(&resolve->holders, 2);
        error = start_thread(resolve);
        if (error) {
            atomic_store(&resolve->holders, 1);
            release(resolve);
            return error;
        }
    }
    *out = resolve;
    return 0;
}

int resolve_fd(const struct resolve *resolve)
{
    return resolve->fd;
}

int resolve_take(struct resolve *resolve, struct addrinfo **addresses)
{
    uint64_t count;
    int error;

    /* Reading it, too, orders what the thread wrote before. */
    if (read(resolve->fd, &count, sizeof(count)) < 0) {
        resolve_abandon(resolve);
        return ERR_NAME;
    }
    error = resolve->error;
    *addresses = resolve->addresses;
    resolve->addresses = NULL;
    release(resolve);
    return error;
}

void resolve_abandon(struct resolve *resolve)
{
    if (resolve)
        release(resolve);
}
