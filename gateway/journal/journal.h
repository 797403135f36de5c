/*
 * The journal: an append-only, durable log of events, the only store and the broker between
 * producers and consumers. The format is docs/journal-format.md.
 *
 * Producers put events into lanes (lane.h); one writer thread numbers them, commits them in groups,
 * and rolls segments. Consumers read what is durable with a reader (reader.h) and say how far they
 * are with a cursor (cursor.h).
 */
#ifndef SLUICE_JOURNAL_JOURNAL_H
#define SLUICE_JOURNAL_JOURNAL_H

#include "core/clock.h"
#include "core/event.h"
#include "core/stream.h"
#include "journal/io.h"

#define JOURNAL_STREAMS_MAX 262144 /* numbers that a journal can give */

struct journal;

enum journal_when_full { JOURNAL_DROP_OLDEST, JOURNAL_REFUSE_NEWEST };

struct journal_options {
    const struct io *io;       /* the folder; stays the caller's and outlives the journal */
    const struct io *refuge;   /* a folder on another medium, which may forget it when the machine
                                  starts: where what is lost is noted while `io` takes nothing at
                                  all. Outlives the journal; NULL: none */
    const struct clock *clock; /* dates events; intervals are real time, whatever it says */
    const char *gateway_id;    /* a journal of another gateway is kept aside */
    const char *identity;      /* of the machine (machine id): when it changes, a new epoch begins.
                                  "" or NULL for none */
    const char *boot_id;       /* /proc/sys/kernel/random/boot_id: which run of the monotonic clock
                                  this is. "" or NULL: one that was never before */
    int64_t keep_bytes;        /* all segments together; 0: 1 GiB */
    int64_t max_age_ns;        /* 0: no limit */
    enum journal_when_full when_full;
    int64_t commit_ns;        /* longest wait of an event before its commit begins; 0 takes 250 ms,
                                 negative: at once */
    int64_t commit_bytes;     /* a commit begins when so much is waiting, and is hardly larger; 0:
                                 64 KiB, at most 512 KiB */
    int64_t segment_bytes;    /* 0: 8 MiB, or an eighth of keep_bytes; at least 32 KiB, and four
                                 times the checkpoint */
    uint32_t sector_bytes;    /* 0: commits follow one another; else each commit begins on such a
                                 boundary: a power of two, at most 4,096 */
    uint32_t (*random)(void); /* for epochs and generations; NULL: getrandom */
    bool format_kept;       /* go on in the format of the newest segment, so that the version before
                               can read what is written, until journal_confirm; else: in the newest */
    unsigned format_newest; /* 0: FORMAT_NEWEST of segment.h; a test plays a later version */
    int64_t hang_ns; /* a disk that has not answered for so long hangs: nobody waits for it any
                        more. 0: 10 s */
};

/*
 * Opens the folder's journal, recovers it, or begins a new one; starts the writer thread. Costs one
 * segment, not the backlog. Never refuses because of what it finds: a torn tail is cut, damage is
 * set aside and told as a gap, an unknown version is kept beside. Errors: ERR_NOMEM, ERR_BUSY
 * (another process has it), ERR_DENIED, ERR_READ_ONLY, ERR_NO_SPACE, ERR_IO.
 */
int journal_open(struct journal **journal, const struct journal_options *options);

/* This version is here to stay: segments are begun in its own format from now on. Any thread. */
void journal_confirm(struct journal *journal);

/*
 * Commits what is waiting, writes a clean end, stops the threads, frees. Readers, lanes and cursors
 * must be closed. Returns 0; or ERR_TIMEOUT while the disk hangs, with nothing freed: then the call
 * may be repeated, or the process end, but `io` must stay. NULL is fine.
 */
int journal_close(struct journal *journal);

/*
 * Finds or declares the stream (device, point) as described (number and version in *stream are
 * filled in). The same description finds the same number after a restart; a changed type or unit
 * gets the next version and a new number; a changed name or decimals too. The declaration is an
 * event of its own, stored in the same or an earlier commit than the first event of the stream, so
 * it need not be waited for. Thread-safe, does not block. ERR_NOMEM, ERR_INVALID (ids or sizes),
 * ERR_FULL (JOURNAL_STREAMS_MAX).
 */
int journal_declare(struct journal *journal, struct stream *stream);

/* Copies the declaration of a number into *stream and returns `stream`; NULL for a number that is
 * none. Thread-safe, no lock. */
const struct stream *journal_stream(const struct journal *journal, uint32_t number,
                                    struct stream *stream);
/* The number of the newest declaration of a device and point; 0 for none. Thread-safe. */
uint32_t journal_find(const struct journal *journal, const char *device, const char *point);

uint32_t journal_stream_count(const struct journal *journal); /* numbers 1..count */

