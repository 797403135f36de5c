/*
 * The only way in which the journal touches files. Tests replace it by a medium that records,
 * fails, tears and reorders. Calls come from any thread; a handle is used by one thread at a time,
 * except that reads may run beside anything.
 */
#ifndef SLUICE_JOURNAL_IO_H
#define SLUICE_JOURNAL_IO_H

#include <stddef.h>
#include <stdint.h>

struct io_file; /* what a handle is belongs to the implementation */

struct io_dir_entry {
    char name[64];
    int64_t size;
};

/* Every function returns an error of core/error.h (negative) when it fails. */
struct io {
    /* Opens `name` in the journal's folder for reading and writing; `create` makes it, empty, and
     * fails when it exists. */
    int (*open)(const struct io *io, const char *name, int create, struct io_file **file);
    void (*close)(const struct io *io, struct io_file *file);
    /* All `size` bytes or an error: short writes and EINTR are completed within. */
    int (*write)(const struct io *io, struct io_file *file, const void *data, size_t size,
                 int64_t offset);
    /* Bytes read: fewer than `size` only at the end of the file. */
    int64_t (*read)(const struct io *io, struct io_file *file, void *data, size_t size,
                    int64_t offset);
    /* Lets the device begin to write those bytes, without waiting for it. It makes nothing durable
     * and is no more than a hint: a failure shows itself in the sync that follows. */
    void (*push)(const struct io *io, struct io_file *file, size_t size, int64_t offset);
    /* fdatasync. After a failure the file must not be written again: what the kernel dropped is
     * unknown. */
    int (*sync)(const struct io *io, struct io_file *file);
    int64_t (*size)(const struct io *io, struct io_file *file);
    int (*truncate)(const struct io *io, struct io_file *file, int64_t size);
    int (*rename)(const struct io *io, const char *from, const char *to);
    int (*remove)(const struct io *io, const char *name);
    int (*sync_dir)(const struct io *io);
    /* Calls `each` for every regular file. */
    int (*list)(const struct io *io, void (*each)(void *context, const struct io_dir_entry *entry),
                void *context);
    /* Bytes free on the filesystem. */
    int64_t (*space)(const struct io *io);
    /* One process at a time: ERR_BUSY when another holds the folder. */
    int (*lock)(const struct io *io);
    void *context;
};

/* The real filesystem below the folder `path` (made when missing, mode 0700). io_posix_close
 * unlocks. */
int io_posix_open(struct io *io, const char *path);
void io_posix_close(struct io *io);

#endif
