/*
 * What the world outside knew at each moment of a recorded run: which events had been told durable,
 * which had been acknowledged by whom, what the policy had retired. Moments are positions in the
 * medium's log.
 */
#ifndef SLUICE_TESTS_HISTORY_H
#define SLUICE_TESTS_HISTORY_H

#include "core/event.h"
#include "faults/medium.h"

#define HISTORY_NEVER   SIZE_MAX
#define HISTORY_CURSORS 3

extern const char *const history_cursor_names[HISTORY_CURSORS];

struct known {
    uint32_t epoch; /* 0: this n was never seen */
    uint32_t stream;
    uint8_t kind;
    uint64_t content; /* fingerprint of everything in the event but its key and its wall clock */
    size_t
        acked_at[HISTORY_CURSORS]; /* the moment just before the acknowledgement was handed over */
    size_t sure_at[HISTORY_CURSORS]; /* the moment from which it is promised to be remembered */
};

struct history_mark {
    size_t position;
    uint64_t durable;
    uint64_t oldest;
};

struct history {
    struct known *events; /* by n; events[0] is not used */
    uint64_t last;        /* the largest n seen */
    uint64_t room;
    struct history_mark *marks;
    size_t mark_count;
    struct history_clean {
        size_t from, to; /* between these the journal was closed in order, and opened again */
    } * cleans;
    size_t clean_count;
};

void history_close(struct history *history);

/* A consumer saw this event. False when the key was seen before with another content. */
bool history_see(struct history *history, const struct event *event);

/* The same without remembering: whether the event agrees with what was seen under its key. */
bool history_agrees(const struct history *history, const struct event *event);

void history_mark(struct history *history, size_t position, uint64_t durable, uint64_t oldest);

/* The journal is about to be closed in order; and is open again, with something durable written
 * behind its clean end. */
void history_clean_begin(struct history *history, size_t position);
void history_clean_end(struct history *history, size_t position);

/* Whether a disk of that moment may hold a clean end. */
bool history_clean(const struct history *history, size_t position);

/* Cursor `cursor` was about to acknowledge first..last; what it acknowledged before is now certain.
 */
void history_ack(struct history *history, int cursor, uint64_t first, uint64_t last,
                 size_t position);
void history_sure(struct history *history, size_t position);

/* What had been told durable when the log had `position` records. */
uint64_t history_durable(const struct history *history, struct medium *medium, size_t position);

/* The furthest that retention may have got to when the log had `position` records. */
uint64_t history_oldest(const struct history *history, size_t position);

/* The first n at or above `from` that the cursor had not acknowledged at that moment (`sure`: not
 * certainly). */
uint64_t history_unacked(const struct history *history, int cursor, uint64_t from, size_t position,
                         bool sure);

/*
 * A history that goes on from a cut at `position`: it keeps what was known of the events up to
 * `last`; what had been acknowledged or promised by then is so from the beginning.
 */
void history_branch(struct history *branch, const struct history *history, uint64_t last,
                    size_t position);

/* How many events below n the cursor had not acknowledged at that moment. */
uint64_t history_unacked_below(const struct history *history, int cursor, uint64_t n,
                               size_t position);

uint64_t history_fingerprint(const struct event *event);

#endif
