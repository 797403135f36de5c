#include "journal/commit.h"

#include "core/clock.h"
#include "core/error.h"

#include <stdlib.h>
#include <string.h>

int commit_init(struct commit *commit, const struct io *io, size_t room)
{
    pthread_condattr_t monotonic;

    memset(commit, 0, sizeof(*commit));
    commit->io = io;
    pthread_mutex_init(&commit->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&commit->work, NULL);
    pthread_cond_init(&commit->durable, &monotonic);
    pthread_cond_init(&commit->writer, &monotonic);
    pthread_condattr_destroy(&monotonic);
    for (size_t i = 0; i < COMMIT_BUFFERS; i++) {
        struct buffer *buffer = &commit->buffers[i];
        buffer->data = malloc(room);
        buffer->room = room;
        buffer->free = true;
        if (room > 0 && !buffer->data)
            return ERR_NOMEM;
    }
    return 0;
}

void commit_clear(struct commit *commit)
{
    for (size_t i = 0; i < COMMIT_BUFFERS; i++)
        free(commit->buffers[i].data);
    if (commit->file)
        commit->io->close(commit->io, commit->file);
    pthread_cond_destroy(&commit->work);
    pthread_cond_destroy(&commit->durable);
    pthread_cond_destroy(&commit->writer);
    pthread_mutex_destroy(&commit->mutex);
}

static void ended(struct commit *commit)
{
    commit->progress++;
    if (commit->writer_waits)
        pthread_cond_signal(&commit->writer);
}

/* The writer has something to do, however it rests. Called with the mutex held. */
static void failed(struct commit *commit, int error)
{
    commit->begun = NULL;
    commit->error = error;
    commit->halted = true;
    commit->wake = true;
    pthread_cond_signal(&commit->writer);
}

/* What the storage takes is told; what is done between two of its calls is not the storage's. */
static void begin_storage(struct commit *commit)
{
    commit->busy_since_ns = clock_mono(&clock_system);
}

static int64_t end_storage(struct commit *commit)
{
    int64_t took_ns = clock_mono(&clock_system) - commit->busy_since_ns;

    commit->busy_since_ns = 0;
    return took_ns;
}

/* Writes a frame and lets the device begin with it. */
static int begin_frame(struct commit *commit, const struct buffer *buffer)
{
    const struct io *io = commit->io;

    begin_storage(commit);
    int error = io->write(io, commit->file, buffer->data, buffer->size, buffer->offset);
    if (error == 0)
        io->push(io, commit->file, buffer->size, buffer->offset);
    commit->begun_took_ns = end_storage(commit);
    return error;
}

static int sync_frame(struct commit *commit, int64_t *took_ns)
{
    begin_storage(commit);
    int error = commit->io->sync(commit->io, commit->file);
    *took_ns = commit->begun_took_ns + end_storage(commit);
    return error;
}

/*
 * Makes the frame at the head of the queue durable. Telling of it takes a tenth of the time that
 * the device takes, mostly to wake other threads: so the next frame is given to the device first.
 * Called and returns with the mutex held.
 */
static void store_head(struct commit *commit)
{
    struct buffer *buffer = commit->queue[0];
    uint64_t generation = commit->generation;
    bool begun = commit->begun == buffer;

    pthread_mutex_unlock(&commit->mutex);
    int64_t took_ns = 0;
    int error = begun ? 0 : begin_frame(commit, buffer);
    if (error == 0)
        error = sync_frame(commit, &took_ns);
    pthread_mutex_lock(&commit->mutex);
    if (error < 0) {
        failed(commit, error);
        ended(commit);
        return;
    }
    commit->begun = commit->queued > 1 ? commit->queue[1] : NULL;
    pthread_mutex_unlock(&commit->mutex);
    if (commit->begun)
        error = begin_frame(commit, commit->begun);
    commit->on_durable(commit->context, generation, buffer);
    pthread_mutex_lock(&commit->mutex);
    commit->done = buffer->number;
    commit->commits++;
    commit->bytes += buffer->size;
    commit->last_sync_ns = took_ns;
    if (took_ns > commit->worst_sync_ns)
        commit->worst_sync_ns = took_ns;
    buffer->free = true;
    memmove(commit->queue, commit->queue + 1, --commit->queued * sizeof(commit->queue[0]));
    pthread_cond_broadcast(&commit->durable);
    if (error < 0)
        failed(commit, error);
    ended(commit);
}

static void *disk_main(void *context)
{
    struct commit *commit = context;

    pthread_mutex_lock(&commit->mutex);
    for (;;) {
        if (commit->queued > 0 && !commit->halted)
            store_head(commit);
        else if (commit->stop)
            break;
        else
            pthread_cond_wait(&commit->work, &commit->mutex);
    }
    commit->ended = true;
    pthread_cond_broadcast(&commit->durable);
    pthread_mutex_unlock(&commit->mutex);
    return NULL;
}

int commit_start(struct commit *commit)
{
    if (pthread_create(&commit->thread, NULL, disk_main, commit) != 0)
        return ERR_NOMEM;
    commit->started = true;
    return 0;
}

void commit_stop(struct commit *commit)
{
    pthread_mutex_lock(&commit->mutex);
    commit->stop = true;
    pthread_cond_signal(&commit->work);
    pthread_mutex_unlock(&commit->mutex);
}

struct buffer *commit_buffer(struct commit *commit)
{
    struct buffer *found = NULL;
    pthread_mutex_lock(&commit->mutex);
    for (size_t i = 0; i < COMMIT_BUFFERS && !found; i++)
        if (commit->buffers[i].free)
            found = &commit->buffers[i];
    if (found)
        found->free = false;
    pthread_mutex_unlock(&commit->mutex);
    return found;
}

void commit_release(struct commit *commit, struct buffer *buffer)
{
    pthread_mutex_lock(&commit->mutex);
    buffer->free = true;
    pthread_mutex_unlock(&commit->mutex);
}

bool commit_submit(struct commit *commit, struct buffer *buffer)
{
    pthread_mutex_lock(&commit->mutex);
    bool room = commit->queued < COMMIT_QUEUE;
    if (room) {
        commit->queue[commit->queued++] = buffer;
        pthread_cond_signal(&commit->work);
    }
    pthread_mutex_unlock(&commit->mutex);
    return room;
}

bool commit_idle(struct commit *commit)
{
    pthread_mutex_lock(&commit->mutex);
    bool idle = commit->queued == 0;
    pthread_mutex_unlock(&commit->mutex);
    return idle;
}

uint64_t commit_done(struct commit *commit)
{
    pthread_mutex_lock(&commit->mutex);
    uint64_t done = commit->done;
    pthread_mutex_unlock(&commit->mutex);
    return done;
}

void commit_switch(struct commit *commit, struct io_file *file, uint64_t generation)
{
    pthread_mutex_lock(&commit->mutex);
    struct io_file *before = commit->file;
    commit->file = file;
    commit->generation = generation;
    pthread_mutex_unlock(&commit->mutex);
    if (before)
        commit->io->close(commit->io, before);
}

void commit_resume(struct commit *commit)
{
    pthread_mutex_lock(&commit->mutex);
    commit->halted = false;
    commit->error = 0;
    pthread_cond_signal(&commit->work);
    pthread_mutex_unlock(&commit->mutex);
}

void commit_wake(struct commit *commit)
{
    pthread_mutex_lock(&commit->mutex);
    commit->wake = true;
    pthread_cond_signal(&commit->writer);
    pthread_mutex_unlock(&commit->mutex);
}
