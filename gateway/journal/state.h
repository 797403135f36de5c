/*
 * The journal's state at one n: what a checkpoint holds. The writer keeps one as it stores events;
 * recovery and the look into the past make one from a checkpoint and the events behind it.
 */
#ifndef SLUICE_JOURNAL_STATE_H
#define SLUICE_JOURNAL_STATE_H

#include "journal/boots.h"
#include "journal/cursors.h"
#include "journal/journal.h"
#include "journal/steps.h"
#include "journal/streams.h"

#define IDENTITY_SIZE_MAX 128

/*
 * Events of one bus are stored in the order of their times; those of several are mixed, as each
 * waits in its lane. A stored event can be so much older than one before it: what a lane may have
 * to wait for a disk.
 */
#define STATE_DISORDER_NS (300 * NS_PER_S)

struct state {
    struct streams streams;
    struct boots boots;
    struct steps steps;
    struct cursors cursors;
    uint64_t applied_n; /* of the last event that it includes */
    uint32_t declared;  /* streams up to this number have their declaration stored */
    uint32_t epoch;
    struct journal_previous previous;
    char identity[IDENTITY_SIZE_MAX];
    uint64_t outage_told; /* number of the newest note of an outage that was told of */
    uint64_t retired_n;   /* events up to this one have left the journal; 0: none has */
    /* Counted in events, since the journal began. */
    _Atomic uint64_t stored;
    _Atomic uint64_t refused; /* as told by gap events */
    _Atomic uint64_t dropped[GAP_REASONS];
    _Atomic int64_t newest_wall_ns; /* of the last event */
    bool clean;                     /* the last frame applied was a clean end */
    uint64_t checkpoint_records;    /* seen since the checkpoint's begin */
    bool checkpoint_whole;          /* its end was seen, and nothing was missing */
};

int state_init(struct state *state);
void state_clear(struct state *state);

/* Takes an event into account; one with an n that is included already changes nothing. 0,
 * ERR_NOMEM, ERR_CORRUPT. */
int state_apply_event(struct state *state, const struct event *event);

/* Takes a record into account. Types that are not known are skipped. 0, ERR_NOMEM, ERR_CORRUPT. */
int state_apply_record(struct state *state, uint8_t type, struct unpacker *body);

/* The moment up to which events are applied. */
struct moment {
    int64_t wall_ns;
    uint64_t first_n; /* of the stretch that it is in: before, the clock may have said anything */
    uint64_t last_n;
};

#define MOMENT_NEWEST ((struct moment){INT64_MAX, 0, UINT64_MAX})

/*
 * Applies a frame's events and then its records. Events behind the moment (by the boot table
 * `dates`) are left out. Returns 1 when there was one so far behind that no older one can follow,
 * and applies nothing more of the frame.
 */
int state_apply_frame(struct state *state, const struct frame *frame, const uint8_t *payload,
                      const struct boots *dates, const struct moment *moment);

/* Records that are written outside of checkpoints too. */
void state_pack_epoch(const struct state *state, struct record_body *body);
void state_pack_told(const struct state *state, struct record_body *body);
void state_pack_retired(const struct state *state, struct record_body *body);
void state_pack_boot(const struct boot *boot, struct record_body *body);

/*
 * The state as records, a part at a time. Zero the walk to begin; each call packs as many records
 * as there is room for and returns true when there are more.
 */
struct state_walk {
    uint32_t part; /* which kind of record, and how far within it */
    uint32_t next;
    uint64_t records;
};
bool state_pack(struct state *state, struct state_walk *walk, struct packer *out);

/* How many bytes of records that makes, rather more than less. */
size_t state_size(struct state *state);

#endif
