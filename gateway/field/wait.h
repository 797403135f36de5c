/* Waiting for a file descriptor against a monotonic deadline: what struct driver_host_ops.wait is
 * made of. */
#ifndef SLUICE_FIELD_WAIT_H
#define SLUICE_FIELD_WAIT_H

#include <stdint.h>

#include "core/clock.h"

/*
 * Waits until `fd` is readable (or hung up) or the monotonic time of `clock` comes; -1 for none.
 * Returns 1, 0 at the time (also when it has passed already and nothing is readable), or ERR_CLOSED
 * when `stop_fd` (-1: none) became readable, which goes first. Any thread.
 */
int wait_readable(int fd, int stop_fd, const struct clock *clock, int64_t until_mono_ns);

#endif
