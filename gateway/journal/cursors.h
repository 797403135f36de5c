/*
 * The table of cursors: for each named consumer its low-water mark, the ranges that are done above
 * it, and its ledger. Thread-safe. What changes is marked, and leaves with the next commit.
 */
#ifndef SLUICE_JOURNAL_CURSORS_H
#define SLUICE_JOURNAL_CURSORS_H

#include "journal/cursor.h"
#include "journal/frame.h"

#include <pthread.h>

#define CURSORS_MAX 64
#define GAP_REASONS 8 /* as many as the ledger counts */

enum cursor_state {
    CURSOR_UNUSED = 0,
    CURSOR_LIVE,
    CURSOR_REMOVED, /* until the journal has it */
};

struct cursor_range {
    uint64_t first, last;
};

struct cursor {
    struct journal *journal;
    enum cursor_state state;
    bool held;
    bool changed; /* since it was last written */
    char name[CURSOR_NAME_SIZE_MAX];
    uint64_t began; /* the first n that counts for it */
    uint64_t low;   /* everything below is done */
    uint64_t acked;
    uint64_t dropped[GAP_REASONS];
    uint32_t range_count;
    struct cursor_range ranges[CURSOR_RANGES_MAX]; /* rising, apart from one another and from low */
    struct cursor_range untold; /* below low: gone, and the consumer has not taken the word of that
                                   yet; first 0: none */
};

struct cursors {
    pthread_mutex_t mutex;
    struct cursor table[CURSORS_MAX];
};

void cursors_init(struct cursors *cursors);
void cursors_clear(struct cursors *cursors);

/* The live cursor of that name; NULL for none. Call with the mutex held, as all that follow but
 * those that say otherwise. */
struct cursor *cursors_find(struct cursors *cursors, const char *name);

/* An unused place; NULL when all are taken. */
struct cursor *cursors_place(struct cursors *cursors);

/*
 * Marks first..last as done. Returns how many of them were not yet, or ERR_FULL (nothing is
 * changed). What lies below low is done already.
 */
int64_t cursor_mark(struct cursor *cursor, uint64_t first, uint64_t last);

/* The consumer is done with first..last, and thereby with what it was told is gone of that. Returns
 * whether there was any. */
bool cursor_told(struct cursor *cursor, uint64_t first, uint64_t last);

/* How many of first..last are not done. */
uint64_t cursor_missing(const struct cursor *cursor, uint64_t first, uint64_t last);

/*
 * Everything up to `last` is gone: what each cursor lacked of it counts as dropped for `reason`,
 * and its low moves behind; its consumer has to be told of that yet. Tells in *gap the part that
 * some cursor lacked (count 0: none did). Takes the mutex.
 */
void cursors_retire(struct cursors *cursors, uint64_t last, enum gap_reason reason,
                    struct gap *gap);

/* How many there are. Takes the mutex. */
size_t cursors_count(struct cursors *cursors);

/* The smallest low-water mark; UINT64_MAX without cursors. Takes the mutex. */
uint64_t cursors_lowest(struct cursors *cursors);

/* The highest n that any cursor has done; 0 for none. Takes the mutex. */
uint64_t cursors_highest(struct cursors *cursors);

/*
 * Packs what has changed (or, with `all`, every live cursor, which stays marked) as records, as far
 * as there is room. Returns how many records. Takes the mutex.
 */
uint32_t cursors_pack(struct cursors *cursors, struct packer *out, bool all, uint32_t *next);

/* Applies a record of type RECORD_CURSOR or RECORD_CURSOR_REMOVED. 0 or ERR_CORRUPT. Takes the
 * mutex. */
int cursors_apply(struct cursors *cursors, uint8_t type, struct unpacker *body);

/*
 * Takes over what a record of type RECORD_CURSOR says of a cursor that is there, where that is more
 * than is known, and marks it as changed. False when nothing was taken: the record is the older
 * one, or damaged, or of a cursor that is not there, or is another one of that name. Takes the
 * mutex.
 */
bool cursors_advance(struct cursors *cursors, struct unpacker *body);

#endif
