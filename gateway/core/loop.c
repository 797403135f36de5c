#include "core/loop.h"

#include "core/clock.h"
#include "core/error.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BATCH_MAX 64
/* A longer wait does not fit 32 bits of milliseconds, or of seconds: it is done in pieces. */
#define LONGEST_NS (3600 * NS_PER_S)
#define IDLE       SIZE_MAX /* the place of a timer that is not set */

/*
 * A watch that is taken back while events are dispatched may stand in the rest of the batch: it is
 * marked dead and freed behind the batch.
 */
struct loop_watch {
    int fd;
    bool dead;
    loop_fd_fn *fn;
    void *context;
    struct loop_watch *previous, *next;
};

struct loop_timer {
    int64_t at_ns;
    uint64_t turn; /* orders those of the same time by when they were set */
    size_t place;  /* in the heap */
    loop_fn *fn;
    void *context;
    struct loop_timer *previous, *next;
};

struct post {
    loop_fn *fn;
    void *context;
    struct post *next;
};

struct loop {
    int epoll_fd;
    int wake_fd;
    atomic_bool stopping;
    bool coarse; /* epoll_pwait2 is not to be had */

    struct loop_watch *watches; /* alive */
    struct loop_watch *dead;    /* freed behind the batch */

    struct loop_timer *timers;
    size_t timer_count;
    struct loop_timer **heap; /* room for all timers, so that setting one cannot fail */
    size_t heap_size, heap_room;
    uint64_t turn;
    int64_t round_ns; /* when the timers of this round were looked at; INT64_MIN outside */

    pthread_mutex_t lock; /* of the posts */
    struct post *first_post, **last_post;
    size_t post_count;
};

static void wake(struct loop *loop)
{
    uint64_t one = 1;
    ssize_t written;
    do
        written = write(loop->wake_fd, &one, sizeof(one));
    while (written < 0 && errno == EINTR); /* EAGAIN: the counter is full, so it is awake already */
}

int loop_open(struct loop **out)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    if (!loop)
        return ERR_NOMEM;
    pthread_mutex_init(&loop->lock, NULL);
    loop->last_post = &loop->first_post;
    loop->round_ns = INT64_MIN;
    loop->wake_fd = -1;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd >= 0)
        loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}; /* NULL is the wake-up */
    if (loop->wake_fd < 0 || epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) < 0) {
        int error = error_from_errno(errno);
        loop_close(loop);
        return error;
    }
    *out = loop;
    return 0;
}

static void free_watches(struct loop_watch **list)
{
    while (*list) {
        struct loop_watch *watch = *list;
        *list = watch->next;
        free(watch);
    }
}

void loop_close(struct loop *loop)
{
    if (!loop)
        return;
    free_watches(&loop->watches);
    free_watches(&loop->dead);
    while (loop->timers)
        loop_timer_drop(loop, loop->timers);
    free(loop->heap);
    while (loop->first_post) {
        struct post *post = loop->first_post;
        loop->first_post = post->next;
        free(post);
    }
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

struct loop_watch *loop_watch(struct loop *loop, int fd, uint32_t events, loop_fd_fn *fn,
                              void *context)
{
    struct loop_watch *watch = calloc(1, sizeof(*watch));
    if (!watch)
        return NULL;
    *watch = (struct loop_watch){.fd = fd, .fn = fn, .context = context, .next = loop->watches};
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        free(watch);
        return NULL;
    }
    if (watch->next)
        watch->next->previous = watch;
    loop->watches = watch;
    return watch;
}

int loop_watch_change(struct loop *loop, struct loop_watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) < 0)
        return error_from_errno(errno);
    return 0;
}

void loop_unwatch(struct loop *loop, struct loop_watch *watch)
{
    if (!watch)
        return;
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    if (watch->previous)
        watch->previous->next = watch->next;
    else
        loop->watches = watch->next;
    if (watch->next)
        watch->next->previous = watch->previous;
    watch->dead = true;
    watch->next = loop->dead;
    loop->dead = watch;
}

static bool before(const struct loop_timer *a, const struct loop_timer *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->turn < b->turn;
}

static void heap_put(struct loop *loop, size_t place, struct loop_timer *timer)
{
    loop->heap[place] = timer;
    timer->place = place;
}

