/*
 * Walks along the frames of one segment with a private buffer of bounded size, and finds the way on
 * behind a damaged stretch. One thread at a time.
 */
#ifndef SLUICE_JOURNAL_SCAN_H
#define SLUICE_JOURNAL_SCAN_H

#include "journal/frame.h"
#include "journal/io.h"
#include "journal/segment.h"

struct scan {
    const struct io *io;
    struct io_file *file;
    uint64_t generation;
    uint32_t alignment;
    int64_t end; /* nothing behind it is looked at; the caller may move it on */
    int64_t at;  /* where the next frame is expected */
    uint8_t *buffer;
    size_t room;
    int64_t held_at; /* what the buffer holds: `held` bytes of the file from here on */
    size_t held;
};

/* Begins at a segment's first frame; takes a file handle of its own. `end` is the segment's. 0 or
 * an error. */
int scan_open(struct scan *scan, const struct io *io, const struct segment *segment);

/* Goes to another segment, keeping the buffer. On an error nothing is open, and scan_close is still
 * fine. */
int scan_reopen(struct scan *scan, const struct segment *segment);
void scan_close(struct scan *scan);

/*
 * The next frame that is readable. Returns 1 with the header in *frame and its payload (valid until
 * the next call), 0 when there is none up to the end, or a read error. *skipped says how many bytes
 * that are no frame had to be passed over to find it. At 0 the place stays, so that the walk can go
 * on when the end has moved.
 */
int scan_next(struct scan *scan, struct frame *frame, const uint8_t **payload, int64_t *skipped);

#endif
