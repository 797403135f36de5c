/*
 * Small files that must be whole after a power cut: what stands there is what was saved last, or
 * what stood there before. Any thread; of two that save the same file at once one comes behind the
 * other, also where they are two processes.
 */
#ifndef SLUICE_CORE_SAVE_H
#define SLUICE_CORE_SAVE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Replaces the file `path`, or makes it, with the rights `mode` whatever the umask is. Returns 0
 * when it is durable. Otherwise an error (ERR_NOT_FOUND: no such folder, ERR_DENIED, ERR_NO_SPACE,
 * ERR_READ_ONLY, ERR_TOO_LARGE: the path, ERR_IO); then the old content stands, or, where only the
 * last step failed, either.
 */
int save_file(const char *path, const void *data, size_t size, mode_t mode);

/*
 * The same for a file that is somebody's own: a link goes on leading to it, it keeps its owner and
 * its rights, and one that may not be written is left alone (ERR_DENIED, ERR_READ_ONLY) though its
 * folder may be. One that is not there yet gets `mode`.
 */
int save_over(const char *path, const void *data, size_t size, mode_t mode);

/*
 * Puts the file `from`, which is durable already, in the place of such a file; that needs no room
 * on the disk. Both have to be on one filesystem (else an error, and nothing is changed). 0 when it
 * is durable, or an error as above.
 */
int save_move(const char *from, const char *path);

/* Removes it for good. 0 also where there is none. */
int save_remove(const char *path);

/*
 * Reads a whole file of at most `size_max` bytes into *data (malloc'd, terminated by a zero that
 * `size` does not count). ERR_NOT_FOUND, ERR_DENIED, ERR_TOO_LARGE, ERR_IO, ERR_NOMEM.
 */
int save_read(const char *path, size_t size_max, char **data, size_t *size);

#endif