/* Moves the timer from `place`, whose content is void, to where it belongs, up or down. */
static void heap_settle(struct loop *loop, size_t place, struct loop_timer *timer)
{
    while (place > 0 && before(timer, loop->heap[(place - 1) / 2])) {
        heap_put(loop, place, loop->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    for (size_t child; (child = 2 * place + 1) < loop->heap_size; place = child) {
        if (child + 1 < loop->heap_size && before(loop->heap[child + 1], loop->heap[child]))
            child++;
        if (!before(loop->heap[child], timer))
            break;
        heap_put(loop, place, loop->heap[child]);
    }
    heap_put(loop, place, timer);
}

struct loop_timer *loop_timer(struct loop *loop, loop_fn *fn, void *context)
{
    if (loop->timer_count == loop->heap_room) {
        size_t room = loop->heap_room ? 2 * loop->heap_room : 16;
        struct loop_timer **heap = realloc(loop->heap, room * sizeof(struct loop_timer *));
        if (!heap)
            return NULL;
        loop->heap = heap;
        loop->heap_room = room;
    }
    struct loop_timer *timer = calloc(1, sizeof(*timer));
    if (!timer)
        return NULL;
    *timer = (struct loop_timer){.place = IDLE, .fn = fn, .context = context, .next = loop->timers};
    if (timer->next)
        timer->next->previous = timer;
    loop->timers = timer;
    loop->timer_count++;
    return timer;
}

void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t at_mono_ns)
{
    /* One that re-arms itself for the past must not run in this round again: others are due too. */
    timer->at_ns = at_mono_ns > loop->round_ns ? at_mono_ns : loop->round_ns + 1;
    timer->turn = loop->turn++;
    heap_settle(loop, timer->place == IDLE ? loop->heap_size++ : timer->place, timer);
}

void loop_timer_clear(struct loop *loop, struct loop_timer *timer)
{
    if (timer->place == IDLE)
        return;
    size_t place = timer->place;
    timer->place = IDLE;
    struct loop_timer *last = loop->heap[--loop->heap_size];
    if (last != timer)
        heap_settle(loop, place, last);
}

void loop_timer_drop(struct loop *loop, struct loop_timer *timer)
{
    if (!timer)
        return;
    loop_timer_clear(loop, timer);
    if (timer->previous)
        timer->previous->next = timer->next;
    else
        loop->timers = timer->next;
    if (timer->next)
        timer->next->previous = timer->previous;
    loop->timer_count--;
    free(timer);
}

int loop_post(struct loop *loop, loop_fn *fn, void *context)
{
    struct post *post = malloc(sizeof(*post));
    if (!post)
        return ERR_NOMEM;
    *post = (struct post){.fn = fn, .context = context};
    pthread_mutex_lock(&loop->lock);
    bool full = loop->post_count >= LOOP_POSTS_MAX;
    bool first = loop->post_count == 0;
    if (!full) {
        *loop->last_post = post;
        loop->last_post = &post->next;
        loop->post_count++;
    }
    pthread_mutex_unlock(&loop->lock);
    if (full) {
        free(post);
        return ERR_FULL;
    }
    if (first) /* otherwise its wake-up is still to come */
        wake(loop);
    return 0;
}

/* Runs what was posted until now; what these functions post comes behind the next look at the
 * descriptors. */
static void run_posts(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    struct post *post = loop->first_post;
    loop->first_post = NULL;
    loop->last_post = &loop->first_post;
    loop->post_count = 0;
    pthread_mutex_unlock(&loop->lock);
    while (post) {
        struct post *next = post->next;
        post->fn(post->context);
        free(post);
        post = next;
    }
}

static void run_timers(struct loop *loop)
{
    loop->round_ns = clock_mono(&clock_system);
    while (loop->heap_size > 0 && loop->heap[0]->at_ns <= loop->round_ns) {
        struct loop_timer *timer = loop->heap[0];
        loop_timer_clear(loop, timer);
        timer->fn(timer->context); /* which may drop it */
    }
    loop->round_ns = INT64_MIN;
}

/* How long until the first timer; below 0: there is none. */
static int64_t wait_ns(const struct loop *loop)
{
    if (loop->heap_size == 0)
        return -1;
    int64_t at_ns = loop->heap[0]->at_ns, now_ns = clock_mono(&clock_system);
    if (at_ns <= now_ns)
        return 0;
    return at_ns - now_ns < LONGEST_NS ? at_ns - now_ns : LONGEST_NS;
}

static int wait_events(struct loop *loop, struct epoll_event *events)
{
    int64_t ns = wait_ns(loop);
    struct timespec timeout = {.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};
    if (!loop->coarse) {
        int count = epoll_pwait2(loop->epoll_fd, events, BATCH_MAX, ns < 0 ? NULL : &timeout, NULL);
        if (count >= 0 || (errno != ENOSYS && errno != EPERM))
            return count;
        loop->coarse = true; /* a kernel before 5.11, or a filter that does not know the call */
    }
    /* Rounded up: a timer must not be looked for before its time. */
    int64_t ms = ns < 0 ? -1 : (ns + NS_PER_MS - 1) / NS_PER_MS;
    return epoll_wait(loop->epoll_fd, events, BATCH_MAX, (int)ms);
}

static void dispatch(struct loop *loop, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i++) {
        struct loop_watch *watch = events[i].data.ptr;
        if (!watch) {
            uint64_t wakeups;
            (void)!read(loop->wake_fd, &wakeups, sizeof(wakeups)); /* before the posts are taken */
            run_posts(loop);
        } else if (!watch->dead) {
            watch->fn(watch->context, events[i].events);
        }
    }
    free_watches(&loop->dead);
}

int loop_run(struct loop *loop)
{
    int error = 0;
    while (error == 0 && !atomic_load(&loop->stopping)) {
        struct epoll_event events[BATCH_MAX];
        int count = wait_events(loop, events);
        if (count < 0 && errno != EINTR)
            error = error_from_errno(errno);
        dispatch(loop, events, count);
        run_timers(loop);
    }
    atomic_store(&loop->stopping, false);
    return error;
}

void loop_stop(struct loop *loop)
{
    atomic_store(&loop->stopping, true);
    wake(loop);
}
