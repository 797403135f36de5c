/* A disk whose syncs are let through one by one, and may fail. One a program. */
#ifndef SLUICE_TESTS_SYNC_GATE_H
#define SLUICE_TESTS_SYNC_GATE_H

#include <pthread.h>
#include <time.h>

#include "unit/journal_kit.h"

static struct {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    int (*sync)(const struct io *io, struct io_file *file);
    bool open;
    unsigned waiting, let;
    int error; /* of the next that is let through; 0: it does what it should */
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER, .open = true};

static int gated_sync(const struct io *io, struct io_file *file)
{
    pthread_mutex_lock(&gate.lock);
    gate.waiting++;
    pthread_cond_broadcast(&gate.moved);
    while (!gate.open && gate.let == 0)
        pthread_cond_wait(&gate.moved, &gate.lock);
    gate.let -= !gate.open;
    gate.waiting--;
    pthread_cond_broadcast(&gate.moved); /* another one may be waiting already */
    int error = gate.error;
    gate.error = 0;
    pthread_mutex_unlock(&gate.lock);
    return error ? error : gate.sync(io, file);
}

/* Before the journal is opened. */
static inline void gate_put(struct kit *kit)
{
    gate.sync = kit->io.sync;
    kit->io.sync = gated_sync;
}

/* All, or so many more. */
static inline void gate_set(bool open, unsigned let)
{
    pthread_mutex_lock(&gate.lock);
    gate.open = open;
    gate.let = let;
    pthread_cond_broadcast(&gate.moved);
    pthread_mutex_unlock(&gate.lock);
}

/* All, of which the one that waits fails. */
static inline void gate_fail(int error)
{
    pthread_mutex_lock(&gate.lock);
    gate.error = error;
    pthread_mutex_unlock(&gate.lock);
    gate_set(true, 0);
}

static inline void gate_await(void)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += KIT_WAIT_NS / NS_PER_S;
    pthread_mutex_lock(&gate.lock);
    while (gate.waiting == 0 || gate.let != 0)
        assert_int_equal(pthread_cond_timedwait(&gate.moved, &gate.lock, &until), 0);
    pthread_mutex_unlock(&gate.lock);
}

#endif
