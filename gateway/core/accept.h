/*
 * A listening socket that outlives a shortage of file descriptors. A connection that cannot be
 * accepted stays in the queue and is told by epoll for ever; so a spare descriptor is kept, and
 * given up for as long as it takes to turn the connection away.
 */
#ifndef SLUICE_CORE_ACCEPT_H
#define SLUICE_CORE_ACCEPT_H

#include "core/loop.h"

struct accepter;

/* A connection, non-blocking and close-on-exec, which is the receiver's from now on. */
typedef void accept_fn(void *context, int fd);

/*
 * Watches `listener` (non-blocking; it stays the caller's, who closes it after accept_close) on
 * `loop` and hands out what connects to it. `name` is for the log: "the socket /run/x". All on the
 * loop's thread, or before it runs. ERR_NOMEM, or the error of epoll.
 */
int accept_open(struct accepter **accepter, struct loop *loop, int listener, const char *name,
                accept_fn *accepted, void *context);

/* Also from within the accept_fn; NULL is fine. */
void accept_close(struct accepter *accepter);

#endif