/*
 * Puts one event on the journal's own lane, which never drops: the call waits for room while the
 * disk works. For states, alarms, commands, lifecycle. Copies. Thread-safe. Returns 0; ERR_INVALID
 * for an event that cannot be stored (stream unknown, value too large, kind or type none);
 * ERR_CLOSED; or, when there is no room because nothing can be stored at present, the storage's
 * error (ERR_TIMEOUT where the disk hangs): the event is counted as refused then.
 */
int journal_put(struct journal *journal, const struct event *event);

/*
 * Commits at once, and waits until everything put before the call is durable, events and cursor
 * moves. Thread-safe. 0, ERR_TIMEOUT, or the storage's error when nothing can be stored at present.
 */
int journal_flush(struct journal *journal, int64_t timeout_ns);

/* n and epoch of the newest durable event (0: none yet). Thread-safe. */
uint64_t journal_durable(const struct journal *journal, uint32_t *epoch);

/* The oldest n still stored (1 past the newest where nothing is). */
uint64_t journal_oldest(const struct journal *journal);

/*
 * The epoch before the current one, its last n, when that was, and why it ended; epoch 0 where
 * there was none. What was read between `newest_ns` and the beginning of the current epoch is the
 * most that an unclean start can have cost, whatever became of the disk before.
 */
struct journal_previous {
    uint32_t epoch;
    uint64_t last;
    int64_t newest_ns; /* wall clock of the newest event that was found; 0: no clock was set */
    char why[32];      /* "unclean start", "identity changed", "damage", "set aside" */
};
void journal_previous(const struct journal *journal, struct journal_previous *previous);

/*
 * The wall clock of a moment of a boot by the newest table, and how far to trust it. A consumer
 * holds events back whose trust is CLOCK_UNSET, as they are re-dated when the clock is set.
 * Thread-safe.
 */
enum clock_trust journal_wall(const struct journal *journal, uint32_t boot, int64_t mono_ns,
                              int64_t *wall_ns);

/* What status shows. All figures are since the journal began unless said otherwise. */
struct journal_stats {
    uint32_t epoch, boot;
    uint64_t produced, stored, refused; /* events put, made durable, refused by full rings; produced
                                           = stored + refused + waiting */
    uint64_t waiting;                   /* put, not yet durable */
    uint64_t oldest, newest;            /* n */
    int64_t oldest_wall_ns;             /* when the oldest segment was begun */
    int64_t newest_wall_ns;             /* of the newest event; not before oldest_wall_ns, unless
                                           the clock was set back */
    uint64_t bytes, keep_bytes;         /* of all files, with the one in preparation; allowed */
    uint64_t commits, commit_bytes;     /* since the start */
    int64_t commit_ns;                  /* the interval: what a power cut may take at most */
    int64_t last_sync_ns, worst_sync_ns;
    uint64_t dropped[8]; /* by enum gap_reason */
    uint32_t segments, streams;
    int storage_error; /* 0, or why nothing can be stored at present; ERR_TIMEOUT: the disk hangs */
};
void journal_stats(const struct journal *journal, struct journal_stats *stats);

/*
 * How long the disk, or the writer thread itself, has owed a sign of life: near 0 as long as all is
 * well, also while there is nothing to write or the disk is full. Any thread.
 */
int64_t journal_silent_ns(const struct journal *journal);

/*
 * Events of one stream since the journal began: produced = stored + refused. One that still waits
 * in a lane is not counted yet; its declaration counts as an event of it. 0 or ERR_NOT_FOUND.
 * Thread-safe.
 */
struct journal_stream_ledger {
    uint64_t produced, stored, refused;
    uint64_t last_n; /* of the newest reading or state; 0: none */
    int64_t last_wall_ns;
    uint16_t last_status;
};
int journal_stream_ledger(const struct journal *journal, uint32_t number,
                          struct journal_stream_ledger *ledger);

/*
 * Copies the text of the newest config event of a stream: what a driver learnt about the device
 * whose states it is. Returns its size; 0 when there is none, or when it does not fit into `size`
 * bytes. Thread-safe.
 */
size_t journal_learnt(struct journal *journal, uint32_t number, char *out, size_t size);

/*
 * Calls `each` with the newest reading (or state) of every stream as of the wall time: from the
 * checkpoint before it, the rest of that segment, and what was stored in the next few minutes
 * (events of several buses are stored a little out of order). Returns 0, ERR_NOT_FOUND when the
 * journal does not reach back so far, or a read error.
 */
int journal_state_at(struct journal *journal, int64_t wall_ns,
                     void (*each)(void *context, const struct event *event), void *context);

/* An eventfd (non-blocking) that becomes readable at every commit; add it to an epoll set. One per
 * consumer, 64 at most: ERR_FULL, ERR_DESCRIPTORS. Unwatch closes it. Thread-safe. */
int journal_watch(struct journal *journal);
void journal_unwatch(struct journal *journal, int fd);

#endif
