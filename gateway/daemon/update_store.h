/*
 * The file that an update's bundle comes into: bounded, and never at the cost of the room that the
 * journal needs. One thread.
 */
#ifndef SLUICE_DAEMON_UPDATE_STORE_H
#define SLUICE_DAEMON_UPDATE_STORE_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#define UPDATE_BYTES_MAX     (INT64_C(1) << 30)  /* of a bundle: what is larger never ends */
#define UPDATE_BYTES_RESERVE (INT64_C(32) << 20) /* that stay free beside it */

struct update_store {
    int fd;
    int64_t size;      /* what has come */
    int64_t looked_at; /* size when the room was last looked at */
    char path[PATH_MAX];
};

/* Whether so many bytes (negative: it is not known) may come: 0, ERR_TOO_LARGE, ERR_NO_SPACE. */
int update_store_fits(const char *folder, int64_t size);

/* Makes "update/bundle.raucb" in the folder, in place of what stood there. 0, ERR_DENIED,
 * ERR_NO_SPACE, ERR_READ_ONLY, ERR_IO. */
int update_store_open(struct update_store *store, const char *folder);

/* 0, ERR_TOO_LARGE, ERR_NO_SPACE, ERR_IO. */
int update_store_write(struct update_store *store, const char *data, size_t size);

/* Closes it; the file stays, and is durable when 0 is returned. */
int update_store_finish(struct update_store *store);

/* Removes what may lie there of an update that did not end. */
void update_store_clear(const char *folder);

#endif
