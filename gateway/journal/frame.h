/* A frame: the header of one group commit, and the records behind its events
 * (docs/journal-format.md). */
#ifndef SLUICE_JOURNAL_FRAME_H
#define SLUICE_JOURNAL_FRAME_H

#include "journal/pack.h"

#define FRAME_HEADER_SIZE 64
#define FRAME_SIZE_MAX    (1024 * 1024)

#define FRAME_CHECKPOINT 1
#define FRAME_KEPT       2

struct frame {
    uint64_t generation;
    uint64_t first_n;
    int64_t mono_ns;   /* what the first event's time is packed relative to */
    int64_t offset_ns; /* wall clock minus monotonic clock */
    uint32_t length;   /* of the payload */
    uint32_t events_size;
    uint32_t count;
    uint32_t epoch;
    uint32_t boot;
    uint8_t flags;
    uint8_t trust;
    uint8_t version; /* of the format: as its segment's */
};

/* Writes the header in front of the payload, which stands at data + FRAME_HEADER_SIZE, with the
 * checksum of both. */
void frame_put(const struct frame *frame, uint8_t *data);

/*
 * Reads and checks the frame at `data`. Returns its size (header and payload), ERR_AGAIN when
 * `size` bytes do not hold all of it (frame_wants says how many would), or ERR_CORRUPT for what is
 * no frame of this generation.
 */
int frame_get(struct frame *frame, const uint8_t *data, size_t size, uint64_t generation);

/* How many bytes the frame takes whose header is at `data`, by what it says; 0 when it is none of
 * this generation. */
size_t frame_wants(const uint8_t *data, uint64_t generation);

/* The last n in the frame, or that it stands for; first_n - 1 where it has no events. */
uint64_t frame_last_n(const struct frame *frame, const uint8_t *payload);

/* Stored: values are fixed. */
enum record_type {
    RECORD_CURSOR = 1,
    RECORD_CURSOR_REMOVED = 2,
    RECORD_BOOT = 3,
    RECORD_EPOCH = 4,
    RECORD_LEDGER = 5,
    RECORD_REFUSED = 6,
    RECORD_STREAM = 7,
    RECORD_LAST = 8,
    RECORD_CHECKPOINT_BEGIN = 9,
    RECORD_CHECKPOINT_END = 10,
    RECORD_CLEAN_END = 11,
    RECORD_LEARNT = 12,
    RECORD_OUTAGE_TOLD = 13,
    RECORD_STEPS = 14,
    RECORD_RETIRED = 15,
};

#define RECORD_SIZE_MAX 4608 /* the largest is a last value with 4,096 bytes of text */

/* Room for the body of a record, to be packed and then handed to record_put. */
struct record_body {
    struct packer packer;
    uint8_t bytes[RECORD_SIZE_MAX];
};

void record_begin(struct record_body *body);

/* Appends the record. Returns false, having written nothing, when `out` has no room for it. */
bool record_put(struct packer *out, enum record_type type, const struct record_body *body);

/* The next of the records in `in`. Returns 1, 0 at the end, ERR_CORRUPT. */
int record_get(struct unpacker *in, uint8_t *type, struct unpacker *body);

#endif
