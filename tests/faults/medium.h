/*
 * A disk made of memory, behind struct io. It logs every change, so that a power cut can be tried
 * at every point of a recorded run (cut.h), and it fails, lies, stalls and fills up when told to.
 *
 * What it believes of a disk: what was written is seen by reads at once, but is durable only when a
 * later sync of the same file has returned; a directory change is durable only when a later
 * sync_dir has returned. A sync that fails drops what it should have written, as Linux does, and a
 * later sync will not bring it back.
 *
 * Thread-safe. Running out of memory ends the program.
 */
#ifndef SLUICE_TESTS_MEDIUM_H
#define SLUICE_TESTS_MEDIUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal/io.h"

#define MEDIUM_NAME_SIZE_MAX 64
#define MEDIUM_FAULTS_MAX    16

struct medium;

/* The contents of a folder, as values. Zero it before its first use. */
struct medium_file {
    char name[MEDIUM_NAME_SIZE_MAX];
    uint8_t *data; /* may be NULL when size is 0 */
    int64_t size;
};
struct medium_image {
    struct medium_file *files;
    size_t count;
};

/* Adds a file; the data is copied. */
void medium_image_add(struct medium_image *image, const char *name, const void *data, int64_t size);
/* The file of that name, or NULL. */
struct medium_file *medium_image_find(const struct medium_image *image, const char *name);
void medium_image_remove(struct medium_image *image, const char *name);
/* Frees the files; the image is empty and usable again. */
void medium_image_clear(struct medium_image *image);
/* A fingerprint of names and contents; the order of the files does not count. */
uint64_t medium_image_hash(const struct medium_image *image);

/* A disk that holds a copy of the image's files durably; NULL for an empty one. */
struct medium *medium_open(const struct medium_image *image);
/* Frees; files that are still open become invalid. NULL is fine. */
void medium_close(struct medium *medium);

/* What the journal is given. Lives as long as the medium. */
const struct io *medium_io(struct medium *medium);

/* What a process would read now: cached and durable alike. Clears *image first. */
void medium_snapshot(struct medium *medium, struct medium_image *image);

/* Calls, and what the log holds: of the calls only those that change something. */
enum medium_op {
    MEDIUM_OPEN,
    MEDIUM_CREATE,
    MEDIUM_READ,
    MEDIUM_WRITE,
    MEDIUM_SYNC,
    MEDIUM_SYNC_LOST, /* log only: a sync that failed */
    MEDIUM_TRUNCATE,
    MEDIUM_RENAME,
    MEDIUM_REMOVE,
    MEDIUM_SYNC_DIR,
    MEDIUM_LIST,
    MEDIUM_OPS,
};

struct medium_record {
    enum medium_op op;
    uint32_t file;  /* the file's number, from 0 in order of creation */
    int64_t offset; /* of a write; the new size of a truncate */
    size_t size;
    uint8_t *data;                   /* of a write */
    char name[MEDIUM_NAME_SIZE_MAX]; /* of a create, rename (from), remove */
    char to[MEDIUM_NAME_SIZE_MAX];
    uint64_t observed; /* what the observer returned just before */
};

/* The log. Stable while no thread uses the medium. */
size_t medium_log_size(struct medium *medium);
const struct medium_record *medium_log(struct medium *medium, size_t index);

/* How often a call was made, failed ones included. */
uint64_t medium_calls(struct medium *medium, enum medium_op op);

/* The files that the disk held when it was opened. */
const struct medium_image *medium_initial(const struct medium *medium);

/* `observe` is called in the caller's thread at the beginning of each change, with no lock held;
 * its answer is logged. */
void medium_observe(struct medium *medium, uint64_t (*observe)(void *context), void *context);

/* Lets a call fail: those of kind `op` on files whose name begins with `prefix`, after `skip` good
 * ones, `times` times. */
struct medium_fault {
    enum medium_op op;
    const char *prefix; /* "" for all; not copied */
    uint64_t skip;
    uint64_t times; /* UINT64_MAX: until cleared */
    int error;
    bool partial; /* a write stores its first half before it fails */
};
void medium_inject(struct medium *medium, const struct medium_fault *fault);
void medium_heal(struct medium *medium); /* removes all faults */

/* Writes that would make the files together larger than `bytes` fail with ERR_NO_SPACE. Negative:
 * no limit. */
void medium_set_capacity(struct medium *medium, int64_t bytes);
/* Every change fails with ERR_READ_ONLY. */
void medium_set_read_only(struct medium *medium, bool read_only);
/* Syncs return success and make nothing durable. */
void medium_set_lying(struct medium *medium, bool lying);
/* Syncs of files do not return until this is called with false. */
void medium_set_stalled(struct medium *medium, bool stalled);
/* Making a file takes until this is called with false, or MEDIUM_MAKING_MS at the most. */
#define MEDIUM_MAKING_MS 200
void medium_set_slow_making(struct medium *medium, bool slow);
/* Syncs of files take MEDIUM_SYNC_MS, while others go on. */
#define MEDIUM_SYNC_MS 1
void medium_set_slow_syncs(struct medium *medium, bool slow);
/* How many syncs wait at present because of a stall. */
uint32_t medium_stalled(struct medium *medium);

/* Flips one bit of what reads return. The file must exist and be that long. */
void medium_flip(struct medium *medium, const char *name, int64_t offset, unsigned bit);

#endif
