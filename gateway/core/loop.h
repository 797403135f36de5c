/*
 * An epoll loop: file descriptors, timers, and functions posted from other threads. One thread runs
 * it; only loop_post and loop_stop may be called from others.
 */
#ifndef SLUICE_CORE_LOOP_H
#define SLUICE_CORE_LOOP_H

#include <stdint.h>

#define LOOP_POSTS_MAX 65536 /* functions posted and not yet run */

struct loop;
struct loop_watch;
struct loop_timer;

typedef void loop_fd_fn(void *context, uint32_t epoll_events);
typedef void loop_fn(void *context);

/*
 * ERR_NOMEM or the error of epoll_create1. loop_close(NULL) is fine; it frees watches and timers
 * left, and forgets what was posted and has not run.
 */
int loop_open(struct loop **loop);
void loop_close(struct loop *loop);

/*
 * Watches fd for EPOLLIN/EPOLLOUT...; the fd stays the caller's, who takes the watch back before
 * closing it. NULL when out of memory or epoll refuses (errno tells).
 */
struct loop_watch *loop_watch(struct loop *loop, int fd, uint32_t events, loop_fd_fn *fn,
                              void *context);

/* Watches for other events from now on. Returns 0 or the error of epoll_ctl. */
int loop_watch_change(struct loop *loop, struct loop_watch *watch, uint32_t events);

/* Takes the watch back: fn is not called again, not even for an event that came already. Also from
 * within any callback; NULL is fine. */
void loop_unwatch(struct loop *loop, struct loop_watch *watch);

/*
 * Makes a timer, which is not set yet; NULL when out of memory. Setting it calls fn once at that
 * monotonic time (never early; late by what the kernel takes, up to a millisecond before
 * Linux 5.11), those of the same time in the order in which they were set; set again to move it or,
 * also from within fn, to re-arm. A time in the past is soon. Setting cannot fail. Dropping frees
 * it, also from within fn; NULL is fine.
 */
struct loop_timer *loop_timer(struct loop *loop, loop_fn *fn, void *context);
void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t at_mono_ns);
void loop_timer_clear(struct loop *loop, struct loop_timer *timer);
void loop_timer_drop(struct loop *loop, struct loop_timer *timer);

/* Runs fn on the loop's thread soon, in order. Any thread. Returns 0, ERR_NOMEM, or ERR_FULL above
 * LOOP_POSTS_MAX. */
int loop_post(struct loop *loop, loop_fn *fn, void *context);

/*
 * Runs until loop_stop, which may also come before. Returns 0, or the error of epoll_wait.
 * Callbacks of the round in which the stop came are still called.
 */
int loop_run(struct loop *loop);

/* Any thread; from a signal handler too. */
void loop_stop(struct loop *loop);

#endif
