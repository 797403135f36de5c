/*
 * An epoll loop: file descriptors, timers, and functions posted from other threads. One thread runs it; only
 * loop_post and loop_stop may be called from others.
 */
#ifndef SLUICE_CORE_LOOP_H
#define SLUICE_CORE_LOOP_H

#include <stdint.h>

struct loop;
struct loop_watch;
struct loop_timer;

typedef void loop_fd_fn(void *context, uint32_t epoll_events);
typedef void loop_fn(void *context);

/* ERR_NOMEM or the error of epoll_create1. loop_close(NULL) is fine; it frees watches and timers left. */
int loop_open(struct loop **loop);
void loop_close(struct loop *loop);

/* Watches fd for EPOLLIN/EPOLLOUT...; the fd stays the caller's. NULL when out of memory or epoll refuses. */
struct loop_watch *loop_watch(struct loop *loop, int fd, uint32_t events, loop_fd_fn *fn, void *context);
int loop_watch_change(struct loop *loop, struct loop_watch *watch, uint32_t events);
void loop_unwatch(struct loop *loop, struct loop_watch *watch);

/* Calls fn once at the monotonic time; set again to re-arm, also from within fn. Dropping cancels it. */
struct loop_timer *loop_timer(struct loop *loop, loop_fn *fn, void *context);
void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t at_mono_ns);
void loop_timer_clear(struct loop *loop, struct loop_timer *timer);
void loop_timer_drop(struct loop *loop, struct loop_timer *timer);

/* Runs fn on the loop's thread soon, in order. Any thread. Returns 0 or ERR_NOMEM. */
int loop_post(struct loop *loop, loop_fn *fn, void *context);

/* Runs until loop_stop. Returns 0, or the error of epoll_wait. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

#endif
