#include "journal/scan.h"

#include "core/error.h"

#include <stdlib.h>
#include <string.h>

#define READ_SIZE (64 * 1024)

int scan_open(struct scan *scan, const struct io *io, const struct segment *segment)
{
    memset(scan, 0, sizeof(*scan));
    scan->io = io;
    scan->room = READ_SIZE;
    scan->buffer = malloc(scan->room);
    if (!scan->buffer)
        return ERR_NOMEM;
    int error = scan_reopen(scan, segment);
    if (error < 0)
        scan_close(scan);
    return error;
}

int scan_reopen(struct scan *scan, const struct segment *segment)
{
    char name[SEGMENT_NAME_SIZE_MAX];

    if (scan->file)
        scan->io->close(scan->io, scan->file);
    scan->file = NULL;
    scan->generation = segment->generation;
    scan->alignment = segment->alignment;
    scan->at = SEGMENT_HEADER_SIZE;
    scan->end = segment->end;
    scan->held = 0;
    segment_name(segment->id, name);
    return scan->io->open(scan->io, name, 0, &scan->file);
}

void scan_close(struct scan *scan)
{
    if (scan->file)
        scan->io->close(scan->io, scan->file);
    free(scan->buffer);
    scan->file = NULL;
    scan->buffer = NULL;
}

/*
 * Gets the bytes from `at` on into the buffer, at least `want` of them where the file has as many.
 * Returns how many are there from `at` on (fewer than `want` at the end), with *data pointing at
 * them.
 */
static int64_t fetch(struct scan *scan, int64_t at, size_t want, const uint8_t **data)
{
    int64_t held_end = scan->held_at + (int64_t)scan->held;
    int64_t here = held_end - at;
    if (at < scan->held_at || at > held_end)
        here = 0;
    if (here < (int64_t)want && at + here < scan->end) {
        if (want > scan->room) {
            uint8_t *grown = realloc(scan->buffer, want);
            if (!grown)
                return ERR_NOMEM;
            scan->buffer = grown;
            scan->room = want;
        }
        if (here > 0)
            memmove(scan->buffer, scan->buffer + (at - scan->held_at), (size_t)here);
        int64_t size = scan->end - at;
        if (size > (int64_t)scan->room)
            size = (int64_t)scan->room;
        int64_t got = segment_read(scan->io, scan->file, scan->buffer + here, (size_t)(size - here),
                                   at + here);
        scan->held_at = at;
        scan->held = (size_t)here;
        if (got < 0)
            return got;
        here += got;
        scan->held = (size_t)here;
    }
    *data = here > 0 ? scan->buffer + (at - scan->held_at) : scan->buffer;
    return here;
}

/* The frame at `at`: its size, 0 when there is none, or a read error. */
static int64_t frame_at(struct scan *scan, int64_t at, struct frame *frame, const uint8_t **data)
{
    int64_t here = fetch(scan, at, FRAME_HEADER_SIZE, data);
    if (here < FRAME_HEADER_SIZE)
        return here < 0 ? here : 0;
    size_t whole = frame_wants(*data, scan->generation);
    if (whole == 0 || at + (int64_t)whole > scan->end)
        return 0;
    here = fetch(scan, at, whole, data);
    if (here < 0)
        return here;
    int got = frame_get(frame, *data, (size_t)here, scan->generation);
    return got < 0 ? 0 : got;
}

int scan_next(struct scan *scan, struct frame *frame, const uint8_t **payload, int64_t *skipped)
{
    const uint8_t *data;

    for (int64_t at = scan->at; at + FRAME_HEADER_SIZE <= scan->end; at += scan->alignment) {
        int64_t size = frame_at(scan, at, frame, &data);
        if (size < 0)
            return (int)size;
        if (size == 0)
            continue;
        *skipped = at - scan->at;
        *payload = data + FRAME_HEADER_SIZE;
        scan->at = segment_align(at + size, scan->alignment);
        return 1;
    }
    return 0;
}
