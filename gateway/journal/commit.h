/*
 * The disk side of group commit: a thread that writes and syncs one frame after another while the
 * writer fills the next. The next frame is written only after the sync of the one before has
 * returned, and what has become durable is told while the device writes it. A frame that failed
 * stays at the head of the queue, and nothing more is written until the writer has found a new
 * place for it.
 */
#ifndef SLUICE_JOURNAL_COMMIT_H
#define SLUICE_JOURNAL_COMMIT_H

#include "core/codec.h"
#include "journal/frame.h"
#include "journal/io.h"

#include <pthread.h>
#include <stdatomic.h>

/* One frame is filled, one is on its way to the disk, and the others wait: enough that a writer
 * that is scheduled late does not keep the disk waiting. */
#define COMMIT_BUFFERS 5
#define COMMIT_QUEUE   (COMMIT_BUFFERS - 1)

/* A frame in the making: events are packed behind the place of the header. */
struct buffer {
    uint8_t *data;
    size_t room;
    size_t limit; /* events are packed up to here; records may go further, to record_limit */
    size_t record_limit;
    size_t used;
    size_t size; /* of the whole frame with its padding, when it is sealed */
    struct frame frame;
    struct codec codec;
    int64_t since_ns; /* when its first event was taken */
    int64_t offset;   /* in the segment, when it is sealed */
    uint64_t number;  /* of the commit, when it is sealed */
    bool urgent;
    bool free;
};

struct commit {
    const struct io *io;
    pthread_mutex_t mutex;
    pthread_cond_t work;    /* the disk thread waits for frames */
    pthread_cond_t durable; /* callers of journal_flush wait for commits */
    pthread_cond_t writer;  /* the writer thread rests */
    pthread_t thread;
    bool started, ended; /* `durable` tells of the end */
    struct buffer buffers[COMMIT_BUFFERS];
    struct buffer *queue[COMMIT_QUEUE];
    unsigned queued;
    struct buffer *begun;  /* the frame that the device has been given; the disk thread's... */
    int64_t begun_took_ns; /* ...and what giving it took */
    bool halted;           /* the head of the queue needs a new place */
    bool stop;
    int error; /* why it failed */
    struct io_file *file;
    uint64_t generation;           /* of the segment behind `file` */
    uint64_t submitted;            /* number of the newest sealed frame; the writer's */
    uint64_t done;                 /* of the newest durable one */
    _Atomic int64_t busy_since_ns; /* when the write or sync under way began; 0: there is none */
    uint64_t progress;             /* rises whenever something ends here */
    bool writer_waits;             /* for progress */
    bool wake;                     /* somebody wants the writer */
    /* Told by journal_stats. */
    uint64_t commits, bytes;
    int64_t last_sync_ns, worst_sync_ns; /* of a frame, in the storage's calls */
    /* Called on the disk thread behind each durable frame, without the mutex. */
    void (*on_durable)(void *context, uint64_t generation, const struct buffer *buffer);
    void *context;
};

/* `room` is that of each buffer. 0 or ERR_NOMEM. */
int commit_init(struct commit *commit, const struct io *io, size_t room);
int commit_start(struct commit *commit);

/* Asks the thread to end when what is queued is durable or has failed; the caller joins it. */
void commit_stop(struct commit *commit);
/* Closes the file and frees. */
void commit_clear(struct commit *commit);

/* A buffer that nobody uses; NULL when there is none. The writer's, as those that follow. */
struct buffer *commit_buffer(struct commit *commit);
void commit_release(struct commit *commit, struct buffer *buffer);

/* Hands a sealed frame over. False when the queue is full. */
bool commit_submit(struct commit *commit, struct buffer *buffer);

/* Whether all that was submitted is durable. */
bool commit_idle(struct commit *commit);

/* The number of the newest durable frame. */
uint64_t commit_done(struct commit *commit);

/* Writes what follows to another file; closes the one before. Nothing may be under way. */
void commit_switch(struct commit *commit, struct io_file *file, uint64_t generation);

/* Goes on with the queue after a failure. */
void commit_resume(struct commit *commit);

/* Wakes the writer. Any thread. */
void commit_wake(struct commit *commit);

#endif
