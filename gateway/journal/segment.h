/* A segment's file: its name, its header in two copies, and what the journal remembers of it. */
#ifndef SLUICE_JOURNAL_SEGMENT_H
#define SLUICE_JOURNAL_SEGMENT_H

#include "core/event.h"
#include "journal/io.h"

#include <stdbool.h>

#define SEGMENT_HEADER_SIZE   4096 /* frames begin behind it */
#define SEGMENT_NAME_SIZE_MAX 20   /* "segment-0000002a" */
#define SEGMENT_SIZE_MIN      (32 * 1024)
#define SEGMENT_ALIGNMENT_MIN 8

/* The versions of the format. Which one a segment is in, its header says, and all its frames say
 * the same. A program reads its own and the one before. */
#define FORMAT_OLDEST 1
#define FORMAT_NEWEST 1

struct segment {
    uint64_t generation;
    uint64_t sequence;
    uint64_t first_n;
    int64_t size;      /* of the file */
    int64_t end;       /* behind its last durable frame; `size` where that is not known */
    int64_t mono_ns;   /* when it was begun, in boot `boot` */
    int64_t offset_ns; /* wall minus monotonic clock then */
    uint32_t id;       /* which file */
    uint32_t epoch;
    uint32_t alignment;
    uint32_t boot;
    uint8_t trust;
    uint8_t version; /* of the format */
    bool kept;       /* holds kept frames only */
};

/* What a file of that name turned out to be. */
enum segment_kind {
    SEGMENT_LIVE,
    SEGMENT_FREE,    /* prepared: all its blocks are there, nothing in it counts */
    SEGMENT_RAW,     /* only zeros: its preparation may not have been finished */
    SEGMENT_FOREIGN, /* of another gateway */
    SEGMENT_VERSION, /* of a version that is not known */
    SEGMENT_DAMAGED, /* both copies of the header are unreadable */
};

void segment_name(uint32_t id, char name[SEGMENT_NAME_SIZE_MAX]);
bool segment_name_parse(const char *name, uint32_t *id);

/* Fills the block at `block` (SEGMENT_HEADER_SIZE bytes) with the header of a live segment, or of a
 * free one (NULL). */
void segment_pack(const struct segment *segment, const char *gateway_id, uint8_t *block);

/* Reads the header block of a file. Fills *segment but for its id when it is SEGMENT_LIVE.
 * `newest` is the last version that is known; `gateway_id` NULL: any; `owner`, when not NULL, is
 * told whose it is (ID_SIZE_MAX bytes). */
enum segment_kind segment_unpack(struct segment *segment, unsigned newest, const char *gateway_id,
                                 const uint8_t *block, char *owner);

/* As io->read, but goes around places that the medium cannot read: they are filled with 0xff. */
int64_t segment_read(const struct io *io, struct io_file *file, void *data, size_t size,
                     int64_t offset);

/* Opens the file of a segment and reads its header. Returns 0 or the I/O layer's error; the caller
 * closes *file. */
int segment_open(const struct io *io, uint32_t id, struct io_file **file, uint8_t *block);

static inline int64_t segment_align(int64_t offset, uint32_t alignment)
{
    return (offset + alignment - 1) & ~((int64_t)alignment - 1);
}

#endif
