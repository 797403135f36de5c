#include "daemon/follow.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "core/error.h"

struct follow {
    struct follow_options options;
    struct clock clock;
    bool told;
    _Atomic int64_t until_mono_ns; /* how long the last "yes" holds; 0: there is none */
    pthread_mutex_t mutex;
    pthread_cond_t ending;
    bool ended, threaded;
    pthread_t thread;
};

static int64_t follow_wall(void *context)
{
    return clock_wall(((struct follow *)context)->options.system);
}

static int64_t follow_mono(void *context)
{
    return clock_mono(((struct follow *)context)->options.system);
}

static enum clock_trust follow_trust(void *context)
{
    struct follow *follow = context;
    enum clock_trust trust = clock_trust(follow->options.system);

    if (trust == CLOCK_FREE_RUNNING && atomic_load(&follow->until_mono_ns) > follow_mono(follow))
        return CLOCK_SYNCHRONISED;
    return trust;
}

/* Returns whether that is known. What is not known leaves the last answer as long as it holds. */
static bool ask(struct follow *follow)
{
    int answer = follow->options.ask(follow->options.context);

    if (answer == 0)
        atomic_store(&follow->until_mono_ns,
                     follow_mono(follow) + follow->options.every_ns * 5 / 2);
    else if (answer == ERR_DENIED)
        atomic_store(&follow->until_mono_ns, 0);
    return answer == 0 || answer == ERR_DENIED;
}

/* With the mutex. Returns false when it is over before. */
static bool wait(struct follow *follow, int64_t wait_ns)
{
    int64_t until_ns = clock_mono(&clock_system) + wait_ns;
    struct timespec until = {.tv_sec = (time_t)(until_ns / NS_PER_S),
                             .tv_nsec = (long)(until_ns % NS_PER_S)};

    while (!follow->ended && clock_mono(&clock_system) < until_ns)
        pthread_cond_timedwait(&follow->ending, &follow->mutex, &until);
    return !follow->ended;
}

static void *ask_again(void *context)
{
    struct follow *follow = context;
    int64_t wait_ns = follow->options.first_ns;

    pthread_mutex_lock(&follow->mutex);
    while (wait(follow, atomic_load(&follow->until_mono_ns) ? follow->options.every_ns : wait_ns)) {
        pthread_mutex_unlock(&follow->mutex);
        (void)ask(follow);
        pthread_mutex_lock(&follow->mutex);
        wait_ns = wait_ns * 2 < follow->options.every_ns ? wait_ns * 2 : follow->options.every_ns;
    }
    pthread_mutex_unlock(&follow->mutex);
    return NULL;
}

/* Signals are for the daemon's loop alone, which may not have taken them over yet. */
static void start(struct follow *follow)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    follow->threaded = pthread_create(&follow->thread, NULL, ask_again, follow) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int follow_open(struct follow **out, const struct follow_options *options)
{
    struct follow *follow = calloc(1, sizeof *follow);
    pthread_condattr_t monotonic;

    if (!follow)
        return ERR_NOMEM;
    follow->options = *options;
    follow->clock = (struct clock){follow_wall, follow_mono, follow_trust, follow};
    pthread_mutex_init(&follow->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&follow->ending, &monotonic);
    pthread_condattr_destroy(&monotonic);
    follow->told = ask(follow);
    start(follow);
    if (!follow->threaded) {
        follow_close(follow);
        return ERR_NOMEM;
    }
    *out = follow;
    return 0;
}

void follow_close(struct follow *follow)
{
    if (!follow)
        return;
    pthread_mutex_lock(&follow->mutex);
    follow->ended = true;
    pthread_cond_signal(&follow->ending);
    pthread_mutex_unlock(&follow->mutex);
    if (follow->threaded)
        pthread_join(follow->thread, NULL);
    pthread_cond_destroy(&follow->ending);
    pthread_mutex_destroy(&follow->mutex);
    free(follow);
}

bool follow_is_told(const struct follow *follow)
{
    return follow->told;
}

const struct clock *follow_clock(struct follow *follow)
{
    return &follow->clock;
}
