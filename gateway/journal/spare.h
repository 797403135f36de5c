/*
 * The next segment's file, prepared ahead of time by a thread of its own: a new one is filled with
 * zeros, a used one is marked as free; either is synced before it is handed out. Also keeps the
 * list of files that are free, and removes those too many.
 */
#ifndef SLUICE_JOURNAL_SPARE_H
#define SLUICE_JOURNAL_SPARE_H

#include "journal/segment.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum spare_state {
    SPARE_NONE,
    SPARE_WANTED,
    SPARE_READY,
    SPARE_FAILED,
};

/* A file of so many bytes is wanted; one of `least` does where the disk has no more. */
struct spare_want {
    int64_t bytes, least;
    bool small; /* a new one, too, may be smaller: there are so few files that any helps */
};

struct spare_file {
    int64_t size;
    uint32_t id;
    bool raw; /* not known to be written full: is filled with zeros again */
};

struct spare {
    const struct io *io;
    char gateway_id[ID_SIZE_MAX];
    pthread_mutex_t mutex;
    pthread_cond_t work; /* there is some, or the thread has ended */
    pthread_t thread;
    bool started, ended;
    _Atomic bool stop;
    _Atomic int64_t busy_since_ns; /* when the write or sync under way began; 0: there is none */
    enum spare_state state;
    int error; /* why it failed */
    struct spare_want wanted;
    size_t reserve;          /* so many files are to be made besides */
    struct spare_file ready; /* when SPARE_READY */
    struct io_file *file;
    struct spare_file *free_files;
    size_t free_count, free_room;
    size_t excess;               /* of the free files, to be removed */
    _Atomic int64_t total_bytes; /* of all files of the journal, also those in use */
    uint32_t next_id;
    void (*on_change)(void *context); /* on its thread, when a request is done */
    void *context;
};

void spare_init(struct spare *spare, const struct io *io, const char *gateway_id);
int spare_start(struct spare *spare);
/* Asks the thread to end, also in the middle of a file; the caller joins it. */
void spare_stop(struct spare *spare);
void spare_clear(struct spare *spare);

/* Adds a file that is not in use. 0 or ERR_NOMEM. */
int spare_add(struct spare *spare, uint32_t id, int64_t size, bool raw);

/* The same for a file that still says it is a segment: marks it as free first, and syncs that.
 * Otherwise a start before it is used again would take it for one. Any error. */
int spare_free(struct spare *spare, uint32_t id, int64_t size);

/* Asks for a file, a free one, or where there is none, a new one. */
void spare_request(struct spare *spare, const struct spare_want *want);

/* Has so many files more made, as spare_request has said, and keeps them free: for the day on which
 * the disk is full. One that cannot be made is done without. */
void spare_reserve(struct spare *spare, size_t files);

/* Takes what was prepared. 0 with the file, ERR_AGAIN while it is being prepared, ERR_NOT_FOUND
 * where none was asked for, or why it failed. */
int spare_take(struct spare *spare, struct io_file **file, struct spare_file *taken);

/* Whether there is a file that is prepared or free. */
bool spare_has_file(struct spare *spare);

/* What is prepared, in preparation or free, in bytes; *files tells how many. */
int64_t spare_bytes(struct spare *spare, size_t *files);

/* Removes so many of the free files. */
void spare_trim(struct spare *spare, size_t files);

#endif
