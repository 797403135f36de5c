/*
 * A durable cursor: how far a named consumer has got. It moves when the consumer's acknowledgement
 * has arrived and never before. Moves ride on the next commit; when nothing is committed for a
 * while they are committed by themselves, at the latest after CURSOR_IDLE_NS. So a crash may take a
 * move back (the consumer sees events again), never forward.
 */
#ifndef SLUICE_JOURNAL_CURSOR_H
#define SLUICE_JOURNAL_CURSOR_H

#include "journal/journal.h"

#define CURSOR_NAME_SIZE_MAX 80 /* "uplink/cloud", "trial/0123abcd/uplink/cloud" */
#define CURSOR_KEY_SIZE      16
#define CURSOR_RANGES_MAX    16
#define CURSOR_IDLE_NS       (5 * NS_PER_S)

struct cursor;

enum cursor_start { CURSOR_AT_OLDEST, CURSOR_AT_NEWEST };

/* Finds the cursor of that name or makes it. ERR_NOMEM, ERR_FULL (64 at most), ERR_INVALID. One
 * holder at a time: ERR_BUSY. */
int cursor_open(struct cursor **cursor, struct journal *journal, const char *name,
                enum cursor_start start);

/* Lets go; the cursor stays in the journal and holds its place. */
void cursor_close(struct cursor *cursor);

/* Removes a cursor that nobody holds: it no longer counts. ERR_NOT_FOUND, ERR_BUSY. */
int cursor_remove(struct journal *journal, const char *name);

/* Continues under a new name. ERR_NOT_FOUND, ERR_EXISTS. */
int cursor_rename(struct journal *journal, const char *from, const char *to);

/* The same, in place of the cursor that has the name, which is given up: at no moment is there
 * neither. ERR_NOT_FOUND, ERR_BUSY (somebody holds that one). */
int cursor_replace(struct journal *journal, const char *from, const char *to);

/*
 * A trial of a cursor moves in its place until it is known which of the two counts, while the
 * cursor itself stays where it was. It is a cursor of its own, with the name that cursor_trial_name
 * makes of a key and the name that it stands for. cursor_replace makes it the one that counts, and
 * cursor_remove ends it.
 */
void cursor_trial_name(char name[CURSOR_NAME_SIZE_MAX], const char *key, const char *of);

/* Begins a cursor where another is, with its ledger. ERR_NOT_FOUND, ERR_EXISTS, ERR_FULL,
 * ERR_INVALID. */
int cursor_copy(struct journal *journal, const char *from, const char *to);

/* Everything below is done. Thread-safe. */
uint64_t cursor_low(const struct cursor *cursor);

/*
 * Where its consumer goes on to read: at cursor_low, or where events below that were dropped before
 * they were acknowledged at the first of them. A reader that begins there tells of the hole, and
 * once the consumer has acknowledged or dropped that range, too, it goes on behind. Thread-safe.
 */
uint64_t cursor_resume(const struct cursor *cursor);

/*
 * Events first..last (inclusive) are acknowledged; those that were before count once. Ranges above
 * the low-water mark are remembered, at most CURSOR_RANGES_MAX: ERR_FULL (then acknowledge in
 * order). ERR_INVALID for what is not durable. Thread-safe.
 */
int cursor_ack(struct cursor *cursor, uint64_t first, uint64_t last);

/* The same for events that the consumer gave up for `reason`: counted as dropped, not as
 * acknowledged. */
int cursor_drop(struct cursor *cursor, uint64_t first, uint64_t last, enum gap_reason reason);

/* For the ledger: pending = durable - acked - dropped, counted since the cursor began. */
struct cursor_ledger {
    char name[CURSOR_NAME_SIZE_MAX]; /* of a trial: the one that it stands for */
    char trial[CURSOR_KEY_SIZE];     /* its key; "" for a cursor that is none */
    uint64_t low, resume, acked, pending;
    uint64_t dropped[8]; /* by enum gap_reason; retention counts what was dropped before it was
                            acknowledged */
    uint32_t ranges;
    bool held;
};
/* Calls `each` for every cursor but those that a trial stands for. Thread-safe. */
void cursor_each(const struct journal *journal,
                 void (*each)(void *context, const struct cursor_ledger *ledger), void *context);

#endif
